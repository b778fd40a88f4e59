//! The ledger about itself: orders against the table of units, and columns that follow from others against the rules.

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::audit::{Violation, ViolationKind};
use domain::id::SaleId;
use domain::unit_set::UnitSet;

use crate::Postgres;
use crate::failure::Failure;
use crate::job::{Job, rows};
use crate::rows::{cell, follows, order, unit_numbers};
use crate::{queries, rows as read};

/// Checks one sale.
pub(crate) struct SelfCheck<'a> {
    pub(crate) store: &'a Postgres,
    pub(crate) sale: &'a SaleId,
}

#[async_trait]
impl Job for SelfCheck<'_> {
    type Answer = Vec<Violation>;
    const WHOLE_SALE: bool = true;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let Some(sale) = self.store.numbers.number(inside, self.sale).await? else { return Ok(Vec::new()) };
        let mut findings = Vec::new();
        for row in rows(inside, queries::CHECK_UNITS, &[&sale]).await? {
            findings.push(units_differ(&row)?);
        }
        for row in rows(inside, queries::ORDERS_OF_SALE, &[&sale]).await? {
            let order = order(&row, self.sale.clone())?;
            if !follows(&row, &order)? {
                let number: i64 = cell(&row, "number")?;
                let detail = format!("the work or the deadline of order {number} is not what its state says");
                findings.push(differs(order.units.iter().copied().filter(|_| order.live), detail));
            }
        }
        Ok(findings)
    }
}

fn differs(units: impl IntoIterator<Item = u32>, detail: String) -> Violation {
    Violation { kind: ViolationKind::TableDiffers, units: UnitSet::collect(units).0, detail }
}

fn units_differ(row: &tokio_postgres::Row) -> Result<Violation, Failure> {
    let (ordered, owned) = (unit_numbers(row, "ordered")?, unit_numbers(row, "owned")?);
    let product = read::product_no(row)?.0;
    let whose = match cell::<Option<i64>>(row, "number")? {
        Some(number) => format!("order {number}"),
        None => "an order that is not live".to_owned(),
    };
    let detail = format!(
        "units of product {product}: {whose} has {ordered:?} in the table orders and {owned:?} in the table order_unit"
    );
    let units = ordered.iter().chain(owned.iter()).copied();
    let once = |unit: &u32| ordered.contains(unit) != owned.contains(unit);
    Ok(differs(units.filter(once), detail))
}
