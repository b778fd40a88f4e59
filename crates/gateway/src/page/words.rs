//! What is said of sales, stocks and orders: the table that the scripts use, read once.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// The table: a module of which everything after `export default` is JSON.
const TABLE: &str = include_str!("assets/words.js");

#[derive(Default, Deserialize)]
struct Words {
    states: HashMap<String, String>,
    stocks: HashMap<String, String>,
    orders: HashMap<String, (String, String)>,
}

fn table() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let json = TABLE.split_once("export default").map_or("", |(_, json)| json);
        serde_json::from_str(json.trim().trim_end_matches(';')).unwrap_or_default()
    })
}

/// What a state means to a buyer.
pub(super) fn state(word: &str) -> &'static str {
    table().states.get(word).map_or("", String::as_str)
}

/// What an availability means to a buyer.
pub(super) fn availability(word: &str) -> &'static str {
    table().stocks.get(word).map_or("", String::as_str)
}

/// What happened to an order, and what to do.
pub(super) fn order(status: &str, reason: Option<&str>) -> (&'static str, &'static str) {
    let orders = &table().orders;
    let of_reason = reason.and_then(|reason| orders.get(&format!("{status}/{reason}")));
    let found = of_reason.or_else(|| orders.get(status)).or_else(|| orders.get("unknown"));
    found.map_or(("", ""), |(happened, hint)| (happened, hint))
}

/// An instant for people, out of RFC 3339 in UTC: `25 November 2026, 15:31 UTC`. The text itself where it is not one.
pub(super) fn instant(text: &str) -> String {
    spelled(text).unwrap_or_else(|| text.to_owned())
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn spelled(text: &str) -> Option<String> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    let day: u8 = day.parse().ok()?;
    let year: u16 = year.parse().ok()?;
    let whole = time.split('.').next()?;
    let clock = whole.strip_suffix(":00").unwrap_or(whole);
    let digits = clock.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    digits.then(|| format!("{day} {month} {year}, {clock} UTC"))
}
