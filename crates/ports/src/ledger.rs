//! The ledger: the source of truth on orders, units and money.
//!
//! Every method is one transaction. What it answers is durable.

use async_trait::async_trait;
use domain::allocation::Allocation;
use domain::audit::LedgerUnits;
use domain::fence::{Position, Term};
use domain::hold::Effect;
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash};
use domain::money::Money;
use domain::order::{Order, OrderState, Reason, Work};
use domain::snapshot::ShardSnapshot;
use domain::status::Status;
use domain::time::Timestamp;
use domain::transition::{Change, ChangeRefusal};

use crate::Fault;
use crate::claims::ClaimBatch;

/// Takes claims in.
#[async_trait]
pub trait Allocations: Send + Sync {
    /// Where reading of the shard's claim log goes on.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn position(&self, shard: &ShardId) -> Result<Position, Fault>;

    /// Decides every claim of the batch by [`domain::allocation::decide`] and moves the position from `batch.from` to
    /// `batch.next`, both or neither. `None` where the position is not `batch.from`: another reader was faster.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn allocate(&self, shard: &ShardId, batch: ClaimBatch) -> Result<Option<Vec<Allocation>>, Fault>;
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The order as it is now.
    Changed(Box<Order>),
    /// The change was made before; the order as it is.
    Replay(Box<Order>),
    /// The rules said no; the order as it is.
    Refused(ChangeRefusal, Box<Order>),
    /// There is no such order.
    Unknown,
}

impl Applied {
    /// The order as it is, where there is one.
    #[must_use]
    pub fn order(&self) -> Option<&Order> {
        match self {
            Self::Changed(order) | Self::Replay(order) | Self::Refused(_, order) => Some(order),
            Self::Unknown => None,
        }
    }
}

/// One step of an order's story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// The version that it made.
    pub version: u32,
    /// The state that it led to.
    pub state: OrderState,
    /// Why.
    pub reason: Option<Reason>,
}

/// How payment addresses stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressQueue {
    /// Orders that wait for one, or have it being made.
    pub waiting: u64,
    /// Those of them that nobody has taken.
    pub idle: u64,
    /// Addresses ever made, from some moment on; MUST NOT go back while a process lives, and may run ahead by attempts.
    pub made: u64,
}

/// Moves orders.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The instant by the ledger's own clock, by which changes happen and deadlines pass.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn now(&self) -> Result<Timestamp, Fault>;

    /// Applies each change to its order by [`domain::transition::transition`], at the ledger's own clock; the change, its
    /// effect and its place in the story are written together. One outcome for each, in order.
    ///
    /// [`Change::LateHeld`] MUST be refused as `Ended` unless its epoch is the shard's running epoch.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn apply(&self, changes: Vec<(TicketId, Change)>) -> Result<Vec<Applied>, Fault>;

    /// Notes a provider's event once. `false` where it was noted before.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn note_event(&self, provider: &str, event: &str) -> Result<bool, Fault>;

    /// The order of a ticket.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn order(&self, ticket: TicketId) -> Result<Option<Order>, Fault>;

    /// Its story, oldest step first.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn story(&self, ticket: TicketId) -> Result<Vec<Step>, Fault>;

    /// Takes up to `limit` orders for which `work` is due, longest due first, and puts the work off by `lease_ms`, so
    /// that nobody else takes it meanwhile. Work whose taker died comes back after the lease.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn take_work(&self, work: Work, limit: usize, lease_ms: u64) -> Result<Vec<Order>, Fault>;

    /// How payment addresses stand, over all sales.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn address_queue(&self) -> Result<AddressQueue, Fault>;

    /// Makes work that was taken due again at `at`; no-op where it is not due any more.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn put_off(&self, ticket: TicketId, work: Work, at: Timestamp) -> Result<(), Fault>;

    /// Up to `limit` tickets whose deadline has passed by the ledger's own clock, longest past first.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn overdue(&self, limit: usize) -> Result<Vec<TicketId>, Fault>;
}

/// An effect as it waits for the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingEffect {
    /// Its number in the outbox, growing.
    pub id: u64,
    /// The effect.
    pub effect: Effect,
}

/// The outbox of effects: written with the change that causes them, applied at least once.
#[async_trait]
pub trait Effects: Send + Sync {
    /// Up to `limit` effects of a shard, oldest first, with the shard's epoch read together with them.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn pending(&self, shard: &ShardId, limit: usize) -> Result<(Epoch, Vec<PendingEffect>), Fault>;

