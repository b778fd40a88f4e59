//! The loops of every shard: allocation and settling.

use std::collections::HashSet;
use std::sync::Arc;

use domain::fence::Position;
use domain::id::ShardId;
use ports::Fault;
use purchase::allocate::{self, allocate};
use purchase::settle::{self, settle};
use tokio::sync::Mutex;

use crate::Crew;
use crate::runner::{Pace, Turn, run};

/// Runs `work` for each shard that there is, from when its sale appears in the catalog; looks again every `refresh_ms`.
pub(crate) fn each_shard(
    crew: &Crew,
    name: &'static str,
    refresh_ms: u64,
    work: impl Fn(&Crew, ShardId) + Send + Sync + 'static,
) {
    let pace = Pace { name, tick_ms: refresh_ms, gather_ms: 0, backoff_ms: 5_000 };
    let (started, work) = (Arc::new(std::sync::Mutex::new(HashSet::new())), Arc::new(work));
    let (looking, watching) = (crew.clone(), crew.clone());
    crew.spawn(
        name,
        run(
            pace,
            crew.stop.clone(),
            move || {
                let mut changed = watching.catalog.subscribe();
                async move { drop(changed.changed().await) }
            },
            move || {
                new_shards(&looking, &started).into_iter().for_each(|shard| work(&looking, shard));
                std::future::ready(Ok(Turn::Idle))
            },
        ),
    );
}

/// Takes claims in and settles effects, for each shard.
pub fn start(crew: &Crew, refresh_ms: u64) {
    each_shard(crew, "shards", refresh_ms, |crew, shard| {
        start_allocation(crew, shard.clone());
        start_settling(crew, shard);
    });
}

fn new_shards(crew: &Crew, started: &std::sync::Mutex<HashSet<ShardId>>) -> Vec<ShardId> {
    let mut started = started.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let sales = crew.catalog.all();
    let shards = sales
        .iter()
        .flat_map(|sale| (0..sale.shards).map(|number| ShardId { sale: sale.sale_id.clone(), number }));
    shards.filter(|shard| started.insert(shard.clone())).collect()
}

/// Claims go from the log into the ledger as they come.
fn start_allocation(crew: &Crew, shard: ShardId) {
    let pace = Pace { name: "allocation", tick_ms: 200, gather_ms: 20, backoff_ms: 2_000 };
    let at: Arc<Mutex<Option<Position>>> = Arc::default();
    let (reading, waiting) = (crew.stores.clone(), crew.stores.clone());
    let (read_shard, wait_shard) = (shard.clone(), shard);
    let (read_at, wait_at) = (Arc::clone(&at), at);
    crew.spawn(
        "allocation",
        run(
            pace,
            crew.stop.clone(),
            move || {
                let (stores, shard, at) = (waiting.clone(), wait_shard.clone(), Arc::clone(&wait_at));
                async move {
                    let from = at.lock().await.unwrap_or_default();
                    stores.claims.wait(&shard, from).await;
                }
            },
            move || {
                let (stores, shard, at) = (reading.clone(), read_shard.clone(), Arc::clone(&read_at));
                async move {
                    let mut from = at.lock().await;
                    let known = from.take();
                    let (next, count) = allocate(&stores, &shard, known).await?;
                    *from = Some(next);
                    Ok(Turn::after(count, allocate::BATCH))
                }
            },
        ),
    );
}

/// Effects go from the ledger to the inventory as they come. A closed shard is not a fault: it is being rebuilt.
fn start_settling(crew: &Crew, shard: ShardId) {
    let pace = Pace { name: "settling", tick_ms: 200, gather_ms: 20, backoff_ms: 2_000 };
    let (working, waiting) = (crew.stores.clone(), crew.stores.clone());
    let (work_shard, wait_shard) = (shard.clone(), shard);
    crew.spawn(
        "settling",
        run(
            pace,
            crew.stop.clone(),
            move || {
                let (stores, shard) = (waiting.clone(), wait_shard.clone());
                async move { stores.effects.wait(&shard).await }
            },
            move || {
                let (stores, shard) = (working.clone(), work_shard.clone());
                async move {
                    match settle(&stores, &shard).await {
                        Ok(count) => Ok(Turn::after(count, settle::BATCH)),
                        Err(Fault::Closed(_)) => {
                            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                            Ok(Turn::Again)
                        }
                        Err(fault) => Err(fault),
                    }
                }
            },
        ),
    );
}
