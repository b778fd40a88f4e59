//! Servers of one shard's inventory: a primary, what its replica has, and old primaries that an isolated network keeps
//! alive. Each runs the project's own [`Shard`]; lease and load are in the process only and end with it.

use domain::hold::{Effect, EffectKind, HoldOutcome, HoldRequest, Intent, Settled, Terms, Units};
use domain::id::{Epoch, ProductNo, TicketId, UserHash, UserId};
use domain::inventory::{Look, Shard, UnpinnedClaim};
use domain::snapshot::ShardSnapshot;
use domain::time::Timestamp;

use crate::mutant::{Mutant, Mutants};

/// What is asked of a server.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Hold(Vec<HoldRequest>),
    Settle(Epoch, Vec<Effect>),
    Unpinned(Timestamp),
    Touch(Vec<TicketId>),
    Close,
    Begin(Epoch),
    Load(u64, u32, Box<ShardSnapshot>),
    Open(u64, u32),
}

impl Message {
    /// Whether it is part of a renewal.
    pub(crate) const fn rebuilds(&self) -> bool {
        matches!(self, Self::Close | Self::Begin(_) | Self::Load(..) | Self::Open(..))
    }
}

/// What it answers.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The shard is closed here, or the key is not the newest.
    Fenced,
    Outcomes(Vec<HoldOutcome>),
    Settled(Vec<Settled>),
    /// Claims that wait, and the epoch under which they do.
    Unpinned(Epoch, Vec<UnpinnedClaim>),
    Key(u64),
    Done,
}

#[derive(Debug)]
struct Load {
    epoch: Epoch,
    key: u64,
    chunks: u32,
}

/// One process.
#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) number: u32,
    /// What is on its disk and goes to replicas.
    pub(crate) data: Option<Shard>,
    pub(crate) lease: Option<Epoch>,
    load: Option<Load>,
    /// How far its clock is ahead, milliseconds.
    pub(crate) skew_ms: u64,
}

/// What serving depends on besides the server.
pub(crate) struct Desk<'a> {
    pub(crate) now: Timestamp,
    pub(crate) mutants: Mutants,
    /// The newest load key that was given anywhere.
    pub(crate) keys: &'a mut u64,
    /// Everybody who may have a claim: for mutants that look for them.
    pub(crate) users: &'a [UserHash],
    pub(crate) claims: &'a [TicketId],
}

impl Server {
    /// The shard, where this process may hand out units.
    pub(crate) fn open(&self) -> Option<&Shard> {
        self.lease.and(self.data.as_ref())
    }

    pub(crate) fn serve(&mut self, message: &Message, desk: &mut Desk<'_>) -> Answer {
        match message {
            Message::Close => {
                self.lease = None;
                Answer::Done
            }
            Message::Begin(epoch) => self.begin(*epoch, desk),
            Message::Load(key, number, chunk) => self.load(*key, *number, chunk, desk.mutants),
            Message::Open(key, chunks) => self.finish(*key, *chunks, desk.mutants),
            Message::Hold(_) | Message::Settle(..) | Message::Unpinned(_) | Message::Touch(_) => {
                self.sell(message, desk)
            }
        }
    }

    fn sell(&mut self, message: &Message, desk: &Desk<'_>) -> Answer {
        let now = desk.now.plus_millis(self.skew_ms);
        let (Some(epoch), Some(shard)) = (self.lease, self.data.as_mut()) else { return Answer::Fenced };
        match message {
            Message::Hold(requests) => {
                Answer::Outcomes(requests.iter().map(|each| shard.hold(each, now, 0, false)).collect())
            }
            Message::Settle(at, effects) if *at == epoch || desk.mutants.has(Mutant::EffectAnyEpoch) => {
                Answer::Settled(effects.iter().map(|effect| settle(shard, effect, desk)).collect())
            }
            Message::Unpinned(before) => Answer::Unpinned(epoch, shard.unpinned(*before, 64)),
            Message::Touch(claims) => {
                shard.touch(claims, now);
                Answer::Done
            }
            _ => Answer::Fenced,
        }
    }

    fn begin(&mut self, epoch: Epoch, desk: &mut Desk<'_>) -> Answer {
        if self.lease.is_some_and(|lease| lease >= epoch) {
            return Answer::Fenced;
        }
        *desk.keys += 1;
        self.lease = None;
        self.load = Some(Load { epoch, key: *desk.keys, chunks: 0 });
        let kept = self.data.as_ref().is_some_and(|shard| shard.epoch() == epoch);
        if !(kept && desk.mutants.has(Mutant::BeginKeepsData)) {
            self.data = None;
        }
        Answer::Key(*desk.keys)
    }

