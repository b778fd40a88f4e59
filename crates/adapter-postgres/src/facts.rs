//! Facts of orders: changes wait in a table until they were told.

use async_trait::async_trait;
use domain::id::ProductId;
use ports::Fault;
use ports::facts::{Facts, Untold};
use tokio_postgres::Row;

use crate::Postgres;
use crate::failure::Failure;
use crate::ledger::bounded;
use crate::queries;
use crate::rows::{cell, small};

#[async_trait]
impl Facts for Postgres {
    async fn take(&self, limit: usize, lease_ms: u64) -> Result<Vec<Untold>, Fault> {
        let lease = i64::try_from(lease_ms).unwrap_or(i64::MAX);
        let rows = self.ask(queries::FACTS_TAKE, &[&bounded(limit), &lease]).await?;
        let orders = self.orders_of(&rows).await?;
        let named: Result<Vec<_>, Failure> = rows.iter().map(named).collect();
        let named = named.map_err(|failure| self.fault(failure))?;
        let told = named.into_iter().zip(orders);
        Ok(told.map(|((id, product), order)| Untold { id, order, product }).collect())
    }

    async fn told(&self, ids: Vec<u64>) -> Result<(), Fault> {
        let ids: Vec<i64> = ids.into_iter().filter_map(|id| i64::try_from(id).ok()).collect();
        self.ask(queries::FACTS_TOLD, &[&ids]).await.map(drop)
    }
}

fn named(row: &Row) -> Result<(u64, ProductId), Failure> {
    let id = small(cell::<i64>(row, "untold")?, "number of a change")?;
    let product = ProductId::parse(cell(row, "product_id")?)
        .map_err(|refusal| Failure::damaged("a product's identifier", refusal))?;
    Ok((id, product))
}
