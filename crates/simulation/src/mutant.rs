//! Mutants: rules of the protocol that can be taken away, one at a time, to prove that the checks can fail.

use std::fmt;

macro_rules! mutants {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal,)+) => {
        /// A rule that is taken away.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Mutant {
            /// Every mutant.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// Its name on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

mutants! {
    /// The permission to hand out units survives a promotion and a restart.
    NoLease = "no-lease",
    /// Allocation takes in claims of every epoch.
    AcceptStale = "accept-stale",
    /// Allocation takes in claims of any older epoch below the newest fence.
    LooseFence = "loose-fence",
    /// A renewal that finds another one fencing raises the epoch again.
    RaiseWhileFencing = "raise-while-fencing",
    /// A fence whose place is not known yet refuses.
    UnknownFenceRefuses = "unknown-fence-refuses",
    /// The end of the log is read before the epoch is raised.
    EndBeforeFence = "end-before-fence",
    /// The snapshot is taken before allocation has passed the fence.
    SnapshotTooEarly = "snapshot-too-early",
    /// The fence is moved by every renewal, in any state.
    FenceOverwritten = "fence-overwritten",
    /// The fence is written again while fencing.
    FenceRewritten = "fence-rewritten",
    /// More than one renewal may take the snapshot of an epoch.
    SnapshotTwice = "snapshot-twice",
    /// Load and open are taken under any key.
    NoLoadKey = "no-load-key",
    /// A chunk that comes again is applied again.
    ChunkTwice = "chunk-twice",
    /// A load does not begin with an empty shard.
    BeginKeepsData = "begin-keeps-data",
    /// A shard may be opened although chunks are missing.
    OpenIncomplete = "open-incomplete",
    /// An open that was not answered is tried again at the same epoch.
    OpenRetried = "open-retried",
    /// A release frees units whoever has them.
    ReleaseWithoutMatch = "release-without-match",
    /// An effect applies to whatever units the claim has.
    MatchByClaim = "match-by-claim",
    /// The inventory gives a claim's units back that the ledger does not know.
    InventoryExpires = "inventory-expires",
    /// Effects are sent with the epoch of an earlier reading.
    EffectOldEpoch = "effect-old-epoch",
    /// The inventory takes effects of any epoch.
    EffectAnyEpoch = "effect-any-epoch",
    /// Effects are forgotten although the inventory did not answer.
    EffectForgotten = "effect-forgotten",
    /// Effects of one claim overtake each other.
    EffectOvertakes = "effect-overtakes",
    /// Effects that wait are kept when the snapshot is taken.
    EffectsKept = "effects-kept",
    /// The snapshot leaves sold units out of what buyers have.
    SnapshotWithoutSold = "snapshot-without-sold",
    /// The snapshot leaves out tickets whose orders have ended.
    SnapshotWithoutEnded = "snapshot-without-ended",
    /// The snapshot stamps tickets anew.
    SnapshotNewStamps = "snapshot-new-stamps",
    /// A replay whose claim is not on record is answered without publishing it.
    ReplayUnpublished = "replay-unpublished",
    /// A 202 is sent although the publication was not acknowledged.
    UnknownPublished = "unknown-published",
    /// Nobody publishes claims again that the ledger does not know.
    NoRelay = "no-relay",
    /// Claims of late money are published like others.
    LatePublished = "late-published",
    /// Nobody gives back what a late attempt took and did not use.
    LateUnswept = "late-unswept",
    /// The newest late attempt's units are given back too.
    LateNewestSwept = "late-newest-swept",
    /// A late attempt's number is not made durable: any attempt may succeed.
    LateAnyAttempt = "late-any-attempt",
    /// The ledger takes late units of any epoch.
    LateAnyEpoch = "late-any-epoch",
    /// Late money takes units beyond the buyer's limit.
    LateNoLimit = "late-no-limit",
    /// The position of allocation is moved without comparing it.
    PositionNotCompared = "position-not-compared",
    /// The end of the log is not asked for: an acknowledged claim may lie after the end that was read.
    EndBehind = "end-behind",
    /// Nobody closes a provider's door that the end of the grace left open.
    DoorForgotten = "door-forgotten",
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The rules that a walk does without.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mutants(u64);

impl Mutants {
    /// The protocol as it is.
    pub const NONE: Self = Self(0);

    /// One rule less.
    #[must_use]
    pub const fn with(self, mutant: Mutant) -> Self {
        Self(self.0 | 1 << mutant as u32)
    }

    /// Whether this rule is taken away.
    #[must_use]
    pub const fn has(self, mutant: Mutant) -> bool {
        self.0 & (1 << mutant as u32) != 0
    }

    /// Reads names joined by `+`.
    ///
    /// # Errors
    /// The name that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut mutants = Self::NONE;
        for word in text.split('+').filter(|word| !word.is_empty()) {
            let known = Mutant::ALL.iter().find(|mutant| mutant.as_str() == word);
            mutants = mutants.with(*known.ok_or_else(|| word.to_owned())?);
        }
        Ok(mutants)
    }
}

impl From<Mutant> for Mutants {
    fn from(mutant: Mutant) -> Self {
        Self::NONE.with(mutant)
    }
}

impl fmt::Display for Mutants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> =
            Mutant::ALL.iter().filter(|m| self.has(**m)).map(|mutant| mutant.as_str()).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join("+"))
    }
}

const _: () = assert!(Mutant::ALL.len() <= 64);
