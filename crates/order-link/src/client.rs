//! The end at a gateway: the orders port, answered by the node that batches for the shard, or by the next one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::hold::StockView;
use domain::id::{ProductId, SaleId, ShardId};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use ports::Fault;
use ports::clock::Clock;
use ports::dice::Dice;
use ports::orders::{CancelAnswer, Checkout, CheckoutAnswer, ExtendAnswer, Orders};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::asking::Asking;
use crate::carrier::Carrier;
use crate::connection::Keeping;
use crate::crew::Crew;
use crate::document::write_stamp;
use crate::key::LinkKey;
use crate::message::{part, read_known, write_checkout};
use crate::node::{Node, Standing};
use crate::options::Options;
use crate::outcome::{read_cancel_answer, read_checkout_answer, read_extend_answer};
use crate::rendezvous::Rendezvous;
use crate::requests::Requests;
use crate::route::Route;
use crate::views::Views;

type ShardOf = Box<dyn Fn(&Checkout) -> ShardId + Send + Sync>;

/// The orders port over the link. Its loops end with it.
pub struct Client {
    asking: Arc<Asking>,
    views: Arc<Views>,
    shard_of: ShardOf,
    changes: watch::Receiver<u64>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// How a node stands with a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeState {
    /// The node, as the options name it.
    pub node: String,
    /// Whether requests are sent to it: it answers the question after its health.
    pub well: bool,
    /// What went wrong last, in an operator's words, where there is no connection.
    pub trouble: Option<String>,
}

impl Client {
    /// A client of the nodes in `options`; `shard_of` says which shard a checkout belongs to. Connections are made from
    /// now on: until the first is there ([`Client::ready`]) every request is answered by a fault. Must be called where
    /// tasks can be started.
    ///
    /// # Errors
    /// What is wrong with the options, in words for the person who wrote them.
    pub fn start(
        options: Options,
        key: &LinkKey,
        shard_of: impl Fn(&Checkout) -> ShardId + Send + Sync + 'static,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
    ) -> Result<Self, String> {
        options.check()?;
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (sender, changes) = watch::channel(0);
        let keeping = Arc::new(Keeping {
            options: options.clone(),
            requests: Arc::new(Requests::new(key)?),
            dice,
            crew: Crew(tasks.clone()),
            changes: sender,
        });
        let rendezvous = Rendezvous::over(&options.nodes);
        let nodes: Vec<_> = options.nodes.iter().map(|name| begin(name, &keeping, &stop)).collect();
        let views = Arc::new(Views::of_at_most(options.views));
        let mending = Semaphore::new(keeping.options.mending);
        let asking = Arc::new(Asking { nodes, rendezvous, keeping, clock, mending });
        let (refreshing, refreshed, ended) = (Arc::clone(&asking), Arc::clone(&views), stop.clone());
        tasks.spawn(async move { ended.run_until_cancelled(refreshing.refresh(&refreshed)).await });
        Ok(Self { asking, views, shard_of: Box::new(shard_of), changes, tasks, stop })
    }

    /// Waits until at least one node answers.
    pub async fn ready(&self) {
        let any = |_: &u64| self.asking.nodes.iter().any(|node| node.standing() == Standing::Well);
        // The sender lives as long as this client.
        drop(self.changes.clone().wait_for(any).await);
    }

    /// How the nodes stand, in the order of the options.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeState> {
        let state = |node: &Arc<Node>| {
            let standing = node.standing();
            let trouble = if standing == Standing::Away { node.trouble() } else { None };
            NodeState { node: node.name.clone(), well: standing == Standing::Well, trouble }
        };
        self.asking.nodes.iter().map(state).collect()
    }

    /// Ends the client's loops and connections, and waits for that, at most `limit`. What is asked afterwards is answered
    /// by a fault.
    pub async fn close(&self, limit: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                left = self.tasks.len(),
                "requests to orders nodes are still under way at the end"
            );
        }
    }
}

/// A node whose connections are kept and whose questions are carried until `stop`.
fn begin(name: &str, keeping: &Arc<Keeping>, stop: &CancellationToken) -> Arc<Node> {
    let tasks = &keeping.crew.0;
    let (node, exits) = Node::new(name, &keeping.options);
    let node = Arc::new(node);
    for place in node.places() {
        let (keeping, node, place) = (Arc::clone(keeping), Arc::clone(&node), Arc::clone(place));
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled(keeping.keep(&node.name, &place)).await });
    }
    for (route, exit) in exits {
        let (requests, limit) = (Arc::clone(&keeping.requests), keeping.options.deadline);
        let (node, tasks) = (Arc::clone(&node), tasks.clone());
        let carrier = Carrier { node, route, requests, tasks: tasks.clone(), most: route.together(), limit };
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled(carrier.run(exit)).await });
    }
    node
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[async_trait]
impl Orders for Client {
    async fn checkout(&self, checkout: Checkout) -> Result<CheckoutAnswer, Fault> {
        let shard = (self.shard_of)(&checkout);
        let body = part(|to| write_checkout(&checkout, to));
        self.asking.ask(&shard, Route::Checkout, body, read_checkout_answer).await
    }

    async fn status(&self, stamp: &TicketStamp) -> Result<Option<StatusDocument>, Fault> {
        let body = part(|to| write_stamp(stamp, to));
        self.asking.ask(&stamp.shard, Route::Status, body, read_known).await
    }

    async fn wait(&self, stamp: &TicketStamp, version: u32) {
        self.asking.wait(stamp, version).await;
    }

    async fn cancel(&self, stamp: &TicketStamp) -> Result<CancelAnswer, Fault> {
        let body = part(|to| write_stamp(stamp, to));
        self.asking.ask(&stamp.shard, Route::Cancel, body, read_cancel_answer).await
    }

    async fn extend(&self, stamp: &TicketStamp) -> Result<ExtendAnswer, Fault> {
        let body = part(|to| write_stamp(stamp, to));
        self.asking.ask(&stamp.shard, Route::Extend, body, read_extend_answer).await
    }

    fn view(&self, sale: &SaleId, product: &ProductId) -> Option<StockView> {
        self.views.look(sale, product, self.asking.clock.elapsed())
    }
}
