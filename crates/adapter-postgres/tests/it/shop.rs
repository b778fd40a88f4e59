//! A sale of one's own in a ledger without an inventory: claims are made by hand.

use std::sync::Arc;

use adapter_postgres::Postgres;
use domain::allocation::Allocation;
use domain::fence::Position;
use domain::hold::{Claim, Terms, Units};
use domain::id::{Epoch, IdSecret, ProductId, ProductNo, SaleId, ShardId, TicketId, UserId};
use domain::money::Money;
use domain::order::Order;
use domain::product::Product;
use domain::sale::{Mode, Sale};
use domain::time::Timestamp;
use domain::transition::Change;
use ports::claims::ClaimBatch;
use ports::ledger::{Allocations, Applied, Ledger, Terms as _};
use ports::sales::{Created, Sales};

/// A sale with one open shard.
pub struct Shop {
    pub store: Arc<Postgres>,
    pub shard: ShardId,
    pub epoch: Epoch,
    ids: IdSecret,
}

/// A sale of one product.
pub fn sale(stock: u32, limit: u8) -> Sale {
    let product = Product {
        product_id: ProductId::parse("p").expect("a name"),
        name: "P".into(),
        description: String::new(),
        image_url: Some("http://shop/p.png".into()),
        price: Money::parse("10.00", "EUR").expect("money"),
        compare_at: Some(Money::parse("12.00", "EUR").expect("money")),
        stock,
        max_per_user: limit,
    };
    Sale {
        sale_id: SaleId::parse("shop").expect("a name"),
        name: "S".into(),
        description: String::new(),
        message: String::new(),
        starts_at: Timestamp::EPOCH,
        ends_at: Timestamp::MAX,
        mode: Mode::Rush,
        hold_ms: 1_000,
        extension_ms: 0,
        challenge: domain::challenge::ChallengeRule::Suspects,
        shards: 1,
        paused: false,
        products: vec![product],
        revision: 0,
    }
}

impl Shop {
    /// A sale in `store`, open.
    pub async fn open(store: Arc<Postgres>, stock: u32, limit: u8) -> Self {
        assert_eq!(store.create(sale(stock, limit)).await, Ok(Created::Created));
        let shard = ShardId { sale: sale(1, 1).sale_id, number: 0 };
        let mut shop = Self { store, shard, epoch: Epoch(0), ids: IdSecret::new([7; 32]) };
        shop.renew().await;
        shop
    }

    /// Opens the shard at a new epoch.
    pub async fn renew(&mut self) {
        let term = self.store.fence(&self.shard).await.expect("fenced");
        let end = self.store.position(&self.shard).await.expect("a position");
        self.store.set_fence(&self.shard, term.epoch, end).await.expect("set");
        assert!(self.store.snapshot(&self.shard, term.epoch).await.expect("read").is_some());
        assert_eq!(self.store.opened(&self.shard, term.epoch).await, Ok(true));
        self.epoch = term.epoch;
    }

    /// A ticket of a number.
    pub fn ticket(&self, number: u32) -> TicketId {
        let mut bytes = [1; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        TicketId(bytes)
    }

    /// A claim on `units` by `user`.
    pub fn claim(&self, number: u32, user: &str, units: &[u32]) -> Claim {
        let user_id = UserId::parse(user).expect("a name");
        Claim {
            ticket: self.ticket(number),
            shard: self.shard.clone(),
            epoch: self.epoch,
            issued_at: Timestamp::from_millis(1_000),
            user: self.ids.user(&self.shard.sale, &user_id),
            user_id,
            terms: Terms { product: ProductNo(0), quantity: units.len() as u8 },
            units: units.iter().copied().collect::<Units>(),
        }
    }

    /// Claims as they lie in a log from `from` on, with gaps between them.
    pub fn batch(&self, from: Position, claims: Vec<Claim>) -> ClaimBatch {
        let next = Position(from.0 + 10 * claims.len() as u64);
        let placed = claims.into_iter().zip(0..).map(|(claim, at)| (Position(from.0 + 10 * at + 3), claim));
        ClaimBatch { from, next, claims: placed.collect() }
    }

    /// Takes claims in.
    pub async fn allocate(&self, claims: Vec<Claim>) -> Vec<Allocation> {
        let from = self.store.position(&self.shard).await.expect("a position");
        let decided = self.store.allocate(&self.shard, self.batch(from, claims)).await;
        decided.expect("no fault").expect("nobody else reads")
    }

    /// The same sale, through another connection to the ledger.
    pub fn through(&self, store: Arc<Postgres>) -> Self {
        Self { store, shard: self.shard.clone(), epoch: self.epoch, ids: self.ids.clone() }
    }

    pub async fn find(&self, number: u32) -> Order {
        self.store.order(self.ticket(number)).await.expect("no fault").expect("the order is there")
    }

    /// Makes one change.
    pub async fn apply(&self, number: u32, change: Change) -> Applied {
        self.store.apply(vec![(self.ticket(number), change)]).await.expect("no fault").remove(0)
    }
}
