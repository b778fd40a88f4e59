//! JSON bodies of operators: a member that is there twice is named, where a plain reader would keep the last.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::problem::{FieldError, Problem};

/// Reads `body`.
///
/// # Errors
/// 400 where it is no JSON, or has a member twice.
pub fn read(body: &[u8]) -> Result<Value, Problem> {
    let mut twice = Vec::new();
    let mut bytes = serde_json::Deserializer::from_slice(body);
    let place = Place { path: String::new(), twice: &mut twice };
    let value = place.deserialize(&mut bytes).and_then(|value| bytes.end().map(|()| value));
    let value = value.map_err(|error| {
        Problem::invalid(vec![FieldError::new("body", format!("must be a JSON object: {error}"))])
    })?;
    if twice.is_empty() { Ok(value) } else { Err(Problem::invalid(twice)) }
}

/// Where in the body a value stands, and what was there twice so far.
struct Place<'a> {
    path: String,
    twice: &'a mut Vec<FieldError>,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, values.len());
            match list.next_element_seed(Place { path, twice: &mut *self.twice })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let path = if self.path.is_empty() { name.clone() } else { format!("{}.{name}", self.path) };
            let value = object.next_value_seed(Place { path: path.clone(), twice: &mut *self.twice })?;
            if members.insert(name, value).is_some() {
                self.twice.push(FieldError::new(path, "is there more than once"));
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
#[path = "json_members_tests.rs"]
mod tests;
