//! The catalog: this node's copy of the sales is kept fresh, whatever the node does.

use crate::Crew;
use crate::runner::{Pace, Turn, run};

/// Reads the sales of other nodes every `refresh_ms` until the crew stops.
pub fn start(crew: &Crew, refresh_ms: u64) {
    let pace = Pace { name: "catalog", tick_ms: refresh_ms, gather_ms: 0, backoff_ms: 5_000 };
    let looking = crew.clone();
    crew.spawn(
        "catalog",
        run(pace, crew.stop.clone(), std::future::pending::<()>, move || {
            let crew = looking.clone();
            async move {
                crew.catalog.refresh(&*crew.stores.sales).await?;
                Ok(Turn::Idle)
            }
        }),
    );
}
