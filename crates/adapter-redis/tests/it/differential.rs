//! The function library and `domain::inventory` answer the same, with the very same units in the same order.
//!
//! Random sequences: holds in batches (known, unknown, repeated, beyond limits, of products that are not there), every
//! intent, effects right and wrong, claims published again, rebuilds. After each command the counters are
//! compared, and every so often the sets and the unacknowledged claims. A failure names its seed.

use std::collections::BTreeMap;

use adapter_redis::Redis;
use domain::hold::{Effect, EffectKind, HoldOutcome, HoldRequest, Intent, StockView, Terms, Units};
use domain::id::{Epoch, ProductNo, ShardId, TicketId, UserHash, UserId};
use domain::inventory::{InventoryUnits, Shard};
use domain::snapshot::{Place, ProductSnapshot, RecordSnapshot, ShardSnapshot};
use domain::time::Timestamp;
use domain::unit_set::UnitSet;
use ports::inventory::{Inventory, Rebuild};
use rand::prelude::*;

use crate::server::Server;
use crate::shard::{fresh, open, shard};

const COMMANDS: usize = 700;
const STOCKS: [u32; 3] = [40, 7, 0];

/// Both inventories, and what was told to them.
struct Pair<'a> {
    store: &'a Redis,
    shard: ShardId,
    model: Shard,
    epoch: u32,
    /// Requests that were given units, by claim; what they were given last.
    given: BTreeMap<[u8; 16], (HoldRequest, Units)>,
    random: StdRng,
    seed: u64,
}

fn bytes(kind: u8, number: u32) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    bytes
}

