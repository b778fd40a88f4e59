//! The world of one walk: sales with their stores, processes between two steps, messages under way.

use domain::fence::TermState;
use domain::hold::{Claim, EffectKind, Settled};
use domain::id::Epoch;
use domain::time::Timestamp;

use crate::dice::Dice;
use crate::figures::Figures;
use crate::mutant::Mutants;
use crate::options::{Event, Options};
use crate::roles::allocator::Reader;
use crate::roles::order_node::Batch;
use crate::roles::recovery::Recovery;
use crate::roles::relay::Relay;
use crate::roles::settler::Settler;
use crate::roles::worker::Worker;
use crate::sale::Sale;
use crate::stores::server::{Answer, Desk, Message};
use crate::violation::{Checked, ensure};
use crate::{buyers, faults, invariants};

/// Messages that wait for a late delivery at most.
const MOST_LATE: usize = 24;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) options: Options,
    pub(crate) mutants: Mutants,
    pub(crate) figures: Figures,
    pub(crate) now: Timestamp,
    /// No faults any more: calls arrive at the primary and are answered.
    pub(crate) calm: bool,
    pub(crate) faults: u32,
    pub(crate) sales: Vec<Sale>,
    keys: u64,
    pub(crate) late: Vec<(usize, Message)>,
    pub(crate) late_claims: Vec<(usize, Claim)>,
    pub(crate) batches: Vec<Batch>,
    pub(crate) readers: Vec<Reader>,
    pub(crate) settlers: Vec<Settler>,
    pub(crate) relays: Vec<Relay>,
    pub(crate) recoveries: Vec<Recovery>,
    pub(crate) workers: Vec<Worker>,
    /// What happened, where somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
}

impl World {
    /// A world before its first step: every shard is open under its first epoch.
    pub(crate) fn new(seed: u64, steps: u32, mutants: Mutants, told: bool) -> Checked<Self> {
        let mut dice = Dice::new(seed);
        let options = Options::draw(seed, steps, &mut dice);
        let sales = (0..options.sales).filter_map(|at| Sale::new(at, &options, mutants, &mut dice)).collect();
        let mut world = Self {
            dice,
            options,
            mutants,
            figures: Figures::default(),
            now: Timestamp::from_millis(1_000_000),
            calm: true,
            faults: 0,
            sales,
            keys: 0,
            late: Vec::new(),
            late_claims: Vec::new(),
            batches: Vec::new(),
            readers: Vec::new(),
            settlers: Vec::new(),
            relays: Vec::new(),
            recoveries: Vec::new(),
            workers: Vec::new(),
            story: told.then(Vec::new),
        };
        for sale in 0..world.sales.len() {
            world.renew_whole(sale)?;
        }
        world.calm = false;
        Ok(world)
    }

