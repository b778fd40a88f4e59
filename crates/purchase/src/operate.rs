//! Operate: what an operator does to a sale or an order. Every action is noted before it is answered.

mod orders;
mod shards;

use std::sync::Arc;
use std::time::Duration;

use domain::challenge::ChallengeRule;
use domain::id::{IdempotencyKey, ProductId, SaleId, ShardId};
use domain::order::Order;
use domain::product::Product;
use domain::sale::{Mode, Sale};
use domain::status::Status;
use domain::time::Timestamp;
use domain::transition::ChangeRefusal;
use ports::Fault;
use ports::sales::{Action, Created, Restocked, Updated};

use crate::audit::SaleAudit;
use crate::catalog::Catalog;
use crate::pulse::Progress;
use crate::recover::{open, renew};
use crate::selling::{Selling, selling};
use crate::stores::Stores;
use crate::totals::{Totals, totals};

pub use shards::{ShardState, Standing};

/// The operator's side of the program.
pub struct Operator {
    stores: Stores,
    catalog: Arc<Catalog>,
}

/// What an operator changes of a sale; `None` leaves a member as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SalePatch {
    /// See [`Sale::name`].
    pub name: Option<String>,
    /// See [`Sale::description`].
    pub description: Option<String>,
    /// See [`Sale::message`].
    pub message: Option<String>,
    /// See [`Sale::ends_at`].
    pub ends_at: Option<Timestamp>,
    /// See [`Sale::starts_at`]; only before the sale is live.
    pub starts_at: Option<Timestamp>,
    /// See [`Sale::mode`]; only before the sale is live.
    pub mode: Option<Mode>,
    /// See [`Sale::hold_ms`]; only before the sale is live.
    pub hold_ms: Option<u64>,
    /// See [`Sale::extension_ms`]; only before the sale is live.
    pub extension_ms: Option<u64>,
    /// See [`Sale::challenge`]; only before the sale is live.
    pub challenge: Option<ChallengeRule>,
    /// See [`Sale::products`]; only before the sale is live.
    pub products: Option<Vec<Product>>,
}

impl SalePatch {
    /// Members that may change only before the sale is live.
    #[must_use]
    pub fn redefines(&self) -> Vec<&'static str> {
        let members = [
            ("starts_at", self.starts_at.is_some()),
            ("mode", self.mode.is_some()),
            ("hold_ms", self.hold_ms.is_some()),
            ("extension_ms", self.extension_ms.is_some()),
            ("challenge", self.challenge.is_some()),
            ("products", self.products.is_some()),
        ];
        members.into_iter().filter_map(|(name, set)| set.then_some(name)).collect()
    }

    fn apply(self, sale: &mut Sale) {
        let Self {
            name,
            description,
            message,
            ends_at,
            starts_at,
            mode,
            hold_ms,
            extension_ms,
            challenge,
            products,
        } = self;
        set(&mut sale.name, name);
        set(&mut sale.description, description);
        set(&mut sale.message, message);
        set(&mut sale.ends_at, ends_at);
        set(&mut sale.starts_at, starts_at);
        set(&mut sale.mode, mode);
        set(&mut sale.hold_ms, hold_ms);
        set(&mut sale.extension_ms, extension_ms);
        set(&mut sale.challenge, challenge);
        set(&mut sale.products, products);
    }
}

fn shards(sale: &Sale) -> impl Iterator<Item = ShardId> {
    (0..sale.shards).map(|number| ShardId { sale: sale.sale_id.clone(), number })
}

fn set<T>(member: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *member = value;
    }
}

/// What became of a patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patched {
    /// The sale as it is now.
    Patched(Box<Sale>),
    /// The sale is live: these members cannot change any more.
    TooLate(Vec<&'static str>),
    /// It would end before it starts.
    EndsBeforeStart,
    /// There is no such sale.
    Unknown,
}

