//! Bytes of a status document on the board. Version first, since the function library compares it; the ticket is the field
//! and the shard the key, so neither is in it. Numbers are big-endian.
//!
//! version (4) · form (1) · status (1) · reason (1) · flags (1: terminal 1, address 2, end 4) · product (2) · quantity (1;
//! 0 where product and quantity are lost) ·
//! epoch (4) · issued at (8) · number of units (1) and units (4 each) · end of the hold (8) · length (2) and address.

use domain::hold::{Terms, Units};
use domain::id::{Epoch, ProductNo, ShardId, TicketId};
use domain::order::Reason;
use domain::status::{Status, StatusDocument};
use domain::ticket::TicketStamp;
use ports::Fault;

use crate::codec::Reader;

const FORM: u8 = 1;
const WHAT: &str = "a document on the status board";
const TERMINAL: u8 = 1;
const ADDRESS: u8 = 2;
const END: u8 = 4;

/// Words of the contract that are no [`Reason`]; never reordered, new ones at the end.
const WORDS: [&str; 3] = ["refunding", "cancelling", "expiring"];
/// Where the words of [`Reason`] begin.
const REASONS: u8 = 16;

fn reason_code(word: Option<&str>) -> Option<u8> {
    let Some(word) = word else { return Some(0) };
    let own = WORDS.iter().position(|each| *each == word).map(|at| 1 + at as u8);
    own.or_else(|| Reason::ALL.iter().position(|each| each.as_str() == word).map(|at| REASONS + at as u8))
}

fn reason_word(code: u8) -> Option<Option<&'static str>> {
    match code {
        0 => Some(None),
        own if own < REASONS => WORDS.get(usize::from(own) - 1).copied().map(Some),
        reason => Reason::ALL.get(usize::from(reason - REASONS)).map(|reason| Some(reason.as_str())),
    }
}

/// Writes a document.
///
/// # Errors
/// A document that this form cannot hold.
pub(crate) fn encode(document: &StatusDocument) -> Result<Vec<u8>, Fault> {
    let status = Status::ALL.iter().position(|status| *status == document.status);
    let (Some(status), Some(reason)) = (status, reason_code(document.reason)) else {
        return Err(Fault::damaged(WHAT, "its status or reason has no code"));
    };
    let address = document.checkout_url.as_deref().unwrap_or_default();
    let lengths = (u8::try_from(document.units.len()), u16::try_from(address.len()));
    let (Ok(units), Ok(length)) = lengths else {
        return Err(Fault::damaged(WHAT, "it has too many units, or too long an address"));
    };
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    let flags = flag(document.terminal, TERMINAL)
        | flag(document.checkout_url.is_some(), ADDRESS)
        | flag(document.hold_expires_at.is_some(), END);
    let mut bytes = document.version.to_be_bytes().to_vec();
    bytes.extend([FORM, status as u8, reason, flags]);
    let (product, quantity) = document.terms.map_or((0, 0), |terms| (terms.product.0, terms.quantity));
    bytes.extend(product.to_be_bytes());
    bytes.push(quantity);
    bytes.extend(document.stamp.epoch.0.to_be_bytes());
    bytes.extend(document.stamp.issued_at.as_millis().to_be_bytes());
    bytes.push(units);
    bytes.extend(document.units.iter().flat_map(|unit| unit.to_be_bytes()));
    if let Some(end) = document.hold_expires_at {
        bytes.extend(end.as_millis().to_be_bytes());
    }
    if document.checkout_url.is_some() {
        bytes.extend(length.to_be_bytes());
        bytes.extend(address.as_bytes());
    }
    Ok(bytes)
}

/// Reads the document of `ticket`.
///
/// # Errors
/// [`Fault::Damaged`] where it is none of this form.
pub(crate) fn decode(shard: &ShardId, ticket: TicketId, bytes: &[u8]) -> Result<StatusDocument, Fault> {
    read(shard, ticket, bytes)
        .ok_or_else(|| Fault::damaged(WHAT, "it is not of a form that this release knows"))
}

fn read(shard: &ShardId, ticket: TicketId, bytes: &[u8]) -> Option<StatusDocument> {
    let mut reader = Reader(bytes);
    let version = reader.u32()?;
    if reader.u8()? != FORM {
        return None;
    }
    let status = *Status::ALL.get(usize::from(reader.u8()?))?;
    let reason = reason_word(reader.u8()?)?;
    let flags = reader.u8()?;
    let (product, quantity) = (ProductNo(reader.u16()?), reader.u8()?);
    let (epoch, issued_at) = (Epoch(reader.u32()?), reader.instant()?);
    let count = usize::from(reader.u8()?);
    let units: Units = Reader(reader.bytes(4 * count)?).units()?.into_iter().collect();
    let hold_expires_at = if flags & END == 0 { None } else { Some(reader.instant()?) };
    let checkout_url = if flags & ADDRESS == 0 { None } else { Some(address(&mut reader)?) };
    reader.0.is_empty().then(|| StatusDocument {
        stamp: TicketStamp { ticket, shard: shard.clone(), epoch, issued_at },
        status,
        reason,
        terms: (quantity > 0).then_some(Terms { product, quantity }),
        units,
        checkout_url,
        hold_expires_at,
        terminal: flags & TERMINAL != 0,
        version,
    })
}

fn address(reader: &mut Reader<'_>) -> Option<String> {
    let length = usize::from(reader.u16()?);
    String::from_utf8(reader.bytes(length)?.to_vec()).ok()
}

#[cfg(test)]
#[path = "status_codec_tests.rs"]
mod tests;
