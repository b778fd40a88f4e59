//! Which statuses on the board are doubted: a process that died between the ledger and the board has shown nothing, and
//! nobody comes back to it. So whoever polls an order that is not over has the ledger asked now and then.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::id::TicketId;

/// An order is compared with the ledger this often at most, by each node that is asked for it.
const EVERY: Duration = Duration::from_secs(5);
/// Parts, so that polls do not wait for one another. A power of two up to 256.
const PARTS: usize = 64;
/// Tickets that one part remembers; where there are more, it forgets all of them and asks a little later.
const REMEMBERED: usize = 4_096;

/// When each ticket was compared last; nothing where the board is known to stay behind.
pub(crate) struct Doubts {
    parts: Vec<Mutex<HashMap<TicketId, Option<Duration>>>>,
}

impl Default for Doubts {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Mutex::default()).collect() }
    }
}

impl Doubts {
    /// Whether to compare the ticket at `now`; whoever is told so does it.
    pub(crate) fn are_due(&self, ticket: TicketId, now: Duration) -> bool {
        let mut seen = self.part(ticket);
        if let Some(at) = seen.get_mut(&ticket) {
            let due = at.is_none_or(|at| now.saturating_sub(at) >= EVERY);
            if due {
                *at = Some(now);
            }
            return due;
        }
        remember(&mut seen, ticket, Some(now));
        false
    }

    /// The ledger knew more than the board: whoever asks next is told no less, also where the board cannot be written.
    pub(crate) fn remain(&self, ticket: TicketId) {
        remember(&mut self.part(ticket), ticket, None);
    }

    fn part(&self, ticket: TicketId) -> MutexGuard<'_, HashMap<TicketId, Option<Duration>>> {
        let part = usize::from(ticket.0[0]) % PARTS;
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn remember(seen: &mut HashMap<TicketId, Option<Duration>>, ticket: TicketId, compared: Option<Duration>) {
    if seen.len() >= REMEMBERED {
        seen.clear();
    }
    seen.insert(ticket, compared);
}

#[cfg(test)]
#[path = "doubts_tests.rs"]
mod tests;
