//! Who owns which units, and what buyers own, as far as a batch asks: read once, then kept while the batch is decided,
//! so that what is decided first bears on what follows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deadpool_postgres::Transaction;
use domain::hold::Units;
use domain::id::{ProductNo, TicketId, UserHash};
use domain::money::Money;

use crate::failure::Failure;
use crate::job::rows;
use crate::queries;
use crate::rows::{cell, currency, product_no, small, ticket, user};

/// A product by the number of its sale and its own.
pub(crate) type ProductKey = (i32, ProductNo);

/// What a batch asks about.
#[derive(Default)]
pub(crate) struct Asked {
    units: BTreeSet<(ProductKey, u32)>,
    buyers: BTreeSet<(ProductKey, UserHash)>,
}

impl Asked {
    /// Asks who owns `units`, and what `user` owns of the product.
    pub(crate) fn about(&mut self, product: ProductKey, user: UserHash, units: &Units) {
        self.buyers.insert((product, user));
        self.units.extend(units.iter().map(|unit| (product, *unit)));
    }

    fn products(&self) -> BTreeSet<ProductKey> {
        self.buyers.iter().map(|(product, _)| *product).collect()
    }
}

/// What a decision needs to know of a product.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) stock: u32,
    pub(crate) max_per_user: u8,
    pub(crate) price: Money,
}

/// The answer.
#[derive(Default)]
pub(crate) struct Live {
    products: HashMap<ProductKey, Limits>,
    owners: HashMap<(ProductKey, u32), TicketId>,
    /// Places of a buyer's limit that are taken, by whom.
    places: HashMap<(ProductKey, UserHash), BTreeMap<i16, TicketId>>,
}

fn sale_of((sale, _): &ProductKey) -> i32 {
    *sale
}

fn number_of((_, product): &ProductKey) -> i32 {
    i32::from(product.0)
}

impl Live {
    /// Reads what was asked about.
    pub(crate) async fn read(inside: &Transaction<'_>, asked: &Asked) -> Result<Self, Failure> {
        let mut live = Self::of_products(inside, asked).await?;
        for product in asked.products() {
            live.read_product(inside, asked, product).await?;
        }
        Ok(live)
    }

    /// Reads the products that were asked about, as if nobody owned anything.
    pub(crate) async fn of_products(inside: &Transaction<'_>, asked: &Asked) -> Result<Self, Failure> {
        let mut live = Self::default();
        let products = asked.products();
        let sales: Vec<i32> = products.iter().map(sale_of).collect();
        let numbers: Vec<i32> = products.iter().map(number_of).collect();
        for row in rows(inside, queries::PRODUCT_LIMITS, &[&sales, &numbers]).await? {
            let limits = Limits {
                stock: small(i64::from(cell::<i32>(&row, "stock")?), "stock")?,
                max_per_user: small(i64::from(cell::<i16>(&row, "max_per_user")?), "limit")?,
                price: Money {
                    minor: cell(&row, "price_minor")?,
                    currency: currency(cell(&row, "currency")?)?,
                },
            };
            live.products.insert((cell(&row, "sale_no")?, product_no(&row)?), limits);
        }
        Ok(live)
    }

    /// Who owns what of one product: a batch asks about few of them. In the order of the indexes, so that one look finds
    /// the pages of the last one.
    async fn read_product(
        &mut self,
        inside: &Transaction<'_>,
        asked: &Asked,
        product: ProductKey,
    ) -> Result<(), Failure> {
        let units = asked.units.iter().filter(|(of, _)| *of == product).map(|(_, unit)| unit.cast_signed());
        let users = asked.buyers.iter().filter(|(of, _)| *of == product).map(|(_, user)| &user.0[..]);
        let (units, users): (Vec<i32>, Vec<&[u8]>) = (units.collect(), users.collect());
        let given: crate::job::Given<'_> = &[&sale_of(&product), &number_of(&product), &units, &users];
        for row in rows(inside, queries::LIVE_UNITS, given).await? {
            let unit = small(i64::from(cell::<i32>(&row, "unit_no")?), "unit")?;
            self.put(product, user(&row)?, unit, cell(&row, "user_slot")?, ticket(&row)?);
        }
        Ok(())
    }

    fn put(&mut self, product: ProductKey, user: UserHash, unit: u32, place: i16, owner: TicketId) {
        self.owners.insert((product, unit), owner);
        self.places.entry((product, user)).or_default().insert(place, owner);
    }

    /// What is known of a product; `None` where there is none.
    pub(crate) fn product(&self, product: ProductKey) -> Option<Limits> {
        self.products.get(&product).copied()
    }

    /// Whether anybody owns any of `units`.
    pub(crate) fn taken(&self, product: ProductKey, units: &Units) -> bool {
        units.iter().any(|unit| self.owners.contains_key(&(product, *unit)))
    }

    /// How many units a buyer owns.
    pub(crate) fn user_units(&self, product: ProductKey, user: UserHash) -> u32 {
        self.places.get(&(product, user)).map_or(0, |places| places.len() as u32)
    }

    /// Gives `units` to an order; the places of its buyer's limit that they take, `None` where there are too few.
    pub(crate) fn own(
        &mut self,
        product: ProductKey,
        user: UserHash,
        owner: TicketId,
        units: &Units,
    ) -> Option<Vec<i16>> {
        let limit = i16::from(self.product(product)?.max_per_user);
        let taken = self.places.entry((product, user)).or_default();
        let free: Vec<i16> =
            (0..limit).filter(|place| !taken.contains_key(place)).take(units.len()).collect();
        if free.len() < units.len() {
            return None;
        }
        for (unit, place) in units.iter().zip(&free) {
            self.put(product, user, *unit, *place, owner);
        }
        Some(free)
    }

    /// An order owns nothing any more.
    pub(crate) fn disown(&mut self, owner: TicketId) {
        self.owners.retain(|_, other| *other != owner);
        self.places.values_mut().for_each(|places| places.retain(|_, other| *other != owner));
    }
}
