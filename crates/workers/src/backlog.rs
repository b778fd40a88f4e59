//! The backlog: how long a payment address takes, looked at off the hot path.

use purchase::backlog::look;

use crate::Crew;
use crate::runner::{Pace, Turn, run};

/// How often, milliseconds.
const TICK_MS: u64 = 1_000;

/// Looks until the crew stops, on every node that takes checkouts.
pub fn start(crew: &Crew) {
    let pace = Pace { name: "backlog", tick_ms: TICK_MS, gather_ms: 0, backoff_ms: 5_000 };
    let looking = crew.clone();
    crew.spawn(
        "backlog",
        run(pace, crew.stop.clone(), std::future::pending::<()>, move || {
            let crew = looking.clone();
            async move {
                let now = crew.stores.clock.now();
                let open: Vec<_> =
                    crew.catalog.all().into_iter().filter(|sale| sale.gate(now).is_ok()).collect();
                look(&crew.stores, open.iter().map(|sale| &**sale)).await.map(|()| Turn::Idle)
            }
        }),
    );
}
