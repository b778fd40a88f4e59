//! Random changes of many orders: the same orders as the rules give, the same answers and unit sets as the embedded ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapter_embedded::Embedded;
use domain::audit::LedgerUnits;
use domain::fence::Position;
use domain::few::Few;
use domain::hold::Units;
use domain::id::{Epoch, TicketId};
use domain::order::{Order, OrderState};
use domain::payment::{Payment, PaymentSession, PaymentStage};
use domain::transition::{Change, ChangeRefusal, Closing, Transition, transition};
use ports::claims::ClaimLog;
use ports::ledger::{Allocations, Applied, Books, Ledger, Terms};
use ports::sales::Sales;

use crate::both::embedded;
use crate::server::store;
use crate::shop::{Shop, sale};

const ORDERS: u32 = 24;
const STOCK: u32 = 40;

/// Numbers from a seed (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % u64::from(end)) as u32
    }

    fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == 0
    }
}

/// Orders as the rules say they are.
struct Model {
    orders: BTreeMap<TicketId, Order>,
    epoch: Epoch,
}

impl Model {
    fn taken(&self, units: &Units) -> bool {
        let live = self.orders.values().filter(|order| order.live);
        live.flat_map(|order| order.units.iter()).any(|unit| units.contains(unit))
    }

    /// Makes the change and says whether `applied` is what it leads to.
    fn follows(&mut self, ticket: TicketId, change: &Change, applied: &Applied) -> bool {
        let order = &self.orders[&ticket];
        if let Change::LateHeld { claim, units, epoch, .. } = change
            && !(order.live && order.claim == *claim)
            && (*epoch != self.epoch || self.taken(units))
        {
            return *applied == Applied::Refused(ChangeRefusal::Ended, Box::new(order.clone()));
        }
        let now = applied.order().map_or(order.changed_at, |order| order.changed_at);
        match transition(order, change, now) {
            Err(refusal) => *applied == Applied::Refused(refusal, Box::new(order.clone())),
            Ok(Transition::Replay) => *applied == Applied::Replay(Box::new(order.clone())),
            Ok(Transition::Changed(next, _)) => {
                let same = *applied == Applied::Changed(next.clone());
                self.orders.insert(ticket, *next);
                same
            }
        }
    }
}

fn change(numbers: &mut Numbers, order: &Order, epoch: Epoch) -> Change {
    let stage = if numbers.one_in(2) { PaymentStage::Authorised } else { PaymentStage::Captured };
    let payment = Payment { payment: format!("pi_{}", numbers.below(2)), amount: order.amount, stage };
    match numbers.below(19) {
        // No time passes that anybody could see: a hold is over at once, or in an hour.
        0..3 => Change::AddressReady {
            session: PaymentSession { session: "cs".into(), url: "http://pay".into() },
            hold_ms: if numbers.one_in(2) { 0 } else { 3_600_000 },
        },
        3 => Change::ProviderRefused,
        4 => Change::Declined,
        5 => Change::Close(Closing::Deadline),
        6 => Change::Close(Closing::ByBuyer),
        7 => Change::DoorClosed,
        8 => {
            if numbers.one_in(2) {
                Change::DoorLeft
            } else {
                Change::DoorClosed
            }
        }
        9 | 10 => Change::Paid(payment),
        11 => Change::Captured,
        12 => Change::CaptureRefused,
        13 => Change::LateAttempt,
        14 | 15 => late(numbers, order, epoch),
        16 => Change::GiveBack,
        17 => match numbers.below(3) {
            0 => Change::MoneyReturned,
            1 => Change::WrongPayment(payment),
            _ => Change::Extend { extension_ms: u64::from(numbers.below(2)) * 1_000_000 },
        },
        _ => Change::Refund { return_units: numbers.one_in(2) },
    }
}

fn late(numbers: &mut Numbers, order: &Order, epoch: Epoch) -> Change {
    let first = numbers.below(STOCK - 3);
    let units: Few<u32> = if numbers.one_in(3) && !order.units.is_empty() {
        order.units.clone()
    } else {
        (first..first + u32::from(order.terms.quantity)).collect()
    };
    let mut claim = order.ticket.0;
    claim[15] = 100 + order.late_attempts as u8;
    Change::LateHeld {
        claim: TicketId(claim),
        attempt: order.late_attempts + u16::from(numbers.one_in(8)),
        units,
        epoch: if numbers.one_in(8) { Epoch(epoch.0 + 1) } else { epoch },
    }
}

fn kind(applied: &Applied) -> (u8, Option<ChangeRefusal>, Option<(OrderState, bool, u32)>) {
    let order = applied.order().map(|order| (order.state, order.live, order.version));
    match applied {
        Applied::Changed(_) => (0, None, order),
        Applied::Replay(_) => (1, None, order),
        Applied::Refused(refusal, _) => (2, Some(*refusal), order),
        Applied::Unknown => (3, None, order),
    }
}

