//! Webhooks: `Stripe-Signature: t=…,v1=…`, HMAC-SHA256 over `t.body`.

use domain::payment::PaymentStage;
use domain::time::Timestamp;
use hmac::{Hmac, Mac};
use ports::payments::{WebhookEvent, WebhookNews, WebhookRefusal};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::payment;

/// How old a signature may be, and how far ahead, milliseconds. From Stripe's libraries.
const TOLERANCE_MS: u64 = 300_000;
/// Signatures that one header may carry.
const MOST: usize = 16;

/// Whether one of our secrets signed the body lately.
pub(crate) fn verify(
    secrets: &[String],
    signature: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), WebhookRefusal> {
    let (mut at, mut signatures) = (None, Vec::new());
    for part in signature.ok_or(WebhookRefusal::Malformed)?.split(',').take(MOST) {
        match part.trim().split_once('=') {
            Some(("t", text)) => at = text.parse::<i64>().ok().map(|seconds| (text, seconds)),
            Some(("v1", hex)) => signatures.extend(unhex(hex)),
            _ => {}
        }
    }
    let (Some((text, seconds)), false) = (at, signatures.is_empty()) else {
        return Err(WebhookRefusal::Malformed);
    };
    let believed = secrets.iter().filter_map(|secret| expected(secret, text, body)).any(|expected| {
        // Every signature is compared, so that time does not tell which one came close.
        signatures.iter().fold(false, |found, each| found | bool::from(each.ct_eq(&expected)))
    });
    if !believed {
        return Err(WebhookRefusal::Forged);
    }
    let signed = Timestamp::from_millis(seconds.saturating_mul(1_000));
    let apart = now.millis_since(signed).max(signed.millis_since(now));
    if apart > TOLERANCE_MS { Err(WebhookRefusal::Stale) } else { Ok(()) }
}

fn expected(secret: &str, at: &str, body: &[u8]) -> Option<[u8; 32]> {
    let mut mac = <Hmac<sha2::Sha256> as Mac>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(at.as_bytes());
    mac.update(b".");
    mac.update(body);
    Some(mac.finalize().into_bytes().into())
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(bytes)
}

/// What a verified event says.
pub(crate) fn read(body: &[u8]) -> Result<WebhookEvent, WebhookRefusal> {
    let value: Value = serde_json::from_slice(body).map_err(|_| WebhookRefusal::Body)?;
    let (Some(event), Some(kind)) = (value["id"].as_str(), value["type"].as_str()) else {
        return Err(WebhookRefusal::Body);
    };
    let object = &value["data"]["object"];
    let reference =
        object["client_reference_id"].as_str().or_else(|| object["metadata"]["reference"].as_str());
    let paid = |id: &str, minor: &str| {
        let id = object[id].as_str()?;
        let currency = object["currency"].as_str()?;
        payment(id, object[minor].as_i64()?, currency, PaymentStage::Authorised)
    };
    let paid = match kind {
        // The money is authorised, since every session asks for a manual capture.
        "checkout.session.completed" => paid("payment_intent", "amount_total"),
        "payment_intent.amount_capturable_updated" => paid("id", "amount_capturable"),
        _ => None,
    };
    let news = match paid {
        Some(payment) => WebhookNews::Paid(payment),
        None if kind == "payment_intent.payment_failed" => WebhookNews::Declined,
        // Also of others who use the same account, such as a subscription without a payment: a refusal would have it sent
        // again for days, and the address switched off.
        None => WebhookNews::Other(kind.to_owned()),
    };
    Ok(WebhookEvent { event: event.to_owned(), reference: reference.map(str::to_owned), news })
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;
