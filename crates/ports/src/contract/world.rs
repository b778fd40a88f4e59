//! A sale of one's own, opened as recovery opens it, and the moves that tests make.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::fence::Position;
use domain::hold::{Effect, EffectKind, Grant, HoldOutcome, HoldRequest, Intent, Settled, Terms};
use domain::id::{
    Epoch, IdSecret, IdempotencyKey, ProductId, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId,
};
use domain::money::Money;
use domain::order::Order;
use domain::payment::PaymentSession;
use domain::product::Product;
use domain::sale::{Mode, Sale};
use domain::time::Timestamp;
use domain::transition::Change;

use super::Backend;
use crate::ledger::Applied;

/// Numbers that make names unique within this process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

pub(super) fn parsed<T, E: std::fmt::Debug>(value: Result<T, E>) -> T {
    value.unwrap_or_else(|error| panic!("a constant of the suite: {error:?}"))
}

/// A sale with its shard.
pub struct World<'a> {
    pub(super) backend: &'a Backend,
    /// The sale's only shard.
    pub shard: ShardId,
    pub(super) epoch: Epoch,
    limit: u8,
    ids: IdSecret,
}

pub(super) fn sale(id: &SaleId, stock: u32, limit: u8) -> Sale {
    let product = |number: u32| Product {
        product_id: parsed(ProductId::parse(&format!("p{number}"))),
        name: "P".into(),
        description: String::new(),
        image_url: None,
        price: parsed(Money::parse("10.00", "EUR")),
        compare_at: None,
        stock,
        max_per_user: limit,
    };
    Sale {
        sale_id: id.clone(),
        name: "S".into(),
        description: String::new(),
        message: String::new(),
        starts_at: Timestamp::EPOCH,
        ends_at: Timestamp::MAX,
        mode: Mode::Rush,
        hold_ms: 1_000,
        extension_ms: 0,
        challenge: domain::challenge::ChallengeRule::Always,
        shards: 1,
        paused: false,
        products: vec![product(0), product(1)],
        revision: 0,
    }
}

pub(super) fn fresh_id() -> SaleId {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    parsed(SaleId::parse(&format!("contract-{}-{number}", std::process::id())))
}

