//! One shard and its ledger under random commands: units are conserved as sets, no unit has two owners, nobody is above
//! their limit, and the audit is right at every quiet point, whatever is delayed, repeated, shuffled or rebuilt.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::allocation::{self, Allocation, Facts};
use domain::audit::{LedgerUnits, compare};
use domain::fence::{Position, Term};
use domain::few::Few;
use domain::hold::{Claim, Effect, EffectKind, HoldOutcome, HoldRequest, Intent, Settled, Terms};
use domain::id::{Epoch, IdSecret, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::inventory::{Look, Shard};
use domain::money::Money;
use domain::order::{Order, OrderState, OrderTerms};
use domain::payment::{Payment, PaymentSession, PaymentStage};
use domain::snapshot::{ProductSnapshot, RecordSnapshot, ShardSnapshot};
use domain::time::Timestamp;
use domain::transition::{Change, Closing, Transition, transition};
use domain::unit_set::UnitSet;
use proptest::prelude::*;

const PRODUCTS: u16 = 2;
const STOCK: u32 = 7;
const LIMIT: u8 = 3;

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    /// A buyer asks, perhaps for what they asked for before.
    Hold { user: u8, key: u8, product: u16, quantity: u8 },
    /// The ledger takes claims in.
    Allocate(u8),
    /// Something happens to an order.
    Change { order: u8, what: u8 },
    /// Late money takes units again, in two steps with anything in between.
    LateHold(u8),
    /// One effect is delivered: which one, and how often.
    Settle { at: u8, times: u8 },
    /// Units are added.
    Restock(u16),
    /// The shard loses its memory and is renewed.
    Renew,
    /// Time goes on.
    Wait(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let hold = (0..6_u8, 0..4_u8, 0..PRODUCTS, 1..=3_u8)
        .prop_map(|(user, key, product, quantity)| Step::Hold { user, key, product, quantity });
    let change = (any::<u8>(), 0..13_u8).prop_map(|(order, what)| Step::Change { order, what });
    let settle = (any::<u8>(), 1..3_u8).prop_map(|(at, times)| Step::Settle { at, times });
    let step = prop_oneof![
        8 => hold,
        5 => (1..5_u8).prop_map(Step::Allocate),
        10 => change,
        3 => any::<u8>().prop_map(Step::LateHold),
        8 => settle,
        1 => (0..PRODUCTS).prop_map(Step::Restock),
        1 => Just(Step::Renew),
        2 => (1..2_000_u16).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..120)
}

struct World {
    now: Timestamp,
    ids: IdSecret,
    shard_id: ShardId,
    shard: Shard,
    stock: Vec<u32>,
    log: Vec<Claim>,
    position: u64,
    term: Term,
    orders: BTreeMap<TicketId, Order>,
    effects: Vec<Effect>,
    tickets: HashMap<(u8, u8), (Terms, TicketId)>,
}

fn fresh(stock: &[u32], epoch: Epoch) -> Shard {
    let products: Vec<_> =
        stock.iter().map(|stock| ProductSnapshot { stock: *stock, free: UnitSet::whole(*stock) }).collect();
    Shard::new(epoch, &products)
}

impl World {
    fn new() -> Self {
        let stock = vec![STOCK; usize::from(PRODUCTS)];
        let epoch = Epoch(1);
        Self {
            now: Timestamp::from_millis(1_000_000),
            ids: IdSecret::new([3; 32]),
            shard_id: ShardId { sale: SaleId::parse("s").unwrap(), number: 0 },
            shard: fresh(&stock, epoch),
            stock,
            log: Vec::new(),
            position: 0,
            term: Term { epoch, state: domain::fence::TermState::Open, fence: Some(Position(0)) },
            orders: BTreeMap::new(),
            effects: Vec::new(),
            tickets: HashMap::new(),
        }
    }

    fn hash(&self, user: u8) -> UserHash {
        self.ids.user(&self.shard_id.sale, &UserId::parse(&format!("u{user}")).unwrap())
    }

    fn request(&self, user: u8, key: u8, terms: Terms) -> HoldRequest {
        let hash = self.hash(user);
        let key = domain::id::IdempotencyKey::parse(&format!("k{key}")).unwrap();
        let ticket = self.ids.ticket(&self.shard_id.sale, hash, &key);
        HoldRequest {
            claim: ticket,
            ticket,
            user: hash,
            user_id: UserId::parse(&format!("u{user}")).unwrap(),
            terms,
            limit: LIMIT,
            intent: Intent::Take,
        }
    }

    fn hold(&mut self, user: u8, key: u8, terms: Terms) {
        let request = self.request(user, key, terms);
        let look = self.shard.look(&request);
        let outcome = self.shard.hold(&request, self.now, 0, true);
        match (&look, &outcome) {
            (Look::Decided(seen, _), given) => assert_eq!(seen, given, "a look says what a hold answers"),
            (Look::Free, HoldOutcome::Held { grant, .. }) => {
                assert_eq!(grant.units.len(), usize::from(terms.quantity), "never a part");
            }
            (Look::Free, other) => panic!("{other:?} although units were free"),
        }
        match outcome {
            HoldOutcome::Held { grant, .. } => {
                let known = self.tickets.insert((user, key), (terms, request.claim));
                assert!(known.is_none(), "a ticket is given once");
                self.log.push(Claim {
                    ticket: request.claim,
                    shard: self.shard_id.clone(),
                    epoch: grant.epoch,
                    issued_at: grant.issued_at,
                    user: request.user,
                    user_id: request.user_id,
                    terms,
                    units: grant.units,
                });
            }
            HoldOutcome::Replayed { .. } => assert_eq!(self.tickets[&(user, key)].0, terms),
            HoldOutcome::KeyReused => assert_ne!(self.tickets[&(user, key)].0, terms),
            _ => assert!(!self.tickets.contains_key(&(user, key)), "whoever has a ticket gets it again"),
        }
    }

    fn allocate(&mut self, limit: u64) {
        for _ in 0..limit.min(self.log.len() as u64 - self.position) {
            let claim = self.log[self.position as usize].clone();
            let live =
                self.orders.values().filter(|order| order.live && order.terms.product == claim.terms.product);
            let taken = live.clone().any(|order| order.units.iter().any(|unit| claim.units.contains(unit)));
            let mine = live.filter(|order| order.user == claim.user);
            let known = self.orders.get(&claim.ticket).map(|order| (order.live, &order.units));
            let facts = Facts {
                term: self.term,
                position: Position(self.position),
                known,
                stock: self.stock[claim.terms.product.index()],
                taken,
                user_units: mine.map(|order| order.units.len() as u32).sum(),
                limit: LIMIT,
            };
            let (decision, effect) = allocation::decide(&claim, &facts);
            let refused = match decision {
                Allocation::Known => None,
                Allocation::Allocated => Some(None),
                Allocation::Rejected(reason) => Some(Some(reason)),
            };
            if let Some(reason) = refused {
                let amount = Money::parse("1.00", "EUR").unwrap().times(claim.terms.quantity);
                let terms = OrderTerms { amount, address_deadline_ms: 1_000 };
                self.orders.insert(claim.ticket, Order::from_claim(&claim, terms, reason, self.now));
            }
            self.effects.push(effect);
            self.position += 1;
        }
    }

    fn pick(&self, order: u8) -> Option<Order> {
        let at = usize::from(order) % self.orders.len().max(1);
        self.orders.values().nth(at).cloned()
    }

    fn apply(&mut self, order: &Order, change: &Change) -> bool {
        match transition(order, change, self.now) {
            Ok(Transition::Changed(next, effect)) => {
                assert_eq!(next.version, order.version + 1);
                self.orders.insert(next.ticket, *next);
                self.effects.extend(effect);
                true
            }
            Ok(Transition::Replay) | Err(_) => false,
        }
    }

    fn change(&mut self, order: u8, what: u8) {
        let Some(order) = self.pick(order) else { return };
        let payment = |stage| Payment { payment: format!("{:?}", order.ticket), amount: order.amount, stage };
        let session = PaymentSession { session: "cs".into(), url: "u".into() };
        let change = match what {
            0 | 1 => Change::AddressReady { session, hold_ms: 500 },
            2 => Change::Close(Closing::Deadline),
            3 => Change::Close(Closing::ByBuyer),
            4 => Change::DoorClosed,
            5 => Change::Paid(payment(PaymentStage::Authorised)),
            6 => Change::Captured,
            7 => Change::CaptureRefused,
            8 => Change::GiveBack,
            9 => Change::Refund { return_units: order.version.is_multiple_of(2) },
            10 => Change::MoneyReturned,
            11 => Change::DoorLeft,
            _ => Change::ProviderRefused,
        };
        self.apply(&order, &change);
    }

    /// An attempt at late money: units are held, and the ledger takes them, unless something came in between.
    fn late_hold(&mut self, order: u8) {
        let Some(order) = self.pick(order) else { return };
        if !self.apply(&order, &Change::LateAttempt) {
            return;
        }
        let order = self.orders[&order.ticket].clone();
        let claim = self.ids.late_claim(order.ticket, order.late_attempts);
        let request = HoldRequest {
            claim,
            ticket: order.ticket,
            user: order.user,
            user_id: order.user_id.clone(),
            terms: order.terms,
            limit: LIMIT,
            intent: Intent::TakeLate,
        };
        let HoldOutcome::Held { grant, .. } = self.shard.hold(&request, self.now, 0, true) else { return };
        let attempt = order.late_attempts;
        let change = Change::LateHeld { claim, attempt, units: grant.units.clone(), epoch: grant.epoch };
        if !self.apply(&order, &change) {
            let kind = EffectKind::Release;
            let effect = Effect { kind, product: order.terms.product, claim, units: grant.units };
            assert_eq!(self.shard.settle(&effect), Settled::Applied);
        }
    }

    fn settle(&mut self, at: u8, times: u8) {
        if self.effects.is_empty() {
            return;
        }
        // Effects of different claims may overtake each other; those of one claim come in order.
        let at = usize::from(at) % self.effects.len();
        let claim = self.effects[at].claim;
        let first = self.effects.iter().position(|effect| effect.claim == claim).unwrap();
        let effect = self.effects.remove(first);
        self.shard.settle(&effect);
        for _ in 1..times {
            assert_eq!(self.shard.settle(&effect), Settled::NoOp, "a repetition changes nothing");
        }
    }

    fn restock(&mut self, product: u16) {
        let stock = &mut self.stock[usize::from(product)];
        let units: Few<u32> = [*stock, *stock + 2].into_iter().collect();
        *stock += 2;
        let claim = TicketId([0; 16]);
        self.effects.push(Effect { kind: EffectKind::Restock, product: ProductNo(product), claim, units });
    }

    fn renew(&mut self) {
        self.term = self.term.begin();
        let (epoch, end) = (self.term.epoch, Position(self.log.len() as u64));
        self.term = self.term.with_fence(epoch, end);
        assert_eq!(
            self.term.snapshot(epoch, Position(0)).is_some(),
            end.0 == 0,
            "not before allocation has passed"
        );
        self.allocate(u64::MAX);
        self.term = self.term.snapshot(epoch, end).expect("allocation has passed the fence");
        self.effects.clear();
        let snapshot = self.snapshot(epoch);
        self.shard = Shard::new(epoch, &snapshot.products);
        snapshot.records.into_iter().for_each(|record| self.shard.load(record));
        self.term = self.term.opened(epoch).expect("nobody was faster");
        self.check_quiet();
    }

    fn snapshot(&self, epoch: Epoch) -> ShardSnapshot {
        let owned = |product: u16| {
            let live = self
                .orders
                .values()
                .filter(move |order| order.live && order.terms.product == ProductNo(product));
            UnitSet::collect(live.flat_map(|order| order.units.iter().copied())).0
        };
        let products = (0..PRODUCTS).map(|product| {
            let stock = self.stock[usize::from(product)];
            ProductSnapshot { stock, free: UnitSet::whole(stock).difference(&owned(product)) }
        });
        let records = self.orders.values().flat_map(RecordSnapshot::of);
        ShardSnapshot { epoch, products: products.collect(), records: records.collect() }
    }

    /// What must hold at any moment.
    fn check(&self) {
        for number in 0..PRODUCTS {
            let product = ProductNo(number);
            let units = self.shard.units(product).unwrap();
            let (known, twice) = UnitSet::collect_ranges(units.everywhere());
            assert_eq!(known, UnitSet::whole(units.stock), "no unit is nowhere");
            assert!(twice.is_empty(), "no unit is in two places: {twice:?}");
            assert_eq!(units.counted, units.sizes(), "counters are the sizes of their sets");
            let live = self.orders.values().filter(|order| order.live && order.terms.product == product);
            let mut owners = HashSet::new();
            let mut users: HashMap<UserHash, u32> = HashMap::new();
            for order in live {
                assert!(order.units.iter().all(|unit| owners.insert(*unit)), "no unit has two owners");
                *users.entry(order.user).or_default() += order.units.len() as u32;
            }
            assert!(users.values().all(|units| *units <= u32::from(LIMIT)), "nobody is above their limit");
        }
    }

    /// What must hold once everything is delivered.
    fn check_quiet(&self) {
        for number in 0..PRODUCTS {
            let product = ProductNo(number);
            let mut ledger = LedgerUnits { stock: self.stock[usize::from(number)], ..LedgerUnits::default() };
            for order in self.orders.values().filter(|order| order.live && order.terms.product == product) {
                let side = if order.is_sold() { &mut ledger.sold } else { &mut ledger.held };
                side.extend(order.units.iter().copied());
            }
            let inventory = self.shard.units(product).unwrap();
            let audit = compare(&ledger, Some(&inventory));
            assert!(audit.violations.is_empty(), "{:?}", audit.violations);
            assert_eq!(audit.available + audit.held + audit.sold, audit.stock);
            assert_eq!(audit.oversold, 0);
        }
    }

    fn quiet(&mut self) {
        self.allocate(u64::MAX);
        while !self.effects.is_empty() {
            self.settle(0, 1);
        }
        self.check_quiet();
        assert!(self.shard.unpinned(Timestamp::MAX, 1_000).is_empty(), "every claim is acknowledged");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn units_are_conserved_whatever_happens(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            match step {
                Step::Hold { user, key, product, quantity } => {
                    world.hold(user, key, Terms { product: ProductNo(product), quantity });
                }
                Step::Allocate(limit) => world.allocate(u64::from(limit)),
                Step::Change { order, what } => world.change(order, what),
                Step::LateHold(order) => world.late_hold(order),
                Step::Settle { at, times } => world.settle(at, times),
                Step::Restock(product) => world.restock(product),
                Step::Renew => world.renew(),
                Step::Wait(ms) => world.now = world.now.plus_millis(u64::from(ms)),
            }
            world.check();
        }
        world.quiet();
        world.renew();
        // A released unit is proven by holding it: everything free can be taken, and nothing else.
        for number in 0..PRODUCTS {
            let free = world.shard.view(ProductNo(number)).unwrap().available;
            for at in 0..free {
                let request = world.request(100 + at as u8, number as u8, Terms { product: ProductNo(number), quantity: 1 });
                let taken = matches!(world.shard.hold(&request, world.now, 0, true), HoldOutcome::Held { .. });
                prop_assert!(taken);
            }
            let request = world.request(99, number as u8, Terms { product: ProductNo(number), quantity: 1 });
            let short = world.shard.hold(&request, world.now, 0, true);
            prop_assert_eq!(short, HoldOutcome::Short { free: 0 });
        }
        let dead = world.orders.values().filter(|order| order.state == OrderState::Confirmed && !order.live).count();
        prop_assert_eq!(dead, 0);
    }
}
