//! Adding units: once per key, together with the effect that tells the inventory.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::few::Few;
use domain::hold::{Effect, EffectKind};
use domain::id::{IdempotencyKey, ProductNo, SaleId, TicketId};
use domain::limits::MAX_STOCK;
use ports::sales::Restocked;

use crate::effects::insert_effects;
use crate::failure::Failure;
use crate::job::{Job, row, write};
use crate::queries;
use crate::rows::{cell, product_no};
use crate::sales::held;

/// A restock.
pub(crate) struct Restock<'a> {
    pub(crate) sale: &'a SaleId,
    pub(crate) product: ProductNo,
    pub(crate) units: u32,
    pub(crate) key: &'a IdempotencyKey,
}

#[async_trait]
impl Job for Restock<'_> {
    type Answer = Restocked;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let Some((number, mut sale)) = held(inside, self.sale).await? else { return Ok(Restocked::Unknown) };
        let key = self.key.as_str();
        if let Some(known) = row(inside, queries::RESTOCK_FIND, &[&number, &key]).await? {
            let same =
                product_no(&known)? == self.product && cell::<i64>(&known, "units")? == i64::from(self.units);
            return Ok(if same { Restocked::Replay(sale) } else { Restocked::KeyReused });
        }
        let Some(definition) = sale.products.get_mut(self.product.index()) else {
            return Ok(Restocked::Unknown);
        };
        let before = definition.stock;
        let after = before.checked_add(self.units).filter(|after| *after <= MAX_STOCK);
        let Some(after) = after else { return Ok(Restocked::TooMany) };
        definition.stock = after;
        sale.revision += 1;
        let product = i32::from(self.product.0);
        write(inside, queries::PRODUCT_RESTOCK, &[&number, &product, &after.cast_signed()]).await?;
        write(inside, queries::SLICES_FILL, &[&number]).await?;
        write(inside, queries::SALE_REVISE, &[&number]).await?;
        let noted: crate::job::Given<'_> = &[&number, &key, &product, &i64::from(self.units)];
        write(inside, queries::RESTOCK_INSERT, noted).await?;
        let units: Few<u32> = [before, after].into_iter().collect();
        let effect =
            Effect { kind: EffectKind::Restock, product: self.product, claim: TicketId([0; 16]), units };
        // One shard a sale: its units are all there.
        insert_effects(inside, &[(number, 0, effect)]).await?;
        Ok(Restocked::Restocked(sale))
    }
}
