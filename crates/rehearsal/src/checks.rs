//! What must be true of what the buyers saw, whatever the server says of itself.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Violations that are listed; more are only counted.
const LISTED: usize = 100;

/// Collects violations.
#[derive(Default)]
pub(crate) struct Violations {
    list: Mutex<(Vec<String>, u64)>,
}

impl Violations {
    pub(crate) fn add(&self, what: impl Into<String>) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.1 += 1;
        if list.0.len() < LISTED {
            list.0.push(what.into());
        }
    }

    pub(crate) fn all(&self) -> Vec<String> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = list.0.clone();
        if list.1 > all.len() as u64 {
            all.push(format!("and {} more", list.1 - all.len() as u64));
        }
        all
    }
}

/// The first characters of a ticket: enough to find it, useless as a capability.
pub(crate) fn short(ticket: &str) -> &str {
    // The beginning is the same for every ticket of a version.
    ticket.get(2..10).unwrap_or("?")
}

/// What one buyer ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) buyer: u32,
    pub(crate) ticket: String,
    pub(crate) status: String,
    pub(crate) units: Vec<u64>,
    pub(crate) paid: bool,
}

/// Checks what all buyers ended with.
pub(crate) fn endings(endings: &[Ending], stock: u64, max_per_user: u64, violations: &Violations) {
    let mut owners: HashMap<u64, &str> = HashMap::new();
    let mut units: HashMap<u32, u64> = HashMap::new();
    for ending in endings.iter().filter(|ending| ending.status == "confirmed") {
        let ticket = short(&ending.ticket);
        if ending.units.is_empty() {
            violations.add(format!("ticket {ticket} is confirmed and has no unit"));
        }
        if !ending.paid {
            violations.add(format!("ticket {ticket} is confirmed and was not paid"));
        }
        for unit in &ending.units {
            if *unit >= stock {
                violations.add(format!("ticket {ticket} has unit {unit}, which does not exist"));
            }
            if let Some(other) = owners.insert(*unit, ticket) {
                violations.add(format!("unit {unit} was sold to {other} and to {ticket}"));
            }
        }
        let has = units.entry(ending.buyer).or_default();
        *has += ending.units.len() as u64;
        if *has > max_per_user {
            violations.add(format!("buyer {} has {has} units, and may have {max_per_user}", ending.buyer));
        }
    }
    if owners.len() as u64 > stock {
        violations.add(format!("{} units were sold of {stock}", owners.len()));
    }
}

/// Whether a ticket that has not ended should have: its hold has not begun, or ended longer ago than the grace.
pub(crate) fn is_due(status: &Value, now_ms: i64, grace_ms: u64) -> bool {
    let ends = status["hold_expires_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let grace_ms = i64::try_from(grace_ms).unwrap_or(i64::MAX);
    ends.is_none_or(|ends| now_ms.saturating_sub(ends.as_millisecond()) > grace_ms)
}

/// Checks an audit; `last` where nothing moves any more.
pub(crate) fn audit(report: &Value, last: bool, violations: &Violations) {
    let number = |value: &Value, name: &str| value[name].as_i64().unwrap_or(-1);
    if report["ok"] != true {
        let found = report["violations"].to_string();
        violations.add(format!("the audit is not ok: {}", found.chars().take(500).collect::<String>()));
    }
    let settling = report["settling"] != false;
    if last && settling {
        violations.add("the last audit is still settling");
    }
    for product in report["products"].as_array().into_iter().flatten() {
        let id = product["product_id"].as_str().unwrap_or("?");
        if number(product, "oversold") != 0 {
            violations.add(format!("{id}: the audit says oversold: {}", product["oversold"]));
        }
        let parts = ["available", "held", "sold", "in_transfer"].map(|name| number(product, name));
        if !settling && parts.iter().sum::<i64>() != number(product, "stock") {
            violations
                .add(format!("{id}: available + held + sold + in_transfer is not the stock: {product}"));
        }
    }
    for money in wrong_sums(report).filter(|_| last) {
        violations.add(format!("money captured less refunded is not the revenue: {money}"));
    }
}

/// Whether nothing moves any more: neither units, nor money.
pub(crate) fn is_settled(report: &Value) -> bool {
    report["settling"] == false && wrong_sums(report).next().is_none()
}

/// Sums of money that do not agree.
fn wrong_sums(report: &Value) -> impl Iterator<Item = &Value> {
    report["money"].as_array().into_iter().flatten().filter(|money| {
        let cents =
            |name: &str| money[name].as_str().and_then(|text| text.replace('.', "").parse::<i64>().ok());
        let (captured, refunded, revenue) = (cents("captured"), cents("refunded"), cents("revenue"));
        let kept = captured.zip(refunded).map(|(captured, refunded)| captured - refunded);
        kept.is_none() || kept != revenue
    })
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
