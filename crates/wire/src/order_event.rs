//! The event of an order, `tzero.order.v1`: how an order stands, for the shop's own systems.
//!
//! | member | is |
//! |---|---|
//! | `ticket` | the ticket, 32 hexadecimal digits |
//! | `sale`, `product` | their identifiers |
//! | `user_id` | the buyer as the shop knows them |
//! | `quantity`, `units` | how many units, and the numbers of those that are or were the order's |
//! | `amount`, `currency` | what the order costs: a decimal text and an ISO 4217 code; both or neither is there |
//! | `status`, `reason` | in the words of the HTTP contract; `reason` is null where there is none |
//! | `version` | grows by one with each change of the order; the first is 1 |
//! | `changed_at` | when the order became what it is, RFC 3339 in UTC with milliseconds |
//!
//! An event may come twice and late: for one ticket the highest `version` counts. Its id is ticket and version.

use std::fmt::Write as _;

use domain::hold::Units;
use domain::id::{ProductId, SaleId, TicketId, UserId};
use domain::money::Money;
use domain::order::{Order, Reason};
use domain::status::Status;
use domain::time::Timestamp;

use crate::claim_event::write_units;
use crate::event::{Attributes, Event, hexadecimal};

/// The event's type.
pub const TYPE: &str = "tzero.order.v1";

/// How an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFact {
    /// The ticket.
    pub ticket: TicketId,
    /// The sale.
    pub sale: SaleId,
    /// The product.
    pub product: ProductId,
    /// The buyer as the shop knows them.
    pub user_id: UserId,
    /// How many units were asked for.
    pub quantity: u8,
    /// The units that are or were the order's.
    pub units: Units,
    /// What it costs, all units together, where that is told.
    pub amount: Option<Money>,
    /// The status.
    pub status: Status,
    /// Why.
    pub reason: Option<Reason>,
    /// The order's version.
    pub version: u32,
    /// When it became this.
    pub changed_at: Timestamp,
}

impl OrderFact {
    /// Of an order for `product`, the product that its terms number.
    #[must_use]
    pub fn of(order: &Order, product: ProductId) -> Self {
        Self {
            ticket: order.ticket,
            sale: order.shard.sale.clone(),
            product,
            user_id: order.user_id.clone(),
            quantity: order.terms.quantity,
            units: order.units.clone(),
            amount: Some(order.amount),
            status: order.status(),
            reason: order.reason,
            version: order.version,
            changed_at: order.changed_at,
        }
    }
}

/// The event of how an order stands.
#[must_use]
pub fn write(fact: &OrderFact) -> Event {
    let ticket = hexadecimal(fact.ticket);
    let attributes = Attributes {
        kind: TYPE,
        id: format!("{ticket}.{}", fact.version),
        source: format!("/sales/{}", fact.sale),
        subject: ticket.clone(),
        time: fact.changed_at,
    };
    let value = value(fact, &ticket);
    Event { key: ticket, headers: attributes.headers(), value }
}

/// Written by hand: identifiers and words have no character that JSON would escape.
fn value(fact: &OrderFact, ticket: &str) -> Vec<u8> {
    let OrderFact { sale, product, user_id, quantity, version, changed_at, .. } = fact;
    let mut json = format!(
        r#"{{"ticket":"{ticket}","sale":"{sale}","product":"{product}","user_id":"{user_id}","quantity":{quantity},"units":"#
    );
    write_units(&fact.units, &mut json);
    // Writing to a text does not fail.
    if let Some(money) = fact.amount {
        let _ = write!(json, r#","amount":"{}","currency":"{}""#, money.amount(), money.currency);
    }
    let reason = fact.reason.map_or_else(|| "null".to_owned(), |reason| format!(r#""{}""#, reason.as_str()));
    let status = fact.status.as_str();
    let _ = write!(
        json,
        r#","status":"{status}","reason":{reason},"version":{version},"changed_at":"{changed_at}"}}"#
    );
    json.into_bytes()
}

#[cfg(test)]
#[path = "order_event_tests.rs"]
mod tests;
