//! A sale as an operator writes it: every wrong member is named at once.

use domain::challenge::ChallengeRule;
use domain::id::{ProductId, SaleId};
use domain::limits::{
    DEFAULT_HOLD_MS, DEFAULT_SALE_MS, MAX_EXTENSION_MS, MAX_HOLD_MS, MAX_NAME_CHARS, MAX_PER_USER,
    MAX_PRODUCTS, MAX_STOCK, MAX_TEXT_CHARS, MAX_URL_CHARS, MIN_HOLD_MS, is_one_line,
};
use domain::money::{Currency, Money};
use domain::product::{Product, is_image_url};
use domain::sale::{Mode, Sale};
use domain::time::Timestamp;
use purchase::operate::SalePatch;
use serde_json::{Map, Value};

use crate::problem::{FieldError, Problem};

const SALE: [&str; 11] = [
    "sale_id",
    "name",
    "description",
    "starts_at",
    "ends_at",
    "mode",
    "hold_ms",
    "extension_ms",
    "challenge",
    "shards",
    "products",
];
const PATCH: [&str; 12] = [
    "sale_id",
    "name",
    "description",
    "message",
    "starts_at",
    "ends_at",
    "mode",
    "hold_ms",
    "extension_ms",
    "challenge",
    "shards",
    "products",
];
const PRODUCT: [&str; 8] =
    ["product_id", "name", "description", "image_url", "price", "compare_at", "stock", "max_per_user"];

/// Reads members one by one, and keeps what is wrong.
struct Reader {
    errors: Vec<FieldError>,
}

type Members = Map<String, Value>;

impl Reader {
    fn wrong(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.errors.push(FieldError::new(field, detail));
    }

    fn known(&mut self, members: &Members, prefix: &str, names: &[&str]) {
        for name in members.keys().filter(|name| !names.contains(&name.as_str())) {
            let detail = format!("is not a member here; the members are {}", names.join(", "));
            self.wrong(format!("{prefix}{name}"), detail);
        }
    }

    /// The member's value by `read`, which says what would be right; `None` where it is missing or wrong.
    fn member<T>(
        &mut self,
        members: &Members,
        prefix: &str,
        name: &str,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = members.get(name)?;
        let read = read(value);
        read.map_err(|detail| self.wrong(format!("{prefix}{name}"), detail)).ok()
    }

    fn required<T>(
        &mut self,
        members: &Members,
        prefix: &str,
        name: &str,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<T> {
        if !members.contains_key(name) {
            self.wrong(format!("{prefix}{name}"), "is missing");
        }
        self.member(members, prefix, name, read)
    }

    /// An amount with its currency: everything that is wrong with it.
    fn money(&mut self, members: &Members, prefix: &str, name: &str) -> Option<Money> {
        let value = members.get(name)?;
        let Some(parts) = value.as_object() else {
            let right = "must be an object such as {\"amount\":\"49.90\",\"currency\":\"EUR\"}";
            self.wrong(format!("{prefix}{name}"), right);
            return None;
        };
        let within = format!("{prefix}{name}.");
        self.known(parts, &within, &["amount", "currency"]);
        let text =
            |value: &Value| value.as_str().map(str::to_owned).ok_or_else(|| "must be a text".to_owned());
        let amount = self.required(parts, &within, "amount", text);
        let currency = self.required(parts, &within, "currency", text);
        for refusal in Money::refusals(amount.as_deref(), currency.as_deref()) {
            self.wrong(format!("{within}{}", refusal.member()), refusal.to_string());
        }
        Money::parse(&amount?, &currency?).ok()
    }
}

fn text(value: &Value, least: usize, most: usize) -> Result<&str, String> {
    let fits = |text: &&str| {
        (least..=most).contains(&text.chars().count()) && (least == 0 || !text.trim().is_empty())
    };
    let found = value.as_str().filter(fits);
    found.ok_or_else(|| format!("must be a text of {least} to {most} characters"))
}

fn name(value: &Value) -> Result<String, String> {
    let found = text(value, 1, MAX_NAME_CHARS)?;
    if is_one_line(found) {
        return Ok(found.to_owned());
    }
    Err("must have no line breaks, control characters or marks that turn the direction of text".to_owned())
}

/// A text for buyers of any length up to the largest.
///
/// # Errors
/// What would be right.
pub fn prose(value: &Value) -> Result<String, String> {
    let found = text(value, 0, MAX_TEXT_CHARS)?;
    // Not every store can keep them, and a terminal obeys them.
    if found.contains(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
        return Err("must have no control characters besides line breaks and tabs".to_owned());
    }
    Ok(found.to_owned())
}

fn url(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(url)
            if url.len() <= MAX_URL_CHARS && is_image_url(url) && !url.contains(char::is_whitespace) =>
        {
            Ok(Some(url.clone()))
        }
        _ => Err(format!(
            "must be null, or an address that begins with https:// or / and has at most {MAX_URL_CHARS} characters"
        )),
    }
}