    fn load(&mut self, key: u64, number: u32, chunk: &ShardSnapshot, mutants: Mutants) -> Answer {
        let any = mutants.has(Mutant::NoLoadKey);
        let Some(load) = self.load.as_mut().filter(|load| load.key == key || any) else {
            return Answer::Fenced;
        };
        if number < load.chunks && !mutants.has(Mutant::ChunkTwice) {
            return Answer::Done;
        }
        if number > load.chunks && !any {
            return Answer::Fenced;
        }
        load.chunks = load.chunks.max(number + 1);
        let epoch = load.epoch;
        let empty = self.data.is_none() || !mutants.has(Mutant::BeginKeepsData);
        if !chunk.products.is_empty() && empty {
            self.data = Some(Shard::new(epoch, &chunk.products));
        }
        if let Some(shard) = &mut self.data {
            chunk.records.iter().cloned().for_each(|record| shard.load(record));
        }
        Answer::Done
    }

    fn finish(&mut self, key: u64, chunks: u32, mutants: Mutants) -> Answer {
        let any = mutants.has(Mutant::NoLoadKey);
        let whole = |load: &&Load| load.chunks == chunks || mutants.has(Mutant::OpenIncomplete);
        let mine = self.load.as_ref().filter(|load| load.key == key || any).filter(whole);
        let Some(epoch) = mine.filter(|_| self.data.is_some()).map(|load| load.epoch) else {
            return Answer::Fenced;
        };
        self.load = None;
        self.lease = Some(epoch);
        Answer::Done
    }
}

fn settle(shard: &mut Shard, effect: &Effect, desk: &Desk<'_>) -> Settled {
    let settled = shard.settle(effect);
    let moves = matches!(effect.kind, EffectKind::Release | EffectKind::Return);
    if settled == Settled::Applied || effect.kind == EffectKind::Restock {
        return settled;
    }
    let bent = if desk.mutants.has(Mutant::MatchByClaim) {
        found(shard, effect.product, desk.users, &[effect.claim], |_| true)
    } else if desk.mutants.has(Mutant::ReleaseWithoutMatch) && moves {
        let overlaps = |units: &Units| units.iter().any(|unit| effect.units.contains(unit));
        found(shard, effect.product, desk.users, desk.claims, overlaps)
    } else {
        None
    };
    let Some((claim, units)) = bent else { return settled };
    shard.settle(&Effect { claim, units, ..effect.clone() })
}

/// A claim with units that `fits`: who has it and how many are tried for, since a shard is asked by whole requests.
fn found(
    shard: &Shard,
    product: ProductNo,
    users: &[UserHash],
    claims: &[TicketId],
    fits: impl Fn(&Units) -> bool,
) -> Option<(TicketId, Units)> {
    let asked = claims.iter().flat_map(|claim| users.iter().map(move |user| (*claim, *user)));
    asked.flat_map(|(claim, user)| (1..=3).map(move |quantity| (claim, user, quantity))).find_map(
        |(claim, user, quantity)| {
            let units = units_of(shard, claim, user, Terms { product, quantity })?;
            (!units.is_empty() && fits(&units)).then_some((claim, units))
        },
    )
}

/// A request that only looks whether `claim` is there.
pub(crate) fn find(claim: TicketId, user: UserHash, user_id: UserId, terms: Terms) -> HoldRequest {
    HoldRequest { claim, ticket: claim, user, user_id, terms, limit: 0, intent: Intent::Find }
}

/// The units that a shard has for a claim; `None` where it knows no such claim with these terms.
pub(crate) fn units_of(shard: &Shard, claim: TicketId, user: UserHash, terms: Terms) -> Option<Units> {
    let user_id = UserId::parse("x").ok()?;
    match shard.look(&find(claim, user, user_id, terms)) {
        Look::Decided(HoldOutcome::Replayed { grant, .. }, _) => Some(grant.units),
        Look::Decided(..) | Look::Free => None,
    }
}

/// The servers of one shard.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    pub(crate) primary: Server,
    /// What the replica has.
    pub(crate) replica: Option<Shard>,
    /// Old primaries that go on writing, reached only by those who are isolated with them.
    pub(crate) isolated: Vec<Server>,
    /// How many processes there were.
    pub(crate) count: u32,
}

impl Servers {
    /// Another process answers from here on, with what is on its disk; gives the one before.
    pub(crate) fn replace(&mut self, data: Option<Shard>, skew_ms: u64, mutants: Mutants) -> Server {
        self.count += 1;
        let lease = data.as_ref().filter(|_| mutants.has(Mutant::NoLease)).map(Shard::epoch);
        let new = Server { number: self.count, data, lease, load: None, skew_ms };
        std::mem::replace(&mut self.primary, new)
    }
}
