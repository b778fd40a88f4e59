//! Which node serves which shard: the highest random weight, so that all gateways agree without talking, and a lost node
//! moves its own shards only.
//!
//! Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998. A node's weight for a shard depends on
//! the two alone: neither the order of the nodes nor the other nodes matter.

use std::cmp::Reverse;

use domain::id::ShardId;

/// The nodes of a link, by their names.
#[derive(Clone, Debug)]
pub struct Rendezvous {
    seeds: Vec<u64>,
}

impl Rendezvous {
    /// Over nodes of these names; every gateway must be given the same names.
    #[must_use]
    pub fn over<S: AsRef<str>>(names: &[S]) -> Self {
        Self { seeds: names.iter().map(|name| hashed(name.as_ref().as_bytes(), 0)).collect() }
    }

    /// Indices of the nodes, the best for `shard` first.
    #[must_use]
    pub fn order(&self, shard: &ShardId) -> Vec<usize> {
        let shard = hashed(shard.sale.as_str().as_bytes(), shard.number);
        let mut order: Vec<usize> = (0..self.seeds.len()).collect();
        order.sort_by_cached_key(|node| Reverse(self.seeds.get(*node).map(|seed| mixed(seed ^ shard))));
        order
    }
}

/// 64 bits of a hash of a text and a number.
fn hashed(text: &[u8], number: u16) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&number.to_be_bytes());
    hasher.update(text);
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Every bit of the result depends on every bit of the value: the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast
/// splittable pseudorandom number generators", 2014).
const fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
