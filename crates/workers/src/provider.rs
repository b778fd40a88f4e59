//! The provider: whether it takes our key is known before the first buyer needs it.

use crate::Crew;
use crate::runner::{Pace, Turn, run};

/// How often it is asked, milliseconds.
const TICK_MS: u64 = 30_000;

/// Asks until the crew stops, where the provider is called from this process.
pub fn start(crew: &Crew) {
    let pace = Pace { name: "provider", tick_ms: TICK_MS, gather_ms: 0, backoff_ms: TICK_MS };
    let asking = crew.clone();
    crew.spawn(
        "provider",
        run(pace, crew.stop.clone(), std::future::pending::<()>, move || {
            let crew = asking.clone();
            async move {
                tokio::select! {
                    () = crew.stop.cancelled() => {}
                    () = crew.stores.payments.knock() => {}
                }
                Ok(Turn::Idle)
            }
        }),
    );
}
