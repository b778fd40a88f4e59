//! The event of padding, `tzero.padding.v1`: what stands in a log for records that were lost from its end. It says nothing, and
//! readers pass over it.

use domain::id::ShardId;
use domain::time::Timestamp;

use crate::event::{Attributes, Event};

/// The event's type.
pub const TYPE: &str = "tzero.padding.v1";

/// The event that makes up for the record at `position`, written at `now`.
#[must_use]
pub fn write(shard: &ShardId, position: u64, now: Timestamp) -> Event {
    let key = format!("padding.{position}");
    let attributes = Attributes {
        kind: TYPE,
        id: key.clone(),
        source: format!("/sales/{}/shards/{}", shard.sale, shard.number),
        subject: key.clone(),
        time: now,
    };
    Event { key, headers: attributes.headers(), value: b"{}".to_vec() }
}

/// Whether a record is padding. `header` gives the value of a header by its name.
pub fn is_padding<'a>(header: impl Fn(&str) -> Option<&'a [u8]>) -> bool {
    header("ce_type") == Some(TYPE.as_bytes())
}

#[cfg(test)]
#[path = "padding_event_tests.rs"]
mod tests;
