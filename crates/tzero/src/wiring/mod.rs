//! The composition root: the one place that names an adapter, a clock and a source of randomness.

mod challenges;
mod kept_keys;
mod lists;
mod offline;
mod orders;
mod readiness;
mod shop_keys;
mod stores;
mod tls_files;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use adapter_payments::{Options as PaymentOptions, StripeForm};
use domain::id::{IdSecret, ShardId};
use gateway::client_address::AddressHeader;
use gateway::edge::{Edge, EdgeSettings};
use gateway::lists::Lists;
use gateway::session::{Builtin, Sessions};
use ports::challenges::Challenges;
use ports::clock::{Clock, SystemClock};
use ports::dice::Dice;
use ports::facts::{FactLog, Facts};
use ports::payments::Payments;
use purchase::backlog::Backlog;
use purchase::catalog::Catalog;
use purchase::operate::Operator;
use purchase::pulse::Pulse;
use purchase::recover::ensure_open;
use purchase::{Settings, Stores};
use rand::{Rng, RngCore};
use tokio_util::sync::CancellationToken;
use wire::ticket::SealedTickets;

use crate::config::{ClientAddressHeader, Config, Provider};
use crate::keys::Keys;
use crate::role::Role;

pub use challenges::open as open_challenges;
pub use lists::ListFiles;
pub use offline::audit_offline;
pub use orders::{OrdersDesk, serve_gateways};
pub use shop_keys::{ShopKeys, of_file as shop};
pub use stores::{DeadLetter, dead_letters, migrate};
use stores::{Keeper, StorePorts};
pub use tls_files::StoresTls;

/// A provider's own backstop for a session, milliseconds: Stripe allows a day, less what a late start may cost.
const SESSION_LIFE_MS: u64 = 84_600_000;
/// Status questions to the ledger at once.
const LEDGER_LANE: usize = 64;
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
pub struct Around {
    /// Where the provider's API is.
    pub provider_url: String,
    /// Who serves orders.
    pub orders: OrdersDesk,
    /// Told when the process stops.
    pub stop: CancellationToken,
    /// What nobody does, because its role does not run; in words.
    pub missing: Option<String>,
    /// Whether buyers are served here: by a gateway, or by a node that gateways ask.
    pub sells: bool,
    /// Who is let in.
    pub door: Door,
}

/// Who is let in.
#[derive(Clone)]
pub struct Door {
    /// The shop's keys, where the shop signs sessions.
    pub shop: Option<Arc<ShopKeys>>,
    /// What operators keep of networks and sessions.
    pub lists: Arc<Lists>,
    /// What buyers are asked, where a sale says so.
    pub challenges: Arc<dyn Challenges>,
}

/// Stores, peers and the core of one process.
pub struct System {
    /// The stores behind their ports.
    pub stores: Stores,
    /// Numbers that the steps obey.
    pub settings: Settings,
    /// This node's copy of the sales.
    pub catalog: Arc<Catalog>,
    /// What the shop's own systems hear, and where.
    pub facts: Option<(Arc<dyn Facts>, Arc<dyn FactLog>)>,
    keeper: Keeper,
}

