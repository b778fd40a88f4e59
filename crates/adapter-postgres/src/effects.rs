//! The outbox: effects wait in the table until the inventory has them.

use std::time::Duration;

use async_trait::async_trait;
use domain::hold::Effect;
use domain::id::{Epoch, ShardId};
use ports::Fault;
use ports::ledger::{Effects, PendingEffect};
use tokio_postgres::Row;

use crate::Postgres;
use crate::failure::Failure;
use crate::ledger::bounded;
use crate::rows::{cell, claim, product_no, small, unit_numbers};
use crate::{queries, words};

/// How long effects that another process wrote may wait to be seen.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[async_trait]
impl Effects for Postgres {
    async fn pending(&self, shard: &ShardId, limit: usize) -> Result<(Epoch, Vec<PendingEffect>), Fault> {
        let Some(sale) = self.sale_number(&shard.sale).await? else { return Ok((Epoch(0), Vec::new())) };
        let given: crate::job::Given<'_> = &[&sale, &i32::from(shard.number), &bounded(limit)];
        let rows = self.ask(queries::EFFECTS_PENDING, given).await?;
        read(&rows).map_err(|failure| self.fault(failure))
    }

    async fn forget(&self, shard: &ShardId, ids: Vec<u64>) -> Result<(), Fault> {
        let Some(sale) = self.sale_number(&shard.sale).await? else { return Ok(()) };
        let ids: Vec<i64> = ids.into_iter().filter_map(|id| i64::try_from(id).ok()).collect();
        self.ask(queries::EFFECTS_FORGET, &[&sale, &i32::from(shard.number), &ids]).await.map(drop)
    }

    async fn wait(&self, shard: &ShardId) {
        // Listening begins before the look, so that an effect in between wakes.
        let mut sent = self.sent.listen(shard);
        if self.pending(shard, 1).await.is_ok_and(|(_, effects)| !effects.is_empty()) {
            return;
        }
        drop(tokio::time::timeout(LOOK_AGAIN, sent.changed()).await);
    }
}

fn read(rows: &[Row]) -> Result<(Epoch, Vec<PendingEffect>), Failure> {
    let Some(first) = rows.first() else { return Ok((Epoch(0), Vec::new())) };
    let epoch = Epoch(small(cell(first, "epoch")?, "epoch")?);
    let mut effects = Vec::new();
    for row in rows {
        let Some(id) = cell::<Option<i64>>(row, "id")? else { continue };
        let effect = Effect {
            kind: words::read_effect(cell(row, "kind")?)?,
            product: product_no(row)?,
            claim: claim(row)?,
            units: unit_numbers(row, "units")?,
        };
        effects.push(PendingEffect { id: small(id, "number of an effect")?, effect });
    }
    Ok((epoch, effects))
}
