//! Challenges at the gateway: whether a checkout is asked for one, what it sent, and how hard the next one is.
//!
//! A sale that asks nobody costs a look at a list that is nearly always empty. Nothing here turns anybody away for good: who
//! is asked and has no solution is told where to get a challenge, and what they hold stays theirs.

mod signals;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::challenge::{ChallengeRule, Difficulty, Signal};
use domain::id::{IdempotencyKey, SaleId, UserId};
use domain::sale::{GateRefusal, Sale};
use ports::Fault;
use ports::challenges::{Asked, Challenges, Verdict};

use crate::edge::{Edge, PerSecond};
use crate::hot::{Given, visible};
use crate::limits::Cells;
use crate::lists::Rule;
use crate::problem::{Code, Problem};
use crate::session::Session;

pub use signals::Signals;

/// Characters of the longest solution that is looked at.
pub const LONGEST: usize = 4_096;

/// Challenges a second that one user is given in the long run, where there is a limit per user: one is enough for a checkout.
pub const PER_USER_PER_S: f64 = 0.5;
/// Challenges that one user is given at once.
pub const PER_USER_BURST: u32 = 5;

/// Why a checkout was not let by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// It came without a solution.
    Missing,
    /// It came with one that is worth nothing.
    Worthless(Verdict),
}

/// Whether a checkout may take units of a sale that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Passed,
    /// It may not, where the sale asks.
    Lacks(Lack),
}

/// How often each of this happened.
#[derive(Default)]
pub struct Counts {
    pub(crate) issued: AtomicU64,
    pub(crate) missing: AtomicU64,
    pub(crate) vouched: AtomicU64,
    pub(crate) verdicts: [AtomicU64; Verdict::ALL.len()],
}

/// Issues challenges, judges solutions, and keeps what was noticed.
pub struct Challenger {
    form: Arc<dyn Challenges>,
    difficulty: Difficulty,
    most_per_s: f64,
    /// One key: nobody else's requests are counted in it.
    room: Cells,
    issues: PerSecond,
    pub(crate) signals: Signals,
    pub(crate) counts: Counts,
}

impl Challenger {
    /// For one form of challenge, of which at most `most_per_s` a second are made (above 0). What is kept of buyers and networks
    /// is hashed under a seed that clients cannot know.
    #[must_use]
    pub fn new(form: Arc<dyn Challenges>, difficulty: Difficulty, most_per_s: f64, seed: [u8; 32]) -> Self {
        let (issues, signals, counts) = (PerSecond::default(), Signals::new(seed), Counts::default());
        let room = Cells::new(1, seed);
        Self { form, difficulty, most_per_s, room, issues, signals, counts }
    }

    /// Where the widget of this form comes from, where that is not this server.
    #[must_use]
    pub fn origin(&self) -> Option<&'static str> {
        self.form.origin()
    }

    /// The guesses of a challenge that is issued now, at a sale that has begun.
    #[must_use]
    pub fn guesses(&self, edge: &Edge) -> u32 {
        self.difficulty.at(self.issues.most(edge.now()))
    }

    /// The guesses of the hardest challenge.
    #[must_use]
    pub const fn most_guesses(&self) -> u32 {
        self.difficulty.ceiling
    }

    /// A new challenge for this buyer at this sale: a JSON document.
    ///
    /// Before the sale begins there is time, and nobody is asked yet: who takes one then lays it in, and does so by hand, since no
    /// page of ours asks before T-zero. It is the most work then, so that nobody has for little what the herd has to pay dear.
    /// Only those of sales that ask and are open make others' harder.
    ///
    /// # Errors
    /// It cannot be made, or too many are: making them must leave room for what buyers do with what they have.
    pub fn issue(&self, edge: &Edge, sale: &Sale, user: &UserId) -> Result<String, Fault> {
        let now = edge.now();
        let burst = (self.most_per_s / 10.0).ceil() as u32;
        let room = self.room.check(b"", self.most_per_s, burst, edge.clock().elapsed());
        room.map_err(|_| Fault::Overloaded("the making of challenges"))?;
        let gate = sale.gate(now);
        if gate.is_ok() && sale.challenge != ChallengeRule::Never {
            self.issues.count(now);
        }
        self.counts.issued.fetch_add(1, Ordering::Relaxed);
        let early = matches!(gate, Err(GateRefusal::NotStarted { .. }));
        let guesses = if early { self.difficulty.ceiling } else { self.guesses(edge) };
        self.form.issue(Asked { sale: &sale.sale_id, user }, guesses, (edge.random)(), now)
    }

    /// Notes something about a buyer, for sales that ask those about whom something was noticed.
    pub fn note(&self, edge: &Edge, user: &UserId, signal: Signal) {
        self.signals.count(signal);
        if edge.catalog.asks_suspects() {
            self.signals.note(user, signal, edge.clock().elapsed());
        }
    }
}

