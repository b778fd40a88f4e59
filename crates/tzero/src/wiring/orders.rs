//! Who serves orders: this process itself, or nodes of the role `orders` over the link.

use std::sync::Arc;
use std::time::Duration;

use order_link::{Client, Limits, LinkKey, Options};
use ports::clock::Clock;
use ports::orders::{Checkout, Orders};
use purchase::OrderService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::System;
use crate::config::{Config, times};
use crate::keys::Keys;

/// How long the ends of requests to orders nodes are waited for at the end.
const CLOSE: Duration = Duration::from_secs(2);

/// Orders as a gateway reaches them.
#[derive(Clone)]
pub enum OrdersDesk {
    /// In this process.
    Here(Arc<OrderService>),
    /// At orders nodes.
    There(Arc<Client>),
}

impl OrdersDesk {
    /// The port.
    pub fn port(&self) -> Arc<dyn Orders> {
        match self {
            Self::Here(service) => Arc::clone(service) as Arc<dyn Orders>,
            Self::There(client) => Arc::clone(client) as Arc<dyn Orders>,
        }
    }

    /// What is wrong with the nodes, where there are any and none answers.
    pub fn trouble(&self) -> Option<String> {
        let Self::There(client) = self else { return None };
        let nodes = client.nodes();
        if nodes.iter().any(|node| node.well) {
            return None;
        }
        let said = nodes.into_iter().map(|node| match node.trouble {
            Some(trouble) => format!("{}: {trouble}", node.node),
            None => format!("{}: not reached yet", node.node),
        });
        Some(said.collect::<Vec<_>>().join("; "))
    }

    /// Ends what is under way to other nodes.
    pub async fn close(&self) {
        if let Self::There(client) = self {
            client.close(CLOSE).await;
        }
    }
}

impl System {
    /// Orders for the gateway of this process.
    ///
    /// # Errors
    /// What is wrong with the configuration of the link.
    pub fn desk(
        &self,
        config: &Config,
        keys: &Keys,
        service: &Arc<OrderService>,
    ) -> Result<OrdersDesk, String> {
        if config.fleet.orders_nodes.is_empty() {
            return Ok(OrdersDesk::Here(Arc::clone(service)));
        }
        let try_limit = Duration::from_millis(config.limits.checkout_deadline_ms) + times::LINK;
        let options = Options {
            try_limit,
            // Two nodes may be tried in full.
            deadline: 2 * try_limit,
            ..Options::new(config.fleet.orders_nodes.clone())
        };
        let (ids, catalog) = (self.stores.ids.clone(), Arc::clone(&self.catalog));
        let shard_of = move |checkout: &Checkout| {
            let shards = catalog.get(&checkout.sale).map_or(1, |sale| sale.shards);
            let user = ids.user(&checkout.sale, &checkout.user);
            ids.shard(&checkout.sale, user, shards)
        };
        let (clock, dice) = (Arc::clone(&self.stores.clock), Arc::clone(&self.stores.dice));
        let client = Client::start(options, &link_key(keys), shard_of, clock, dice);
        Ok(OrdersDesk::There(Arc::new(client.map_err(|wrong| format!("fleet.orders_nodes: {wrong}"))?)))
    }

    /// The order service of this process.
    pub fn order_service(&self, batchers: &TaskTracker) -> Arc<OrderService> {
        let (stores, settings) = (self.stores.clone(), self.settings.clone());
        Arc::new(OrderService::new(stores, settings, Arc::clone(&self.catalog), batchers.clone()))
    }
}

fn link_key(keys: &Keys) -> LinkKey {
    LinkKey::new(keys.derive("order link"))
}

/// Serves gateways until `stop`.
pub async fn serve_gateways(
    listener: TcpListener,
    service: Arc<OrderService>,
    keys: Keys,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    order_link::serve(listener, service, &link_key(&keys), Limits::default(), clock, stop).await;
}
