//! When the next hold of a product may lapse: a hint that is asked for without waiting, so it is kept at hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::{ProductNo, SaleId};
use domain::order::Order;
use domain::time::Timestamp;
use ports::clock::Clock;
use std::time::SystemTime;

use crate::Postgres;
use crate::failure::Failure;
use crate::job::rows;
use crate::queries;
use crate::rows::{cell, product_no, time};

/// How old the hint may be before it is read again.
const AGE: Duration = Duration::from_millis(250);
/// Products that are kept in mind; what was not asked for lately makes room.
const KEPT: usize = 4_096;

type Key = (SaleId, ProductNo);

/// Deadlines of the products that somebody asks about.
pub(crate) struct Deadlines {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    read_at: Option<Duration>,
    first: HashMap<Key, Option<Timestamp>>,
}

impl Deadlines {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An order of this process has a deadline.
    pub(crate) fn saw(&self, order: &Order) {
        let Some(at) = order.deadline() else { return };
        self.with(|kept| {
            if let Some(first) = kept.first.get_mut(&(order.shard.sale.clone(), order.terms.product)) {
                *first = Some(first.map_or(at, |first| first.min(at)));
            }
        });
    }

    /// What is known; a product that nobody asked about is known from the next reading on.
    pub(crate) fn next(&self, sale: &SaleId, product: ProductNo) -> Option<Timestamp> {
        self.with(|kept| {
            if kept.first.len() >= KEPT {
                kept.first.clear();
            }
            *kept.first.entry((sale.clone(), product)).or_default()
        })
    }

    /// The products to read, where it is time; nobody else reads them meanwhile.
    fn due(&self) -> Vec<Key> {
        let now = self.clock.elapsed();
        self.with(|kept| {
            if kept.read_at.is_some_and(|at| now.saturating_sub(at) < AGE) {
                return Vec::new();
            }
            kept.read_at = Some(now);
            kept.first.keys().cloned().collect()
        })
    }
}

impl Postgres {
    /// Reads deadlines again where they are old. A hint: where that fails, the old ones stay.
    pub(crate) async fn refresh_deadlines(&self) {
        let due = self.deadlines.due();
        if due.is_empty() {
            return;
        }
        if let Ok(Err(failure)) = tokio::time::timeout(self.limits.operation, self.read_deadlines(&due)).await
        {
            tracing::debug!(%failure, "deadlines were not read");
        }
    }

    async fn read_deadlines(&self, due: &[Key]) -> Result<(), Failure> {
        let client = self.client().await?;
        let mut asked: HashMap<(i32, ProductNo), &Key> = HashMap::new();
        for key in due {
            if let Some(sale) = self.numbers.number(&client, &key.0).await? {
                asked.insert((sale, key.1), key);
            }
        }
        let sales: Vec<i32> = asked.keys().map(|(sale, _)| *sale).collect();
        let products: Vec<i32> = asked.keys().map(|(_, product)| i32::from(product.0)).collect();
        for row in rows(&client, queries::DEADLINES, &[&sales, &products]).await? {
            let deadline: Option<SystemTime> = cell(&row, "deadline")?;
            let key = asked.get(&(cell(&row, "sale_no")?, product_no(&row)?));
            if let Some(key) = key {
                self.deadlines.with(|kept| kept.first.insert((*key).clone(), deadline.map(time)));
            }
        }
        Ok(())
    }
}
