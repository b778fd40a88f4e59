//! Counts of products as an orders node told them last, kept up to date while somebody looks at them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use domain::hold::StockView;
use domain::id::{ProductId, SaleId};

use crate::message::ProductOf;

/// One product that somebody has looked at.
#[derive(Debug)]
struct Seen {
    /// When last, milliseconds of the process's clock.
    looked_ms: AtomicU64,
    view: Option<StockView>,
}

/// Counts of so many products at most.
#[derive(Debug)]
pub(crate) struct Views {
    seen: RwLock<HashMap<ProductOf, Seen>>,
    most: usize,
}

impl Views {
    pub(crate) fn of_at_most(most: usize) -> Self {
        Self { seen: RwLock::default(), most }
    }

    /// What was told last; asks for it from now on.
    pub(crate) fn look(&self, sale: &SaleId, product: &ProductId, now: Duration) -> Option<StockView> {
        let key = (sale.clone(), product.clone());
        let now_ms = now.as_millis() as u64;
        if let Some(seen) = self.seen.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            seen.looked_ms.store(now_ms, Ordering::Relaxed);
            return seen.view;
        }
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < self.most {
            seen.entry(key).or_insert(Seen { looked_ms: AtomicU64::new(now_ms), view: None });
        }
        None
    }

    /// Which products somebody has looked at in the time `kept` before `now`; the others are forgotten.
    pub(crate) fn wanted(&self, now: Duration, kept: Duration) -> Vec<ProductOf> {
        let since_ms = now.saturating_sub(kept).as_millis() as u64;
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, seen| seen.looked_ms.load(Ordering::Relaxed) >= since_ms);
        seen.keys().cloned().collect()
    }

    /// Notes what a node told of `products`. One that knows nothing of a product does not undo what is known.
    pub(crate) fn told(&self, products: &[ProductOf], views: Vec<Option<StockView>>) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        for (product, view) in products.iter().zip(views) {
            if let (Some(seen), Some(view)) = (seen.get_mut(product), view) {
                seen.view = Some(view);
            }
        }
    }
}
