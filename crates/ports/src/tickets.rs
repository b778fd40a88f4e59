//! Signed tickets: what a 202 returns.

use domain::ticket::TicketStamp;

/// Turns stamps into tickets and back.
pub trait Tickets: Send + Sync {
    /// The ticket of a stamp. MUST give the same bytes for the same stamp on every node, always.
    fn seal(&self, stamp: &TicketStamp) -> String;
    /// The stamp of a ticket; `None` for anything that [`Tickets::seal`] did not make. MUST decide without I/O,
    /// and MUST compare in constant time.
    fn open(&self, ticket: &str) -> Option<TicketStamp>;
}
