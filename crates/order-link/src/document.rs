//! Bytes of a stamp and of a status document.

use domain::few::Few;
use domain::hold::{Terms, Units};
use domain::id::{Epoch, ProductNo, TicketId};
use domain::status::{Status, StatusDocument};
use domain::ticket::TicketStamp;
use wire::codec::{Malformed, Reader, Writer};

use crate::words::kept;

pub(crate) fn write_stamp(stamp: &TicketStamp, to: &mut Writer) {
    to.fixed(&stamp.ticket.0);
    to.shard(&stamp.shard);
    to.number(u64::from(stamp.epoch.0));
    to.time(stamp.issued_at);
}

pub(crate) fn read_stamp(from: &mut Reader<'_>) -> Result<TicketStamp, Malformed> {
    Ok(TicketStamp {
        ticket: TicketId(*from.fixed()?),
        shard: from.shard()?,
        epoch: Epoch(from.small("an epoch")?),
        issued_at: from.time()?,
    })
}

pub(crate) fn write_document(document: &StatusDocument, to: &mut Writer) {
    write_stamp(&document.stamp, to);
    to.number(status_number(document.status));
    to.optional(document.reason, Writer::text);
    write_terms(document.terms, to);
    write_units(&document.units, to);
    to.optional(document.checkout_url.as_deref(), Writer::text);
    to.optional(document.hold_expires_at, Writer::time);
    to.flag(document.terminal);
    to.number(u64::from(document.version));
}

pub(crate) fn read_document(from: &mut Reader<'_>) -> Result<StatusDocument, Malformed> {
    Ok(StatusDocument {
        stamp: read_stamp(from)?,
        status: read_status(from.number()?)?,
        reason: from.optional(|from| kept(from.text()?).ok_or(Malformed::Value("a reason")))?,
        terms: read_terms(from)?,
        units: read_units(from)?,
        checkout_url: from.optional(|from| from.text().map(str::to_owned))?,
        hold_expires_at: from.optional(Reader::time)?,
        terminal: from.flag()?,
        version: from.small("a version")?,
    })
}

/// Lost terms are those of no units.
fn write_terms(terms: Option<Terms>, to: &mut Writer) {
    let (product, quantity) = terms.map_or((0, 0), |terms| (terms.product.0, terms.quantity));
    to.number(u64::from(product));
    to.number(u64::from(quantity));
}

fn read_terms(from: &mut Reader<'_>) -> Result<Option<Terms>, Malformed> {
    let product = ProductNo(from.small("a product's number")?);
    let quantity = from.small("a quantity")?;
    Ok((quantity > 0).then_some(Terms { product, quantity }))
}

fn write_units(units: &Units, to: &mut Writer) {
    to.number(units.len() as u64);
    units.iter().for_each(|unit| to.number(u64::from(*unit)));
}

fn read_units(from: &mut Reader<'_>) -> Result<Units, Malformed> {
    match from.number()? {
        1 => Ok(Few::One(from.small("a unit's number")?)),
        count => (0..count).map(|_| from.small("a unit's number")).collect(),
    }
}

/// Never used for anything else again.
const fn status_number(status: Status) -> u64 {
    match status {
        Status::Queued => 0,
        Status::AwaitingPayment => 1,
        Status::Confirmed => 2,
        Status::PaymentFailed => 3,
        Status::Expired => 4,
        Status::Cancelled => 5,
        Status::SoldOut => 6,
        Status::Refunded => 7,
    }
}

fn read_status(number: u64) -> Result<Status, Malformed> {
    let known = Status::ALL.into_iter().find(|status| status_number(*status) == number);
    known.ok_or(Malformed::Value("a status"))
}
