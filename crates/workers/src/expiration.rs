//! Expiration: what is overdue is closed, and what is closed goes back.
//!
//! An order is overdue if and only if it waits for its payment address or its payment, and the deadline for that has
//! passed by the ledger's clock. A door that the provider did not close within the grace is closed later.

use domain::order::Work;
use purchase::expire::{close_door, close_left_open, expire_overdue};

use crate::Crew;
use crate::pool::{self, Shape};
use crate::runner::{self, Pace, Turn};

/// How expiration works.
#[derive(Clone, Copy, Debug)]
pub struct Expiration {
    /// Longest wait between two looks, milliseconds.
    pub tick_ms: u64,
    /// Orders closed in one transaction at most.
    pub batch: usize,
    /// Doors being closed at once.
    pub concurrency: usize,
}

/// Closes what is overdue until the crew stops.
pub fn start(crew: &Crew, how: Expiration) {
    let pace = Pace { name: "expiration", tick_ms: how.tick_ms, gather_ms: 0, backoff_ms: 5_000 };
    let looking = crew.clone();
    let nudging = crew.clone();
    crew.spawn("expiration", runner::run(
        pace,
        crew.stop.clone(),
        move || {
            let pulse = nudging.stores.pulse.clone();
            async move { pulse.nudged_overdue().await }
        },
        move || {
            let stores = looking.stores.clone();
            async move { expire_overdue(&stores, how.batch).await.map(|count| Turn::after(count, how.batch)) }
        },
    ));
    let shape = |work| Shape { work, concurrency: how.concurrency, rate_per_s: 0.0, tick_ms: how.tick_ms };
    crew.spawn(
        "closing doors",
        pool::run(crew.clone(), shape(Work::Close), |crew: Crew, order| async move {
            close_door(&crew.stores, &crew.settings, &order).await
        }),
    );
    // A pool of its own: units wait for the one above, nobody for this one.
    crew.spawn(
        "closing doors left open",
        pool::run(crew.clone(), shape(Work::LateClose), |crew: Crew, order| async move {
            close_left_open(&crew.stores, &crew.settings, &order).await
        }),
    );
}
