//! The body of a checkout: read at once where it is right, and member by member where it is not.

use std::borrow::Cow;

use domain::id::{IdempotencyKey, ProductId, UserId};
use domain::limits::MAX_PER_USER;
use serde::Deserialize;
use serde_json::Value;

use crate::hot::{Given, visible};
use crate::json_members;
use crate::problem::{FieldError, Problem};

const MEMBERS: [&str; 5] = ["user_id", "product_id", "idempotency_key", "quantity", "entry_token"];

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    #[serde(borrow)]
    product_id: Cow<'a, str>,
    #[serde(borrow, default)]
    idempotency_key: Option<Cow<'a, str>>,
    #[serde(default = "one")]
    quantity: u8,
    #[serde(borrow, default)]
    #[expect(
        dead_code,
        reason = "sales in rush mode have no entries; the member is accepted and not looked at"
    )]
    entry_token: Option<Cow<'a, str>>,
}

const fn one() -> u8 {
    1
}

/// A checkout whose form is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckoutForm {
    /// Who, as the body says.
    pub user: UserId,
    /// What.
    pub product: ProductId,
    /// Under which key.
    pub key: IdempotencyKey,
    /// How many, 1..=100.
    pub quantity: u8,
}

/// Reads a checkout.
///
/// # Errors
/// 400 with every mistake at once.
pub fn read(given: &Given<'_>, body: &[u8]) -> Result<CheckoutForm, Problem> {
    quick(given, body).map_or_else(|| slow(given, body), Ok)
}

/// The form where everything is right.
fn quick(given: &Given<'_>, body: &[u8]) -> Option<CheckoutForm> {
    let body: Body<'_> = serde_json::from_slice(body).ok()?;
    let named = header_key(given).ok()?;
    let key = match (&named, &body.idempotency_key) {
        (Some(header), Some(member)) if header != member => return None,
        (Some(key), _) => key.as_ref(),
        (None, Some(key)) => key.as_ref(),
        (None, None) => return None,
    };
    Some(CheckoutForm {
        user: UserId::parse(&body.user_id).ok()?,
        product: ProductId::parse(&body.product_id).ok()?,
        key: IdempotencyKey::parse(key).ok()?,
        quantity: Some(body.quantity).filter(|quantity| (1..=MAX_PER_USER).contains(quantity))?,
    })
}

/// The key of the header: a quoted structured-field string (RFC 8941, 3.3.3) or the bare text.
///
/// # Errors
/// What would be right.
pub fn header_key<'a>(given: &Given<'a>) -> Result<Option<Cow<'a, str>>, &'static str> {
    let Some(value) = given.key else { return Ok(None) };
    if given.key_repeated {
        return Err("must be sent once");
    }
    let text = visible(value).ok_or("must be visible ASCII")?.trim();
    let Some(quoted) = text.strip_prefix('"') else { return Ok(Some(text.into())) };
    let mut key = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    loop {
        match characters.next() {
            Some('"') if characters.as_str().is_empty() => return Ok(Some(key.into())),
            Some('\\') => match characters.next() {
                Some(escaped @ ('"' | '\\')) => key.push(escaped),
                _ => return Err("has an escape that is neither \\\" nor \\\\"),
            },
            Some('"') | None => return Err("must be one quoted text, or the bare text"),
            Some(other) => key.push(other),
        }
    }
}

/// Finds every mistake.
fn slow(given: &Given<'_>, body: &[u8]) -> Result<CheckoutForm, Problem> {
    let whole = |detail: String| Problem::invalid(vec![FieldError::new("body", detail)]);
    let value: Value =
        serde_json::from_slice(body).map_err(|error| whole(format!("must be a JSON object: {error}")))?;
    let Value::Object(members) = value else { return Err(whole("must be a JSON object".to_owned())) };
    let mut errors = Vec::new();
    for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
        let detail = format!("is not a member of this request; its members are {}", MEMBERS.join(", "));
        errors.push(FieldError::new(name.as_str(), detail));
    }
    let mut text = |name: &str, check: &dyn Fn(&str) -> Option<String>| match members.get(name) {
        Some(Value::String(text)) => {
            errors.extend(check(text).map(|detail| FieldError::new(name, detail)));
        }
        Some(_) => errors.push(FieldError::new(name, "must be a text")),
        None => errors.push(FieldError::new(name, "is missing")),
    };
    text("user_id", &|text| UserId::parse(text).err().map(|error| error.to_string()));
    text("product_id", &|text| ProductId::parse(text).err().map(|error| error.to_string()));
    errors.extend(key_mistake(given, members.get("idempotency_key")));
    errors.extend(members.get("quantity").and_then(quantity_mistake));
    if !matches!(members.get("entry_token"), None | Some(Value::Null | Value::String(_))) {
        errors.push(FieldError::new("entry_token", "must be a text or null"));
    }
    if errors.is_empty() {
        // Right member by member, and yet not as a whole: a member is there twice, and named by this.
        json_members::read(body)?;
        errors.push(FieldError::new("body", "cannot be read in one way only"));
    }
    Err(Problem::invalid(errors))
}

fn key_mistake(given: &Given<'_>, member: Option<&Value>) -> Option<FieldError> {
    let wrong = |detail: String| Some(FieldError::new("idempotency_key", detail));
    let named = match header_key(given) {
        Ok(named) => named,
        Err(detail) => return Some(FieldError::new("Idempotency-Key", detail)),
    };
    let key = match (named, member) {
        (None, None | Some(Value::Null)) => {
            return wrong("is missing: send it here or as the header Idempotency-Key".to_owned());
        }
        (Some(header), Some(Value::String(member))) if header != member.as_str() => {
            return wrong("differs from the header Idempotency-Key; they must agree".to_owned());
        }
        (Some(key), None | Some(Value::Null | Value::String(_))) => key.into_owned(),
        (None, Some(Value::String(key))) => key.clone(),
        (_, Some(_)) => return wrong("must be a text".to_owned()),
    };
    IdempotencyKey::parse(&key).err().and_then(|error| wrong(error.to_string()))
}

fn quantity_mistake(value: &Value) -> Option<FieldError> {
    let right = value.as_u64().is_some_and(|quantity| (1..=u64::from(MAX_PER_USER)).contains(&quantity));
    (!right).then(|| FieldError::new("quantity", "must be a whole number from 1 to 100"))
}

#[cfg(test)]
#[path = "checkout_form_tests.rs"]
mod tests;
