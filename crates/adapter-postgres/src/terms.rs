//! The terms of shards: each step is the rules' step on a held row.

use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{Object, Transaction};
use domain::fence::{Position, Term, TermState};
use domain::id::{Epoch, ShardId};
use domain::snapshot::{ProductSnapshot, RecordSnapshot, ShardSnapshot};
use domain::unit_set::UnitSet;
use ports::Fault;
use ports::ledger::Terms;

use tokio::task::JoinSet;

use crate::Postgres;
use crate::allocate::signed;
use crate::failure::Failure;
use crate::job::{Job, row, rows, write};
use crate::rows::{cell, small, term};
use crate::{queries, rows, words};

/// How long the server keeps the turn of a process that says nothing: one that hangs has lost it, and so has one whose machine is
/// gone without a word.
const SILENT: Duration = Duration::from_secs(6);

#[async_trait]
impl Terms for Postgres {
    async fn turn(&self, shard: &ShardId) -> Result<Option<ports::ledger::Turn>, Fault> {
        let Some(sale) = self.sale_number(&shard.sale).await? else { return Ok(None) };
        let take = async {
            let client = self.client().await?;
            let given: crate::job::Given<'_> = &[&sale, &i32::from(shard.number)];
            let taken = row(&client, queries::TURN_TAKE, given).await?;
            let mine = taken.map_or(Ok(false), |row| cell::<bool>(&row, "mine"))?;
            if !mine {
                return Ok(None);
            }
            // The connection leaves the pool: the turn ends with its session, and so with this process.
            let client = Object::take(client);
            client.batch_execute(&format!("SET idle_session_timeout = {}", SILENT.as_millis())).await?;
            let mut speaking = JoinSet::new();
            speaking.spawn(async move {
                while client.batch_execute("").await.is_ok() {
                    tokio::time::sleep(SILENT / 4).await;
                }
            });
            Ok(Some(ports::ledger::Turn::new(speaking)))
        };
        take.await.map_err(|failure: Failure| self.fault(failure))
    }

    async fn term(&self, shard: &ShardId) -> Result<Term, Fault> {
        Ok(self.stored_term(shard).await?.map_or(Term::NEW, |(term, _)| term))
    }

    async fn fence(&self, shard: &ShardId) -> Result<Term, Fault> {
        self.run(&Turn { store: self, shard, step: Step::Begin }).await.map(|(_, after)| after)
    }

    async fn set_fence(&self, shard: &ShardId, epoch: Epoch, end: Position) -> Result<Term, Fault> {
        self.run(&Turn { store: self, shard, step: Step::Fence(epoch, end) }).await.map(|(_, after)| after)
    }

    async fn snapshot(&self, shard: &ShardId, epoch: Epoch) -> Result<Option<ShardSnapshot>, Fault> {
        self.run(&Snapshot { store: self, shard, epoch }).await
    }

    async fn opened(&self, shard: &ShardId, epoch: Epoch) -> Result<bool, Fault> {
        let (_, after) = self.run(&Turn { store: self, shard, step: Step::Opened(epoch) }).await?;
        // Also where an earlier try has opened it already.
        Ok(after.epoch == epoch && after.state == TermState::Open)
    }
}

/// A step of a renewal.
enum Step {
    Begin,
    Fence(Epoch, Position),
    Opened(Epoch),
}

struct Turn<'a> {
    store: &'a Postgres,
    shard: &'a ShardId,
    step: Step,
}

#[async_trait]
impl Job for Turn<'_> {
    /// The term before and after.
    type Answer = (Term, Term);

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let (sale, before, _) = held_term(self.store, inside, self.shard).await?;
        let after = match self.step {
            Step::Begin => before.begin(),
            Step::Fence(epoch, end) => before.with_fence(epoch, end),
            Step::Opened(epoch) => before.opened(epoch).unwrap_or(before),
        };
        if after != before {
            set_term(inside, sale, self.shard, after).await?;
        }
        Ok((before, after))
    }
}

/// The term of a shard with its position, held, and the number of its sale.
async fn held_term(
    store: &Postgres,
    inside: &Transaction<'_>,
    shard: &ShardId,
) -> Result<(i32, Term, Position), Failure> {
    let missing = || Failure::damaged("the ledger", format!("there is no shard {shard}"));
    let sale = store.numbers.number(inside, &shard.sale).await?.ok_or_else(missing)?;
    let held = row(inside, queries::TERM_HOLD, &[&sale, &i32::from(shard.number)]).await?;
    let held = held.ok_or_else(missing)?;
    Ok((sale, term(&held)?, Position(small(cell(&held, "position")?, "position")?)))
}

async fn set_term(inside: &Transaction<'_>, sale: i32, shard: &ShardId, term: Term) -> Result<(), Failure> {
    let fence = term.fence.map(signed).transpose()?;
    let (number, epoch, state) = (i32::from(shard.number), i64::from(term.epoch.0), words::term(term.state));
    write(inside, queries::TERM_SET, &[&sale, &number, &epoch, &state, &fence]).await.map(drop)
}

/// The shard at one instant: what is deleted from the outbox is exactly what the picture has.
struct Snapshot<'a> {
    store: &'a Postgres,
    shard: &'a ShardId,
    epoch: Epoch,
}

#[async_trait]
impl Job for Snapshot<'_> {
    type Answer = Option<ShardSnapshot>;
    const WHOLE_SALE: bool = true;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let (sale, before, position) = held_term(self.store, inside, self.shard).await?;
        let Some(after) = before.snapshot(self.epoch, position) else { return Ok(None) };
        set_term(inside, sale, self.shard, after).await?;
        let shard = i32::from(self.shard.number);
        write(inside, queries::EFFECTS_DROP, &[&sale, &shard]).await?;
        let mut products = Vec::new();
        for row in rows(inside, queries::SLICES, &[&sale, &shard]).await? {
            products.push((
                small(i64::from(cell::<i32>(&row, "stock")?), "stock")?,
                slice(&row)?,
                Vec::new(),
            ));
        }
        let mut records = Vec::new();
        for row in rows(inside, queries::ORDERS_OF_SHARD, &[&sale, &shard, &true]).await? {
            let order = rows::order(&row, self.shard.sale.clone())?;
            if let (true, Some((.., owned))) = (order.live, products.get_mut(order.terms.product.index())) {
                owned.extend(order.units.iter().copied());
            }
            records.extend(RecordSnapshot::of(&order));
        }
        let product = |(stock, slice, owned): (u32, UnitSet, Vec<u32>)| ProductSnapshot {
            stock,
            free: slice.difference(&UnitSet::collect(owned).0),
        };
        let products = products.into_iter().map(product).collect();
        Ok(Some(ShardSnapshot { epoch: self.epoch, products, records }))
    }
}

/// The units that the shard may give out.
fn slice(row: &tokio_postgres::Row) -> Result<UnitSet, Failure> {
    let (firsts, ends): (Vec<i32>, Vec<i32>) = (cell(row, "firsts")?, cell(row, "ends")?);
    let ranges = firsts.into_iter().zip(ends).map(|(first, end)| first.cast_unsigned()..end.cast_unsigned());
    Ok(UnitSet::from_ranges(ranges))
}
