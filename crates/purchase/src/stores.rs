//! What every step works with.

use std::fmt::Display;
use std::sync::Arc;

use domain::id::{IdSecret, TicketId};
use domain::order::{Order, Work};
use domain::status::StatusDocument;
use ports::Fault;
use ports::claims::ClaimLog;
use ports::clock::Clock;
use ports::dice::Dice;
use ports::inventory::{Inventory, Rebuild};
use ports::ledger::{Allocations, Books, Effects, Ledger, Terms};
use ports::payments::{PaymentFault, Payments};
use ports::sales::Sales;
use ports::status_board::StatusBoard;
use ports::tickets::Tickets;

use crate::backlog::Backlog;
use crate::pulse::Pulse;

/// What failed where a call to the payment provider did.
pub(crate) const PROVIDER: &str = "the payment provider";

/// The stores and peers of a purchase, as the wiring chose them.
#[derive(Clone)]
pub struct Stores {
    /// Hands out units.
    pub inventory: Arc<dyn Inventory>,
    /// Loads and opens shards.
    pub rebuild: Arc<dyn Rebuild>,
    /// Claims on their way to the ledger.
    pub claims: Arc<dyn ClaimLog>,
    /// Takes claims in.
    pub allocations: Arc<dyn Allocations>,
    /// Moves orders.
    pub ledger: Arc<dyn Ledger>,
    /// What the ledger tells the inventory.
    pub effects: Arc<dyn Effects>,
    /// Terms of shards.
    pub terms: Arc<dyn Terms>,
    /// Reads for audit and console.
    pub books: Arc<dyn Books>,
    /// Definitions of sales.
    pub sales: Arc<dyn Sales>,
    /// What clients poll.
    pub board: Arc<dyn StatusBoard>,
    /// The payment provider.
    pub payments: Arc<dyn Payments>,
    /// Seals and opens tickets.
    pub tickets: Arc<dyn Tickets>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub dice: Arc<dyn Dice>,
    /// Hashes users and keys.
    pub ids: IdSecret,
    /// Wakes loops, and remembers when something last went forward.
    pub pulse: Arc<Pulse>,
    /// How long payment addresses take.
    pub backlog: Arc<Backlog>,
}

/// Numbers that the steps obey.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Checkouts that may wait for one shard.
    pub checkout_queue: usize,
    /// A checkout is answered within this, milliseconds.
    pub checkout_deadline_ms: u64,
    /// Shortest wait before a provider is asked again, milliseconds.
    pub retry_min_ms: u64,
    /// Checkouts are refused while a payment address would take longer than this, milliseconds.
    pub address_deadline_ms: u64,
    /// Payment addresses that everybody together makes in a second at most, where that is known.
    pub address_limit_per_s: Option<f64>,
    /// Longest wait before a provider is asked again, milliseconds.
    pub retry_max_ms: u64,
    /// How long we try to close a provider's door before the unit goes back all the same, milliseconds.
    pub grace_ms: u64,
    /// A provider's own backstop for a session, milliseconds; longer than every hold.
    pub session_life_ms: u64,
    /// Where buyers come back to, without a slash at the end, e.g. `https://shop.example`.
    pub public_url: String,
    /// A claim that nobody has acknowledged for this long is looked at, milliseconds; longer than a publication may take.
    pub relay_after_ms: u64,
    /// Status questions to the ledger that may be under way at once when the board does not know a ticket.
    pub ledger_lane: usize,
}

impl Stores {
    /// When to try again what failed for an order: the wait grows with the time for which it has been failing.
    #[must_use]
    pub fn retry_at(
        &self,
        order: &Order,
        settings: &Settings,
        fault: &PaymentFault,
    ) -> domain::time::Timestamp {
        let now = self.clock.now();
        let base = match fault {
            PaymentFault::RateLimited { retry_after_ms } => *retry_after_ms,
            PaymentFault::Unknown(_) | PaymentFault::Refused(_) => now.millis_since(order.changed_at) / 2,
        };
        let wait = base.clamp(settings.retry_min_ms, settings.retry_max_ms);
        now.plus_millis(self.dice.jittered(wait, 0.5))
    }

    /// Puts off work whose provider failed.
    pub(crate) async fn put_off(
        &self,
        order: &Order,
        work: Work,
        settings: &Settings,
        fault: &PaymentFault,
    ) -> Result<(), Fault> {
        let at = self.retry_at(order, settings, fault);
        self.met(PROVIDER, "put-off", fault);
        self.ledger.put_off(order.ticket, work, at).await
    }

    /// Shows orders on the board. A board that is away loses nothing: readers then ask the ledger.
    pub(crate) async fn show<'a>(&self, orders: impl IntoIterator<Item = &'a Order>) {
        let documents: Vec<_> = orders.into_iter().map(StatusDocument::of).collect();
        if documents.is_empty() {
            return;
        }
        if let Err(fault) = self.board.show(documents).await {
            self.board_is_away(&fault);
        }
    }

    /// The board does not answer: nothing is lost, but the ledger is asked more.
    pub(crate) fn board_is_away(&self, fault: &dyn Display) {
        self.met("the status board", "passed-over", fault);
    }

    /// A request or an order met a fault: it is counted by what failed and by what became of whoever met it (in a word), and
    /// logged at most once in a while, with how often it was met since.
    pub fn met(&self, what: &'static str, outcome: &'static str, fault: &dyn Display) {
        if let Some(times) = self.pulse.faults.met(what, outcome, self.clock.elapsed()) {
            tracing::warn!(outcome, %fault, times, "a fault");
        }
    }
}

/// The text under which a provider knows a ticket.
#[must_use]
pub fn reference(ticket: TicketId) -> String {
    ticket.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The ticket that a provider's reference names; `None` for any other text.
#[must_use]
pub fn referred(reference: &str) -> Option<TicketId> {
    let hex = |at: usize| u8::from_str_radix(reference.get(at..at + 2)?, 16).ok();
    if reference.len() != 32 || !reference.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 16];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = hex(at * 2)?;
    }
    Some(TicketId(bytes))
}