    /// Forgets effects that were applied.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn forget(&self, shard: &ShardId, ids: Vec<u64>) -> Result<(), Fault>;

    /// Waits until there may be effects for the shard; may return early.
    async fn wait(&self, shard: &ShardId);
}

/// Somebody's turn to renew a shard: ends when it is dropped, and with the process that has it.
pub struct Turn {
    _held: Box<dyn Send + Sync>,
}

impl Turn {
    /// A turn that ends when `held` is dropped.
    #[must_use]
    pub fn new(held: impl Send + Sync + 'static) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// The terms of shards; see [`domain::fence`].
#[async_trait]
pub trait Terms: Send + Sync {
    /// The turn to renew a shard; `None` while another has it. Renewals that meet are safe without it, but each makes
    /// the work of the other worthless. It ends with its holder's process, and within seconds where that hangs.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn turn(&self, shard: &ShardId) -> Result<Option<Turn>, Fault>;

    /// The shard's term; [`Term::NEW`] where it never opened.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn term(&self, shard: &ShardId) -> Result<Term, Fault>;

    /// R1: [`Term::begin`].
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn fence(&self, shard: &ShardId) -> Result<Term, Fault>;

    /// R3: [`Term::with_fence`]; the term as it is afterwards.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn set_fence(&self, shard: &ShardId, epoch: Epoch, end: Position) -> Result<Term, Fault>;

    /// R4: [`Term::snapshot`] and the snapshot, in one transaction; `None` where the term does not allow it. Units of
    /// live orders are held or sold, the rest of the stock is free, every ticket ever taken in is a record. Effects of
    /// the shard that wait are dropped: the snapshot has what they would have said.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn snapshot(&self, shard: &ShardId, epoch: Epoch) -> Result<Option<ShardSnapshot>, Fault>;

    /// R7: [`Term::opened`]; `false` where the term moved on.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn opened(&self, shard: &ShardId, epoch: Epoch) -> Result<bool, Fault>;
}

/// Money of a sale in one currency, minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoneyTotals {
    /// Captured at the provider, as the ledger knows it.
    pub captured: Money,
    /// Given back.
    pub refunded: Money,
    /// Price of what is confirmed.
    pub revenue: Money,
}

/// What the ledger says of a sale, at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleTotals {
    /// Orders by status.
    pub orders: Vec<(Status, u64)>,
    /// Orders whose money is on its way: see [`Order::money_moves`].
    pub money_moving: u64,
    /// Money by currency.
    pub money: Vec<MoneyTotals>,
    /// Effects that wait, over all shards.
    pub effects_waiting: u64,
    /// Grows with every change of the sale's orders; the same number twice means that nothing moved in between.
    pub revision: u64,
}

impl SaleTotals {
    /// Orders in one status.
    #[must_use]
    pub fn count(&self, status: Status) -> u64 {
        self.orders.iter().filter(|(known, _)| *known == status).map(|(_, count)| count).sum()
    }
}

/// Which orders to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// Of this buyer.
    pub user: Option<UserHash>,
    /// In this status.
    pub status: Option<Status>,
}

impl OrderFilter {
    /// Whether it lets an order through.
    #[must_use]
    pub fn takes(&self, order: &Order) -> bool {
        self.user.is_none_or(|user| user == order.user)
            && self.status.is_none_or(|status| status == order.status())
    }
}

/// Reads for audit, console and export.
#[async_trait]
pub trait Books: Send + Sync {
    /// Units of a shard by product number, and the sale's totals, at one instant.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn units(&self, shard: &ShardId) -> Result<Vec<LedgerUnits>, Fault>;

    /// Totals of a sale.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn totals(&self, sale: &SaleId) -> Result<SaleTotals, Fault>;

    /// Orders of a sale in the order in which they were taken in, at most `limit`, after `cursor` (0 from the start);
    /// with the cursor to go on with, `None` at the end.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn orders(
        &self,
        sale: &SaleId,
        filter: &OrderFilter,
        cursor: u64,
        limit: usize,
    ) -> Result<(Vec<Order>, Option<u64>), Fault>;

    /// Findings of the store about itself: tables that differ from the record they follow. Empty where all is well.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn self_check(&self, sale: &SaleId) -> Result<Vec<domain::audit::Violation>, Fault>;

    /// When the next hold of a product may lapse.
    fn next_deadline(&self, sale: &SaleId, product: ProductNo) -> Option<Timestamp>;
}