/// Whether a checkout at this sale may take units: it is not asked, or it sent the solution of a challenge. Where the sale
/// asks nobody the answer says nothing, and nobody looks at it.
pub async fn standing(
    edge: &Edge,
    sale: &SaleId,
    session: &Session,
    client: IpAddr,
    given: &Given<'_>,
    key: &IdempotencyKey,
) -> Standing {
    let rule = edge.catalog.challenge(sale);
    if rule == ChallengeRule::Never {
        return Standing::Lacks(Lack::Missing);
    }
    let challenger = &edge.challenger;
    let suspected = rule == ChallengeRule::Suspects && !session.vouched && suspected(edge, session, client);
    if !rule.asks(session.vouched, suspected) {
        challenger.counts.vouched.fetch_add(u64::from(session.vouched), Ordering::Relaxed);
        return Standing::Passed;
    }
    let Some(solution) = given.solution else {
        if challenger.form.is_away(edge.now()) {
            challenger.counts.verdicts[Verdict::Unavailable as usize].fetch_add(1, Ordering::Relaxed);
            return Standing::Passed;
        }
        challenger.counts.missing.fetch_add(1, Ordering::Relaxed);
        return Standing::Lacks(Lack::Missing);
    };
    let verdict = match visible(solution).filter(|solution| solution.len() <= LONGEST) {
        Some(solution) => {
            let asked = Asked { sale, user: &session.user };
            challenger.form.verify(solution.trim(), asked, key, edge.now()).await
        }
        None => Verdict::Wrong,
    };
    challenger.counts.verdicts[verdict as usize].fetch_add(1, Ordering::Relaxed);
    match verdict {
        // Limits fail open: a service that is away sells nothing twice.
        Verdict::Passed | Verdict::Unavailable => Standing::Passed,
        Verdict::Wrong => {
            challenger.note(edge, &session.user, Signal::WrongSolution);
            Standing::Lacks(Lack::Worthless(verdict))
        }
        Verdict::Spent | Verdict::Expired => Standing::Lacks(Lack::Worthless(verdict)),
    }
}

/// Whether enough was noticed about this buyer. Many buyers of one network are noticed here: it takes their checkouts.
fn suspected(edge: &Edge, session: &Session, client: IpAddr) -> bool {
    let (signals, now) = (&edge.challenger.signals, edge.clock().elapsed());
    let known =
        client.to_canonical().is_loopback() || edge.lists.networks.load().rule(client) == Some(Rule::Allow);
    if !known && signals.crowded(client, &session.user, now) {
        signals.count(Signal::CrowdedNetwork);
        signals.note(&session.user, Signal::CrowdedNetwork, now);
    }
    signals.suspected(&session.user, now)
}

/// The refusal that tells where to get a challenge.
#[must_use]
pub fn required(sale: &str, standing: Standing) -> Problem {
    let detail = match standing {
        Standing::Passed | Standing::Lacks(Lack::Missing) => {
            "this sale asks you to solve a challenge first: get one at challenge_url, and send this again with its solution \
             as the header Challenge-Solution"
        }
        Standing::Lacks(Lack::Worthless(Verdict::Spent)) => {
            "the challenge's solution was used for another checkout: solve a new one"
        }
        Standing::Lacks(Lack::Worthless(Verdict::Expired)) => {
            "the challenge has expired, or its solution was used before: solve a new one"
        }
        Standing::Lacks(Lack::Worthless(_)) => {
            "the solution is wrong, or belongs to another buyer or sale: solve a challenge of your own"
        }
    };
    Problem::new(Code::ChallengeRequired, detail)
        .member("challenge_url", format!("/v1/challenge?sale_id={sale}"))
}
