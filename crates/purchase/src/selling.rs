//! Whether the stock of each sale is handed out, asked of the inventories now: what was seen last may be of before a failure.

use std::time::Duration;

use domain::id::{SaleId, ShardId};
use futures::StreamExt as _;
use ports::Fault;

use crate::catalog::Catalog;
use crate::stores::Stores;

/// Sales that are asked about side by side: those that hang leave room for the others.
const AT_ONCE: usize = 256;

/// What the inventories said of one sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selling {
    /// Which one.
    pub sale: SaleId,
    /// Whether every shard of it hands out units; the first fault where one did not say.
    pub open: Result<bool, Fault>,
}

impl Selling {
    /// Whether it is known to be open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open == Ok(true)
    }
}

/// Asks about every sale that is not over; all of it takes `patience` at most.
pub async fn selling(stores: &Stores, catalog: &Catalog, patience: Duration) -> Vec<Selling> {
    let now = stores.clock.now();
    let until = stores.clock.elapsed() + patience;
    let sales = catalog.all().into_iter().filter(|sale| now < sale.ends_at);
    let asked = sales.map(async |sale| {
        let left = until.saturating_sub(stores.clock.elapsed());
        let answered = tokio::time::timeout(left, open(stores, &sale.sale_id, sale.shards)).await;
        let none =
            || Fault::unavailable("the inventory", format!("no answer in {} ms", patience.as_millis()));
        Selling { sale: sale.sale_id.clone(), open: answered.unwrap_or_else(|_| Err(none())) }
    });
    futures::stream::iter(asked).buffered(AT_ONCE).collect().await
}

async fn open(stores: &Stores, sale: &SaleId, shards: u16) -> Result<bool, Fault> {
    for number in 0..shards {
        let shard = ShardId { sale: sale.clone(), number };
        if stores.rebuild.running(&shard).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}