impl Pair<'_> {
    fn request(&mut self) -> HoldRequest {
        let random = &mut self.random;
        let user = random.random_range(0..12);
        let claim = TicketId(bytes(1, user * 16 + random.random_range(0..9)));
        let product = *[0, 0, 0, 1, 1, 2, 9].choose(random).unwrap();
        let intent = *[Intent::Take, Intent::Take, Intent::Take, Intent::Take, Intent::Find, Intent::Weigh]
            .choose(random)
            .unwrap();
        let request = HoldRequest {
            claim,
            ticket: claim,
            user: UserHash(bytes(2, user)),
            user_id: UserId::parse(&format!("user-{user}")).unwrap(),
            terms: Terms { product: ProductNo(product), quantity: *[1, 1, 1, 2, 3].choose(random).unwrap() },
            limit: *[1, 3, 4, 4].choose(random).unwrap(),
            intent,
        };
        if random.random_ratio(1, 6) {
            // Late money of a ticket; its derived claim is another one at each attempt.
            let mut late = claim;
            late.0[15] = random.random_range(100..103);
            return HoldRequest { claim: late, intent: Intent::TakeLate, ..request };
        }
        request
    }

    async fn hold(&mut self) {
        let size = *[1, 2, 5, 17].choose(&mut self.random).unwrap();
        let mut requests: Vec<HoldRequest> = (0..size).map(|_| self.request()).collect();
        if size > 2 {
            requests[size - 1] = requests[0].clone();
        }
        let answered = self.store.hold(&self.shard, requests.clone()).await.unwrap();
        // The instant is the server's: the model is told.
        let now = answered.iter().find_map(|answer| match answer {
            HoldOutcome::Held { grant, .. } => Some(grant.issued_at),
            _ => None,
        });
        for (request, answer) in requests.iter().zip(answered) {
            let expected = self.model.hold(request, now.unwrap_or_default(), 0, false);
            assert_eq!(answer, expected, "seed {}: {request:?}", self.seed);
            if let HoldOutcome::Held { grant, .. } = expected {
                self.given.insert(request.claim.0, (request.clone(), grant.units));
            }
        }
    }

    fn effect(&mut self) -> Effect {
        let known = self.given.values().choose(&mut self.random).cloned();
        let random = &mut self.random;
        let kinds =
            [EffectKind::Pin, EffectKind::Pin, EffectKind::Release, EffectKind::Confirm, EffectKind::Return];
        if random.random_ratio(1, 25) || known.is_none() {
            let product = ProductNo(random.random_range(0..4));
            let stock = self.model.view(product).map_or(0, |view| view.stock);
            let from = stock + u32::from(random.random_ratio(1, 4));
            let units = [from, from + random.random_range(0..6)].into_iter().collect();
            return Effect { kind: EffectKind::Restock, product, claim: TicketId([0; 16]), units };
        }
        let (request, mut units) = known.unwrap();
        let (mut product, mut claim) = (request.terms.product, request.claim);
        match random.random_range(0..16) {
            0 => product = ProductNo(1 - product.0.min(1)),
            1 => {
                units =
                    units.iter().take(1).map(|unit| unit + 1).chain(units.iter().copied().skip(1)).collect()
            }
            2 => units = units.iter().copied().chain([99]).collect(),
            3 => claim = TicketId([7; 16]),
            4 => units = units.iter().rev().copied().collect(),
            _ => {}
        }
        Effect { kind: *kinds.choose(random).unwrap(), product, claim, units }
    }

    async fn settle(&mut self) {
        let size = *[1, 3, 8].choose(&mut self.random).unwrap();
        let effects: Vec<Effect> = (0..size).map(|_| self.effect()).collect();
        let answered = self.store.settle(&self.shard, Epoch(self.epoch), &effects).await.unwrap();
        let expected: Vec<_> = effects.iter().map(|effect| self.model.settle(effect)).collect();
        assert_eq!(answered, expected, "seed {}: {effects:?}", self.seed);
    }

    /// The instant of a touch is not told: it lies alone between two others, so that the order is certain.
    #[expect(clippy::disallowed_methods, reason = "the same clock as the server's, on the same machine")]
    async fn touch(&mut self) {
        let mut claims: Vec<TicketId> = self
            .given
            .keys()
            .choose_multiple(&mut self.random, 3)
            .into_iter()
            .map(|claim| TicketId(*claim))
            .collect();
        claims.sort_unstable();
        claims.push(TicketId([8; 16]));
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        self.store.touch(&self.shard, &claims).await.unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        self.model.touch(&claims, Timestamp::from_millis(now.as_millis() as i64));
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }

    /// What a ledger would remember: some claims sold, some gone, the rest held.
    async fn rebuild(&mut self) {
        self.epoch += 1;
        let mut products: Vec<ProductSnapshot> = (0..self.model.products())
            .map(|at| {
                let stock = self.model.view(ProductNo(at as u16)).unwrap().stock;
                ProductSnapshot { stock, free: UnitSet::whole(stock) }
            })
            .collect();
        let mut records = Vec::new();
        for (product, snapshot) in products.iter_mut().enumerate() {
            let (mut at, number) = (0, ProductNo(product as u16));
            for (request, _) in self.given.values().filter(|(request, _)| request.terms.product == number) {
                let quantity = u32::from(request.terms.quantity);
                let place =
                    *[Place::Held, Place::Sold, Place::Gone, Place::Gone].choose(&mut self.random).unwrap();
                let there = at + quantity <= snapshot.stock;
                let place = if there { place } else { Place::Gone };
                let units: Units =
                    if place == Place::Gone { Units::new() } else { (at..at + quantity).collect() };
                at += units.len() as u32;
                records.push(RecordSnapshot {
                    claim: request.claim,
                    ticket: request.ticket,
                    user: request.user,
                    terms: request.terms,
                    place,
                    units,
                    epoch: Epoch(1),
                    issued_at: Timestamp::from_millis(1_000),
                });
            }
            let taken = UnitSet::whole(at);
            snapshot.free = snapshot.free.difference(&taken);
        }
        let snapshot = ShardSnapshot { epoch: Epoch(self.epoch), products, records };
        self.model = Shard::new(snapshot.epoch, &snapshot.products);
        for record in &snapshot.records {
            self.given.get_mut(&record.claim.0).unwrap().1 = record.units.clone();
            self.model.load(record.clone());
        }
        let key = self.store.begin(&self.shard, snapshot.epoch).await.unwrap();
        let (front, back) = snapshot.records.split_at(snapshot.records.len() / 2);
        let (front, back) = (front.to_vec(), back.to_vec());
        let first = ShardSnapshot { records: front, ..snapshot.clone() };
        self.store.load(&self.shard, key, 0, first).await.unwrap();
        let rest = ShardSnapshot { epoch: snapshot.epoch, products: Vec::new(), records: back };
        self.store.load(&self.shard, key, 1, rest).await.unwrap();
        self.store.open(&self.shard, key, 2).await.unwrap();
    }

    async fn compare(&mut self) {
        let sorted = |mut units: InventoryUnits| {
            // The free ones are a list, in the order in which they will be given.
            units.held.sort_unstable();
            units.sold.sort_unstable();
            (std::mem::take(&mut units.free).into_iter().flatten().collect::<Vec<_>>(), units)
        };
        let stored = self.store.units(&self.shard).await.unwrap().unwrap();
        let stored: Vec<_> = stored.into_iter().map(sorted).collect();
        let products = 0..self.model.products();
        let expected: Vec<_> =
            products.map(|at| sorted(self.model.units(ProductNo(at as u16)).unwrap())).collect();
        assert_eq!(stored, expected, "seed {}", self.seed);
        let limit = *[3, 1_000].choose(&mut self.random).unwrap();
        let stored = self.store.unpinned(&self.shard, Timestamp::MAX, limit).await.unwrap();
        let expected = self.model.unpinned(Timestamp::MAX, limit);
        let plain: Vec<_> =
            stored.iter().map(|each| (each.claim.ticket, each.ticket, each.claim.terms)).collect();
        let modelled: Vec<_> = expected.iter().map(|each| (each.claim, each.ticket, each.terms)).collect();
        assert_eq!(plain, modelled, "seed {}", self.seed);
        for (one, other) in stored.iter().zip(&expected) {
            let (request, _) = &self.given[&one.claim.ticket.0];
            assert_eq!(one.claim, request.claim_of(&self.shard, &other.grant), "seed {}", self.seed);
        }
        if let Some(some) = expected.choose(&mut self.random) {
            let before = some.grant.issued_at;
            let stored = self.store.unpinned(&self.shard, before, 1_000).await.unwrap();
            assert_eq!(stored.len(), self.model.unpinned(before, 1_000).len(), "seed {}", self.seed);
        }
    }

    /// What the answers brought along is what the model has.
    fn counters(&self) {
        for at in 0..self.model.products() {
            let product = ProductNo(at as u16);
            let seen: Option<StockView> = self.store.view(&self.shard.sale, product);
            if let Some(seen) = seen {
                assert_eq!(Some(seen), self.model.view(product), "seed {}", self.seed);
            }
        }
    }
}

async fn run(store: &Redis, seed: u64) {
    let shard = shard(&format!("differential-{seed}"));
    let snapshot = fresh(1, &STOCKS);
    let model = Shard::new(Epoch(1), &snapshot.products);
    open(store, &shard, snapshot).await;
    let random = StdRng::seed_from_u64(seed);
    let mut pair = Pair { store, shard, model, epoch: 1, given: BTreeMap::new(), random, seed };
    for at in 0..COMMANDS {
        match pair.random.random_range(0..100) {
            0 => pair.rebuild().await,
            1..4 => pair.touch().await,
            4..50 => pair.hold().await,
            _ => pair.settle().await,
        }
        if at % 10 == 0 {
            pair.compare().await;
        }
    }
    pair.compare().await;
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    pair.counters();
}

#[tokio::test]
async fn random_commands_have_the_answers_and_units_of_the_domain() {
    let server = Server::start(&[]);
    let store = server.store().await;
    // Further seeds at will: the sequence follows from the number alone.
    for seed in 1..=8 {
        run(&store, seed).await;
    }
}
