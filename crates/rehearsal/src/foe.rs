//! Which buyers are hostile, and what each of them is up to. Pure: a number and a share decide.

use serde::Serialize;

/// What a hostile buyer does from the moment they come until the honest ones are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Has a session of their own, solves challenges, and presses Buy without a pause, all of them from one network.
    OneNetwork,
    /// Uses one session on many connections at once, each request with a key of its own.
    ReplayedSession,
    /// Changes a session: its MAC, its subject, or its end.
    ForgedSession,
    /// Sends no solution of a challenge, or a wrong one.
    UnsolvedChallenge,
    /// Never waits for `Retry-After`, and takes a new key for each request.
    Hammering,
    /// Sends the body of a checkout a byte a second.
    SlowBody,
    /// Sends more headers than any server takes.
    OversizedHeaders,
    /// Opens connections and says nothing.
    ConnectionFlood,
}

impl Kind {
    /// Every kind; hostile buyers take them in turn.
    pub const ALL: [Self; 8] = [
        Self::OneNetwork,
        Self::ReplayedSession,
        Self::ForgedSession,
        Self::UnsolvedChallenge,
        Self::Hammering,
        Self::SlowBody,
        Self::OversizedHeaders,
        Self::ConnectionFlood,
    ];

    /// As in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneNetwork => "one-network",
            Self::ReplayedSession => "replayed-session",
            Self::ForgedSession => "forged-session",
            Self::UnsolvedChallenge => "unsolved-challenge",
            Self::Hammering => "hammering",
            Self::SlowBody => "slow-body",
            Self::OversizedHeaders => "oversized-headers",
            Self::ConnectionFlood => "connection-flood",
        }
    }
}

/// A hostile buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foe {
    pub(crate) kind: Kind,
    /// How many of their kind came before: kinds with several ways take them in turn.
    pub(crate) nth: u32,
}

/// How many of the first `buyers` are hostile.
pub(crate) fn count(buyers: u32, share: f64) -> u32 {
    // A share such as 0.1 has no exact form: what is a whole number but for that is one.
    (f64::from(buyers) * share + 1e-6).floor() as u32
}

/// Whether a buyer is hostile, and how: spread evenly over all numbers, and over all kinds.
pub(crate) fn of(number: u32, share: f64) -> Option<Foe> {
    let before = count(number, share);
    let kinds = Kind::ALL.len() as u32;
    let kind = Kind::ALL[(before % kinds) as usize];
    (count(number + 1, share) > before).then_some(Foe { kind, nth: before / kinds })
}

#[cfg(test)]
#[path = "foe_tests.rs"]
mod tests;
