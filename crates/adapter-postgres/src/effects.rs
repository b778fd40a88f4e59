//! The outbox: effects wait in the table until the inventory has them.
//!
//! Effects that were decided one after the other and are of one kind and product share a row: a batch that was taken in has
//! a few rows to write, to read and to delete, where it would have a thousand. The number of an effect is its row's, and its
//! place there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::few::Few;
use domain::hold::Effect;
use domain::id::{Epoch, ShardId, TicketId};
use ports::Fault;
use ports::ledger::{Effects, PendingEffect};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::Postgres;
use crate::copy::Copy;
use crate::failure::Failure;
use crate::ledger::bounded;
use crate::rows::{cell, product_no, small};
use crate::{queries, words};

/// How long effects that another process wrote may wait to be seen.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Effects of a row at most; the schema says the same.
const PLACES: u64 = 64;
/// Units of a row at most, unless one effect alone has more: a row that fits into a quarter of a page is stored as it is.
const UNITS: usize = 128;

#[async_trait]
impl Effects for Postgres {
    async fn pending(&self, shard: &ShardId, limit: usize) -> Result<(Epoch, Vec<PendingEffect>), Fault> {
        let Some(sale) = self.sale_number(&shard.sale).await? else { return Ok((Epoch(0), Vec::new())) };
        let given: crate::job::Given<'_> = &[&sale, &i32::from(shard.number), &bounded(limit)];
        let rows = self.ask(queries::EFFECTS_PENDING, given).await?;
        let (epoch, mut effects) = read(&rows).map_err(|failure| self.fault(failure))?;
        effects.truncate(limit);
        Ok((epoch, effects))
    }

    async fn forget(&self, shard: &ShardId, ids: Vec<u64>) -> Result<(), Fault> {
        let Some(sale) = self.sale_number(&shard.sale).await? else { return Ok(()) };
        let shard = i32::from(shard.number);
        let mut told = by_row(&ids);
        let rows: Vec<i64> = told.keys().copied().collect();
        let counts: Vec<i32> = told.values().map(|places| places.len() as i32).collect();
        for row in self.ask(queries::EFFECTS_FORGET, &[&sale, &shard, &rows, &counts]).await? {
            let whole: i64 = cell(&row, "id").map_err(|failure| self.fault(failure))?;
            told.remove(&whole);
        }
        for (id, places) in told {
            self.forget_some(sale, shard, id, places).await?;
        }
        Ok(())
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

impl Postgres {
    /// Forgets some effects of a row, and the row with the last of them. A row that is gone stays gone.
    async fn forget_some(&self, sale: i32, shard: i32, id: i64, places: BTreeSet<i32>) -> Result<(), Fault> {
        let places: Vec<i32> = places.into_iter().collect();
        for row in self.ask(queries::EFFECTS_TOLD, &[&sale, &shard, &id, &places]).await? {
            if cell(&row, "whole").map_err(|failure| self.fault(failure))? {
                let count: i32 = cell(&row, "count").map_err(|failure| self.fault(failure))?;
                let given: crate::job::Given<'_> = &[&sale, &shard, &vec![id], &vec![count]];
                self.ask(queries::EFFECTS_FORGET, given).await?;
            }
        }
        Ok(())
    }
}

/// Numbers of effects by row; places count from 1.
fn by_row(ids: &[u64]) -> BTreeMap<i64, BTreeSet<i32>> {
    let mut rows: BTreeMap<i64, BTreeSet<i32>> = BTreeMap::new();
    for id in ids {
        let (row, place) = ((id / PLACES).cast_signed(), (id % PLACES) as i32 + 1);
        rows.entry(row).or_default().insert(place);
    }
    rows
}

fn read(rows: &[Row]) -> Result<(Epoch, Vec<PendingEffect>), Failure> {
    let Some(first) = rows.first() else { return Ok((Epoch(0), Vec::new())) };
    let epoch = Epoch(small(cell(first, "epoch")?, "epoch")?);
    let mut effects = Vec::new();
    for row in rows {
        if let Some(id) = cell::<Option<i64>>(row, "id")? {
            read_row(row, small(id, "number of an effect")?, &mut effects)?;
        }
    }
    Ok((epoch, effects))
}

/// The effects of a row that wait.
fn read_row(row: &Row, id: u64, effects: &mut Vec<PendingEffect>) -> Result<(), Failure> {
    let (kind, product) = (words::read_effect(cell(row, "kind")?)?, product_no(row)?);
    let (counts, told): (Vec<i32>, Vec<i32>) = (cell(row, "counts")?, cell(row, "told")?);
    let claims = cell::<&[u8]>(row, "claims")?.as_chunks::<16>().0;
    let mut units = cell::<Vec<i32>>(row, "units")?.into_iter();
    for ((claim, count), place) in claims.iter().zip(counts).zip(0..) {
        let own = units.by_ref().take(usize::try_from(count).unwrap_or_default());
        let own: Result<Few<u32>, Failure> = own.map(|unit| small(i64::from(unit), "unit")).collect();
        let effect = Effect { kind, product, claim: TicketId(*claim), units: own? };
        if !told.contains(&(place + 1)) {
            effects.push(PendingEffect { id: id * PLACES + u64::from(place.cast_unsigned()), effect });
        }
    }
    Ok(())
}

/// Writes effects, each with the shard that must be told.
pub(crate) async fn insert_effects(
    inside: &Transaction<'_>,
    effects: &[(i32, u16, Effect)],
) -> Result<(), Failure> {
    if effects.is_empty() {
        return Ok(());
    }
    let types =
        &[Type::INT4, Type::INT4, Type::TEXT, Type::INT4, Type::BYTEA, Type::INT4_ARRAY, Type::INT4_ARRAY];
    let mut copy = Copy::begin(inside, queries::EFFECTS_INSERT, types).await?;
    for group in groups(effects) {
        let Some((sale, shard, first)) = group.first() else { continue };
        let each = || group.iter().map(|(.., effect)| effect);
        let claims: Vec<u8> = each().flat_map(|effect| effect.claim.0).collect();
        let counts: Vec<i32> = each().map(|effect| effect.units.len() as i32).collect();
        let units: Vec<i32> =
            each().flat_map(|effect| effect.units.iter().map(|unit| unit.cast_signed())).collect();
        let (kind, product) = (words::effect(first.kind), i32::from(first.product.0));
        copy.row(&[sale, &i32::from(*shard), &kind, &product, &claims, &counts, &units]).await?;
    }
    copy.end().await.map(drop)
}

/// The effects of each row, in their order.
fn groups(effects: &[(i32, u16, Effect)]) -> Vec<&[(i32, u16, Effect)]> {
    let (mut groups, mut from, mut units) = (Vec::new(), 0, 0);
    for (at, (sale, shard, effect)) in effects.iter().enumerate() {
        let (first_sale, first_shard, first) = &effects[from];
        let same = (sale, shard) == (first_sale, first_shard)
            && (effect.kind, effect.product) == (first.kind, first.product);
        units += effect.units.len();
        if at > from && (!same || at - from >= PLACES as usize || units > UNITS) {
            groups.push(&effects[from..at]);
            (from, units) = (at, effect.units.len());
        }
    }
    groups.push(&effects[from..]);
    groups
}
