//! The whole fleet: holds in Redis, claims in Kafka, the ledger in PostgreSQL.

use std::sync::Arc;

use ports::contract::Backend;

use crate::broker::SHARED;
use crate::{postgres, redis};

/// A backend of one's own.
pub async fn fresh() -> (Backend, redis::Server) {
    let server = redis::Server::start(&[]);
    let inventory = Arc::new(server.store().await);
    let (ledger, _) = postgres::store().await;
    let claims = Arc::new(SHARED.log().await);
    let backend = Backend {
        inventory: inventory.clone(),
        rebuild: inventory.clone(),
        board: inventory,
        claims,
        allocations: ledger.clone(),
        ledger: ledger.clone(),
        effects: ledger.clone(),
        terms: ledger.clone(),
        books: ledger.clone(),
        sales: ledger,
    };
    (backend, server)
}
