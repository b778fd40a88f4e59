//! Challenges: something that costs a person nothing worth mentioning and a program a price for every account.
//!
//! A solution is good for one checkout: for its sale, its user and one idempotency key. The key is part of it so that a
//! checkout whose answer was lost, or that is tried again because nothing was free, goes on with the solution it had.

use async_trait::async_trait;
use domain::id::{IdempotencyKey, SaleId, UserId};
use domain::time::Timestamp;

use crate::Fault;

/// Whom a challenge is for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The sale.
    pub sale: &'a SaleId,
    /// The session's subject.
    pub user: &'a UserId,
}

/// What a solution is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right, and this checkout may go on.
    Passed,
    /// It is no solution, or one of a challenge that was not made for this sale and user.
    Wrong,
    /// It was right, and was used for another checkout.
    Spent,
    /// It came too late.
    Expired,
    /// Nobody can tell now: the service that judges is away. Limits fail open: the checkout goes on.
    Unavailable,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] = [Self::Passed, Self::Wrong, Self::Spent, Self::Expired, Self::Unavailable];

    /// Its word in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Wrong => "wrong",
            Self::Spent => "spent",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A form of challenge.
#[async_trait]
pub trait Challenges: Send + Sync {
    /// A new challenge as the JSON document from which a page makes what it shows. `guesses` is how much work it is, where
    /// this form is work; `random` MUST be unpredictable. MUST NOT wait for anybody.
    ///
    /// # Errors
    /// It cannot be made.
    fn issue(
        &self,
        asked: Asked<'_>,
        guesses: u32,
        random: [u8; 16],
        now: Timestamp,
    ) -> Result<String, Fault>;

    /// Judges a solution that came with a checkout under `key`, and remembers it as spent where it is right. MUST NOT pass a
    /// solution for another sale or user than its challenge was made for, nor for a second key, nor after its time. MUST
    /// pass it again for the same key while it has not expired. A solution of any length and content is only ever
    /// [`Verdict::Wrong`]. MUST answer within a bound, whoever is away.
    async fn verify(&self, solution: &str, asked: Asked<'_>, key: &IdempotencyKey, now: Timestamp)
    -> Verdict;

    /// The origin that the widget of this form comes from, such as `https://…`, where it is not this server.
    fn origin(&self) -> Option<&'static str> {
        None
    }

    /// Whether it is known that nobody can judge now; without asking. Then there may be nobody who gives solutions either, and
    /// a checkout without one goes on as well.
    fn is_away(&self, _now: Timestamp) -> bool {
        false
    }

    /// What is wrong with the service that judges, if anything is, in words for an operator; without asking it.
    fn trouble(&self, now: Timestamp) -> Option<String>;
}