/// What became of an order's refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundAnswer {
    /// On its way, or done.
    Refunding(Box<Order>),
    /// Not possible.
    Refused(ChangeRefusal, Box<Order>),
    /// There is no such order.
    Unknown,
}

impl Operator {
    /// Works on `stores`; changes show in `catalog` at once.
    #[must_use]
    pub const fn new(stores: Stores, catalog: Arc<Catalog>) -> Self {
        Self { stores, catalog }
    }

    /// Creates a sale and opens its shards.
    ///
    /// # Errors
    /// A fault of a store; the sale may exist, and its shards open when the program starts or by another attempt.
    pub async fn create(&self, actor: &str, sale: Sale) -> Result<Created, Fault> {
        let created = self.stores.sales.create(sale.clone()).await?;
        if created == Created::Created {
            self.note(actor, "create", Some(&sale.sale_id), String::new()).await?;
            for shard in shards(&sale) {
                open(&self.stores, &shard).await?;
            }
            self.catalog.refresh(&*self.stores.sales).await?;
        }
        Ok(created)
    }

    /// Every sale.
    #[must_use]
    pub fn sales(&self) -> Vec<Arc<Sale>> {
        self.catalog.all()
    }

    /// One sale.
    ///
    /// # Errors
    /// A fault of a store, where this node does not know the sale.
    pub async fn sale(&self, id: &SaleId) -> Result<Option<Arc<Sale>>, Fault> {
        self.catalog.find(id, &*self.stores.sales, &*self.stores.clock).await
    }

