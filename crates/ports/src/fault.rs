//! Faults: the world failed. Each is answered, retried or surfaced, never swallowed.

use domain::id::ShardId;

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A store or a peer does not answer, or answered with an error. What was asked for may have happened.
    #[error("{what} is unavailable: {detail}")]
    Unavailable {
        /// Which one, in an operator's words.
        what: &'static str,
        /// What it said.
        detail: String,
    },
    /// The shard is closed while its inventory is being rebuilt; nothing happened.
    #[error("shard {0} is closed")]
    Closed(ShardId),
    /// A bounded queue is full; nothing happened.
    #[error("{0} is overloaded")]
    Overloaded(&'static str),
    /// Something stored is not what was written; a person must look.
    #[error("{what} is damaged: {detail}")]
    Damaged {
        /// Which part.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

impl Fault {
    /// A store or peer that does not answer.
    pub fn unavailable(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Unavailable { what, detail: detail.to_string() }
    }

    /// What failed, in an operator's words: one of few.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self {
            Self::Unavailable { what, .. } | Self::Damaged { what, .. } | Self::Overloaded(what) => what,
            Self::Closed(_) => "the shard",
        }
    }

    /// Something stored that is not what was written.
    pub fn damaged(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Damaged { what, detail: detail.to_string() }
    }
}
