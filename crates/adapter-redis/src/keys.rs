//! Every key: its name, its hash tag, and which function is given it.
//!
//! All keys of a shard share the tag `{sale.number}`, so that they lie on one primary and the sales spread over all of them;
//! an identifier of a sale has no brace. The epoch is in the names of what a rebuild makes anew. No key has a time to live.

use domain::id::{Epoch, ProductNo, ShardId};

/// The pattern of every key, for access lists.
pub(crate) const PATTERN: &str = "tz:*";

/// The shard's own key: which namespaces there are. Its name is also the lease's.
pub(crate) fn root(shard: &ShardId) -> String {
    format!("tz:{{{shard}}}")
}

/// The documents that are shown for the shard's tickets.
pub(crate) fn board(shard: &ShardId) -> String {
    format!("tz:{{{shard}}}:board")
}

/// Root and meta: what `tz_view`, `tz_begin` and `tz_open` are given.
pub(crate) fn head(shard: &ShardId, epoch: Epoch) -> Vec<String> {
    let mut keys = namespace(shard, epoch, &[]);
    keys.truncate(2);
    keys
}

/// Root, meta, records, users, index, batches, and the free lists of `products`: what every other function is given.
pub(crate) fn namespace(shard: &ShardId, epoch: Epoch, products: &[ProductNo]) -> Vec<String> {
    let root = root(shard);
    let inside = |name: String| format!("{root}:{}:{name}", epoch.0);
    let fixed = ["m", "r", "u", "q", "w"].map(|name| inside(name.to_owned()));
    let free = products.iter().map(|product| inside(format!("f{}", product.0)));
    std::iter::once(root.clone()).chain(fixed).chain(free).collect()
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
