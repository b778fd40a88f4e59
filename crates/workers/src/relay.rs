//! The relay: what an inventory gave and the log never got is published again.

use domain::id::ShardId;
use ports::Fault;
use purchase::relay::{self, relay};

use crate::Crew;
use crate::runner::{Pace, Turn, run};
use crate::shards::each_shard;

/// How often each shard is looked at, milliseconds.
const TICK_MS: u64 = 1_000;

/// Publishes what is missing until the crew stops.
pub fn start(crew: &Crew, refresh_ms: u64) {
    each_shard(crew, "relay's shards", refresh_ms, watch);
}

fn watch(crew: &Crew, shard: ShardId) {
    let pace = Pace { name: "relay", tick_ms: TICK_MS, gather_ms: 0, backoff_ms: 5_000 };
    let (stores, settings) = (crew.stores.clone(), crew.settings.clone());
    crew.spawn(
        "relay",
        run(pace, crew.stop.clone(), std::future::pending::<()>, move || {
            let (stores, settings, shard) = (stores.clone(), settings.clone(), shard.clone());
            async move {
                match relay(&stores, &settings, &shard).await {
                    Ok(count) => Ok(Turn::after(count, relay::BATCH)),
                    // Being rebuilt, from a ledger that has all that was published.
                    Err(Fault::Closed(_)) => Ok(Turn::Idle),
                    Err(fault) => Err(fault),
                }
            }
        }),
    );
}
