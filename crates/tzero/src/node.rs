//! One process: its listeners, its loops, its start and its end.

mod start;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use gateway::edge::Edge;
use gateway::listener::{Gauges, Limits, Listener};
use gateway::routes::Routes;
use ports::clock::Clock;
use sandbox::Sandbox;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use workers::Crew;
use workers::expiration::Expiration;
use workers::processor::Rate;

use crate::config::{Config, times};
use crate::files;
use crate::keys::Keys;
use crate::role::{self, Role};
use crate::wiring::{self, Around, Door, ListFiles, OrdersDesk, ShopKeys, System};
use start::{Start, limits};

/// Calls of the treasurer to the provider at once, of each kind.
const TREASURER: usize = 64;
/// How long the lists may take at the start.
const LISTS: Duration = Duration::from_secs(30);
/// How often a node reads the sales of others.
const CATALOG_MS: u64 = 1_000;

/// What a process needs to start.
pub struct Plan {
    /// The configuration.
    pub config: Config,
    /// What it does.
    pub roles: HashSet<Role>,
}

/// A process that runs.
pub struct Node {
    /// Where the public listener is.
    pub address: SocketAddr,
    /// Where the operator's own listener is, if there is one.
    pub admin_address: Option<SocketAddr>,
    /// What browsers call it.
    pub public_url: String,
    /// Where the operator's page is: on the listener that serves the operator.
    pub console_url: String,
    /// The system behind it; none where only the sandbox runs.
    pub system: Option<System>,
    /// Where a made operator's token is kept, if one was made.
    pub token_file: Option<std::path::PathBuf>,
    edge: Option<Arc<Edge>>,
    desk: Option<OrdersDesk>,
    sandbox: Option<Sandbox>,
    stop_listening: CancellationToken,
    stop_working: CancellationToken,
    listeners: TaskTracker,
    batchers: TaskTracker,
    loops: TaskTracker,
    broken: Arc<watch::Sender<Option<String>>>,
}

impl Node {
    /// Starts a process: when this returns, it answers.
    ///
    /// # Errors
    /// Why it cannot, in words for the person who starts it.
    pub async fn start(plan: Plan) -> Result<Self, String> {
        let start = Start::prepare(plan)?;
        let sandbox = start.sandbox()?;
        let mut node = Self {
            address: start.public.address(),
            admin_address: None,
            public_url: start.addresses.public_url.clone(),
            console_url: start.console_url(),
            system: None,
            token_file: None,
            edge: None,
            desk: None,
            sandbox,
            stop_listening: CancellationToken::new(),
            stop_working: CancellationToken::new(),
            listeners: TaskTracker::new(),
            batchers: TaskTracker::new(),
            loops: TaskTracker::new(),
            broken: Arc::new(watch::Sender::new(None)),
        };
        if start.plan.roles.iter().any(|role| *role != Role::Sandbox) {
            let system =
                System::open(&start.plan.config, &start.keys, &start.addresses, &start.plan.roles).await?;
            system.recover(&start.plan.roles).await?;
            node.start_loops(&start.plan, &system);
            node.system = Some(system);
        }
        let door = node.door(&start).await?;
        node.listen(start, door)?;
        Ok(node)
    }

    /// Reads who is to be let in, and follows it from here on. Where there is no gateway, nobody comes, and nothing is read.
    async fn door(&self, start: &Start) -> Result<Door, String> {
        let config = &start.plan.config;
        let challenges = wiring::open_challenges(config, &start.keys)?;
        if !start.plan.roles.contains(&Role::Gateway) {
            return Ok(Door { shop: None, lists: Arc::default(), challenges });
        }
        let shop = ShopKeys::open(config, Arc::clone(&start.clock)).await?.map(Arc::new);
        if let Some(shop) = &shop {
            let follow = Arc::clone(shop).follow(self.stop_working.clone());
            self.loops.spawn(workers::guarded("shop keys", Arc::clone(&self.broken), follow));
        }
        let of_lists = config.clone();
        let files = files::apart(LISTS, move || ListFiles::open(&of_lists)).await?;
        let lists = Arc::clone(&files.lists);
        if !files.is_empty() {
            let follow = files.follow(self.stop_working.clone());
            self.loops.spawn(workers::guarded("lists", Arc::clone(&self.broken), follow));
        }
        Ok(Door { shop, lists, challenges })
    }

