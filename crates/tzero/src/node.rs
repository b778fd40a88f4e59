//! One process: its listeners, its loops, its start and its end.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use gateway::edge::Edge;
use gateway::listener::{Gauges, Limits, Listener};
use gateway::routes::Routes;
use ports::clock::{Clock, SystemClock};
use sandbox::Sandbox;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use workers::Crew;
use workers::expiration::Expiration;
use workers::processor::Rate;

use crate::config::{Config, Provider};
use crate::descriptors;
use crate::keys::{self, Keys};
use crate::role::{self, Role};
use crate::wiring::{self, Addresses, Around, System};

/// Calls of the treasurer to the provider at once, of each kind.
const TREASURER: usize = 64;
/// How often a node reads the sales of others.
const CATALOG_MS: u64 = 1_000;
/// How long loops may take to finish what they have begun.
const LOOPS: Duration = Duration::from_secs(15);

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
    sandbox: Option<Sandbox>,
    stop_listening: CancellationToken,
    stop_working: CancellationToken,
    listeners: TaskTracker,
    batchers: TaskTracker,
    loops: TaskTracker,
}

/// Everything that a start makes, on its way to a [`Node`].
struct Start {
    plan: Plan,
    keys: Keys,
    clock: Arc<dyn Clock>,
    public: Listener,
    admin: Option<Listener>,
    provider: Option<Listener>,
    addresses: Addresses,
}

fn bind(address: SocketAddr, key: &str) -> Result<Listener, String> {
    Listener::bind(address).map_err(|error| format!("{key}: cannot listen on {address}: {error}"))
}

