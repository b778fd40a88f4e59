//! The ledger port: changes of orders, work, deadlines, stories.

use async_trait::async_trait;
use domain::id::TicketId;
use domain::order::{Order, Work};
use domain::time::Timestamp;
use domain::transition::Change;
use ports::Fault;
use ports::ledger::{AddressQueue, Applied, Ledger, Step};
use tokio_postgres::Row;

use crate::Postgres;
use crate::apply::{self, Apply};
use crate::failure::Failure;
use crate::rows::{cell, instant, small, state_and_reason, ticket, time_of};
use crate::{queries, rows, words};

#[async_trait]
impl Ledger for Postgres {
    async fn now(&self) -> Result<Timestamp, Fault> {
        let rows = self.ask(queries::CLOCK, &[]).await?;
        let told = apply::clock(rows.first());
        told.map_err(|failure| self.fault(failure))
    }

    async fn apply(&self, changes: Vec<(TicketId, Change)>) -> Result<Vec<Applied>, Fault> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let applied = self.run(&Apply { store: self, changes: &changes }).await?;
        for outcome in &applied {
            if let Applied::Changed(order) = outcome {
                self.deadlines.saw(order);
                self.sent.raise(&order.shard);
            }
        }
        Ok(applied)
    }

    async fn note_event(&self, provider: &str, event: &str) -> Result<bool, Fault> {
        let rows = self.ask(queries::EVENT_NOTE, &[&provider, &event]).await?;
        Ok(!rows.is_empty())
    }

    async fn order(&self, ticket: TicketId) -> Result<Option<Order>, Fault> {
        let rows = self.ask(queries::ORDER, &[&&ticket.0[..]]).await?;
        Ok(self.orders_of(&rows).await?.pop())
    }

    async fn story(&self, ticket: TicketId) -> Result<Vec<Step>, Fault> {
        let rows = self.ask(queries::STORY, &[&&ticket.0[..]]).await?;
        rows.iter().map(step).collect::<Result<_, _>>().map_err(|failure| self.fault(failure))
    }

    async fn take_work(&self, work: Work, limit: usize, lease_ms: u64) -> Result<Vec<Order>, Fault> {
        let (limit, lease) = (bounded(limit), i64::try_from(lease_ms).unwrap_or(i64::MAX));
        let rows = self.ask(queries::WORK_TAKE, &[&words::work(work), &limit, &lease]).await?;
        self.orders_of(&rows).await
    }

    async fn address_queue(&self) -> Result<AddressQueue, Fault> {
        let rows = self.ask(queries::ADDRESS_QUEUE, &[]).await?;
        let read = |row: &Row| -> Result<AddressQueue, Failure> {
            let count = |name| small(cell::<i64>(row, name)?, "count");
            Ok(AddressQueue { waiting: count("waiting")?, idle: count("idle")?, made: count("made")? })
        };
        rows.first().map_or(Ok(AddressQueue::default()), read).map_err(|failure| self.fault(failure))
    }

    async fn put_off(&self, ticket: TicketId, work: Work, at: Timestamp) -> Result<(), Fault> {
        let given: crate::job::Given<'_> = &[&&ticket.0[..], &words::work(work), &instant(at)];
        self.ask(queries::WORK_PUT_OFF, given).await.map(drop)
    }

    async fn overdue(&self, limit: usize) -> Result<Vec<TicketId>, Fault> {
        self.refresh_deadlines().await;
        let rows = self.ask(queries::OVERDUE, &[&bounded(limit)]).await?;
        rows.iter().map(ticket).collect::<Result<_, _>>().map_err(|failure| self.fault(failure))
    }
}

/// A limit as the tables count.
pub(crate) fn bounded(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn step(row: &Row) -> Result<Step, Failure> {
    let (state, reason) = state_and_reason(row)?;
    Ok(Step { at: time_of(row, "at")?, version: small(cell(row, "version")?, "version")?, state, reason })
}

impl Postgres {
    /// Orders of rows, in their order.
    pub(crate) async fn orders_of(&self, found: &[Row]) -> Result<Vec<Order>, Fault> {
        let mut orders = Vec::with_capacity(found.len());
        if found.is_empty() {
            return Ok(orders);
        }
        let client = self.client().await.map_err(|failure| self.fault(failure))?;
        for row in found {
            let read = async {
                let sale = self.numbers.sale(&client, cell(row, "sale_no")?).await?;
                rows::order(row, sale)
            };
            orders.push(read.await.map_err(|failure| self.fault(failure))?);
        }
        Ok(orders)
    }
}
