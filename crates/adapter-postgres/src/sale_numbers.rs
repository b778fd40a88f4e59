//! Which number stands for which sale in the tables: short keys, and a sale keeps its number for ever.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use deadpool_postgres::GenericClient;
use domain::id::SaleId;

use crate::failure::Failure;
use crate::job::rows;
use crate::queries;
use crate::rows::cell;

/// Numbers that were seen.
#[derive(Default)]
pub(crate) struct SaleNumbers {
    known: RwLock<Known>,
}

#[derive(Clone, Default)]
struct Known {
    numbers: HashMap<SaleId, i32>,
    sales: HashMap<i32, SaleId>,
}

impl SaleNumbers {
    /// The number of a sale; `None` where there is no such sale.
    pub(crate) async fn number(
        &self,
        client: &impl GenericClient,
        sale: &SaleId,
    ) -> Result<Option<i32>, Failure> {
        if let Some(number) = self.seen(sale) {
            return Ok(Some(number));
        }
        self.fill(client).await?;
        Ok(self.seen(sale))
    }

    /// The sale of a number.
    pub(crate) async fn sale(&self, client: &impl GenericClient, number: i32) -> Result<SaleId, Failure> {
        let seen = || self.known.read().unwrap_or_else(PoisonError::into_inner).sales.get(&number).cloned();
        if let Some(sale) = seen() {
            return Ok(sale);
        }
        self.fill(client).await?;
        seen().ok_or_else(|| Failure::damaged("the ledger", format!("there is no sale of number {number}")))
    }

    /// The number of a sale, without asking.
    pub(crate) fn seen(&self, sale: &SaleId) -> Option<i32> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).numbers.get(sale).copied()
    }

    async fn fill(&self, client: &impl GenericClient) -> Result<(), Failure> {
        let mut known = Known::default();
        for row in rows(client, queries::SALE_NUMBERS, &[]).await? {
            let number: i32 = cell(&row, "sale_no")?;
            let sale = SaleId::parse(cell(&row, "sale_id")?)
                .map_err(|refusal| Failure::damaged("a sale's identifier", refusal))?;
            known.numbers.insert(sale.clone(), number);
            known.sales.insert(number, sale);
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }
}
