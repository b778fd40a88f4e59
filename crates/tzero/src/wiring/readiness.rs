//! What this process depends on, and how each of it is: every one is asked for itself, at once and within a time limit, so that
//! one that hangs hides no other.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::id::{ProductNo, ShardId};
use gateway::edge::{Probe, Readiness};
use ports::challenges::Challenges;
use purchase::Stores;
use purchase::catalog::Catalog;
use tokio::sync::watch;

use super::OrdersDesk;

/// By how much the clock of this process may differ from the ledger's, milliseconds.
const APART_MS: u64 = 1_000;
/// How long a dependency may take to say that it is there.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// All of it.
#[derive(Clone)]
pub(super) struct Dependencies {
    pub(super) stores: Stores,
    pub(super) catalog: Arc<Catalog>,
    /// Why the store has stopped by itself, if it has.
    pub(super) failed: watch::Receiver<Option<String>>,
    /// Where the provider's API is.
    pub(super) provider_url: String,
    pub(super) orders: OrdersDesk,
    /// What nobody does, in words.
    pub(super) missing: Option<String>,
    pub(super) challenges: Arc<dyn Challenges>,
    /// Whether there is work for this process while the ledger is away: holds, pages and statuses go on in a fleet.
    pub(super) works_without_the_store: bool,
}

impl Dependencies {
    /// The question that `/readyz` asks.
    pub(super) fn probe(self) -> Probe {
        let client = http_client::builder().timeout(PATIENCE).build().ok();
        Arc::new(move || {
            let (all, client) = (self.clone(), client.clone());
            Box::pin(async move { all.ask(client).await })
        })
    }

    async fn ask(self, client: Option<reqwest::Client>) -> Vec<Readiness> {
        let stopped = self.failed.borrow().clone();
        let has_stopped = stopped.is_some();
        let store = async {
            match stopped {
                Some(why) => Some(why),
                None => self.stores.sales.list().await.err().map(|fault| fault.to_string()),
            }
        };
        let provider = provider(client, &self.provider_url);
        let (store, clock, inventory, claims, provider) = tokio::join!(
            in_time(store),
            clock(&self.stores),
            in_time(inventory(&self.stores, &self.catalog)),
            in_time(claims(&self.stores, &self.catalog)),
            in_time(provider),
        );
        let challenges = self.challenges.trouble(self.stores.clock.now());
        vec![
            readiness("store", has_stopped || !self.works_without_the_store, store),
            readiness("clock", false, clock),
            readiness("inventory", false, inventory),
            readiness("claims", false, claims),
            readiness("payments", false, provider),
            // Without a node that sells there are still pages, statuses and payments.
            readiness("orders", false, self.orders.trouble()),
            readiness("challenges", false, challenges),
            readiness("roles", false, self.missing),
        ]
    }
}

/// What is wrong, or that there was no answer.
async fn in_time(asked: impl Future<Output = Option<String>>) -> Option<String> {
    let answered = tokio::time::timeout(PATIENCE, asked).await;
    answered.unwrap_or_else(|_| Some(format!("no answer in {} ms", PATIENCE.as_millis())))
}

fn readiness(name: &'static str, vital: bool, wrong: Option<String>) -> Readiness {
    Readiness { name, ready: wrong.is_none(), vital, detail: wrong.unwrap_or_default() }
}

/// A provider that does not answer. Any answer shows that somebody is there, unless it says that the server has failed, as a
/// proxy does whose provider is away.
async fn provider(client: Option<reqwest::Client>, url: &str) -> Option<String> {
    let Some(client) = client else { return Some("no HTTP client".to_owned()) };
    match client.get(format!("{url}/v1/health")).send().await {
        Ok(answer) if answer.status().is_server_error() => Some(format!("it answers {}", answer.status())),
        Ok(_) => None,
        Err(error) => Some(http_client::why(&error, PATIENCE)),
    }
}

/// The first shard there is, to ask a store about.
fn any_shard(catalog: &Catalog) -> Option<ShardId> {
    let sale = catalog.all().into_iter().next()?;
    Some(ShardId { sale: sale.sale_id.clone(), number: 0 })
}

/// Clocks that differ. A ledger that does not answer is named as the store, and not here.
async fn clock(stores: &Stores) -> Option<String> {
    let before = stores.clock.now();
    let theirs = tokio::time::timeout(PATIENCE, stores.ledger.now()).await.ok()?.ok()?;
    let ahead_ms = theirs.ahead_of(before, stores.clock.now());
    (ahead_ms.unsigned_abs() > APART_MS).then(|| {
        let (seconds, how) =
            (ahead_ms.unsigned_abs() as f64 / 1_000.0, if ahead_ms > 0 { "behind" } else { "ahead of" });
        format!(
            "this process's clock is {seconds:.1} s {how} the ledger's: sales begin by the one and holds end by the other; \
             synchronise the clocks of the machines"
        )
    })
}

/// A store that does not answer, else shards that are closed.
async fn inventory(stores: &Stores, catalog: &Catalog) -> Option<String> {
    if let Some(shard) = any_shard(catalog)
        && let Err(fault) = stores.rebuild.running(&shard).await
    {
        return Some(fault.to_string());
    }
    let closed = catalog.all().into_iter().filter(|sale| {
        let view = stores.inventory.view(&sale.sale_id, ProductNo(0));
        view.is_none_or(|view| !view.open)
    });
    let closed: Vec<String> = closed.map(|sale| sale.sale_id.to_string()).collect();
    (!closed.is_empty()).then(|| format!("the stock is being made ready: {}", closed.join(", ")))
}

/// A claim log that does not answer.
async fn claims(stores: &Stores, catalog: &Catalog) -> Option<String> {
    stores.claims.end(&any_shard(catalog)?).await.err().map(|fault| fault.to_string())
}

#[cfg(test)]
#[path = "readiness_tests.rs"]
mod tests;
