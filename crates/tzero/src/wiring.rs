//! The composition root: the one place that names an adapter, a clock and a source of randomness.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use adapter_embedded::{Embedded, Options as StoreOptions};
use adapter_payments::{Options as PaymentOptions, StripeForm};
use domain::id::{IdSecret, SaleId, ShardId};
use gateway::edge::{Edge, EdgeSettings, Probe, Readiness};
use gateway::session::{Algorithm, Builtin, Jwt, Sessions};
use ports::clock::{Clock, SystemClock};
use ports::dice::Dice;
use ports::payments::Payments;
use purchase::catalog::Catalog;
use purchase::operate::Operator;
use purchase::pulse::Pulse;
use purchase::recover::renew;
use purchase::{OrderService, Settings, Stores};
use rand::{Rng, RngCore};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wire::ticket::SealedTickets;

use crate::config::{Config, Issuer, JwtAlgorithm, Provider};
use crate::keys::Keys;

/// A provider's own backstop for a session, milliseconds: Stripe allows a day, less what a late start may cost.
const SESSION_LIFE_MS: u64 = 84_600_000;
/// Status questions to the ledger at once.
const LEDGER_LANE: usize = 64;
/// Cells of the rate limits: 8 bytes each.
const CELLS: usize = 1 << 20;
/// How long the provider may take to say that it is there.
const PROBE: std::time::Duration = std::time::Duration::from_millis(1_500);

/// Random bytes from the operating system's generator.
#[expect(clippy::disallowed_methods, reason = "the one home of randomness")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

struct SystemDice;

impl Dice for SystemDice {
    #[expect(clippy::disallowed_methods, reason = "the one home of randomness")]
    fn fraction(&self) -> f64 {
        rand::rng().random()
    }
}

/// Addresses that the parts of a process need of each other.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Where the public listener is.
    pub listen: SocketAddr,
    /// What browsers call it, without a slash at the end.
    pub public_url: String,
    /// Where the provider's API is, without a slash at the end.
    pub provider_url: String,
}

/// What surrounds the edge of a process.
pub struct Around<'a> {
    /// Where the provider's API is.
    pub provider_url: String,
    /// Where batchers run.
    pub batchers: &'a TaskTracker,
    /// Told when the process stops.
    pub stop: CancellationToken,
    /// What nobody does, because its role does not run; in words.
    pub missing: Option<String>,
}

/// Stores, peers and the core of one process.
pub struct System {
    /// The stores behind their ports.
    pub stores: Stores,
    /// Numbers that the steps obey.
    pub settings: Settings,
    /// This node's copy of the sales.
    pub catalog: Arc<Catalog>,
    store: Embedded,
}

fn settings(config: &Config, public_url: &str) -> Settings {
    Settings {
        checkout_queue: config.limits.checkout_queue,
        checkout_deadline_ms: config.limits.checkout_deadline_ms,
        retry_min_ms: config.processor.retry_min_ms,
        retry_max_ms: config.processor.retry_max_ms,
        grace_ms: config.expiration.grace_ms,
        session_life_ms: SESSION_LIFE_MS,
        public_url: public_url.to_owned(),
        ledger_lane: LEDGER_LANE,
    }
}

/// The secret under which the sandbox of this data folder is called.
pub fn sandbox_key(config: &Config, keys: &Keys) -> String {
    let configured = config.payments.secret_key.as_ref().map(|key| key.expose().to_owned());
    configured.unwrap_or_else(|| format!("sk_sandbox_{}", keys.derive_text("sandbox key")))
}

/// The secret under which the sandbox of this data folder signs webhooks.
pub fn webhook_secret(config: &Config, keys: &Keys) -> String {
    let configured = config.payments.webhook_secret.as_ref().map(|secret| secret.expose().to_owned());
    configured.unwrap_or_else(|| format!("whsec_{}", keys.derive_text("sandbox webhooks")))
}

fn payments(config: &Config, keys: &Keys, provider_url: &str) -> Result<Arc<dyn Payments>, String> {
    let previous = config.payments.webhook_secret_previous.iter().map(|secret| secret.expose().to_owned());
    let options = PaymentOptions {
        provider: match config.payments.provider {
            Provider::Sandbox => "sandbox",
            Provider::Stripe => "stripe",
        },
        base_url: provider_url.to_owned(),
        secret_key: sandbox_key(config, keys),
        webhook_secrets: std::iter::once(webhook_secret(config, keys)).chain(previous).collect(),
        timeout_ms: config.payments.timeout_ms,
    };
    Ok(Arc::new(StripeForm::new(options)?))
}

