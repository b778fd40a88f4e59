//! Facts of orders: what the shop's own systems hear of every change, at least once.
//!
//! The ledger keeps what was not told, written with the change itself; a log that others read gets it. A system whose stores
//! have no such log has neither.

use async_trait::async_trait;
use domain::id::ProductId;
use domain::order::Order;

use crate::Fault;

/// An order that changed and was not told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// What to say when it was told. Every change has its own.
    pub id: u64,
    /// The order as it is now.
    pub order: Order,
    /// The product that its terms number.
    pub product: ProductId,
}

/// What the ledger keeps to be told.
#[async_trait]
pub trait Facts: Send + Sync {
    /// Up to `limit` changes that were not told, oldest first. They MUST NOT be given to anybody else for `lease_ms`
    /// milliseconds, and MUST come again after that unless they were told.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn take(&self, limit: usize, lease_ms: u64) -> Result<Vec<Untold>, Fault>;

    /// They were told.
    ///
    /// # Errors
    /// A fault of the ledger; then they are told again.
    async fn told(&self, ids: Vec<u64>) -> Result<(), Fault>;
}

/// Where others read.
#[async_trait]
pub trait FactLog: Send + Sync {
    /// Appends how each order stands; returns once all of it is durable.
    ///
    /// # Errors
    /// A fault of the log; some may have been appended all the same.
    async fn publish(&self, facts: Vec<Untold>) -> Result<(), Fault>;
}