/// A whole number within bounds.
///
/// # Errors
/// What would be right.
pub fn whole(value: &Value, least: u64, most: u64) -> Result<u64, String> {
    let found = value.as_u64().filter(|number| (least..=most).contains(number));
    found.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

fn instant(value: &Value) -> Result<Timestamp, String> {
    let at = value.as_str().and_then(Timestamp::parse);
    at.ok_or_else(|| "must be an RFC 3339 instant such as 2026-11-27T09:00:00.000Z".to_owned())
}

fn mode(value: &Value) -> Result<Mode, String> {
    match value.as_str() {
        Some("rush") => Ok(Mode::Rush),
        Some("draw") => Err("this build serves only \"rush\"; \"draw\" needs a waiting room".to_owned()),
        _ => Err("must be \"rush\"".to_owned()),
    }
}

fn hold_ms(value: &Value) -> Result<u64, String> {
    whole(value, MIN_HOLD_MS, MAX_HOLD_MS)
}

fn extension_ms(value: &Value) -> Result<u64, String> {
    whole(value, 0, MAX_EXTENSION_MS)
}

fn challenge(value: &Value) -> Result<ChallengeRule, String> {
    let rule = value.as_str().and_then(ChallengeRule::parse);
    rule.ok_or_else(|| "must be \"never\", \"suspects\" or \"always\"".to_owned())
}

fn shards(value: &Value) -> Result<u64, String> {
    match value.as_u64() {
        Some(1) => Ok(1),
        Some(_) => Err("this build serves one shard a sale: must be 1".to_owned()),
        None => Err("must be 1".to_owned()),
    }
}

fn object(value: &Value) -> Result<Members, Problem> {
    let whole = || Problem::invalid(vec![FieldError::new("body", "must be a JSON object")]);
    value.as_object().cloned().ok_or_else(whole)
}

/// Reads a new sale.
///
/// # Errors
/// 400 with every wrong member.
pub fn sale(value: &Value) -> Result<Sale, Problem> {
    let members = object(value)?;
    let mut reader = Reader { errors: Vec::new() };
    reader.known(&members, "", &SALE);
    let id = |value: &Value| {
        let text = value.as_str().ok_or("must be a text")?;
        SaleId::parse(text).map_err(|refusal| refusal.to_string())
    };
    let sale_id = reader.required(&members, "", "sale_id", id);
    let named = reader.required(&members, "", "name", name);
    let starts_at = reader.required(&members, "", "starts_at", instant);
    let described = reader.member(&members, "", "description", prose);
    let ends_at = reader.member(&members, "", "ends_at", instant);
    let order = reader.member(&members, "", "mode", mode);
    let hold = reader.member(&members, "", "hold_ms", hold_ms);
    let extension = reader.member(&members, "", "extension_ms", extension_ms);
    let asked = reader.member(&members, "", "challenge", challenge);
    reader.member(&members, "", "shards", shards);
    let products = products(&mut reader, &members, true);
    if let (Some(start), Some(end)) = (starts_at, ends_at)
        && end <= start
    {
        reader.wrong("ends_at", "must be later than starts_at");
    }
    if let (Some(start), None) = (starts_at, ends_at)
        && start.plus_millis(DEFAULT_SALE_MS).millis_since(start) < DEFAULT_SALE_MS
    {
        reader.wrong("starts_at", "must leave a day before the year 10000, or come with ends_at");
    }
    match (reader.errors.is_empty(), sale_id, named, starts_at, products) {
        (true, Some(sale_id), Some(name), Some(starts_at), Some(products)) => Ok(Sale {
            sale_id,
            name,
            description: described.unwrap_or_default(),
            message: String::new(),
            starts_at,
            ends_at: ends_at.unwrap_or_else(|| starts_at.plus_millis(DEFAULT_SALE_MS)),
            mode: order.unwrap_or(Mode::Rush),
            hold_ms: hold.unwrap_or(DEFAULT_HOLD_MS),
            extension_ms: extension.unwrap_or(0),
            challenge: asked.unwrap_or_default(),
            shards: 1,
            paused: false,
            products,
            revision: 0,
        }),
        _ => Err(Problem::invalid(reader.errors)),
    }
}

/// Reads a change of `sale`.
///
/// # Errors
/// 400 with every wrong member.
pub fn patch(value: &Value, sale: &Sale) -> Result<SalePatch, Problem> {
    let members = object(value)?;
    let mut reader = Reader { errors: Vec::new() };
    reader.known(&members, "", &PATCH);
    let patch = SalePatch {
        name: reader.member(&members, "", "name", name),
        description: reader.member(&members, "", "description", prose),
        message: reader.member(&members, "", "message", prose),
        ends_at: reader.member(&members, "", "ends_at", instant),
        starts_at: reader.member(&members, "", "starts_at", instant),
        mode: reader.member(&members, "", "mode", mode),
        hold_ms: reader.member(&members, "", "hold_ms", hold_ms),
        extension_ms: reader.member(&members, "", "extension_ms", extension_ms),
        challenge: reader.member(&members, "", "challenge", challenge),
        products: products(&mut reader, &members, false),
    };
    reader.member(&members, "", "sale_id", |value| match value.as_str() {
        Some(id) if id == sale.sale_id.as_str() => Ok(()),
        _ => Err(format!("must be {}: a sale keeps its identifier", sale.sale_id)),
    });
    reader.member(&members, "", "shards", shards);
    let (start, end) = (patch.starts_at.unwrap_or(sale.starts_at), patch.ends_at.unwrap_or(sale.ends_at));
    if end <= start && patch.ends_at.is_some() {
        reader.wrong("ends_at", format!("must be later than starts_at, {start}"));
    } else if end <= start && patch.starts_at.is_some() {
        reader.wrong("starts_at", format!("must be earlier than ends_at, {end}"));
    }
    if reader.errors.is_empty() { Ok(patch) } else { Err(Problem::invalid(reader.errors)) }
}

fn products(reader: &mut Reader, members: &Members, required: bool) -> Option<Vec<Product>> {
    let right = format!("must be a list of 1 to {MAX_PRODUCTS} products");
    let listed = match members.get("products") {
        Some(Value::Array(listed)) if (1..=MAX_PRODUCTS).contains(&listed.len()) => listed,
        Some(_) => {
            reader.wrong("products", right);
            return None;
        }
        None => {
            if required {
                reader.wrong("products", "is missing");
            }
            return None;
        }
    };
    let products: Vec<Option<Product>> =
        listed.iter().enumerate().map(|(at, value)| product(reader, at, value)).collect();
    for (at, known) in products.iter().enumerate() {
        let id = known.as_ref().map(|product| &product.product_id);
        let twice =
            id.is_some() && products[..at].iter().flatten().any(|earlier| Some(&earlier.product_id) == id);
        if twice {
            reader.wrong(format!("products[{at}].product_id"), "is used by an earlier product");
        }
    }
    products.into_iter().collect()
}

fn product(reader: &mut Reader, at: usize, value: &Value) -> Option<Product> {
    let prefix = format!("products[{at}].");
    let Some(members) = value.as_object() else {
        reader.wrong(format!("products[{at}]"), "must be an object");
        return None;
    };
    reader.known(members, &prefix, &PRODUCT);
    let id = |value: &Value| {
        let text = value.as_str().ok_or("must be a text")?;
        ProductId::parse(text).map_err(|refusal| refusal.to_string())
    };
    let product_id = reader.required(members, &prefix, "product_id", id);
    let named = reader.required(members, &prefix, "name", name);
    if !members.contains_key("price") {
        reader.wrong(format!("{prefix}price"), "is missing");
    }
    let price = reader.money(members, &prefix, "price");
    let stock = reader.required(members, &prefix, "stock", |value| whole(value, 0, u64::from(MAX_STOCK)));
    let description = reader.member(members, &prefix, "description", prose);
    let image_url = reader.member(members, &prefix, "image_url", url);
    let has_former = members.get("compare_at").is_some_and(|former| !former.is_null());
    let compare_at = if has_former { reader.money(members, &prefix, "compare_at") } else { None };
    let currency = |name: &str| Currency::parse(members.get(name)?.get("currency")?.as_str()?);
    if let (Some(price), Some(former)) = (currency("price"), currency("compare_at"))
        && price != former
    {
        let detail = format!("must be in the currency of the price, {}", price.code());
        reader.wrong(format!("{prefix}compare_at"), detail);
    }
    let limit =
        reader.member(members, &prefix, "max_per_user", |value| whole(value, 1, u64::from(MAX_PER_USER)));
    Some(Product {
        product_id: product_id?,
        name: named?,
        description: description.unwrap_or_default(),
        image_url: image_url.flatten(),
        price: price?,
        compare_at,
        stock: stock? as u32,
        max_per_user: limit.unwrap_or(1) as u8,
    })
}

#[cfg(test)]
#[path = "sale_form_tests.rs"]
mod tests;