impl System {
    /// Opens the stores of the data folder and wires the core to them.
    ///
    /// # Errors
    /// A store cannot be opened, in words for the person who starts the program.
    pub fn open(config: &Config, keys: &Keys, addresses: &Addresses) -> Result<Self, String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let deadline_ms = config.processor.payment_address_deadline_ms;
        let secret = Some(keys.derive("store"));
        let store =
            Embedded::open(StoreOptions { secret, ..store_options(&config.data.dir, &clock, deadline_ms) });
        let store = store.map_err(|fault| fault.to_string())?;
        let payments = payments(config, keys, &addresses.provider_url)?;
        Ok(Self::over(store, payments, keys, clock, settings(config, &addresses.public_url)))
    }

    fn over(
        store: Embedded,
        payments: Arc<dyn Payments>,
        keys: &Keys,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let shared = Arc::new(store.clone());
        let stores = Stores {
            inventory: shared.clone(),
            rebuild: shared.clone(),
            claims: shared.clone(),
            allocations: shared.clone(),
            ledger: shared.clone(),
            effects: shared.clone(),
            terms: shared.clone(),
            books: shared.clone(),
            sales: shared.clone(),
            board: shared,
            payments,
            tickets: Arc::new(SealedTickets::new(keys.derive("tickets"))),
            clock,
            dice: Arc::new(SystemDice),
            ids: IdSecret::new(keys.derive("ids")),
            pulse: Arc::new(Pulse::default()),
        };
        Self { stores, settings, catalog: Arc::default(), store }
    }

    /// Reads the sales and renews every shard: from here on it sells.
    ///
    /// # Errors
    /// A store fails.
    pub async fn recover(&self) -> Result<(), String> {
        let failed = |fault: ports::Fault| format!("cannot open the stock: {fault}");
        self.catalog.refresh(&*self.stores.sales).await.map_err(failed)?;
        for sale in self.catalog.all() {
            for number in 0..sale.shards {
                let shard = ShardId { sale: sale.sale_id.clone(), number };
                renew(&self.stores, &shard).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Tells when the store has stopped by itself.
    pub fn failed(&self) -> tokio::sync::watch::Receiver<Option<String>> {
        self.store.failed()
    }

    /// Closes the stores; whatever is asked of them later is answered with a fault.
    pub async fn close(&self) {
        let store = self.store.clone();
        if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
            tracing::error!("the store did not close well");
        }
    }

    /// The edge of this process.
    ///
    /// # Errors
    /// The shop's key cannot be used.
    pub fn edge(
        &self,
        config: &Config,
        keys: &Keys,
        admin_token: String,
        guests: axum::Router,
        around: Around<'_>,
    ) -> Result<Edge, String> {
        let Around { provider_url, batchers, stop, missing } = around;
        let orders = OrderService::new(
            self.stores.clone(),
            self.settings.clone(),
            Arc::clone(&self.catalog),
            batchers.clone(),
        );
        let trusted = config.server.trusted_proxies.clone();
        Ok(Edge {
            orders: Arc::new(orders),
            catalog: Arc::clone(&self.catalog),
            operator: Operator::new(self.stores.clone(), Arc::clone(&self.catalog)),
            stores: self.stores.clone(),
            sessions: sessions(config, keys)?,
            trusted: Arc::new(move |address| trusted.iter().any(|network| network.contains(address))),
            cells: gateway::limits::Cells::new(CELLS, random()),
            admin_token,
            admin_here: config.server.admin_listen.is_none(),
            metrics: gateway::metrics::Metrics::default(),
            gauges: Arc::default(),
            probe: self.probe(provider_url, missing),
            settings: edge_settings(config),
            random: random::<16>,
            stop,
            guests,
            shown: std::sync::RwLock::default(),
            under_way: std::sync::atomic::AtomicU64::new(0),
            polls: gateway::edge::Polls::default(),
        })
    }

    fn probe(&self, provider_url: String, missing: Option<String>) -> Probe {
        let (stores, catalog, failed) = (self.stores.clone(), Arc::clone(&self.catalog), self.store.failed());
        let client = reqwest::Client::builder().timeout(PROBE).build().ok();
        Arc::new(move || {
            let (stores, catalog, failed) = (stores.clone(), Arc::clone(&catalog), failed.clone());
            let (client, url) = (client.clone(), format!("{provider_url}/v1/health"));
            let missing = missing.clone();
            Box::pin(async move {
                let stopped = failed.borrow().clone();
                let store = match stopped {
                    Some(why) => Some(why),
                    None => stores.sales.list().await.err().map(|fault| fault.to_string()),
                };
                // Any answer shows that somebody is there.
                let provider = match client {
                    Some(client) => {
                        client.get(url).send().await.err().map(|error| error.without_url().to_string())
                    }
                    None => Some("no HTTP client".to_owned()),
                };
                vec![
                    readiness("store", true, store),
                    readiness("inventory", false, closed_shards(&stores, &catalog)),
                    readiness("payments", false, provider),
                    readiness("roles", false, missing),
                ]
            })
        })
    }
}

fn readiness(name: &'static str, vital: bool, wrong: Option<String>) -> Readiness {
    Readiness { name, ready: wrong.is_none(), vital, detail: wrong.unwrap_or_default() }
}

fn closed_shards(stores: &Stores, catalog: &Catalog) -> Option<String> {
    let closed = catalog.all().into_iter().filter(|sale| {
        let view = stores.inventory.view(&sale.sale_id, domain::id::ProductNo(0));
        view.is_none_or(|view| !view.open)
    });
    let closed: Vec<String> = closed.map(|sale| sale.sale_id.to_string()).collect();
    (!closed.is_empty()).then(|| format!("the stock is being made ready: {}", closed.join(", ")))
}

fn store_options(dir: &Path, clock: &Arc<dyn Clock>, address_deadline_ms: u64) -> StoreOptions {
    StoreOptions { dir: dir.to_path_buf(), clock: Arc::clone(clock), address_deadline_ms, secret: None }
}

fn edge_settings(config: &Config) -> EdgeSettings {
    EdgeSettings {
        body_timeout: std::time::Duration::from_millis(config.server.body_timeout_ms),
        user_per_s: config.limits.user_per_s,
        user_burst: config.limits.user_burst,
        network_per_s: config.limits.network_per_s,
        network_burst: config.limits.network_burst,
        sale_per_s: config.limits.sale_per_s,
        checkouts: config.limits.checkout_queue as u64,
        session_ttl_ms: config.sessions.ttl_ms,
        poll_min_ms: config.status.poll_min_ms,
        poll_max_ms: config.status.poll_max_ms,
    }
}

fn sessions(config: &Config, keys: &Keys) -> Result<Sessions, String> {
    let builtin = || Sessions::Builtin(Builtin::new(keys.derive("sessions")));
    Ok(shop(config)?.map_or_else(builtin, |jwt| Sessions::Jwt(Box::new(jwt))))
}

/// Who judges the shop's sessions; `None` where this system issues them itself.
///
/// # Errors
/// The shop's key cannot be used.
pub fn shop(config: &Config) -> Result<Option<Jwt>, String> {
    let sessions = &config.sessions;
    if sessions.issuer == Issuer::Builtin {
        return Ok(None);
    }
    let file = sessions.jwt_key_file.as_deref().ok_or("sessions.jwt_key_file must name the shop's key")?;
    let key = std::fs::read(file)
        .map_err(|error| format!("sessions.jwt_key_file: cannot read {}: {error}", file.display()))?;
    let algorithm = match sessions.jwt_algorithm {
        JwtAlgorithm::EdDSA => Algorithm::EdDsa,
        JwtAlgorithm::ES256 => Algorithm::Es256,
        JwtAlgorithm::RS256 => Algorithm::Rs256,
        JwtAlgorithm::HS256 => Algorithm::Hs256,
    };
    let (audience, issuer) = (sessions.jwt_audience.as_deref(), sessions.jwt_issuer.as_deref());
    let jwt = Jwt::read(algorithm, &key, audience, issuer, sessions.jwt_leeway_ms);
    jwt.map(Some).map_err(|wrong| format!("sessions.jwt_key_file: {} {wrong}", file.display()))
}

/// Brings the stores of a folder to this version's form; says what was done.
///
/// # Errors
/// A store cannot be opened or written.
pub fn migrate(config: &Config) -> Result<Vec<String>, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let options = store_options(&config.data.dir, &clock, config.processor.payment_address_deadline_ms);
    Embedded::migrate(&options).map_err(|fault| fault.to_string())
}

