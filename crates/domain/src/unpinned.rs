//! The index of claims that the ledger has not acknowledged.

use std::collections::VecDeque;

use crate::id::TicketId;
use crate::time::Timestamp;

/// Claims that the ledger has not acknowledged, in time order: claims of one instant share one entry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unpinned {
    pub(crate) batches: VecDeque<Batch>,
    first: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) at: Timestamp,
    pub(crate) claims: Vec<TicketId>,
    left: usize,
}

impl Unpinned {
    /// The number of the oldest batch.
    pub(crate) const fn first(&self) -> u64 {
        self.first
    }

    /// Whether a claim made at `now` would go into this batch.
    pub(crate) fn takes(&self, batch: u64, now: Timestamp) -> bool {
        let newest = self.first + self.batches.len() as u64;
        batch + 1 == newest && self.batches.back().is_some_and(|last| last.at >= now)
    }

    pub(crate) fn add(&mut self, claim: TicketId, now: Timestamp) -> u64 {
        match self.batches.back_mut() {
            // Never back in time: the order is that of the batches.
            Some(last) if last.at >= now => {
                last.claims.push(claim);
                last.left += 1;
            }
            _ => self.batches.push_back(Batch { at: now, claims: vec![claim], left: 1 }),
        }
        self.first + self.batches.len() as u64 - 1
    }

    pub(crate) fn acknowledge(&mut self, batch: u64) {
        let at = batch.checked_sub(self.first).and_then(|at| self.batches.get_mut(at as usize));
        if let Some(batch) = at {
            batch.left -= 1;
        }
        while self.batches.front().is_some_and(|batch| batch.left == 0) {
            self.batches.pop_front();
            self.first += 1;
        }
    }
}