    /// Notes what happened; costs nothing where nobody reads it.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{:>9} {}", self.now.as_millis(), what()));
        }
    }

    pub(crate) fn any_sale(&mut self) -> usize {
        self.dice.below(self.sales.len())
    }

    /// Whether a shard is open where its buyers are sent.
    pub(crate) fn healthy(&self, sale: usize) -> bool {
        let sale = &self.sales[sale];
        let term = sale.ledger.term;
        term.state == TermState::Open && sale.servers.primary.lease == Some(term.epoch)
    }

    /// One step, and every check after it.
    pub(crate) fn step(&mut self) -> Checked {
        self.now = self.now.plus_millis(self.dice.between(1, self.options.pace_ms));
        self.figures.steps += 1;
        let touched = match self.options.event(&mut self.dice) {
            Event::Buy => buyers::buy(self),
            Event::Serve => self.serve()?,
            Event::Allocate => self.read_on()?,
            Event::Settle => self.settle_on()?,
            Event::Relay => self.relay_on()?,
            Event::Renew => self.renew_maybe(),
            Event::Recover => self.recover_on()?,
            Event::Work => self.work_on()?,
            Event::Expire => self.expire()?,
            Event::Pay => buyers::pay(self),
            Event::News => self.news()?,
            Event::GiveUp => buyers::give_up(self)?,
            Event::Operate => buyers::operate(self)?,
            Event::Replicate => faults::replicate(self),
            Event::Late => self.arrive_late()?,
            Event::Kill => faults::kill(self),
            Event::Fault => faults::strike(self),
            Event::Depose => faults::depose(self),
            Event::Jump => self.jump(),
        };
        touched.map_or(Ok(()), |sale| invariants::check(&self.sales[sale]))
    }

    fn jump(&mut self) -> Option<usize> {
        let by = self.dice.of(&[100, 1_000, 10_000]);
        self.now = self.now.plus_millis(by);
        None
    }

    /// Asks a shard; `None` where the message or its answer was lost. A message may come again later, whatever became
    /// of it now.
    pub(crate) fn call(&mut self, sale: usize, message: Message) -> Checked<Option<Answer>> {
        if self.calm {
            return self.deliver(sale, &message).map(Some);
        }
        if self.late.len() < MOST_LATE && self.dice.chance(self.options.repeated) {
            self.late.push((sale, message.clone()));
        }
        if self.dice.chance(self.options.lost) {
            self.figures.lost += 1;
            return Ok(None);
        }
        let answer = self.deliver(sale, &message)?;
        if self.dice.chance(self.options.unanswered) {
            self.figures.unanswered += 1;
            return Ok(None);
        }
        Ok(Some(answer))
    }

    /// A message arrives at the primary, or at an isolated one.
    pub(crate) fn deliver(&mut self, at: usize, message: &Message) -> Checked<Answer> {
        let sale = &mut self.sales[at];
        let isolated = sale.servers.isolated.len();
        // A renewal looks for the primary that the cluster has now, and is wrong more rarely.
        let astray = self.options.astray / if message.rebuilds() { 20 } else { 1 };
        let astray = isolated > 0 && !self.calm && self.dice.chance(astray);
        let server = if astray {
            let server = self.dice.below(isolated);
            &mut sale.servers.isolated[server]
        } else {
            &mut sale.servers.primary
        };
        let mut desk = Desk {
            now: self.now,
            mutants: self.mutants,
            keys: &mut self.keys,
            users: &sale.users,
            claims: &sale.claims,
        };
        let answer = server.serve(message, &mut desk);
        let (number, lease) = (server.number, server.lease);
        if let (Message::Open(..), Answer::Done, Some(epoch)) = (message, &answer, lease) {
            sale.auditor.issuer(epoch, number)?;
            self.figures.renewals += 1;
        }
        if let (Message::Settle(_, effects), Answer::Settled(settled)) = (message, &answer) {
            self.figures.effects += settled.iter().filter(|each| **each == Settled::Applied).count() as u64;
            let applied = effects.iter().zip(settled).filter(|(_, settled)| **settled == Settled::Applied);
            let released = applied.filter(|(effect, _)| effect.kind == EffectKind::Release);
            for (effect, _) in released.filter(|_| lease == Some(sale.ledger.term.epoch)) {
                let decided = sale.ledger.orders.contains_key(&effect.claim) || !sale.is_ticket(effect.claim);
                ensure(decided, "I7", || format!("{effect:?} is applied and the ledger has not decided"))?;
            }
        }
        self.say(|| {
            let (shard, at) = (at, if astray { "isolated" } else { "primary" });
            format!("s{shard} {at} {number} {message:?} -> {answer:?}")
        });
        Ok(answer)
    }

    /// Publishes claims; `false` where nobody knows whether they were appended.
    pub(crate) fn publish(&mut self, sale: usize, claims: &[Claim]) -> bool {
        let whole = self.calm || !self.dice.chance(self.options.lost + self.options.unanswered);
        let appended = if whole { claims.len() } else { self.dice.below(claims.len() + 1) };
        for (at, claim) in claims.iter().enumerate() {
            if at < appended {
                self.append(sale, claim.clone());
            }
            let again = !self.calm && self.dice.chance(self.options.repeated);
            if again && self.late_claims.len() < MOST_LATE {
                self.late_claims.push((sale, claim.clone()));
            }
        }
        whole
    }

    pub(crate) fn append(&mut self, sale: usize, claim: Claim) {
        self.say(|| format!("s{sale} log {claim:?}"));
        let running: Epoch = self.sales[sale].ledger.term.epoch;
        self.sales[sale].log.append(claim, running);
    }

    /// Something that was sent before arrives, perhaps once more.
    fn arrive_late(&mut self) -> Checked<Option<usize>> {
        let count = self.late.len() + self.late_claims.len();
        if count == 0 {
            return Ok(None);
        }
        self.figures.repeated += 1;
        let (at, keep) = (self.dice.below(count), self.dice.chance(300));
        let Some((sale, message)) = self.late.get(at).cloned() else {
            let at = at - self.late.len();
            let (sale, claim) = self.late_claims[at].clone();
            if !keep {
                self.late_claims.swap_remove(at);
            }
            self.append(sale, claim);
            return Ok(Some(sale));
        };
        if !keep {
            self.late.swap_remove(at);
        }
        self.deliver(sale, &message)?;
        Ok(Some(sale))
    }
}
