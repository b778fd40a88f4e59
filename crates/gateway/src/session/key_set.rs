//! The keys of a JWKS document (RFC 7517): those that can be used count, and the others are left out by their names.
//!
//! What may not be in such a document at all makes it no set of keys: a private key, and two keys of one name.

use std::collections::{HashMap, HashSet};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::Jwk;
use serde_json::Value;

use super::jwt::{Algorithm, NOT_PUBLIC};
use super::key;

/// Keys that are named where they are left out; of more their number is said.
const NAMED: usize = 16;

/// The keys that count, and what is said of the others.
pub(super) struct KeySet {
    /// By `kid`; the only one may have none.
    pub keys: HashMap<String, DecodingKey>,
    pub left_out: Vec<String>,
}

impl KeySet {
    /// Out of a document.
    ///
    /// # Errors
    /// It is no set of keys, has what may not be in it, or has no key that can be used.
    pub(super) fn read(algorithm: Algorithm, document: &[u8]) -> Result<Self, String> {
        let document: Value = serde_json::from_slice(document)
            .map_err(|error| format!("must be a JWKS document (RFC 7517): {error}"))?;
        let Some(entries) = document.get("keys").and_then(Value::as_array) else {
            return Err("must be a JWKS document (RFC 7517), which has a list \"keys\"".to_owned());
        };
        if algorithm != Algorithm::Hs256 && entries.iter().any(is_private) {
            return Err(NOT_PUBLIC.to_owned());
        }
        let (fitting, mut left_out) = fitting(algorithm, entries);
        once_each(&fitting)?;
        let mut usable = Vec::new();
        for (number, jwk) in &fitting {
            match used(algorithm, jwk) {
                Ok(key) => usable.push((&jwk.common.key_id, key)),
                Err(wrong) => {
                    let id = jwk.common.key_id.as_deref();
                    left_out.push((*number, format!("{} {wrong}", called(*number, id))));
                }
            }
        }
        left_out.sort_unstable_by_key(|(number, _)| *number);
        let left_out = told(left_out.into_iter().map(|(_, wrong)| wrong).collect());
        if usable.is_empty() {
            let none = format!("has no key for {}", algorithm.name());
            return Err(if left_out.is_empty() { none } else { format!("{none}: {}", left_out.join("; ")) });
        }
        if usable.len() > 1 && usable.iter().any(|(id, _)| id.is_none()) {
            return Err("every key of the JWKS document must have a kid, since it has several".to_owned());
        }
        let keys = usable.into_iter().map(|(id, key)| (id.clone().unwrap_or_default(), key)).collect();
        Ok(Self { keys, left_out })
    }
}

/// Each with its place in the document, from 1 on.
type Numbered<T> = Vec<(usize, T)>;

/// The keys for this algorithm, and what is wrong with the others.
fn fitting(algorithm: Algorithm, entries: &[Value]) -> (Numbered<Jwk>, Numbered<String>) {
    let (mut fitting, mut left_out) = (Vec::new(), Vec::new());
    for (number, entry) in (1..).zip(entries) {
        let name = || called(number, entry.get("kid").and_then(Value::as_str));
        match serde_json::from_value::<Jwk>(entry.clone()) {
            Ok(jwk) if algorithm.fits(&jwk) => fitting.push((number, jwk)),
            Ok(_) => left_out.push((number, format!("{} is not for {}", name(), algorithm.name()))),
            Err(error) => left_out.push((number, format!("{} cannot be read: {error}", name()))),
        }
    }
    (fitting, left_out)
}

fn used(algorithm: Algorithm, jwk: &Jwk) -> Result<DecodingKey, String> {
    let key = DecodingKey::from_jwk(jwk).map_err(|error| format!("cannot be used: {error}"))?;
    key::check(algorithm, &key)?;
    Ok(key)
}

/// A key by its `kid`, or where it has none by its place.
fn called(number: usize, id: Option<&str>) -> String {
    id.map_or_else(|| format!("key {number}"), |id| format!("key {id:?}"))
}

/// Refuses two keys of one name, whatever they are good for: which one a token means would be for anybody to say.
fn once_each(keys: &[(usize, Jwk)]) -> Result<(), String> {
    let mut seen = HashSet::new();
    match keys.iter().filter_map(|(_, jwk)| jwk.common.key_id.as_ref()).find(|id| !seen.insert(*id)) {
        Some(id) => {
            Err(format!("must be a JWKS document in which each kid is there once, and not {id} twice"))
        }
        None => Ok(()),
    }
}

/// Whether a key comes with its private part (RFC 7518, sections 6.2.2 and 6.3.2).
fn is_private(key: &Value) -> bool {
    key.get("d").is_some()
}

/// The first of them, and how many more there are.
fn told(mut all: Vec<String>) -> Vec<String> {
    if all.len() > NAMED {
        let more = all.len() - NAMED;
        all.truncate(NAMED);
        all.push(format!("{more} more keys cannot be used"));
    }
    all
}

#[cfg(test)]
#[path = "key_set_tests.rs"]
mod tests;