/// Audits the stores of a folder, read-only: a copy in memory is recovered as at a start, and audited.
///
/// # Errors
/// There is no store, or it cannot be read.
pub async fn audit_offline(dir: &Path, sale: Option<&str>) -> Result<Vec<Value>, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let store = Embedded::open_copy(store_options(dir, &clock, 0)).map_err(|fault| fault.to_string())?;
    // Neither tickets nor payments are touched by an audit: the keys may be any.
    let keys = Keys::of([0; 32]);
    let nobody = PaymentOptions {
        provider: "sandbox",
        base_url: "http://127.0.0.1:9".into(),
        secret_key: String::new(),
        webhook_secrets: Vec::new(),
        timeout_ms: 1,
    };
    let payments: Arc<dyn Payments> = Arc::new(StripeForm::new(nobody)?);
    let settings = Settings {
        checkout_queue: 1,
        checkout_deadline_ms: 1,
        retry_min_ms: 1,
        retry_max_ms: 1,
        grace_ms: 0,
        session_life_ms: SESSION_LIFE_MS,
        public_url: String::new(),
        ledger_lane: 1,
    };
    let system = System::over(store, payments, &keys, clock, settings);
    system.recover().await?;
    let named = sale.map(|id| SaleId::parse(id).map_err(|refusal| format!("{id}: {refusal}"))).transpose()?;
    let mut reports = Vec::new();
    for sale in system.catalog.all() {
        if named.as_ref().is_none_or(|named| *named == sale.sale_id) {
            let audit =
                purchase::audit::audit(&system.stores, &sale).await.map_err(|fault| fault.to_string())?;
            let report = gateway::admin::report::report(&sale.sale_id, audit);
            reports.push(serde_json::to_value(report).map_err(|error| error.to_string())?);
        }
    }
    system.close().await;
    match named {
        Some(named) if reports.is_empty() => Err(format!("there is no sale {named} in {}", dir.display())),
        _ => Ok(reports),
    }
}
