//! The claim log of one shard: a sequence that only grows.

use domain::fence::Position;
use domain::hold::Claim;
use domain::id::Epoch;

/// A claim as it lies in the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) claim: Claim,
    /// Ground truth for the checks, unknown to every role: it was appended while its epoch was the ledger's.
    pub(crate) in_time: bool,
}

/// One partition.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<Logged>,
}

impl Log {
    pub(crate) fn append(&mut self, claim: Claim, running: Epoch) {
        let in_time = claim.epoch == running;
        self.entries.push(Logged { claim, in_time });
    }

    /// The position after the last claim.
    pub(crate) fn end(&self) -> Position {
        Position(self.entries.len() as u64)
    }
}
