//! A sale: its definition, what an operator did to it, and whether it takes checkouts at an instant.

use crate::challenge::ChallengeRule;
use crate::id::{ProductId, ProductNo, SaleId};
use crate::product::Product;
use crate::time::Timestamp;

/// How buyers are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whoever's request comes first.
    Rush,
    /// Who entered before the start is ordered by lot.
    Draw,
}

/// A sale as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Identifier.
    pub sale_id: SaleId,
    /// Name shown to buyers.
    pub name: String,
    /// Description shown to buyers; may be empty.
    pub description: String,
    /// The operator's message to buyers; may be empty.
    pub message: String,
    /// T-zero.
    pub starts_at: Timestamp,
    /// From here on no checkout is taken.
    pub ends_at: Timestamp,
    /// How buyers are put in order.
    pub mode: Mode,
    /// The buyer's time to pay, milliseconds, from the moment at which the payment address is there.
    pub hold_ms: u64,
    /// By how much a buyer may extend a hold once, milliseconds; 0 where not at all.
    pub extension_ms: u64,
    /// Whom it asks to show that they are no program.
    pub challenge: ChallengeRule,
    /// Shards of the inventory.
    pub shards: u16,
    /// Whether the operator has stopped new checkouts for now.
    pub paused: bool,
    /// The products; a [`ProductNo`] is a place in this list.
    pub products: Vec<Product>,
    /// Raised by every change, so that a node can tell whether its copy is the newest.
    pub revision: u64,
}

/// Why a sale takes no new checkout at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateRefusal {
    /// `ends_at` has passed.
    Ended,
    /// `starts_at` has not come.
    NotStarted {
        /// T-zero.
        starts_at: Timestamp,
    },
    /// The operator has paused it.
    Paused,
}

/// The state shown to the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleState {
    /// Before `starts_at`.
    Scheduled,
    /// Selling.
    Live,
    /// The operator has stopped new checkouts.
    Paused,
    /// Every unit of every product is confirmed.
    SoldOut,
    /// After `ends_at`.
    Ended,
}

impl Sale {
    /// Whether a new checkout may be taken at `now`: ended first, then too early, then paused.
    ///
    /// # Errors
    /// The first refusal that applies.
    pub fn gate(&self, now: Timestamp) -> Result<(), GateRefusal> {
        if now >= self.ends_at {
            Err(GateRefusal::Ended)
        } else if now < self.starts_at {
            Err(GateRefusal::NotStarted { starts_at: self.starts_at })
        } else if self.paused {
            Err(GateRefusal::Paused)
        } else {
            Ok(())
        }
    }

    /// The state shown to the public; where several hold: ended, then paused, then sold out.
    #[must_use]
    pub fn state(&self, now: Timestamp, sold_out: bool) -> SaleState {
        if now >= self.ends_at {
            SaleState::Ended
        } else if self.paused {
            SaleState::Paused
        } else if sold_out {
            SaleState::SoldOut
        } else if now < self.starts_at {
            SaleState::Scheduled
        } else {
            SaleState::Live
        }
    }

    /// The product called `id`, with its number.
    #[must_use]
    pub fn product(&self, id: &ProductId) -> Option<(ProductNo, &Product)> {
        let at = self.products.iter().position(|product| product.product_id == *id)?;
        Some((ProductNo(at as u16), &self.products[at]))
    }
}
