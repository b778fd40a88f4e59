//! The ledger in PostgreSQL behind an inventory and a claim log of the embedded store: sales exist in both.

use std::sync::Arc;

use adapter_embedded::Embedded;
use adapter_postgres::Postgres;
use domain::id::{IdempotencyKey, ProductNo, SaleId};
use domain::sale::Sale;
use ports::Fault;
use ports::clock::SystemClock;
use ports::contract::Backend;
use ports::sales::{Action, Created, Restocked, Sales, Updated};

use crate::server;

struct Both {
    ledger: Arc<Postgres>,
    inventory: Arc<Embedded>,
}

#[async_trait::async_trait]
impl Sales for Both {
    async fn create(&self, sale: Sale) -> Result<Created, Fault> {
        self.inventory.create(sale.clone()).await?;
        self.ledger.create(sale).await
    }

    async fn list(&self) -> Result<Vec<Sale>, Fault> {
        self.ledger.list().await
    }

    async fn update(&self, sale: Sale, redefine: bool) -> Result<Updated, Fault> {
        self.ledger.update(sale, redefine).await
    }

    async fn restock(
        &self,
        sale: &SaleId,
        product: ProductNo,
        units: u32,
        key: &IdempotencyKey,
    ) -> Result<Restocked, Fault> {
        self.ledger.restock(sale, product, units, key).await
    }

    async fn note(&self, action: Action) -> Result<(), Fault> {
        self.ledger.note(action).await
    }

    async fn actions(&self, limit: usize) -> Result<Vec<Action>, Fault> {
        self.ledger.actions(limit).await
    }
}

/// An embedded store in a folder of its own.
pub fn embedded() -> (Arc<Embedded>, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let options = adapter_embedded::Options {
        dir: dir.path().to_path_buf(),
        clock: Arc::new(SystemClock::start()),
        address_deadline_ms: 60_000,
        secret: None,
    };
    (Arc::new(Embedded::open(options).expect("opened")), dir)
}

/// Every store port.
pub fn backend(ledger: &Arc<Postgres>, inventory: &Arc<Embedded>) -> Backend {
    Backend {
        inventory: inventory.clone(),
        rebuild: inventory.clone(),
        claims: inventory.clone(),
        allocations: ledger.clone(),
        ledger: ledger.clone(),
        effects: ledger.clone(),
        terms: ledger.clone(),
        books: ledger.clone(),
        sales: Arc::new(Both { ledger: ledger.clone(), inventory: inventory.clone() }),
        board: inventory.clone(),
    }
}

/// A backend of one's own.
pub async fn fresh() -> (Backend, tempfile::TempDir) {
    let (ledger, _) = server::store().await;
    let (inventory, dir) = embedded();
    (backend(&ledger, &inventory), dir)
}