    fn start_loops(&self, plan: &Plan, system: &System) {
        let crew = Crew {
            stores: system.stores.clone(),
            settings: system.settings.clone(),
            catalog: Arc::clone(&system.catalog),
            tasks: self.loops.clone(),
            stop: self.stop_working.clone(),
            broken: Arc::clone(&self.broken),
        };
        let config = &plan.config;
        workers::catalog::start(&crew, CATALOG_MS);
        if plan.roles.contains(&Role::Gateway) || plan.roles.contains(&Role::Orders) {
            workers::backlog::start(&crew);
        }
        if plan.roles.contains(&Role::Allocator) {
            workers::shards::start(&crew, CATALOG_MS);
        }
        if plan.roles.contains(&Role::Relay) {
            workers::relay::start(&crew, CATALOG_MS);
            if let Some((facts, log)) = &system.facts {
                workers::facts::start(&crew, facts, log);
            }
        }
        if plan.roles.contains(&Role::Reconciler) {
            workers::reconciler::start(&crew, CATALOG_MS);
        }
        if plan.roles.contains(&Role::Processor) || plan.roles.contains(&Role::Expiration) {
            workers::provider::start(&crew);
        }
        if plan.roles.contains(&Role::Processor) {
            let processor = &config.processor;
            let rate = Rate { per_s: processor.rate_per_s, concurrency: processor.concurrency };
            workers::processor::start(&crew, rate);
            workers::treasurer::start(&crew, TREASURER);
        }
        if plan.roles.contains(&Role::Expiration) {
            let expiration = &config.expiration;
            let how = Expiration {
                tick_ms: expiration.tick_ms,
                batch: expiration.batch,
                concurrency: expiration.concurrency,
            };
            workers::expiration::start(&crew, how);
        }
    }

    fn listen(&mut self, start: Start, door: Door) -> Result<(), String> {
        let (token, token_file) = start.admin_token()?;
        let Start { plan, keys, clock, public, admin, provider, addresses } = start;
        let limits = limits(&plan.config);
        if let Some(sandbox) = self.sandbox.clone() {
            let (delivering, stop) = (sandbox.clone(), self.stop_working.clone());
            self.loops.spawn(async move { delivering.deliver(stop).await });
            if let Some(provider) = provider {
                // The provider outlives the public listener: the loops still talk to it while they finish.
                let stop = self.stop_working.clone();
                self.serve_router(provider, sandbox.api(), &limits, &clock, stop);
            }
        }
        let desk = match &self.system {
            Some(system) => Some(self.desk(system, &plan, &keys, &clock)?),
            None => None,
        };
        self.desk.clone_from(&desk);
        match self.system.as_ref().zip(desk) {
            Some((system, desk)) if plan.roles.contains(&Role::Gateway) => {
                let guests = self
                    .sandbox
                    .as_ref()
                    .map_or_else(Router::new, |sandbox| Router::new().nest("/sandbox", sandbox.pages()));
                // The operator's own listener turns nobody away by a list.
                let public_limits = Limits { lists: Arc::clone(&door.lists), ..limits.clone() };
                let around = self.around(addresses.provider_url, &plan.roles, system.is_shared(), desk, door);
                let edge = Arc::new(system.edge(&plan.config, &keys, token, guests, around));
                self.token_file = token_file;
                if let Some(admin) = admin {
                    self.admin_address = Some(admin.address());
                    self.serve_edge(admin, Routes::admin(Arc::clone(&edge)), &edge, &limits, &clock);
                }
                self.serve_edge(public, Routes::public(Arc::clone(&edge)), &edge, &public_limits, &clock);
                self.edge = Some(edge);
            }
            Some((system, desk)) => {
                let around = self.around(addresses.provider_url, &plan.roles, system.is_shared(), desk, door);
                let edge = Arc::new(system.edge(&plan.config, &keys, token, Router::new(), around));
                self.serve_edge(public, Routes::machine(Arc::clone(&edge)), &edge, &limits, &clock);
                self.edge = Some(edge);
            }
            None => {
                let Some(sandbox) = self.sandbox.clone() else {
                    return Err("sandbox.enabled: must be true, because only the sandbox is to run".into());
                };
                let machine = Router::new()
                    .route("/healthz", axum::routing::get(alive))
                    .route("/readyz", axum::routing::get(ready));
                let router = sandbox.api().merge(sandbox.pages()).merge(machine);
                self.serve_router(public, router, &limits, &clock, self.stop_listening.clone());
            }
        }
        Ok(())
    }

