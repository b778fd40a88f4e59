//! A product of a sale, and how much of it the public is told.

use crate::id::ProductId;
use crate::money::Money;

/// What is sold: definition only, no stock movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Identifier within the sale.
    pub product_id: ProductId,
    /// Name shown to buyers.
    pub name: String,
    /// Description shown to buyers; may be empty.
    pub description: String,
    /// Address of a picture.
    pub image_url: Option<String>,
    /// Price of one unit.
    pub price: Money,
    /// A former or list price, for comparison.
    pub compare_at: Option<Money>,
    /// Units that exist; a restock raises it.
    pub stock: u32,
    /// Units that one buyer may hold and own together.
    pub max_per_user: u8,
}

/// What the public is told instead of exact counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Units are free.
    InStock,
    /// A tenth of the stock or less is free.
    Low,
    /// Nothing is free now, but holds may lapse.
    AllHeld,
    /// Every unit is confirmed.
    SoldOut,
}

impl Availability {
    /// From the counts of one product.
    #[must_use]
    pub const fn of(stock: u32, available: u32, sold: u32) -> Self {
        if sold >= stock {
            Self::SoldOut
        } else if available == 0 {
            Self::AllHeld
        } else if available as u64 * 10 <= stock as u64 {
            Self::Low
        } else {
            Self::InStock
        }
    }
}

/// Whether a page may show an image from there: another server over HTTPS, or a path here. After two slashes browsers read another
/// server's name, and `\` is a slash to them.
#[must_use]
pub fn is_image_url(url: &str) -> bool {
    url.starts_with("https://") || url.strip_prefix('/').is_some_and(|rest| !rest.starts_with(['/', '\\']))
}
