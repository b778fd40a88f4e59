//! What an operator sees and does of orders: lists, stories, refunds.

use std::time::Duration;

use domain::id::{SaleId, TicketId};
use domain::order::{Order, Work};
use domain::transition::Change;
use ports::Fault;
use ports::ledger::{Applied, OrderFilter, Step};

use super::{Operator, RefundAnswer};
use crate::stores::reference;

/// How long the order of a ticket that was just given is waited for, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(20);
/// How long a list waits for claims on their way.
const MOMENT: Duration = Duration::from_millis(100);

impl Operator {
    /// Orders of a sale; see [`ports::ledger::Books::orders`].
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn orders(
        &self,
        id: &SaleId,
        filter: &OrderFilter,
        cursor: u64,
        limit: usize,
    ) -> Result<(Vec<Order>, Option<u64>), Fault> {
        if cursor == 0 {
            self.caught_up(id).await?;
        }
        self.stores.books.orders(id, filter, cursor, limit).await
    }

    /// Waits a moment for claims on their way into the ledger, so that who was just answered is in the list.
    async fn caught_up(&self, id: &SaleId) -> Result<(), Fault> {
        let until = self.stores.clock.elapsed() + MOMENT;
        while self.totals(id).await?.claims_waiting > 0 && self.stores.clock.elapsed() < until {
            tokio::time::sleep(PAUSE / 4).await;
        }
        Ok(())
    }

    /// The whole story of an order.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn story(&self, ticket: TicketId) -> Result<Option<(Order, Vec<Step>)>, Fault> {
        match self.order(ticket).await? {
            Some(order) => Ok(Some((order, self.stores.ledger.story(ticket).await?))),
            None => Ok(None),
        }
    }

    /// The order of a ticket; waits for a claim that is still on its way into the ledger.
    async fn order(&self, ticket: TicketId) -> Result<Option<Order>, Fault> {
        let until = self.stores.clock.elapsed() + PATIENCE;
        loop {
            let order = self.stores.ledger.order(ticket).await?;
            if order.is_some() || self.stores.clock.elapsed() >= until {
                return Ok(order);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Refunds a confirmed order.
    ///
    /// # Errors
    /// A fault of the ledger.
    pub async fn refund(
        &self,
        actor: &str,
        ticket: TicketId,
        return_units: bool,
    ) -> Result<RefundAnswer, Fault> {
        if self.order(ticket).await?.is_none() {
            return Ok(RefundAnswer::Unknown);
        }
        match self.stores.ledger.apply(vec![(ticket, Change::Refund { return_units })]).await?.pop() {
            Some(Applied::Changed(order)) => {
                self.stores.show([&*order]).await;
                self.stores.pulse.nudge(Work::Refund);
                let detail = format!("reference {}, units returned: {return_units}", reference(ticket));
                self.note(actor, "refund", Some(&order.shard.sale), detail).await?;
                Ok(RefundAnswer::Refunding(order))
            }
            Some(Applied::Replay(order)) => Ok(RefundAnswer::Refunding(order)),
            Some(Applied::Refused(refusal, order)) => Ok(RefundAnswer::Refused(refusal, order)),
            Some(Applied::Unknown) | None => Ok(RefundAnswer::Unknown),
        }
    }
}
