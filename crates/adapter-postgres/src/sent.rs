//! Tells this process's relays that effects were written. Those of other processes are found by looking now and then: a
//! NOTIFY would make every commit of the whole server wait for its turn.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::id::ShardId;
use tokio::sync::watch;

/// A count for each shard, raised with every write.
#[derive(Default)]
pub(crate) struct Sent {
    counts: Mutex<HashMap<ShardId, watch::Sender<u64>>>,
}

impl Sent {
    /// Effects of a shard may have been written.
    pub(crate) fn raise(&self, shard: &ShardId) {
        self.with(shard, |count| count.send_modify(|count| *count = count.wrapping_add(1)));
    }

    /// From now on.
    pub(crate) fn listen(&self, shard: &ShardId) -> watch::Receiver<u64> {
        self.with(shard, watch::Sender::subscribe)
    }

    fn with<T>(&self, shard: &ShardId, work: impl FnOnce(&watch::Sender<u64>) -> T) -> T {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.contains_key(shard) {
            counts.insert(shard.clone(), watch::Sender::new(0));
        }
        work(counts.entry(shard.clone()).or_insert_with(|| watch::Sender::new(0)))
    }
}
