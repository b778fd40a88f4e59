//! The term of a shard in the ledger, and how it is renewed without losing a published claim.
//!
//! A renewal fences the running epoch (R1), reads the end of the claim log *afterwards* and stores it once (R2, R3),
//! waits until allocation has passed it, takes the snapshot (R4), loads and opens (R5 to R7). Claims of the epoch
//! before are accepted while they lie before the fence; everything else is stale.

use crate::id::Epoch;

/// A position in a shard's claim log: the next claim that will be read. Comparable within one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// How far `end` is from here; 0 where it is passed.
    #[must_use]
    pub const fn until(self, end: Self) -> u64 {
        end.0.saturating_sub(self.0)
    }
}

/// Where a shard stands in its renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TermState {
    /// Selling.
    Open,
    /// A renewal has begun; claims before the fence are still taken in.
    Fencing,
    /// The snapshot is taken; the inventory is being loaded.
    Rebuild,
}

/// A shard's term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The epoch; 0 before the first opening.
    pub epoch: Epoch,
    /// Where its renewal stands.
    pub state: TermState,
    /// Claims of the epoch before are taken in if they lie before this; unknown while `None`.
    pub fence: Option<Position>,
}

impl Term {
    /// A shard that never opened.
    pub const NEW: Self = Self { epoch: Epoch(0), state: TermState::Rebuild, fence: Some(Position(0)) };

    /// R1: begins a renewal, or joins the one that is under way; never raises the epoch while fencing.
    #[must_use]
    pub const fn begin(self) -> Self {
        match self.state {
            TermState::Fencing => self,
            TermState::Open | TermState::Rebuild => {
                Self { epoch: self.epoch.next(), state: TermState::Fencing, fence: None }
            }
        }
    }

    /// R3: stores the end of the log, read after R1, once. Unchanged where another did, or the epoch moved on.
    #[must_use]
    pub fn with_fence(self, epoch: Epoch, end: Position) -> Self {
        if self.epoch == epoch && self.state == TermState::Fencing && self.fence.is_none() {
            Self { fence: Some(end), ..self }
        } else {
            self
        }
    }

    /// R4: the term after the snapshot, where allocation has passed the fence; `None` if it may not be taken
    /// (not yet, or another took it).
    #[must_use]
    pub fn snapshot(self, epoch: Epoch, allocated: Position) -> Option<Self> {
        let passed = self.fence.is_some_and(|fence| allocated >= fence);
        (self.epoch == epoch && self.state == TermState::Fencing && passed)
            .then_some(Self { state: TermState::Rebuild, ..self })
    }

    /// R7: the inventory has opened at `epoch`; `None` if the term moved on meanwhile.
    #[must_use]
    pub fn opened(self, epoch: Epoch) -> Option<Self> {
        (self.epoch == epoch && self.state == TermState::Rebuild)
            .then_some(Self { state: TermState::Open, ..self })
    }

    /// Whether a shard of this term sells, whose inventory hands out units at `running`; `None` where that is closed.
    #[must_use]
    pub fn sells_at(self, running: Option<Epoch>) -> bool {
        self.state == TermState::Open && running == Some(self.epoch)
    }

    /// Whether a claim of `epoch` that the ledger does not know can never be taken in: allocation has passed the fence
    /// up to which claims of that epoch count.
    #[must_use]
    pub fn has_ended(self, epoch: Epoch) -> bool {
        epoch < self.epoch && (epoch.next() < self.epoch || self.state != TermState::Fencing)
    }

    /// Whether a claim of `epoch` at `position` of the log is taken in.
    #[must_use]
    pub fn accepts(self, epoch: Epoch, position: Position) -> bool {
        epoch == self.epoch || (epoch.next() == self.epoch && self.fence.is_none_or(|fence| position < fence))
    }
}
