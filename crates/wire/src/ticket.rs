//! Signed tickets: a stamp and a MAC over it, as one URL-safe word.
//!
//! Layout before base64url (no padding): version 1 byte, ticket 16, shard number 2, epoch 4, instant in milliseconds 8,
//! sale 1–64, MAC 16; numbers big-endian. The MAC is BLAKE3's keyed hash of everything before it, cut to 128 bits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::id::{Epoch, SaleId, ShardId, TicketId};
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::tickets::Tickets;
use subtle::ConstantTimeEq;

const VERSION: u8 = 1;
const MAC: usize = 16;
const FIXED: usize = 1 + 16 + 2 + 4 + 8;
const LONGEST_SALE: usize = 64;
/// Characters of the longest ticket.
pub const LONGEST: usize = (FIXED + LONGEST_SALE + MAC) * 4 / 3 + 1;

/// Seals and opens tickets under one key.
#[derive(Clone)]
pub struct SealedTickets {
    key: [u8; 32],
}

impl SealedTickets {
    /// Under a key that every node of the system has.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    fn mac(&self, stamp: &[u8]) -> [u8; MAC] {
        let mut mac = [0; MAC];
        mac.copy_from_slice(&blake3::keyed_hash(&self.key, stamp).as_bytes()[..MAC]);
        mac
    }
}

impl Tickets for SealedTickets {
    fn seal(&self, stamp: &TicketStamp) -> String {
        let mut bytes = Vec::with_capacity(FIXED + LONGEST_SALE + MAC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&stamp.ticket.0);
        bytes.extend_from_slice(&stamp.shard.number.to_be_bytes());
        bytes.extend_from_slice(&stamp.epoch.0.to_be_bytes());
        bytes.extend_from_slice(&stamp.issued_at.as_millis().to_be_bytes());
        bytes.extend_from_slice(stamp.shard.sale.as_str().as_bytes());
        let mac = self.mac(&bytes);
        bytes.extend_from_slice(&mac);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn open(&self, ticket: &str) -> Option<TicketStamp> {
        if ticket.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(ticket).ok()?;
        let (stamp, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        if !bool::from(self.mac(stamp).ct_eq(mac)) {
            return None;
        }
        let (version, rest) = stamp.split_first()?;
        let (ticket, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (issued_at, sale) = rest.split_first_chunk()?;
        let sale = SaleId::parse(std::str::from_utf8(sale).ok()?).ok()?;
        (*version == VERSION).then(|| TicketStamp {
            ticket: TicketId(*ticket),
            shard: ShardId { sale, number: u16::from_be_bytes(*number) },
            epoch: Epoch(u32::from_be_bytes(*epoch)),
            issued_at: Timestamp::from_millis(i64::from_be_bytes(*issued_at)),
        })
    }
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