    /// Changes a sale.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn patch(&self, actor: &str, id: &SaleId, patch: SalePatch) -> Result<Patched, Fault> {
        let redefined = patch.redefines();
        loop {
            let Some(sale) = self.catalog.get(id) else { return Ok(Patched::Unknown) };
            let live = self.stores.clock.now() >= sale.starts_at;
            if live && !redefined.is_empty() {
                return Ok(Patched::TooLate(redefined));
            }
            let mut next = Sale::clone(&sale);
            patch.clone().apply(&mut next);
            let moved = next.starts_at != sale.starts_at || next.ends_at != sale.ends_at;
            if moved && next.ends_at <= next.starts_at {
                return Ok(Patched::EndsBeforeStart);
            }
            let restocked = patch.products.is_some();
            if let Some(sale) = self.update(next, !live).await? {
                self.note(actor, "patch", Some(id), String::new()).await?;
                if restocked {
                    for shard in shards(&sale) {
                        renew(&self.stores, &shard).await?;
                    }
                }
                return Ok(Patched::Patched(Box::new(sale)));
            }
        }
    }

    /// The sale as stored; `None` where somebody changed it meanwhile (the catalog then has the newer one).
    async fn update(&self, sale: Sale, redefine: bool) -> Result<Option<Sale>, Fault> {
        match self.stores.sales.update(sale, redefine).await? {
            Updated::Updated(sale) => {
                self.catalog.put(sale.clone());
                Ok(Some(sale))
            }
            Updated::Conflict(sale) => {
                self.catalog.put(sale);
                Ok(None)
            }
            Updated::Unknown => {
                Err(Fault::damaged("the catalog", "it has a sale that the store does not have"))
            }
        }
    }

    /// Changes one sale by `edit`; `None` where there is no such sale.
    async fn edit(
        &self,
        actor: &str,
        action: &str,
        id: &SaleId,
        detail: String,
        edit: impl Fn(&mut Sale),
    ) -> Result<Option<Sale>, Fault> {
        loop {
            let Some(sale) = self.catalog.get(id) else { return Ok(None) };
            let mut next = Sale::clone(&sale);
            edit(&mut next);
            if let Some(sale) = self.update(next, false).await? {
                self.note(actor, action, Some(id), detail).await?;
                return Ok(Some(sale));
            }
        }
    }

    /// Stops new checkouts for now.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn pause(&self, actor: &str, id: &SaleId) -> Result<Option<Sale>, Fault> {
        self.edit(actor, "pause", id, String::new(), |sale| sale.paused = true).await
    }

    /// Takes checkouts again.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn resume(&self, actor: &str, id: &SaleId) -> Result<Option<Sale>, Fault> {
        self.edit(actor, "resume", id, String::new(), |sale| sale.paused = false).await
    }

    /// Ends a sale now: no new checkouts; holds and payments go on to their own end.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn end(&self, actor: &str, id: &SaleId) -> Result<Option<Sale>, Fault> {
        let now = self.stores.clock.now();
        self.edit(actor, "end", id, String::new(), |sale| sale.ends_at = sale.ends_at.min(now)).await
    }

    /// Sets the message that buyers read.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn message(&self, actor: &str, id: &SaleId, message: &str) -> Result<Option<Sale>, Fault> {
        self.edit(actor, "message", id, message.to_owned(), |sale| message.clone_into(&mut sale.message))
            .await
    }

    /// Adds units to a product, once per key.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn restock(
        &self,
        actor: &str,
        id: &SaleId,
        product: &ProductId,
        units: u32,
        key: &IdempotencyKey,
    ) -> Result<Restocked, Fault> {
        let Some(sale) = self.catalog.get(id) else { return Ok(Restocked::Unknown) };
        let Some((number, _)) = sale.product(product) else { return Ok(Restocked::Unknown) };
        let restocked = self.stores.sales.restock(id, number, units, key).await?;
        if let Restocked::Restocked(sale) = &restocked {
            self.catalog.put(sale.clone());
            self.note(actor, "restock", Some(id), format!("{units} of {product}")).await?;
        }
        Ok(restocked)
    }

    /// Audits a sale; `None` where there is no such sale.
    ///
    /// # Errors
    /// A fault of a store.
    pub async fn audit(&self, id: &SaleId) -> Result<Option<SaleAudit>, Fault> {
        match self.catalog.get(id) {
            Some(sale) => crate::audit::audit(&self.stores, &sale).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether the stock of each sale that is not over is handed out; see [`crate::selling::selling`].
    pub async fn selling(&self, patience: Duration) -> Vec<Selling> {
        selling(&self.stores, &self.catalog, patience).await
    }

    /// Totals of a sale.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn totals(&self, id: &SaleId) -> Result<Totals, Fault> {
        match self.catalog.get(id) {
            Some(sale) => totals(&self.stores, &sale).await,
            None => Ok(Totals::default()),
        }
    }

    /// Tells the pulse who waits in the ledger: for allocation, for a payment address, for a confirmation.
    ///
    /// # Errors
    /// A fault of the ledger; the pulse stays as it was.
    pub async fn take_pulse(&self) -> Result<(), Fault> {
        let (mut claims, mut queued, mut paid) = (0, 0, 0);
        for sale in self.catalog.all() {
            let totals = self.totals(&sale.sale_id).await?;
            claims += totals.claims_waiting;
            paid += totals.money_moving;
            queued += totals.count(Status::Queued);
        }
        let (pulse, now) = (&self.stores.pulse, self.stores.clock.now());
        for (kind, waiting) in [
            (Progress::Allocation, claims),
            (Progress::PaymentAddress, queued),
            (Progress::Confirmation, paid),
        ] {
            pulse.observe(kind, waiting > 0, now);
        }
        Ok(())
    }

    /// What operators did, newest first.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn actions(&self, limit: usize) -> Result<Vec<Action>, Fault> {
        self.stores.sales.actions(limit).await
    }

    async fn note(
        &self,
        actor: &str,
        action: &str,
        sale: Option<&SaleId>,
        detail: String,
    ) -> Result<(), Fault> {
        let at = self.stores.clock.now();
        let action =
            Action { at, actor: actor.to_owned(), action: action.to_owned(), sale: sale.cloned(), detail };
        self.stores.sales.note(action).await
    }
}
