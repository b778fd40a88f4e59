//! Definitions of sales, and what operators did.

use async_trait::async_trait;
use domain::few::Few;
use domain::hold::{Effect, EffectKind};
use domain::id::{IdempotencyKey, ProductNo, SaleId, ShardId, TicketId};
use domain::limits::MAX_STOCK;
use domain::sale::Sale;
use ports::Fault;
use ports::sales::{Action, Created, Restocked, Sales, Updated};
use wire::record::Record;

use crate::Embedded;
use crate::core::Core;

#[async_trait]
impl Sales for Embedded {
    async fn create(&self, sale: Sale) -> Result<Created, Fault> {
        self.call(move |core| {
            if core.book.sales.contains_key(&sale.sale_id) {
                return Ok(Created::Exists);
            }
            let shards = (0..sale.shards).map(|number| ShardId { sale: sale.sale_id.clone(), number });
            shards.for_each(|shard| core.touch(&shard));
            core.record(Record::Sale(Box::new(Sale { revision: 1, ..sale }))).map(|()| Created::Created)
        })
        .await?
    }

    async fn list(&self) -> Result<Vec<Sale>, Fault> {
        self.call(move |core| core.book.sales.values().map(|book| book.sale.clone()).collect()).await
    }

    async fn update(&self, sale: Sale, redefine: bool) -> Result<Updated, Fault> {
        self.call(move |core| update(core, sale, redefine)).await?
    }

    async fn restock(
        &self,
        sale: &SaleId,
        product: ProductNo,
        units: u32,
        key: &IdempotencyKey,
    ) -> Result<Restocked, Fault> {
        let (sale, key) = (sale.clone(), key.clone());
        self.call(move |core| restock(core, &sale, product, units, key)).await?
    }

    async fn note(&self, action: Action) -> Result<(), Fault> {
        self.call(move |core| core.record(Record::Action(action))).await?
    }

    async fn actions(&self, limit: usize) -> Result<Vec<Action>, Fault> {
        self.call(move |core| core.book.actions.iter().take(limit).cloned().collect()).await
    }
}

fn update(core: &mut Core, mut sale: Sale, redefine: bool) -> Result<Updated, Fault> {
    let Some(book) = core.book.sales.get(&sale.sale_id) else { return Ok(Updated::Unknown) };
    let stored = &book.sale;
    if stored.revision != sale.revision {
        return Ok(Updated::Conflict(stored.clone()));
    }
    if !redefine {
        // Stock moves by restocks only.
        for (product, known) in sale.products.iter_mut().zip(&stored.products) {
            product.stock = known.stock;
        }
    }
    sale.revision += 1;
    for number in 0..sale.shards {
        core.touch(&ShardId { sale: sale.sale_id.clone(), number });
    }
    core.record(Record::Sale(Box::new(sale.clone())))?;
    Ok(Updated::Updated(sale))
}

fn restock(
    core: &mut Core,
    id: &SaleId,
    product: ProductNo,
    units: u32,
    key: IdempotencyKey,
) -> Result<Restocked, Fault> {
    let Some(book) = core.book.sales.get(id) else { return Ok(Restocked::Unknown) };
    let mut sale = book.sale.clone();
    match book.restocks.get(&key) {
        Some(known) if *known == (product, units) => return Ok(Restocked::Replay(sale)),
        Some(_) => return Ok(Restocked::KeyReused),
        None => {}
    }
    let Some(definition) = sale.products.get_mut(product.index()) else { return Ok(Restocked::Unknown) };
    let before = definition.stock;
    let after = before.checked_add(units).filter(|after| *after <= MAX_STOCK);
    let Some(after) = after else { return Ok(Restocked::TooMany) };
    definition.stock = after;
    sale.revision += 1;
    core.record(Record::Restock { sale: id.clone(), product, units, key })?;
    core.record(Record::Sale(Box::new(sale.clone())))?;
    let units: Few<u32> = [before, after].into_iter().collect();
    let effect = Effect { kind: EffectKind::Restock, product, claim: TicketId([0; 16]), units };
    // One shard a sale: its units are all there.
    core.send(&ShardId { sale: id.clone(), number: 0 }, effect);
    Ok(Restocked::Restocked(sale))
}
