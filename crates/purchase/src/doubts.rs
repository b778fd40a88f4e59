//! Which statuses on the board are doubted: a process that died between the ledger and the board has shown nothing, and
//! nobody comes back to it. So whoever polls an order that is not over has the ledger asked now and then.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::id::TicketId;

/// An order is compared with the ledger this often at most, by each node that is asked for it.
const EVERY: Duration = Duration::from_secs(5);
/// Parts, so that polls do not wait for one another. A power of two up to 256.
const PARTS: usize = 64;
/// Tickets that one part remembers; where there are more, it forgets all of them and asks a little later.
const REMEMBERED: usize = 4_096;

/// When each ticket was compared last.
pub(crate) struct Doubts {
    parts: Vec<Mutex<HashMap<TicketId, Duration>>>,
}

impl Default for Doubts {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect() }
    }
}

impl Doubts {
    /// Whether to compare the ticket at `now`; whoever is told so does it.
    pub(crate) fn are_due(&self, ticket: TicketId, now: Duration) -> bool {
        let part = usize::from(ticket.0[0]) % PARTS;
        let mut seen = self.parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = seen.get_mut(&ticket) {
            let due = now.saturating_sub(*at) >= EVERY;
            if due {
                *at = now;
            }
            return due;
        }
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        seen.insert(ticket, now);
        false
    }
}

#[cfg(test)]
#[path = "doubts_tests.rs"]
mod tests;
