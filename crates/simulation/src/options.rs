//! What a seed decides before its walk begins: sizes, rates of every kind of event, and rates of every fault.
//!
//! Each walk draws its own rates, so that over many walks every mixture comes up (swarm testing, Groce et al. 2012).

use std::fmt;

use crate::dice::Dice;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Buyers send checkouts to an order node.
    Buy,
    /// A batch of an order node goes one step on.
    Serve,
    /// A reader of the log goes one step on.
    Allocate,
    /// A settler goes one step on.
    Settle,
    /// A relay goes one step on.
    Relay,
    /// A renewal begins.
    Renew,
    /// A renewal goes one step on.
    Recover,
    /// A worker begins or goes one step on: address, door, capture, late money, refund.
    Work,
    /// Orders whose time is over are closed.
    Expire,
    /// A buyer pays.
    Pay,
    /// News of the provider arrive.
    News,
    /// A buyer gives up, or asks for more time.
    GiveUp,
    /// The operator adds stock or refunds.
    Operate,
    /// A replica catches up.
    Replicate,
    /// A message arrives once more, late.
    Late,
    /// A process is killed.
    Kill,
    /// A store fails.
    Fault,
    /// An isolated primary goes away.
    Depose,
    /// Time jumps.
    Jump,
}

/// Each event with its rate before the seed changes it.
const RATES: [(Event, u32); 19] = [
    (Event::Buy, 120),
    (Event::Serve, 300),
    (Event::Allocate, 260),
    (Event::Settle, 220),
    (Event::Relay, 60),
    (Event::Renew, 30),
    (Event::Recover, 260),
    (Event::Work, 260),
    (Event::Expire, 60),
    (Event::Pay, 60),
    (Event::News, 50),
    (Event::GiveUp, 8),
    (Event::Operate, 8),
    (Event::Replicate, 50),
    (Event::Late, 25),
    (Event::Kill, 14),
    (Event::Fault, 22),
    (Event::Depose, 4),
    (Event::Jump, 10),
];

/// What a walk is mostly about: everything, money that comes late, or stores that fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Plain,
    Late,
    Stores,
}

impl Mood {
    /// By how much an event is more frequent.
    const fn stress(self, event: Event) -> u32 {
        match (self, event) {
            (Self::Late, Event::Work | Event::Pay | Event::News | Event::Expire | Event::Jump) => 4,
            (Self::Stores, Event::Fault | Event::Renew | Event::Recover | Event::Replicate) => 3,
            _ => 1,
        }
    }
}

/// The options of one walk.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) seed: u64,
    pub(crate) steps: u32,
    mood: Mood,
    pub(crate) sales: usize,
    pub(crate) products: u16,
    pub(crate) users: usize,
    pub(crate) keys: usize,
    pub(crate) stock: u32,
    pub(crate) most_stock: u32,
    pub(crate) limit: u8,
    pub(crate) most_faults: u32,
    pub(crate) nodes: usize,
    pub(crate) batch: usize,
    pub(crate) read: usize,
    pub(crate) effects: usize,
    pub(crate) chunk: usize,
    pub(crate) hold_ms: u64,
    pub(crate) address_ms: u64,
    pub(crate) pace_ms: u64,
    pub(crate) skew_ms: u64,
    /// Per mille of calls, each.
    pub(crate) lost: u32,
    pub(crate) unanswered: u32,
    pub(crate) repeated: u32,
    /// Per mille of calls that reach an isolated primary while there is one.
    pub(crate) astray: u32,
    /// Per mille of payments that move the money at once.
    pub(crate) at_once: u32,
    /// Per mille of the provider's answers that are faults.
    pub(crate) provider: u32,
    /// Per mille of closings that the provider does not answer.
    pub(crate) door: u32,
    rates: Vec<(Event, u32)>,
    total: u32,
}

impl Options {
    pub(crate) fn draw(seed: u64, steps: u32, dice: &mut Dice) -> Self {
        let mood = dice.of(&[Mood::Plain, Mood::Plain, Mood::Late, Mood::Stores]);
        let rate = |dice: &mut Dice, (event, rate): (Event, u32)| {
            let rate = rate * mood.stress(event) * dice.of(&[1, 5, 10, 10, 10, 20, 50]);
            (event, rate.div_ceil(10))
        };
        let rates: Vec<_> = RATES.iter().map(|row| rate(dice, *row)).collect();
        let stock = dice.between(2, 5) as u32;
        let late = mood == Mood::Late;
        Self {
            seed,
            steps: steps / 2 + dice.below(steps as usize + 1) as u32,
            sales: dice.of(&[1, 1, 1, 2, 3]),
            products: dice.of(&[1, 1, 1, 2]),
            users: dice.between(3, 7) as usize,
            keys: dice.between(1, 3) as usize,
            stock,
            most_stock: stock + dice.below(4) as u32,
            limit: dice.of(&[1, 1, 1, 2, 3]),
            most_faults: dice.of(&[0, 2, 4, 6]),
            nodes: dice.between(1, 3) as usize,
            batch: dice.between(1, 3) as usize,
            read: dice.between(1, 4) as usize,
            effects: dice.of(&[1, 2, 4, 64]),
            chunk: dice.of(&[1, 2, 3, 64]),
            mood,
            hold_ms: if late { 50 } else { dice.of(&[50, 200, 1_000, 5_000]) },
            address_ms: dice.of(&[200, 1_000, 5_000]),
            pace_ms: dice.of(&[1, 10, 40]),
            skew_ms: dice.of(&[0, 0, 100, 10_000]),
            lost: dice.of(&[0, 10, 50, 150]),
            unanswered: dice.of(&[0, 10, 50, 150]),
            repeated: dice.of(&[0, 20, 100, 250]),
            astray: dice.of(&[100, 350, 600]),
            at_once: dice.of(&[0, 200, 1_000]),
            provider: dice.of(&[0, 50, 300]),
            door: if late { 950 } else { dice.of(&[0, 300, 950]) },
            total: rates.iter().map(|(_, rate)| rate).sum(),
            rates,
        }
    }

    pub(crate) fn event(&self, dice: &mut Dice) -> Event {
        let mut at = dice.below(self.total as usize) as u32;
        for (event, rate) in &self.rates {
            match at.checked_sub(*rate) {
                Some(rest) => at = rest,
                None => return *event,
            }
        }
        Event::Serve
    }
}

/// Every option that the seed led to.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self;
        write!(f, "seed={} steps={} mood={:?} ", s.seed, s.steps, s.mood)?;
        write!(f, "sales={} products={} ", s.sales, s.products)?;
        write!(
            f,
            "users={} keys={} stock={}..{} limit={} ",
            s.users, s.keys, s.stock, s.most_stock, s.limit
        )?;
        write!(f, "faults={} nodes={} batch={} read={} ", s.most_faults, s.nodes, s.batch, s.read)?;
        write!(f, "effects={} chunk={} hold_ms={} ", s.effects, s.chunk, s.hold_ms)?;
        write!(f, "address_ms={} pace_ms={} skew_ms={} ", s.address_ms, s.pace_ms, s.skew_ms)?;
        write!(f, "lost={}‰ unanswered={}‰ repeated={}‰ ", s.lost, s.unanswered, s.repeated)?;
        write!(f, "astray={}‰ at_once={}‰ ", s.astray, s.at_once)?;
        write!(f, "provider={}‰ door={}‰ rates:", s.provider, s.door)?;
        self.rates.iter().try_for_each(|(event, rate)| write!(f, " {event:?}={rate}"))
    }
}
