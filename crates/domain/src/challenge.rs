//! Challenges: who is asked to show that they are no program before they may buy, and how much work that is.
//!
//! A doubt takes nothing away: who is suspected is asked, and keeps what they have.

/// Whom a sale asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChallengeRule {
    /// Nobody.
    #[default]
    Never,
    /// Those about whom something was noticed.
    Suspects,
    /// Everybody for whom the shop does not vouch.
    Always,
}

impl ChallengeRule {
    /// Every rule, from the mildest.
    pub const ALL: [Self; 3] = [Self::Never, Self::Suspects, Self::Always];

    /// Its word in a sale's definition.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Suspects => "suspects",
            Self::Always => "always",
        }
    }

    /// The rule of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }

    /// Whether a buyer is asked. Who is vouched for by the shop never is.
    #[must_use]
    pub const fn asks(self, vouched: bool, suspected: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Suspects => suspected && !vouched,
            Self::Always => !vouched,
        }
    }
}

/// Something that was noticed about a buyer. None of it proves anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Many buyers ask from one network within a short time.
    CrowdedNetwork,
    /// Asked more often than one buyer may.
    RateLimited,
    /// A request that no page of ours makes.
    Malformed,
    /// A request in the name of somebody else.
    Mismatched,
    /// A solution that is wrong, or was somebody else's.
    WrongSolution,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 5] =
        [Self::CrowdedNetwork, Self::RateLimited, Self::Malformed, Self::Mismatched, Self::WrongSolution];

    /// Its word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CrowdedNetwork => "crowded-network",
            Self::RateLimited => "rate-limited",
            Self::Malformed => "malformed",
            Self::Mismatched => "mismatched",
            Self::WrongSolution => "wrong-solution",
        }
    }

    /// How often it must have been noticed before it makes a suspect. An impatient finger meets the limit a few times, and
    /// a shop's own page may have a mistake in it; a page never asks in another's name.
    #[must_use]
    pub const fn enough(self) -> u8 {
        match self {
            Self::CrowdedNetwork => 1,
            Self::RateLimited => 10,
            Self::Malformed => 5,
            Self::Mismatched | Self::WrongSolution => 2,
        }
    }
}

/// What was noticed about one buyer, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks([u8; Signal::ALL.len()]);

impl Marks {
    /// With one more signal of this kind.
    pub const fn add(&mut self, signal: Signal) {
        let count = &mut self.0[signal as usize];
        *count = count.saturating_add(1);
    }

    /// With everything that `other` has.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let mut sum = self;
        sum.0.iter_mut().zip(other.0).for_each(|(count, more)| *count = count.saturating_add(more));
        sum
    }

    /// Whether there is enough of one kind.
    #[must_use]
    pub fn suspected(self) -> bool {
        Signal::ALL.into_iter().any(|signal| self.0[signal as usize] >= signal.enough())
    }
}

/// Different buyers of one network within a window that make it crowded: more than a household or an office floor, and
/// fewer than somebody needs who wants a good part of a drop.
pub const CROWD: u32 = 24;

/// About how many different buyers there were, where each has set one of 64 bits by a hash (linear counting).
#[must_use]
pub fn different(bits: u64) -> u32 {
    match bits.count_zeros() {
        // All set: more than the bits can tell.
        0 => u32::MAX,
        zeros => (-64.0 * (f64::from(zeros) / 64.0).ln()).round() as u32,
    }
}

/// How much work a challenge is: guesses that its solution takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difficulty {
    /// While hardly anybody is asked; at least 1.
    pub floor: u32,
    /// Under full pressure; at least the floor.
    pub ceiling: u32,
    /// Challenges a second, of one gateway, from which on it is the ceiling; at least 1.
    pub full_per_s: u32,
}

impl Difficulty {
    /// The guesses of a challenge while so many are issued a second: it rises in proportion, from floor to ceiling.
    #[must_use]
    pub fn at(self, issued_per_s: u64) -> u32 {
        let full = u64::from(self.full_per_s.max(1));
        let above = u64::from(self.ceiling.saturating_sub(self.floor));
        let share = above * issued_per_s.min(full) / full;
        self.floor.saturating_add(share as u32)
    }
}

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
