//! The reconciler: a shard that is not open is opened again.
//!
//! A shard is open if and only if its inventory hands out units at the epoch of its term. A store that was restarted,
//! failed over or emptied has closed its shards by itself; whoever sees that first renews them.

use domain::id::ShardId;
use purchase::recover::ensure_open;

use crate::Crew;
use crate::runner::{Pace, Turn, run};
use crate::shards::each_shard;

/// How often each shard is looked at, milliseconds: the longest time for which a closed one goes unseen.
const TICK_MS: u64 = 500;

/// Keeps every shard open until the crew stops.
pub fn start(crew: &Crew, refresh_ms: u64) {
    each_shard(crew, "reconciler's shards", refresh_ms, watch);
}

fn watch(crew: &Crew, shard: ShardId) {
    let pace = Pace { name: "reconciler", tick_ms: TICK_MS, gather_ms: 0, backoff_ms: 4 * TICK_MS };
    let stores = crew.stores.clone();
    crew.spawn(
        "reconciler",
        run(pace, crew.stop.clone(), std::future::pending::<()>, move || {
            let (stores, shard) = (stores.clone(), shard.clone());
            async move { ensure_open(&stores, &shard).await.map(|_| Turn::Idle) }
        }),
    );
}
