//! Definitions of sales, and what operators did.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use domain::fence::Term;
use domain::id::{IdempotencyKey, ProductNo, SaleId};
use domain::product::Product;
use domain::sale::Sale;
use ports::Fault;
use ports::sales::{Action, Created, Restocked, Sales, Updated};
use tokio_postgres::Row;

use crate::Postgres;
use crate::allocate::signed;
use crate::failure::Failure;
use crate::job::{Job, row, rows, write};
use crate::ledger::bounded;
use crate::restock::Restock;
use crate::rows::{cell, instant, product, sale, time_of};
use crate::{queries, words};

#[async_trait]
impl Sales for Postgres {
    async fn create(&self, sale: Sale) -> Result<Created, Fault> {
        self.run(&Create { sale: &sale }).await
    }

    async fn list(&self) -> Result<Vec<Sale>, Fault> {
        self.refresh_deadlines().await;
        self.run(&List).await
    }

    async fn update(&self, sale: Sale, redefine: bool) -> Result<Updated, Fault> {
        self.run(&Update { sale: &sale, redefine }).await
    }

    async fn restock(
        &self,
        sale: &SaleId,
        product: ProductNo,
        units: u32,
        key: &IdempotencyKey,
    ) -> Result<Restocked, Fault> {
        let restocked = self.run(&Restock { sale, product, units, key }).await?;
        self.sent.raise(&domain::id::ShardId { sale: sale.clone(), number: 0 });
        Ok(restocked)
    }

    async fn note(&self, action: Action) -> Result<(), Fault> {
        let sale = action.sale.as_ref().map(SaleId::as_str);
        let given: crate::job::Given<'_> =
            &[&instant(action.at), &action.actor, &action.action, &sale, &action.detail];
        self.ask(queries::ACTION_INSERT, given).await.map(drop)
    }

    async fn actions(&self, limit: usize) -> Result<Vec<Action>, Fault> {
        let rows = self.ask(queries::ACTION_LIST, &[&bounded(limit)]).await?;
        rows.iter().map(action).collect::<Result<_, _>>().map_err(|failure| self.fault(failure))
    }
}

fn action(row: &Row) -> Result<Action, Failure> {
    let sale = cell::<Option<&str>>(row, "sale_id")?.map(SaleId::parse).transpose();
    Ok(Action {
        at: time_of(row, "at")?,
        actor: cell(row, "actor")?,
        action: cell(row, "action")?,
        sale: sale.map_err(|refusal| Failure::damaged("a sale's identifier", refusal))?,
        detail: cell(row, "detail")?,
    })
}

/// A sale with its products, and its number.
pub(crate) async fn whole(client: &impl GenericClient, found: &Row) -> Result<(i32, Sale), Failure> {
    let number: i32 = cell(found, "sale_no")?;
    let mut whole = sale(found)?;
    for row in rows(client, queries::PRODUCTS_LIST, &[&vec![number]]).await? {
        whole.products.push(product(&row)?);
    }
    Ok((number, whole))
}

/// The sale of a name, kept from others until the transaction ends.
pub(crate) async fn held(inside: &Transaction<'_>, id: &SaleId) -> Result<Option<(i32, Sale)>, Failure> {
    match row(inside, queries::SALE_HOLD, &[&id.as_str()]).await? {
        Some(found) => whole(inside, &found).await.map(Some),
        None => Ok(None),
    }
}

struct List;

#[async_trait]
impl Job for List {
    type Answer = Vec<Sale>;
    const WHOLE_SALE: bool = true;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let found = rows(inside, queries::SALE_LIST, &[]).await?;
        let numbers: Vec<i32> = found.iter().map(|row| cell(row, "sale_no")).collect::<Result<_, _>>()?;
        let mut sales: Vec<Sale> = found.iter().map(sale).collect::<Result<_, _>>()?;
        for row in rows(inside, queries::PRODUCTS_LIST, &[&numbers]).await? {
            let number: i32 = cell(&row, "sale_no")?;
            let at = numbers.iter().position(|known| *known == number);
            if let Some(sale) = at.and_then(|at| sales.get_mut(at)) {
                sale.products.push(product(&row)?);
            }
        }
        Ok(sales)
    }
}

struct Create<'a> {
    sale: &'a Sale,
}

