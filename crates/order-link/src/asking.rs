//! One request, tried at one node after the other until it is answered or its time is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::id::ShardId;
use domain::ticket::TicketStamp;
use futures::future::join_all;
use ports::Fault;
use ports::clock::Clock;
use tokio::sync::Semaphore;
use wire::codec::{Malformed, Reader};

use crate::connection::Keeping;
use crate::message::{
    ProductOf, message, part, read_answer, read_part, read_views, write_products, write_wait,
};
use crate::node::{Node, Standing};
use crate::rendezvous::Rendezvous;
use crate::route::Route;
use crate::views::Views;

/// What failed, in a fault's words.
const NODE: &str = "an orders node";
/// Products that one request asks the counts of: its body stays far below a node's limit.
const PRODUCTS: usize = 256;

/// The nodes, and what asking them takes.
pub(crate) struct Asking {
    pub(crate) nodes: Vec<Arc<Node>>,
    pub(crate) rendezvous: Rendezvous,
    pub(crate) keeping: Arc<Keeping>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Room for requests that wait until a node is back.
    pub(crate) mending: Semaphore,
}

impl Asking {
    /// The nodes that can be asked about `shard`: those that are well first, each kind in the order of the shard.
    fn candidates(&self, shard: &ShardId) -> Vec<&Node> {
        let ranked = self.rendezvous.order(shard).into_iter().filter_map(|node| self.nodes.get(node));
        let mut standing: Vec<_> = ranked.map(|node| (node.standing(), node.as_ref())).collect();
        standing.sort_by_key(|(standing, _)| *standing);
        let there = standing.into_iter().filter(|(standing, _)| *standing != Standing::Away);
        there.map(|(_, node)| node).collect()
    }

    /// Asks the nodes of `shard` until one answers. Whatever is asked must be safe to repeat. Where none can be asked, or all that
    /// could hang up, it waits a moment for one to come back: nodes that are restarted one after another may all be away for that long.
    pub(crate) async fn ask<T>(
        &self,
        shard: &ShardId,
        route: Route,
        body: Bytes,
        read: fn(&mut Reader<'_>) -> Result<T, Malformed>,
    ) -> Result<T, Fault> {
        let options = &self.keeping.options;
        let came = self.clock.elapsed();
        let mut changes = self.keeping.changes.subscribe();
        loop {
            let asked = self.ask_each(shard, route, &body, came + options.deadline).await;
            let fault = match asked {
                Err(fault @ Fault::Unavailable { .. }) => fault,
                asked => return answered(&asked?, read),
            };
            let left = (came + options.mend_limit).saturating_sub(self.clock.elapsed());
            let Ok(_room) = self.mending.try_acquire() else { return Err(fault) };
            if tokio::time::timeout(left, changes.changed()).await.is_err() {
                return Err(fault);
            }
        }
    }

    /// Asks each of them once; what the first one says that answers.
    async fn ask_each(
        &self,
        shard: &ShardId,
        route: Route,
        body: &Bytes,
        until: Duration,
    ) -> Result<Bytes, Fault> {
        let options = &self.keeping.options;
        let candidates = self.candidates(shard);
        let mut trouble = None;
        for (at, node) in candidates.iter().enumerate() {
            let left = until.saturating_sub(self.clock.elapsed());
            if left.is_zero() {
                break;
            }
            let limit = if at + 1 < candidates.len() { left.min(options.try_limit) } else { left };
            let Some(_room) = node.room() else { return Err(Fault::Overloaded(NODE)) };
            let asked = tokio::time::timeout(limit, node.ask(route, body.clone())).await;
            match asked.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok(answer) => return Ok(answer),
                Err(detail) => trouble = Some(format!("{}: {detail}", node.name)),
            }
        }
        Err(Fault::unavailable(NODE, trouble.unwrap_or_else(|| self.silence())))
    }

    /// Why no node can be asked.
    fn silence(&self) -> String {
        let trouble = |node: &Arc<Node>| {
            let trouble = node.trouble().unwrap_or_else(|| "there is no connection yet".to_owned());
            format!("{}: {trouble}", node.name)
        };
        self.nodes.iter().map(trouble).collect::<Vec<_>>().join("; ")
    }

    /// Waits until there may be news of a ticket: at most so long as the options say, and at least a moment where the
    /// node cannot be asked.
    pub(crate) async fn wait(&self, stamp: &TicketStamp, version: u32) {
        let options = &self.keeping.options;
        let begun = self.clock.elapsed();
        let waited = tokio::time::timeout(options.wait_limit, self.news(stamp, version)).await;
        if waited == Ok(false) {
            let lasted = self.clock.elapsed().saturating_sub(begun);
            tokio::time::sleep(options.wait_pause.saturating_sub(lasted)).await;
        }
    }

    /// Whether a node said that there may be news.
    async fn news(&self, stamp: &TicketStamp, version: u32) -> bool {
        let candidates = self.candidates(&stamp.shard);
        let waiting = candidates.iter().find_map(|node| node.waiting().map(|live| (node, live)));
        let Some((node, live)) = waiting else { return false };
        let Some(_room) = node.waiting_room() else { return false };
        let body = message(|to| write_wait((stamp, version), to));
        live.exchange(self.keeping.requests.of(Route::Wait, body)).await.is_ok()
    }

    /// Keeps `views` up to date, for ever.
    pub(crate) async fn refresh(&self, views: &Views) {
        let options = &self.keeping.options;
        loop {
            tokio::time::sleep(options.view_every).await;
            let wanted = views.wanted(self.clock.elapsed(), options.view_kept);
            let groups = self.by_node(wanted);
            let asked = groups.iter().flat_map(|group| group.chunks(PRODUCTS));
            join_all(asked.map(|products| self.look(products, views))).await;
        }
    }

    /// The products by the node that is asked about them: the one of their sale's first shard.
    fn by_node(&self, products: Vec<ProductOf>) -> Vec<Vec<ProductOf>> {
        let mut groups: BTreeMap<&str, Vec<ProductOf>> = BTreeMap::new();
        for product in products {
            if let Some(node) = self.candidates(&first_shard(&product)).first() {
                groups.entry(&node.name).or_default().push(product);
            }
        }
        groups.into_values().collect()
    }

    /// Asks for the counts of products that one node is asked about.
    async fn look(&self, products: &[ProductOf], views: &Views) {
        let Some(first) = products.first() else { return };
        let body = part(|to| write_products(products, to));
        match self.ask(&first_shard(first), Route::Views, body, read_views).await {
            Ok(told) => views.told(products, told),
            Err(fault) => tracing::debug!(%fault, "counts of products stay as they were"),
        }
    }
}

fn answered<T>(answer: &[u8], read: fn(&mut Reader<'_>) -> Result<T, Malformed>) -> Result<T, Fault> {
    let damaged = |malformed| Fault::damaged("an answer of an orders node", malformed);
    read_part(answer, |from| read_answer(from, read)).map_err(damaged)?
}

fn first_shard((sale, _): &ProductOf) -> ShardId {
    ShardId { sale: sale.clone(), number: 0 }
}
