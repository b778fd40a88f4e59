//! The event of a claim, `tzero.claim.v1`: units were handed out, and the ledger has not decided yet.
//!
//! | member | is |
//! |---|---|
//! | `ticket` | the ticket, 32 hexadecimal digits |
//! | `sale`, `shard` | the sale, and the number of its shard |
//! | `epoch` | the shard's epoch under which the units were given |
//! | `issued_at` | when, RFC 3339 in UTC with milliseconds |
//! | `user` | the keyed hash that stands for the buyer, 32 hexadecimal digits |
//! | `user_id` | the buyer as the shop knows them |
//! | `product` | the product's number within the sale, from 0 |
//! | `quantity` | how many units were asked for, from 1 |
//! | `units` | the numbers of the units, each once and no more than `quantity`; empty where they went back before the event was sent again |
//!
//! The event's id is ticket and epoch: the same claim sent twice is the same event.

use std::borrow::Cow;
use std::fmt::Write as _;

use domain::hold::{Claim, Terms};
use domain::id::{Epoch, ProductNo, ShardId, TicketId, UserHash, UserId};
use domain::time::Timestamp;
use serde::Deserialize;

use crate::event::{Attributes, Event, SPECIFICATION, bytes_in_hexadecimal, bytes_of, hexadecimal};

/// The event's type.
pub const TYPE: &str = "tzero.claim.v1";

/// Why a record is no claim. Never says what the record holds: that may be a buyer's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// A header is missing, or names something that this version does not know.
    #[error("its header `{0}` is missing or not one that this version reads")]
    Header(&'static str),
    /// The record has no value.
    #[error("it has no value")]
    NoValue,
    /// The value is no JSON object with a claim's members.
    #[error("its value is not the JSON of a claim (line {line}, column {column})")]
    Form {
        /// Where reading stopped, from 1.
        line: usize,
        /// Where reading stopped, from 1.
        column: usize,
    },
    /// A member is not what a claim has there.
    #[error("its member `{0}` is not what a claim has there")]
    Member(&'static str),
    /// It lies in another shard's log.
    #[error("it is a claim of another shard than the one whose log it lies in")]
    OfAnotherShard,
}

/// The event of a claim.
#[must_use]
pub fn write(claim: &Claim) -> Event {
    let ticket = hexadecimal(claim.ticket);
    let attributes = Attributes {
        kind: TYPE,
        id: format!("{ticket}.{}", claim.epoch.0),
        source: format!("/sales/{}/shards/{}", claim.shard.sale, claim.shard.number),
        subject: ticket.clone(),
        time: claim.issued_at,
    };
    let value = value(claim, &ticket);
    Event { key: ticket, headers: attributes.headers(), value }
}

/// Written by hand: identifiers have no character that JSON would escape.
fn value(claim: &Claim, ticket: &str) -> Vec<u8> {
    let Claim { shard, epoch, issued_at, user_id, terms, units, .. } = claim;
    let (user, product, quantity) = (bytes_in_hexadecimal(&claim.user.0), terms.product.0, terms.quantity);
    let mut json = format!(
        r#"{{"ticket":"{ticket}","sale":"{}","shard":{},"epoch":{},"issued_at":"{issued_at}","user":"{user}","user_id":"{user_id}","product":{product},"quantity":{quantity},"units":"#,
        shard.sale, shard.number, epoch.0
    );
    write_units(units, &mut json);
    json.push('}');
    json.into_bytes()
}

/// Units as a JSON array.
pub(crate) fn write_units(units: &[u32], json: &mut String) {
    json.push('[');
    for (at, unit) in units.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(json, "{comma}{unit}");
    }
    json.push(']');
}

/// The members that are read; others are passed over.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    ticket: Cow<'a, str>,
    #[serde(borrow)]
    sale: Cow<'a, str>,
    shard: u16,
    epoch: u32,
    #[serde(borrow)]
    issued_at: Cow<'a, str>,
    #[serde(borrow)]
    user: Cow<'a, str>,
    #[serde(borrow)]
    user_id: Cow<'a, str>,
    product: u16,
    quantity: u8,
    units: Vec<u32>,
}

/// Reads a record of `shard`'s log. `header` gives the value of a header by its name.
///
/// # Errors
/// Why it is no claim of this shard.
pub fn read<'a>(
    shard: &ShardId,
    header: impl Fn(&str) -> Option<&'a [u8]>,
    value: Option<&[u8]>,
) -> Result<Claim, Unreadable> {
    for (name, expected) in [("ce_specversion", SPECIFICATION), ("ce_type", TYPE)] {
        if header(name) != Some(expected.as_bytes()) {
            return Err(Unreadable::Header(name));
        }
    }
    let members: Members<'_> = serde_json::from_slice(value.ok_or(Unreadable::NoValue)?)
        .map_err(|error| Unreadable::Form { line: error.line(), column: error.column() })?;
    if members.sale != shard.sale.as_str() || members.shard != shard.number {
        return Err(Unreadable::OfAnotherShard);
    }
    claim(shard, &members)
}

fn claim(shard: &ShardId, members: &Members<'_>) -> Result<Claim, Unreadable> {
    let bytes = |text: &str, name| bytes_of(text).ok_or(Unreadable::Member(name));
    let claim = Claim {
        ticket: TicketId(bytes(&members.ticket, "ticket")?),
        shard: shard.clone(),
        epoch: Epoch(members.epoch),
        issued_at: Timestamp::parse(&members.issued_at).ok_or(Unreadable::Member("issued_at"))?,
        user: UserHash(bytes(&members.user, "user")?),
        user_id: UserId::parse(&members.user_id).map_err(|_| Unreadable::Member("user_id"))?,
        terms: Terms { product: ProductNo(members.product), quantity: members.quantity },
        units: members.units.iter().copied().collect(),
    };
    claim.flaw().map_or(Ok(claim), |member| Err(Unreadable::Member(member)))
}

#[cfg(test)]
#[path = "claim_event_tests.rs"]
mod tests;
