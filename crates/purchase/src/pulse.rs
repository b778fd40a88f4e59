//! The pulse of a node: wakes loops when there is work, and remembers when each kind of progress was last made.
//!
//! The failure to fear looks healthy while doing nothing: somebody waits, and nothing goes forward. Who waits is counted in
//! the ledger by whoever reads the pulse, and not told by the loops themselves: a loop that is dead tells nothing.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::order::Work;
use domain::time::Timestamp;
use tokio::sync::Notify;

use crate::faults::Faults;

/// Kinds of progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Units were held.
    Hold,
    /// A claim was taken in.
    Allocation,
    /// A payment address was made.
    PaymentAddress,
    /// An order was confirmed.
    Confirmation,
}

impl Progress {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Allocation, Self::PaymentAddress, Self::Confirmation];

    /// The word used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Allocation => "allocation",
            Self::PaymentAddress => "payment_address",
            Self::Confirmation => "confirmation",
        }
    }
}

#[derive(Default)]
struct Track {
    /// Since when something has been waiting, milliseconds; 0 where nothing is.
    waiting: AtomicI64,
    made: AtomicI64,
    count: AtomicU64,
}

/// Wakes and remembers.
#[derive(Default)]
pub struct Pulse {
    tracks: [Track; 4],
    work: [Notify; Work::ALL.len()],
    overdue: Notify,
    /// Faults that requests and orders meet.
    pub faults: Faults,
}

impl Pulse {
    /// Whether anybody waits for progress of this kind, as whoever counts them sees it at `now`.
    pub fn observe(&self, kind: Progress, waiting: bool, now: Timestamp) {
        let track = &self.tracks[kind as usize];
        let since = track.waiting.load(Ordering::Relaxed);
        if !waiting {
            track.waiting.store(0, Ordering::Relaxed);
        } else if since == 0 {
            track.waiting.store(now.as_millis(), Ordering::Relaxed);
        }
    }

    /// Progress was made, `count` times.
    pub fn progress(&self, kind: Progress, now: Timestamp, count: u64) {
        let track = &self.tracks[kind as usize];
        track.made.fetch_max(now.as_millis(), Ordering::Relaxed);
        track.count.fetch_add(count, Ordering::Relaxed);
    }

    /// How often progress of this kind was made.
    #[must_use]
    pub fn count(&self, kind: Progress) -> u64 {
        self.tracks[kind as usize].count.load(Ordering::Relaxed)
    }

    /// For how long somebody has been waiting without any progress, milliseconds; 0 where nobody waits.
    #[must_use]
    pub fn stalled_ms(&self, kind: Progress, now: Timestamp) -> u64 {
        let track = &self.tracks[kind as usize];
        let (waiting, made) = (track.waiting.load(Ordering::Relaxed), track.made.load(Ordering::Relaxed));
        if waiting == 0 { 0 } else { now.millis_since(Timestamp::from_millis(waiting.max(made))) }
    }

    /// There may be work of this kind.
    pub fn nudge(&self, work: Work) {
        self.work[work as usize].notify_one();
    }

    /// Waits for a nudge.
    pub async fn nudged(&self, work: Work) {
        self.work[work as usize].notified().await;
    }

    /// A deadline may have come nearer than the loop expects.
    pub fn nudge_overdue(&self) {
        self.overdue.notify_one();
    }

    /// Waits for a nudge about deadlines.
    pub async fn nudged_overdue(&self) {
        self.overdue.notified().await;
    }
}
