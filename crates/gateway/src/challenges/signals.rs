//! What was noticed about buyers, for as long as it matters: in bounded memory, counted by kind, written into no log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::challenge::{CROWD, Marks, Signal, different};
use domain::id::UserId;

use crate::client_address::network_key;

/// What is noticed about a buyer is remembered for this long at least, and for twice as long at most.
const MEMORY: Duration = Duration::from_secs(600);
/// Buyers of one network are counted over this long at least, and over twice as long at most.
const WINDOW: Duration = Duration::from_secs(60);
/// Buyers, and networks, in one generation; where there are more, the generation before is forgotten early.
const MOST: usize = 1 << 16;

/// Values by a hash, in two generations: the older one is forgotten whole.
struct Generations<T> {
    young: HashMap<u64, T, foldhash::fast::RandomState>,
    old: HashMap<u64, T, foldhash::fast::RandomState>,
    born: Duration,
    life: Duration,
}

impl<T: Copy + Default> Generations<T> {
    fn new(life: Duration) -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), born: Duration::ZERO, life }
    }

    /// Both generations' values, after those that are too old are gone.
    fn look(&mut self, key: u64, now: Duration) -> (T, T) {
        let age = now.saturating_sub(self.born);
        if age >= self.life {
            let young = std::mem::take(&mut self.young);
            self.old = if age < self.life * 2 { young } else { HashMap::default() };
            self.born = now;
        }
        let of = |map: &HashMap<u64, T, _>| map.get(&key).copied().unwrap_or_default();
        (of(&self.young), of(&self.old))
    }

    fn put(&mut self, key: u64, value: T, now: Duration) {
        if self.young.len() >= MOST && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
            self.born = now;
        }
        self.young.insert(key, value);
    }
}

/// What was noticed.
pub struct Signals {
    seed: [u8; 32],
    marks: Mutex<Generations<Marks>>,
    /// Of each network 64 bits, of which each buyer sets one.
    networks: Mutex<Generations<u64>>,
    counts: [AtomicU64; Signal::ALL.len()],
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Signals {
    pub(super) fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            marks: Mutex::new(Generations::new(MEMORY)),
            networks: Mutex::new(Generations::new(WINDOW)),
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&blake3::keyed_hash(&self.seed, bytes).as_bytes()[..8]);
        u64::from_le_bytes(first)
    }

    /// Counts a signal, whoever it is about.
    pub(super) fn count(&self, signal: Signal) {
        self.counts[signal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often there was a signal of this kind.
    pub(crate) fn counted(&self, signal: Signal) -> u64 {
        self.counts[signal as usize].load(Ordering::Relaxed)
    }

    /// Remembers a signal about a buyer.
    pub(super) fn note(&self, user: &UserId, signal: Signal, now: Duration) {
        let user = self.hash(user.as_str().as_bytes());
        let mut marks = lock(&self.marks);
        let (mut young, _) = marks.look(user, now);
        young.add(signal);
        marks.put(user, young, now);
    }

    /// Whether enough is remembered about a buyer.
    pub(super) fn suspected(&self, user: &UserId, now: Duration) -> bool {
        let (young, old) = lock(&self.marks).look(self.hash(user.as_str().as_bytes()), now);
        young.plus(old).suspected()
    }

    /// Counts a buyer among those of a network; whether they are a crowd by now.
    pub(super) fn crowded(&self, client: IpAddr, user: &UserId, now: Duration) -> bool {
        let network = self.hash(&network_key(client).to_be_bytes());
        let bit = 1 << (self.hash(user.as_str().as_bytes()) % 64);
        let mut networks = lock(&self.networks);
        let (young, old) = networks.look(network, now);
        if young & bit == 0 {
            networks.put(network, young | bit, now);
        }
        different(young | old | bit) > CROWD
    }
}

#[cfg(test)]
#[path = "signals_tests.rs"]
mod tests;
