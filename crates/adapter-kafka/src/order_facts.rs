//! How orders stand, told to the shop's own systems: at least once, the newest version counts.

use std::sync::Arc;

use async_trait::async_trait;
use ports::Fault;
use ports::facts::{FactLog, Untold};
use wire::order_event::{self, OrderFact};

use crate::producer::{Outgoing, Publisher};
use crate::topics::Topics;

/// Publishes to the topic `orders`; the facts of one ticket stay in order.
#[derive(Clone)]
pub struct OrderFacts {
    publisher: Arc<Publisher>,
    topics: Arc<Topics>,
}

impl OrderFacts {
    pub(crate) const fn new(publisher: Arc<Publisher>, topics: Arc<Topics>) -> Self {
        Self { publisher, topics }
    }

    /// Returns once all of them are durable.
    ///
    /// # Errors
    /// [`Fault::Overloaded`] where none was handed over; any other fault means that some or all may have been appended, and
    /// that all must be published again.
    pub async fn append(&self, facts: Vec<OrderFact>) -> Result<(), Fault> {
        let topic: Arc<str> = self.topics.orders().await?.into();
        let records =
            facts.iter().map(|fact| Outgoing::event(Arc::clone(&topic), None, order_event::write(fact)));
        let sent = self.publisher.send(records.collect()).await;
        if sent.is_err() {
            self.topics.forget(&topic);
        }
        sent
    }
}

#[async_trait]
impl FactLog for OrderFacts {
    async fn publish(&self, facts: Vec<Untold>) -> Result<(), Fault> {
        let facts = facts.into_iter().map(|untold| OrderFact::of(&untold.order, untold.product));
        self.append(facts.collect()).await
    }
}