fn settings(config: &Config, public_url: &str) -> Settings {
    Settings {
        checkout_queue: config.limits.checkout_queue,
        checkout_deadline_ms: config.limits.checkout_deadline_ms,
        address_deadline_ms: config.processor.payment_address_deadline_ms,
        address_limit_per_s: None,
        retry_min_ms: config.processor.retry_min_ms,
        retry_max_ms: config.processor.retry_max_ms,
        grace_ms: config.expiration.grace_ms,
        session_life_ms: SESSION_LIFE_MS,
        public_url: public_url.to_owned(),
        relay_after_ms: config.fleet.relay_after_ms,
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
    /// Opens the stores that the configuration names, as a process of `roles`, and wires the core to them.
    ///
    /// # Errors
    /// A store cannot be opened, in words for the person who starts the program.
    pub async fn open(
        config: &Config,
        keys: &Keys,
        addresses: &Addresses,
        roles: &HashSet<Role>,
    ) -> Result<Self, String> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        let (ports, keeper) = stores::open(config, keys, &clock, roles).await?;
        let payments = payments(config, keys, &addresses.provider_url)?;
        let mut settings = settings(config, &addresses.public_url);
        // Where others use the stores too, so may their processors.
        settings.address_limit_per_s = (!keeper.shared).then_some(config.processor.rate_per_s);
        Ok(Self::over(ports, keeper, payments, keys, clock, settings))
    }

    fn over(
        ports: StorePorts,
        keeper: Keeper,
        payments: Arc<dyn Payments>,
        keys: &Keys,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let stores = Stores {
            inventory: ports.inventory,
            rebuild: ports.rebuild,
            claims: ports.claims,
            allocations: ports.allocations,
            ledger: ports.ledger,
            effects: ports.effects,
            terms: ports.terms,
            books: ports.books,
            sales: ports.sales,
            board: ports.board,
            payments,
            tickets: Arc::new(SealedTickets::new(keys.derive("tickets"))),
            clock,
            dice: Arc::new(SystemDice),
            ids: IdSecret::new(keys.derive("ids")),
            pulse: Arc::new(Pulse::default()),
            backlog: Arc::new(Backlog::new(settings.address_limit_per_s)),
        };
        Self { stores, settings, catalog: Arc::default(), facts: ports.facts, keeper }
    }

    /// Whether other processes may use the same stores.
    pub const fn is_shared(&self) -> bool {
        self.keeper.shared
    }

    /// Reads the sales and opens every shard that is not open: from here on it sells. Of stores that others use too, closed
    /// shards are left to a reconciler, which also comes back to those that cannot be opened now.
    ///
    /// # Errors
    /// A store fails.
    pub async fn recover(&self, roles: &HashSet<Role>) -> Result<(), String> {
        let failed = |fault: ports::Fault| format!("cannot open the stock: {fault}");
        self.catalog.refresh(&*self.stores.sales).await.map_err(failed)?;
        if self.keeper.shared && !roles.contains(&Role::Reconciler) {
            return Ok(());
        }
        for sale in self.catalog.all() {
            for number in 0..sale.shards {
                let shard = ShardId { sale: sale.sale_id.clone(), number };
                match ensure_open(&self.stores, &shard).await {
                    Err(fault) if self.keeper.shared => tracing::warn!(%shard, %fault, "not open yet"),
                    opened => drop(opened.map_err(failed)?),
                }
            }
        }
        Ok(())
    }

    /// Tells when the store has stopped by itself.
    pub fn failed(&self) -> tokio::sync::watch::Receiver<Option<String>> {
        self.keeper.failed.clone()
    }

    /// Closes the stores; whatever is asked of them later is answered with a fault.
    pub async fn close(&self) {
        self.keeper.close().await;
    }

    /// The edge of this process.
    pub fn edge(
        &self,
        config: &Config,
        keys: &Keys,
        admin_token: String,
        guests: axum::Router,
        around: Around,
    ) -> Edge {
        let Around { provider_url, orders, stop, missing, sells, door: Door { shop, lists, challenges } } =
            around;
        let probe = readiness::Dependencies {
            stores: self.stores.clone(),
            catalog: Arc::clone(&self.catalog),
            failed: self.failed(),
            provider_url,
            orders: orders.clone(),
            missing,
            challenges: Arc::clone(&challenges),
            works_without_the_store: sells && self.keeper.shared,
        };
        let sessions = shop.as_ref().map_or_else(
            || Sessions::Builtin(Builtin::new(keys.derive("sessions"), config.sessions.ttl_ms)),
            |shop| Sessions::Jwt(Arc::clone(&shop.jwt)),
        );
        let keys_standing =
            shop.as_ref().map(|shop| Box::new(shop.standing()) as gateway::edge::KeysStanding);
        let trusted = config.server.trusted_proxies.clone();
        Edge {
            orders: orders.port(),
            catalog: Arc::clone(&self.catalog),
            operator: Operator::new(self.stores.clone(), Arc::clone(&self.catalog)),
            stores: self.stores.clone(),
            sessions,
            keys_standing,
            lists,
            challenger: challenges::challenger(config, Arc::clone(&challenges)),
            address_header: address_header(config),
            trusted: Arc::new(move |address| trusted.iter().any(|network| network.contains(address))),
            rooms: gateway::limits::Rooms::new(random()),
            admin_token,
            admin_here: config.server.admin_listen.is_none(),
            metrics: gateway::metrics::Metrics::default(),
            gauges: Arc::default(),
            probe: probe.probe(),
            readiness: purchase::asked::Asked::default(),
            selling: purchase::asked::Asked::default(),
            settings: edge_settings(config),
            random: random::<16>,
            stop,
            guests,
            shown: std::sync::RwLock::default(),
            pages: gateway::edge::Pages::default(),
            shedding: shedding(config),
            streams: std::sync::atomic::AtomicU64::new(0),
            polls: gateway::edge::PerSecond::default(),
        }
    }
}

const fn address_header(config: &Config) -> AddressHeader {
    match config.server.client_address_header {
        ClientAddressHeader::XForwardedFor => AddressHeader::XForwardedFor,
        ClientAddressHeader::Forwarded => AddressHeader::Forwarded,
    }
}

fn shedding(config: &Config) -> gateway::shedding::Shedding {
    let aim = std::time::Duration::from_millis(config.limits.checkout_wait_ms);
    gateway::shedding::Shedding::new(config.limits.checkout_queue as u64, aim)
}

fn edge_settings(config: &Config) -> EdgeSettings {
    EdgeSettings {
        body_timeout: std::time::Duration::from_millis(config.server.body_timeout_ms),
        user_per_s: config.limits.user_per_s,
        user_burst: config.limits.user_burst,
        network_per_s: config.limits.network_per_s,
        network_burst: config.limits.network_burst,
        sale_per_s: config.limits.sale_per_s,
        // A stream keeps its connection for as long as its order lives.
        streams: config.server.max_connections as u64 / 2,
        session_ttl_ms: config.sessions.ttl_ms,
        poll_min_ms: config.status.poll_min_ms,
        poll_max_ms: config.status.poll_max_ms,
    }
}