impl<'a> World<'a> {
    /// A sale of two products, `stock` units each, `limit` a buyer, open.
    pub async fn open(backend: &'a Backend, stock: u32, limit: u8) -> World<'a> {
        let id = fresh_id();
        parsed(backend.sales.create(sale(&id, stock, limit)).await);
        let shard = ShardId { sale: id, number: 0 };
        let mut world = World { backend, shard, epoch: Epoch(0), limit, ids: IdSecret::new([1; 32]) };
        world.renew().await;
        world
    }

    /// Opens the shard at a new epoch, as recovery does.
    pub(super) async fn renew(&mut self) {
        let (backend, shard) = (self.backend, self.shard.clone());
        parsed(backend.rebuild.close(&shard).await);
        let term = parsed(backend.terms.fence(&shard).await);
        let end = parsed(backend.claims.end(&shard).await);
        parsed(backend.terms.set_fence(&shard, term.epoch, end).await);
        self.allocate().await;
        let snapshot = parsed(backend.terms.snapshot(&shard, term.epoch).await);
        let snapshot = parsed(snapshot.ok_or("allocation has passed the fence"));
        let key = parsed(backend.rebuild.begin(&shard, term.epoch).await);
        parsed(backend.rebuild.load(&shard, key, 0, snapshot).await);
        parsed(backend.rebuild.open(&shard, key, 1).await);
        assert!(parsed(backend.terms.opened(&shard, term.epoch).await));
        self.epoch = term.epoch;
    }

    pub(super) fn user(&self, user: &str) -> UserHash {
        self.ids.user(&self.shard.sale, &parsed(UserId::parse(user)))
    }

    /// A checkout of the first product.
    #[must_use]
    pub fn request(&self, user: &str, key: &str, quantity: u8) -> HoldRequest {
        let hash = self.user(user);
        let ticket = self.ids.ticket(&self.shard.sale, hash, &parsed(IdempotencyKey::parse(key)));
        HoldRequest {
            claim: ticket,
            ticket,
            user: hash,
            user_id: parsed(UserId::parse(user)),
            terms: Terms { product: ProductNo(0), quantity },
            limit: self.limit,
            intent: Intent::Take,
        }
    }

    pub(super) async fn ask(&self, request: HoldRequest) -> HoldOutcome {
        let mut outcomes = parsed(self.backend.inventory.hold(&self.shard, vec![request]).await);
        assert_eq!(outcomes.len(), 1, "one outcome for each request");
        outcomes.remove(0)
    }

    /// A hold that was given before.
    pub(super) async fn replayed(&self, request: HoldRequest) -> Grant {
        match self.ask(request).await {
            HoldOutcome::Replayed { grant, .. } => grant,
            other => panic!("it was given before: {other:?}"),
        }
    }

    /// The ticket and the grant of a hold that was given before.
    pub(super) async fn known(&self, user: &str, key: &str) -> (TicketId, Grant) {
        let request = self.request(user, key, 1);
        (request.claim, self.replayed(request).await)
    }

    /// A hold that must be given; published where the hold did not record it.
    pub(super) async fn hold(&self, user: &str, key: &str, quantity: u8) -> (TicketId, Grant) {
        let request = self.request(user, key, quantity);
        let claim = request.claim;
        match self.ask(request.clone()).await {
            HoldOutcome::Held { grant, recorded } => {
                if !recorded {
                    let claim = request.claim_of(&self.shard, &grant);
                    parsed(self.backend.claims.publish(&self.shard, vec![claim]).await);
                }
                (claim, grant)
            }
            other => panic!("the units were free: {other:?}"),
        }
    }

    /// Takes in whatever is in the log.
    pub(super) async fn allocate(&self) -> Position {
        let (backend, shard) = (self.backend, &self.shard);
        let end = parsed(backend.claims.end(shard).await);
        let mut at = parsed(backend.allocations.position(shard).await);
        while at < end {
            let batch = parsed(backend.claims.read(shard, at, 100).await);
            let next = batch.next;
            assert!(next > at, "there is something to read before the end");
            let decided = parsed(backend.allocations.allocate(shard, batch).await);
            assert!(decided.is_some(), "nobody else reads");
            at = next;
        }
        at
    }

    /// A hold that the ledger has.
    pub(super) async fn order(&self, user: &str) -> Order {
        let (ticket, _) = self.hold(user, "k", 1).await;
        self.allocate().await;
        parsed(self.find(ticket).await.ok_or("the order is there"))
    }

    pub(super) async fn find(&self, ticket: TicketId) -> Option<Order> {
        parsed(self.backend.ledger.order(ticket).await)
    }

    pub(super) async fn apply(&self, ticket: TicketId, change: Change) -> Applied {
        let mut applied = parsed(self.backend.ledger.apply(vec![(ticket, change)]).await);
        assert_eq!(applied.len(), 1, "one outcome for each change");
        applied.remove(0)
    }

    /// A payment address that gives the buyer `hold_ms`.
    pub(super) async fn address(&self, ticket: TicketId, hold_ms: u64) {
        let session = PaymentSession { session: "cs_1".into(), url: "http://pay".into() };
        let applied = self.apply(ticket, Change::AddressReady { session, hold_ms }).await;
        assert!(matches!(applied, Applied::Changed(_)), "{applied:?}");
    }

    pub(super) async fn settle(&self, effect: Effect) -> Settled {
        let settled = parsed(self.backend.inventory.settle(&self.shard, self.epoch, &[effect]).await);
        settled[0]
    }

    /// Delivers every effect that waits.
    pub(super) async fn deliver(&self) -> Vec<EffectKind> {
        let (epoch, pending) = parsed(self.backend.effects.pending(&self.shard, 1_000).await);
        let effects: Vec<_> = pending.iter().map(|pending| pending.effect.clone()).collect();
        parsed(self.backend.inventory.settle(&self.shard, epoch, &effects).await);
        let ids = pending.iter().map(|pending| pending.id).collect();
        parsed(self.backend.effects.forget(&self.shard, ids).await);
        effects.into_iter().map(|effect| effect.kind).collect()
    }

    /// Free, held and sold units of the first product.
    pub(super) async fn counts(&self) -> [u32; 3] {
        let units = parsed(self.backend.inventory.units(&self.shard).await);
        parsed(units.ok_or("the shard is open")).remove(0).sizes()
    }
}

/// An effect on a claim of the first product.
pub(super) fn effect(kind: EffectKind, claim: TicketId, grant: &Grant) -> Effect {
    Effect { kind, product: ProductNo(0), claim, units: grant.units.clone() }
}
