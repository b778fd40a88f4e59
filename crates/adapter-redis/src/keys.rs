//! Every key: its name, its hash tag, and which function is given it.
//!
//! All keys of a shard share the tag `{sale.number}`, so that they lie on one primary and the sales spread over all of them;
//! neither an identifier of a sale nor a system's name has a brace. The epoch is in the names of what a rebuild makes anew.
//! No key has a time to live.

use domain::id::{Epoch, ProductNo, ShardId};

/// The pattern of every key, for access lists.
pub(crate) const PATTERN: &str = "tz:*";

/// The names of one system's keys.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// `tz:`, or `tz:name:` for a system with a name.
    prefix: String,
}

impl Keys {
    /// The keys of the system called `name`; empty where only one uses these servers.
    pub(crate) fn of(name: &str) -> Self {
        Self { prefix: if name.is_empty() { "tz:".to_owned() } else { format!("tz:{name}:") } }
    }

    /// The shard's own key: which namespaces there are. Its name is also the lease's.
    pub(crate) fn root(&self, shard: &ShardId) -> String {
        format!("{}{{{shard}}}", self.prefix)
    }

    /// The slot of all keys of the shard: of 16,384, by CRC16 of the tag, as the specification of Redis Cluster has it.
    pub(crate) fn slot(shard: &ShardId) -> u16 {
        crc16::State::<crc16::XMODEM>::calculate(shard.to_string().as_bytes()) % 16_384
    }

    /// Whose keys these are: a hash with the fingerprint of the system's secret. No shard has this name.
    pub(crate) fn owner(&self) -> String {
        format!("{}owner", self.prefix)
    }

    /// The documents that are shown for the shard's tickets.
    pub(crate) fn board(&self, shard: &ShardId) -> String {
        format!("{}:board", self.root(shard))
    }

    /// Root and meta: what `tz_view`, `tz_begin` and `tz_open` are given.
    pub(crate) fn head(&self, shard: &ShardId, epoch: Epoch) -> Vec<String> {
        let mut keys = self.namespace(shard, epoch, &[]);
        keys.truncate(2);
        keys
    }

    /// Root, meta, records, users, index, batches, and the free lists of `products`: what every other function is given.
    pub(crate) fn namespace(&self, shard: &ShardId, epoch: Epoch, products: &[ProductNo]) -> Vec<String> {
        let root = self.root(shard);
        let inside = |name: String| format!("{root}:{}:{name}", epoch.0);
        let fixed = ["m", "r", "u", "q", "w"].map(|name| inside(name.to_owned()));
        let free = products.iter().map(|product| inside(format!("f{}", product.0)));
        std::iter::once(root.clone()).chain(fixed).chain(free).collect()
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