/// Where a listener is reached from this machine.
fn local(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

impl Start {
    fn prepare(plan: Plan) -> Result<Self, String> {
        let server = &plan.config.server;
        let dir = &plan.config.data.dir;
        std::fs::create_dir_all(dir)
            .map_err(|error| format!("data.dir: cannot make {}: {error}", dir.display()))?;
        let keys = Keys::open(dir, plan.config.data.secret.as_ref(), wiring::random)?;
        let public = bind(server.listen, "server.listen")?;
        let admin = server.admin_listen.map(|address| bind(address, "server.admin_listen")).transpose()?;
        let alone = plan.roles.len() == 1;
        let here = plan.roles.contains(&Role::Sandbox) && plan.config.sandbox.enabled && !alone;
        // The provider's API has a listener of its own, so that it is reached as any provider is.
        let provider =
            here.then(|| bind((Ipv4Addr::LOCALHOST, 0).into(), "the sandbox's API")).transpose()?;
        let listen = public.address();
        let reached = local(listen);
        let provider_url = match (&plan.config.payments.base_url, &provider, plan.config.payments.provider) {
            (Some(url), ..) => url.trim_end_matches('/').to_owned(),
            (None, _, Provider::Stripe) => "https://api.stripe.com".to_owned(),
            (None, Some(provider), Provider::Sandbox) => format!("http://{}", provider.address()),
            (None, None, Provider::Sandbox) if alone && plan.roles.contains(&Role::Sandbox) => String::new(),
            (None, None, Provider::Sandbox) => {
                return Err("payments.base_url: must say where the provider is, because no sandbox runs in this process; \
                            or add --role sandbox"
                    .into());
            }
        };
        let public_url = server.public_url.clone().unwrap_or_else(|| format!("http://{reached}"));
        let public_url = public_url.trim_end_matches('/').to_owned();
        let addresses = Addresses { listen: reached, public_url, provider_url };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        Ok(Self { plan, keys, clock, public, admin, provider, addresses })
    }

    fn sandbox(&self) -> Result<Option<Sandbox>, String> {
        let Plan { config, roles } = &self.plan;
        if !roles.contains(&Role::Sandbox) || !config.sandbox.enabled {
            return Ok(None);
        }
        let alone = roles.len() == 1;
        let own = format!("http://{}/v1/payments/webhooks/sandbox", self.addresses.listen);
        let webhook_url = match (&config.sandbox.webhook_url, alone) {
            (Some(url), _) => url.clone(),
            (None, false) => own,
            (None, true) => {
                return Err(
                    "sandbox.webhook_url: must say where webhooks go, because the sandbox runs alone".into(),
                );
            }
        };
        let pages = if alone { "" } else { "/sandbox" };
        let options = sandbox::Options {
            file: config.data.dir.join("sandbox.db"),
            secret_key: wiring::sandbox_key(config, &self.keys),
            webhook_secret: wiring::webhook_secret(config, &self.keys),
            webhook_url,
            public_url: format!("{}{pages}", self.addresses.public_url),
            faults: faults(config),
        };
        Sandbox::open(options).map(Some).map_err(|error| error.to_string())
    }

    fn console_url(&self) -> String {
        let own = self.admin.as_ref().map(|admin| format!("http://{}", local(admin.address())));
        format!("{}/console", own.as_deref().unwrap_or(&self.addresses.public_url))
    }

    fn admin_token(&self) -> Result<(String, Option<std::path::PathBuf>), String> {
        let dir = &self.plan.config.data.dir;
        match &self.plan.config.admin.token {
            Some(token) => Ok((token.expose().to_owned(), None)),
            None => Ok((keys::admin_token(dir, wiring::random)?, Some(keys::admin_token_file(dir)))),
        }
    }
}

fn faults(config: &Config) -> sandbox::Faults {
    let set = &config.sandbox;
    sandbox::Faults {
        latency_min_ms: set.latency_min_ms,
        latency_max_ms: set.latency_max_ms,
        error_rate: set.error_rate,
        error_after_effect_rate: set.error_after_effect_rate,
        timeout_rate: set.timeout_rate,
        webhook_duplicate: set.webhook_duplicate,
        webhook_delay_min_ms: set.webhook_delay_min_ms,
        webhook_delay_max_ms: set.webhook_delay_max_ms,
        webhook_shuffle: set.webhook_shuffle,
        webhook_drop_rate: set.webhook_drop_rate,
        webhook_forge_rate: set.webhook_forge_rate,
        webhook_wrong_amount_rate: set.webhook_wrong_amount_rate,
        rate_limit_per_s: set.rate_limit_per_s,
        seed: set.seed,
    }
}

fn limits(config: &Config) -> Limits {
    let server = &config.server;
    Limits {
        header_timeout: Duration::from_millis(server.header_timeout_ms),
        body_timeout: Duration::from_millis(server.body_timeout_ms),
        idle_timeout: Duration::from_millis(server.idle_timeout_ms),
        max_connections: descriptors::connections(server.max_connections),
        max_connections_per_address: server.max_connections_per_address,
        header_bytes: server.header_bytes,
        header_count: server.header_count,
        drain_timeout: Duration::from_millis(server.drain_timeout_ms),
    }
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
            sandbox,
            stop_listening: CancellationToken::new(),
            stop_working: CancellationToken::new(),
            listeners: TaskTracker::new(),
            batchers: TaskTracker::new(),
            loops: TaskTracker::new(),
        };
        if start.plan.roles.iter().any(|role| *role != Role::Sandbox) {
            let system = System::open(&start.plan.config, &start.keys, &start.addresses).await?;
            system.recover().await?;
            node.start_loops(&start.plan, &system);
            node.system = Some(system);
        }
        node.listen(start)?;
        Ok(node)
    }

    fn start_loops(&self, plan: &Plan, system: &System) {
        let crew = Crew {
            stores: system.stores.clone(),
            settings: system.settings.clone(),
            catalog: Arc::clone(&system.catalog),
            tasks: self.loops.clone(),
            stop: self.stop_working.clone(),
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
        }
        if plan.roles.contains(&Role::Reconciler) {
            workers::reconciler::start(&crew, CATALOG_MS);
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

    fn listen(&mut self, start: Start) -> Result<(), String> {
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
        match &self.system {
            Some(system) if plan.roles.contains(&Role::Gateway) => {
                let guests = self
                    .sandbox
                    .as_ref()
                    .map_or_else(Router::new, |sandbox| Router::new().nest("/sandbox", sandbox.pages()));
                let around = self.around(addresses.provider_url, &plan.roles, system.is_shared());
                let edge = Arc::new(system.edge(&plan.config, &keys, token, guests, around)?);
                self.token_file = token_file;
                if let Some(admin) = admin {
                    self.admin_address = Some(admin.address());
                    self.serve_edge(admin, Routes::admin(Arc::clone(&edge)), &edge, &limits, &clock);
                }
                self.serve_edge(public, Routes::public(Arc::clone(&edge)), &edge, &limits, &clock);
                self.edge = Some(edge);
            }
            Some(system) => {
                let around = self.around(addresses.provider_url, &plan.roles, system.is_shared());
                let edge = Arc::new(system.edge(&plan.config, &keys, token, Router::new(), around)?);
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

    fn around(&self, provider_url: String, roles: &HashSet<Role>, shared: bool) -> Around<'_> {
        // Where others use the same stores, they may have the roles that this process has not.
        let missing = if shared { None } else { role::missing(roles) };
        if let Some(missing) = &missing {
            tracing::warn!("{missing}");
        }
        let (batchers, stop) = (&self.batchers, self.stop_listening.clone());
        Around { provider_url, batchers, stop, missing }
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

    /// Why the store has stopped by itself; waits until it does.
    pub async fn failure(&self) -> String {
        let Some(system) = &self.system else { return std::future::pending().await };
        let mut failed = system.failed();
        let why = failed.wait_for(Option::is_some).await.map(|why| why.clone().unwrap_or_default());
        why.unwrap_or_else(|_| "the store is gone".to_owned())
    }

    /// Ends: no new connections, requests under way finish, loops finish what they have begun, stores close.
    pub async fn stop(mut self) {
        self.stop_listening.cancel();
        self.listeners.close();
        self.listeners.wait().await;
        drop(self.edge.take());
        self.batchers.close();
        self.stop_working.cancel();
        self.loops.close();
        let finished = async {
            self.batchers.wait().await;
            self.loops.wait().await;
        };
        if tokio::time::timeout(LOOPS, finished).await.is_err() {
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
