//! What this process depends on, and how each of it is: every one is asked for itself, at once and within a time limit, so that
//! one that hangs hides no other.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::id::{SaleId, ShardId};
use futures::StreamExt as _;
use gateway::edge::{Probe, Readiness};
use ports::challenges::Challenges;
use purchase::Stores;
use purchase::catalog::Catalog;
use purchase::selling::{Selling, selling};
use tokio::sync::watch;

use super::OrdersDesk;

/// By how much the clock of this process may differ from the ledger's, milliseconds.
const APART_MS: u64 = 1_000;
/// How long a dependency may take to say that it is there.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// Sales whose logs are asked for side by side: each question takes a thread.
const LOGS_AT_ONCE: usize = 32;
/// Sales that are named of those with which something is wrong.
const NAMED: usize = 5;

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
            inventory(&self.stores, &self.catalog),
            in_time(claims(&self.stores, &self.catalog)),
            in_time(provider),
        );
        let challenges = self.challenges.trouble(self.stores.clock.now());
        // A provider that answers may still take nothing from us.
        let provider = provider.or_else(|| self.stores.payments.trouble());
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

/// Inventories that do not answer, and shards that are closed, of every sale that is not over.
async fn inventory(stores: &Stores, catalog: &Catalog) -> Option<String> {
    trouble(&selling(stores, catalog, PATIENCE).await)
}

fn trouble(selling: &[Selling]) -> Option<String> {
    let away: Vec<_> =
        selling.iter().filter_map(|each| each.open.as_ref().err().map(|fault| (&each.sale, fault))).collect();
    let closed: Vec<_> =
        selling.iter().filter(|each| each.open == Ok(false)).map(|each| &each.sale).collect();
    let silent = away.first().map(|(_, fault)| {
        let sales: Vec<_> = away.iter().map(|(sale, _)| *sale).collect();
        format!("{fault} (asked for {})", named(&sales))
    });
    let closed = (!closed.is_empty()).then(|| format!("the stock is being made ready: {}", named(&closed)));
    match (silent, closed) {
        (Some(silent), Some(closed)) => Some(format!("{silent}; {closed}")),
        (silent, closed) => silent.or(closed),
    }
}

/// The first of them, and how many more there are.
fn named(sales: &[&SaleId]) -> String {
    let mut text: Vec<String> = sales.iter().take(NAMED).map(ToString::to_string).collect();
    if sales.len() > NAMED {
        text.push(format!("{} more", sales.len() - NAMED));
    }
    text.join(", ")
}

/// A claim log that does not answer for a sale that is not over.
async fn claims(stores: &Stores, catalog: &Catalog) -> Option<String> {
    let now = stores.clock.now();
    let sales = catalog.all().into_iter().filter(|sale| now < sale.ends_at);
    let asked = sales.map(async |sale| {
        let shard = ShardId { sale: sale.sale_id.clone(), number: 0 };
        stores.claims.end(&shard).await.err().map(|fault| fault.to_string())
    });
    let mut answers = futures::stream::iter(asked).buffer_unordered(LOGS_AT_ONCE);
    while let Some(answer) = answers.next().await {
        if answer.is_some() {
            return answer;
        }
    }
    None
}

#[cfg(test)]
#[path = "readiness_tests.rs"]
mod tests;
