//! Events as other systems read them: CloudEvents 1.0 in the binary mode of its Kafka binding.
//!
//! What an event is stands in the record's headers, what it says in its value, which is JSON. Members are added and never
//! change their meaning; readers pass over those that they do not know. Another meaning is another type.

use domain::id::TicketId;
use domain::time::Timestamp;

/// The version of CloudEvents that is written and read.
pub(crate) const SPECIFICATION: &str = "1.0";
/// The media type of every value.
pub(crate) const JSON: &str = "application/json";

/// One event, ready to be a record of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The record's key: the ticket in hexadecimal, where the event is about one.
    pub key: String,
    /// The record's headers: CloudEvents' attributes, and the media type of the value.
    pub headers: [(&'static str, String); 7],
    /// The record's value.
    pub value: Vec<u8>,
}

/// CloudEvents' attributes of one event.
pub(crate) struct Attributes {
    pub kind: &'static str,
    /// The same for the same fact, so that who reads it twice can tell.
    pub id: String,
    pub source: String,
    pub subject: String,
    pub time: Timestamp,
}

impl Attributes {
    pub(crate) fn headers(self) -> [(&'static str, String); 7] {
        [
            ("ce_specversion", SPECIFICATION.to_owned()),
            ("ce_type", self.kind.to_owned()),
            ("ce_source", self.source),
            ("ce_id", self.id),
            ("ce_subject", self.subject),
            ("ce_time", self.time.to_string()),
            ("content-type", JSON.to_owned()),
        ]
    }
}

/// A ticket as events write it: 32 hexadecimal digits.
pub(crate) fn hexadecimal(ticket: TicketId) -> String {
    bytes_in_hexadecimal(&ticket.0)
}

pub(crate) fn bytes_in_hexadecimal(bytes: &[u8; 16]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The 16 bytes that 32 hexadecimal digits stand for; `None` for any other text.
pub(crate) fn bytes_of(text: &str) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    if text.len() != 32 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = [pair[0], pair[1]].map(|digit| char::from(digit).to_digit(16));
        *byte = (high? * 16 + low?) as u8;
    }
    Some(bytes)
}
