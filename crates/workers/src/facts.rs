//! The loop that tells the shop's own systems how orders stand.

use std::sync::Arc;

use ports::facts::{FactLog, Facts};
use purchase::tell::{self, tell};

use crate::Crew;
use crate::runner::{Pace, Turn, run};

/// How often the ledger is asked what was not told, milliseconds.
const TICK_MS: u64 = 500;

/// Tells until the crew stops.
pub fn start(crew: &Crew, facts: &Arc<dyn Facts>, log: &Arc<dyn FactLog>) {
    let pace = Pace { name: "order facts", tick_ms: TICK_MS, gather_ms: 0, backoff_ms: 10 * TICK_MS };
    let (facts, log) = (Arc::clone(facts), Arc::clone(log));
    crew.spawn(
        "order facts",
        run(pace, crew.stop.clone(), std::future::pending::<()>, move || {
            let (facts, log) = (Arc::clone(&facts), Arc::clone(&log));
            async move { tell(&*facts, &*log).await.map(|count| Turn::after(count, tell::BATCH)) }
        }),
    );
}
