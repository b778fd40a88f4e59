//! The catalog: this node's copy of every sale's definition, read without waiting.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::challenge::ChallengeRule;
use domain::id::SaleId;
use domain::sale::Sale;
use ports::Fault;
use ports::clock::Clock;
use ports::sales::Sales;
use tokio::sync::watch;

use crate::asked::Asked;

/// Whoever asks for a sale that this node does not know waits no longer than this for an answer of the store.
const PATIENCE: Duration = Duration::from_millis(800);

/// A copy of the sales, refreshed from the store and by this node's own changes.
pub struct Catalog {
    sales: ArcSwap<BTreeMap<SaleId, Arc<Sale>>>,
    /// The sales that ask for challenges, by identifier: nearly always none.
    asking: ArcSwap<Vec<(SaleId, ChallengeRule)>>,
    changed: watch::Sender<u64>,
    /// The question for sales that this node does not know.
    unknown: Asked<Result<(), Fault>>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self {
            sales: ArcSwap::default(),
            asking: ArcSwap::default(),
            changed: watch::Sender::new(0),
            unknown: Asked::default(),
        }
    }
}

impl Catalog {
    /// The sale called `id`.
    #[must_use]
    pub fn get(&self, id: &SaleId) -> Option<Arc<Sale>> {
        self.sales.load().get(id).cloned()
    }

    /// The sale called `id`. One that this node does not know may have been made by another just now: the store is asked, by one
    /// for all who wait.
    ///
    /// # Errors
    /// A fault of the store: nobody can tell whether there is such a sale.
    pub async fn find(
        &self,
        id: &SaleId,
        sales: &dyn Sales,
        clock: &dyn Clock,
    ) -> Result<Option<Arc<Sale>>, Fault> {
        if let Some(known) = self.get(id) {
            return Ok(Some(known));
        }
        let none = || Fault::unavailable("the sales", format!("no answer in {} ms", PATIENCE.as_millis()));
        let refreshed = async {
            let answer = tokio::time::timeout(PATIENCE, self.refresh(sales)).await;
            answer.unwrap_or_else(|_| Err(none()))
        };
        self.unknown.get(clock, refreshed).await?;
        Ok(self.get(id))
    }

    /// Every sale, by identifier.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Sale>> {
        self.sales.load().values().cloned().collect()
    }

    /// Whom the sale called `id` asks for a challenge. Costs next to nothing where no sale asks anybody, and neither a hash nor
    /// a sale's definition where one does.
    #[must_use]
    pub fn challenge(&self, id: &SaleId) -> ChallengeRule {
        let asking = self.asking.load();
        let found = asking.binary_search_by(|(sale, _)| sale.cmp(id));
        found.ok().and_then(|at| asking.get(at)).map_or(ChallengeRule::Never, |(_, rule)| *rule)
    }

    /// Whether any sale asks those about whom something was noticed.
    #[must_use]
    pub fn asks_suspects(&self) -> bool {
        self.asking.load().iter().any(|(_, rule)| *rule == ChallengeRule::Suspects)
    }

    /// Takes in a sale unless the copy is newer.
    pub fn put(&self, sale: Sale) {
        let sale = Arc::new(sale);
        self.sales.rcu(|sales| {
            let mut next = BTreeMap::clone(sales);
            let newer = next.get(&sale.sale_id).is_some_and(|known| known.revision > sale.revision);
            if !newer {
                next.insert(sale.sale_id.clone(), Arc::clone(&sale));
            }
            next
        });
        let asks = |sale: &&Arc<Sale>| sale.challenge != ChallengeRule::Never;
        let asking = |sale: &Arc<Sale>| (sale.sale_id.clone(), sale.challenge);
        self.asking.rcu(|_| self.sales.load().values().filter(asks).map(asking).collect::<Vec<_>>());
        self.changed.send_modify(|count| *count += 1);
    }

    /// Reads every sale from the store.
    ///
    /// # Errors
    /// A fault of the store; the copy is as it was.
    pub async fn refresh(&self, sales: &dyn Sales) -> Result<(), Fault> {
        for sale in sales.list().await? {
            let known = self.get(&sale.sale_id);
            if known.is_none_or(|known| known.revision != sale.revision) {
                self.put(sale);
            }
        }
        Ok(())
    }

    /// Tells when something changed.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