#[async_trait]
impl Job for Create<'_> {
    type Answer = Created;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let sale = self.sale;
        let (starts, ends) = (instant(sale.starts_at), instant(sale.ends_at));
        let (hold, extension) = (sale.hold_ms.cast_signed(), sale.extension_ms.cast_signed());
        let given: crate::job::Given<'_> = &[
            &sale.sale_id.as_str(),
            &sale.name,
            &sale.description,
            &sale.message,
            &starts,
            &ends,
            &words::mode(sale.mode),
            &hold,
            &extension,
            &i32::from(sale.shards),
            &sale.paused,
            &sale.challenge.as_str(),
        ];
        let Some(made) = row(inside, queries::SALE_INSERT, given).await? else { return Ok(Created::Exists) };
        let number: i32 = cell(&made, "sale_no")?;
        define(inside, number, sale).await?;
        Ok(Created::Created)
    }
}

/// Writes products, slices and terms of a sale. One shard a sale: its units are all there.
async fn define(inside: &Transaction<'_>, number: i32, sale: &Sale) -> Result<(), Failure> {
    let stocks: Vec<i32> = sale.products.iter().map(|product| product.stock.cast_signed()).collect();
    let numbers: Vec<i32> = (0..sale.products.len() as i32).collect();
    write(inside, queries::SLICES_CUT, &[&number, &numbers, &stocks]).await?;
    write(inside, queries::PRODUCTS_DROP, &[&number, &(sale.products.len() as i32)]).await?;
    put_products(inside, number, &sale.products).await?;
    write(inside, queries::SLICES_FILL, &[&number]).await?;
    let fence = Term::NEW.fence.map(signed).transpose()?;
    let (epoch, state) = (i64::from(Term::NEW.epoch.0), words::term(Term::NEW.state));
    write(inside, queries::TERMS_INSERT, &[&number, &i32::from(sale.shards), &epoch, &state, &fence])
        .await
        .map(drop)
}

async fn put_products(inside: &Transaction<'_>, sale: i32, products: &[Product]) -> Result<(), Failure> {
    let numbers: Vec<i32> = (0..products.len() as i32).collect();
    let ids: Vec<&str> = products.iter().map(|product| product.product_id.as_str()).collect();
    let names: Vec<&str> = products.iter().map(|product| product.name.as_str()).collect();
    let descriptions: Vec<&str> = products.iter().map(|product| product.description.as_str()).collect();
    let images: Vec<Option<&str>> = products.iter().map(|product| product.image_url.as_deref()).collect();
    let prices: Vec<i64> = products.iter().map(|product| product.price.minor).collect();
    let currencies: Vec<&str> = products.iter().map(|product| product.price.currency.code()).collect();
    let compared: Vec<Option<i64>> =
        products.iter().map(|product| product.compare_at.map(|money| money.minor)).collect();
    let compared_in: Vec<Option<&str>> = products
        .iter()
        .map(|product| product.compare_at.as_ref().map(|money| money.currency.code()))
        .collect();
    let stocks: Vec<i32> = products.iter().map(|product| product.stock.cast_signed()).collect();
    let limits: Vec<i16> = products.iter().map(|product| i16::from(product.max_per_user)).collect();
    let given: crate::job::Given<'_> = &[
        &sale,
        &numbers,
        &ids,
        &names,
        &descriptions,
        &images,
        &prices,
        &currencies,
        &compared,
        &compared_in,
        &stocks,
        &limits,
    ];
    write(inside, queries::PRODUCTS_PUT, given).await.map(drop)
}

struct Update<'a> {
    sale: &'a Sale,
    redefine: bool,
}

#[async_trait]
impl Job for Update<'_> {
    type Answer = Updated;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let Some((number, stored)) = held(inside, &self.sale.sale_id).await? else {
            return Ok(Updated::Unknown);
        };
        if stored.revision != self.sale.revision {
            return Ok(Updated::Conflict(stored));
        }
        let mut sale = self.sale.clone();
        if !self.redefine {
            // Stock moves by restocks only.
            for (product, known) in sale.products.iter_mut().zip(&stored.products) {
                product.stock = known.stock;
            }
        }
        sale.revision += 1;
        let (starts, ends) = (instant(sale.starts_at), instant(sale.ends_at));
        let (hold, extension) = (sale.hold_ms.cast_signed(), sale.extension_ms.cast_signed());
        let given: crate::job::Given<'_> = &[
            &sale.sale_id.as_str(),
            &sale.name,
            &sale.description,
            &sale.message,
            &starts,
            &ends,
            &words::mode(sale.mode),
            &hold,
            &extension,
            &i32::from(sale.shards),
            &sale.paused,
            &sale.challenge.as_str(),
        ];
        write(inside, queries::SALE_UPDATE, given).await?;
        define(inside, number, &sale).await?;
        Ok(Updated::Updated(sale))
    }
}
