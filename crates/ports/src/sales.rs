//! Sales: their definitions, and what operators did.

use async_trait::async_trait;
use domain::id::{IdempotencyKey, ProductNo, SaleId};
use domain::sale::Sale;
use domain::time::Timestamp;

use crate::Fault;

/// What an operator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// When.
    pub at: Timestamp,
    /// Who: the name of the credential, never the credential.
    pub actor: String,
    /// What, e.g. `pause`.
    pub action: String,
    /// Of which sale.
    pub sale: Option<SaleId>,
    /// Details in words.
    pub detail: String,
}

/// What became of a creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Created {
    /// The sale exists now.
    Created,
    /// There was one of that name, and it is as it was.
    Exists,
}

/// What became of an update.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated {
    /// The sale as it is now.
    Updated(Sale),
    /// Somebody changed it meanwhile; the sale as it is now.
    Conflict(Sale),
    /// There is no such sale.
    Unknown,
}

/// What became of a restock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Restocked {
    /// The sale as it is now.
    Restocked(Sale),
    /// This key was used for the same restock before; the sale as it is now.
    Replay(Sale),
    /// This key was used for another restock.
    KeyReused,
    /// It would go beyond the largest stock.
    TooMany,
    /// There is no such sale or product.
    Unknown,
}

/// Keeps sales.
#[async_trait]
pub trait Sales: Send + Sync {
    /// Creates a sale with its shards.
    ///
    /// # Errors
    /// A fault of the store.
    async fn create(&self, sale: Sale) -> Result<Created, Fault>;

    /// Every sale, by identifier.
    ///
    /// # Errors
    /// A fault of the store.
    async fn list(&self) -> Result<Vec<Sale>, Fault>;

    /// Replaces a sale if its stored revision is `sale.revision`; the new one is one higher. Stock MUST NOT change here
    /// once the sale's shards have opened for selling, except through [`Sales::restock`]: `stock` of each product is
    /// taken from what is stored unless `redefine` is set, which the caller does only before the sale is live.
    ///
    /// # Errors
    /// A fault of the store.
    async fn update(&self, sale: Sale, redefine: bool) -> Result<Updated, Fault>;

    /// Adds units to a product, once per key, and tells the inventory by an effect.
    ///
    /// # Errors
    /// A fault of the store.
    async fn restock(
        &self,
        sale: &SaleId,
        product: ProductNo,
        units: u32,
        key: &IdempotencyKey,
    ) -> Result<Restocked, Fault>;

    /// Notes what an operator did.
    ///
    /// # Errors
    /// A fault of the store.
    async fn note(&self, action: Action) -> Result<(), Fault>;

    /// What operators did, newest first, at most `limit`.
    ///
    /// # Errors
    /// A fault of the store.
    async fn actions(&self, limit: usize) -> Result<Vec<Action>, Fault>;
}