    /// Who serves orders to this process; and where the role is to run, this process serves them to gateways.
    fn desk(
        &self,
        system: &System,
        plan: &Plan,
        keys: &Keys,
        clock: &Arc<dyn Clock>,
    ) -> Result<OrdersDesk, String> {
        let service = system.order_service(&self.batchers);
        match plan.config.fleet.orders_listen {
            Some(address) if plan.roles.contains(&Role::Orders) => {
                let bound = std::net::TcpListener::bind(address)
                    .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
                    .and_then(tokio::net::TcpListener::from_std);
                let listener = bound
                    .map_err(|error| format!("fleet.orders_listen: cannot listen on {address}: {error}"))?;
                let (service, keys, stop) = (Arc::clone(&service), keys.clone(), self.stop_listening.clone());
                let clock = Arc::clone(clock);
                self.listeners.spawn(wiring::serve_gateways(listener, service, keys, clock, stop));
            }
            None if plan.roles.len() == 1 && plan.roles.contains(&Role::Orders) => {
                return Err(
                    "fleet.orders_listen: must say where gateways reach this node, because it runs the role \
                            orders alone"
                        .into(),
                );
            }
            _ => {}
        }
        // Only a gateway asks other nodes.
        if plan.roles.contains(&Role::Gateway) {
            return system.desk(&plan.config, keys, &service);
        }
        Ok(OrdersDesk::Here(service))
    }

    fn around(
        &self,
        provider_url: String,
        roles: &HashSet<Role>,
        shared: bool,
        orders: OrdersDesk,
        door: Door,
    ) -> Around {
        // Where others use the same stores, they may have the roles that this process has not.
        let missing = if shared { None } else { role::missing(roles) };
        if let Some(missing) = &missing {
            tracing::warn!("{missing}");
        }
        let sells = roles.contains(&Role::Gateway) || roles.contains(&Role::Orders);
        Around { provider_url, orders, stop: self.stop_listening.clone(), missing, sells, door }
    }

    fn serve_edge(
        &self,
        listener: Listener,
        routes: Routes,
        edge: &Arc<Edge>,
        limits: &Limits,
        clock: &Arc<dyn Clock>,
    ) {
        let (gauges, stop) = (Arc::clone(&edge.gauges), self.stop_listening.clone());
        self.listeners.spawn(listener.serve(limits.clone(), routes, gauges, Arc::clone(clock), stop));
    }

    fn serve_router(
        &self,
        listener: Listener,
        router: Router,
        limits: &Limits,
        clock: &Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let gauges = Arc::new(Gauges::default());
        self.loops.spawn(listener.serve(limits.clone(), router, gauges, Arc::clone(clock), stop));
    }

    /// Why the process must end, because the store has stopped by itself or a loop is broken; waits until it must.
    pub async fn failure(&self) -> String {
        let Some(system) = &self.system else { return std::future::pending().await };
        let (mut failed, mut broken) = (system.failed(), self.broken.subscribe());
        let why = tokio::select! {
            why = failed.wait_for(Option::is_some) => why,
            why = broken.wait_for(Option::is_some) => why,
        };
        why.map_or_else(|_| "the store is gone".to_owned(), |why| why.clone().unwrap_or_default())
    }

    /// Ends: no new connections, requests under way finish, loops finish what they have begun, stores close.
    pub async fn stop(mut self) {
        self.stop_listening.cancel();
        self.listeners.close();
        self.listeners.wait().await;
        drop(self.edge.take());
        if let Some(desk) = self.desk.take() {
            desk.close().await;
        }
        self.batchers.close();
        self.stop_working.cancel();
        self.loops.close();
        let finished = async {
            self.batchers.wait().await;
            self.loops.wait().await;
        };
        if tokio::time::timeout(times::LOOPS, finished).await.is_err() {
            tracing::warn!(
                "some loops did not finish in time; what they had begun goes on at the next start"
            );
        }
        if let Some(system) = &self.system {
            system.close().await;
        }
        if let Some(sandbox) = &self.sandbox {
            sandbox.close().await;
        }
    }
}

/// The sandbox has its file open, and depends on nothing else.
async fn ready() -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({ "status": "ready", "degraded": false, "dependencies": {} }))
}

async fn alive() -> axum::Json<serde_json::Value> {
    axum::Json(serde_json::json!({ "status": "alive" }))
}