fn sorted(mut units: Vec<LedgerUnits>) -> Vec<LedgerUnits> {
    for product in &mut units {
        product.held.sort_unstable();
        product.sold.sort_unstable();
    }
    units
}

/// The same claims taken in by both ledgers; the orders as this one has them.
async fn begin(shop: &Shop, other: &Arc<Embedded>) -> Model {
    assert!(other.create(sale(STOCK, 100)).await.is_ok());
    let term = other.fence(&shop.shard).await.expect("fenced");
    other.set_fence(&shop.shard, term.epoch, Position(0)).await.expect("set");
    assert!(other.snapshot(&shop.shard, term.epoch).await.expect("read").is_some());
    assert_eq!((other.opened(&shop.shard, term.epoch).await, term.epoch), (Ok(true), shop.epoch));
    let mut unit = 0;
    let claims = (0..ORDERS).map(|number| {
        let units: Vec<u32> = (unit..unit + 1 + number % 2).collect();
        unit += units.len() as u32;
        shop.claim(number, &format!("u{}", number % 7), &units)
    });
    other.publish(&shop.shard, claims.collect()).await.expect("published");
    let batch = other.read(&shop.shard, Position(0), 100).await.expect("read");
    let there = other.allocate(&shop.shard, batch.clone()).await.expect("no fault");
    assert_eq!(shop.store.allocate(&shop.shard, batch).await.expect("no fault"), there);
    let mut orders = BTreeMap::new();
    for number in 0..ORDERS {
        orders.insert(shop.ticket(number), shop.find(number).await);
    }
    Model { orders, epoch: shop.epoch }
}

async fn walk(seed: u64) -> BTreeMap<&'static str, u32> {
    let (store, _) = store().await;
    let shop = Shop::open(store.clone(), STOCK, 100).await;
    let (other, _dir) = embedded();
    let mut model = begin(&shop, &other).await;
    let mut numbers = Numbers(seed);
    let mut seen = BTreeMap::new();
    for _ in 0..150 {
        let asked = (0..=numbers.below(6)).map(|_| {
            let ticket = shop.ticket(numbers.below(ORDERS));
            (ticket, change(&mut numbers, &model.orders[&ticket], model.epoch))
        });
        let asked: Vec<(TicketId, Change)> = asked.collect();
        let here = store.apply(asked.clone()).await.expect("no fault");
        let there = other.apply(asked.clone()).await.expect("no fault");
        for (((ticket, change), here), there) in asked.iter().zip(&here).zip(&there) {
            assert!(model.follows(*ticket, change, here), "seed {seed}: {change:?} led to {here:?}");
            assert_eq!(kind(here), kind(there), "seed {seed}: {change:?}");
            if let (Applied::Changed(_), Change::LateHeld { .. }) = (here, change) {
                *seen.entry("late units").or_default() += 1;
            }
            if let Applied::Changed(order) = here {
                *seen.entry("changes").or_default() += 1;
                *seen.entry("sold").or_default() += u32::from(order.is_sold());
            }
        }
    }
    compare(&shop, &other, &model, seed).await;
    seen
}

async fn compare(shop: &Shop, other: &Arc<Embedded>, model: &Model, seed: u64) {
    let store = &shop.store;
    for (ticket, order) in &model.orders {
        assert_eq!(store.order(*ticket).await.expect("no fault").as_ref(), Some(order), "seed {seed}");
        let story = store.story(*ticket).await.expect("a story");
        let versions: Vec<u32> = story.iter().map(|step| step.version).collect();
        assert_eq!(versions, (1..=order.version).collect::<Vec<_>>(), "seed {seed}");
        let last = story.last().map(|step| (step.at, step.state, step.reason));
        assert_eq!(last, Some((order.changed_at, order.state, order.reason)), "seed {seed}");
    }
    let units = store.units(&shop.shard).await.expect("units");
    assert_eq!(sorted(units), sorted(other.units(&shop.shard).await.expect("units")), "seed {seed}");
    let (here, there) = (store.totals(&shop.shard.sale).await, other.totals(&shop.shard.sale).await);
    let (here, there) = (here.expect("totals"), there.expect("totals"));
    assert_eq!((here.orders, here.money_moving), (there.orders, there.money_moving), "seed {seed}");
    let moved = |totals: &[ports::ledger::MoneyTotals]| {
        totals.iter().filter(|money| money.captured.minor > 0).copied().collect::<Vec<_>>()
    };
    assert_eq!(moved(&here.money), moved(&there.money), "seed {seed}");
    assert_eq!(store.self_check(&shop.shard.sale).await, Ok(Vec::new()), "seed {seed}");
}

#[tokio::test]
async fn random_changes_give_what_the_rules_and_the_embedded_ledger_give() {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 1..=12 {
        for (what, count) in walk(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed)).await {
            *seen.entry(what).or_default() += count;
        }
    }
    // The walks reach what they are for.
    assert!(seen["changes"] > 500 && seen["late units"] > 10 && seen["sold"] > 20, "{seen:?}");
}
