//! The start of a process: what is bound, opened and read before anything runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gateway::listener::{Limits, Listener};
use ports::clock::{Clock, SystemClock};
use sandbox::Sandbox;

use super::Plan;
use crate::config::{Config, Provider};
use crate::descriptors;
use crate::keys::{self, Keys};
use crate::role::Role;
use crate::wiring::{self, Addresses};

/// Everything that a start makes, on its way to a [`Node`].
pub(super) struct Start {
    pub(super) plan: Plan,
    pub(super) keys: Keys,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) public: Listener,
    pub(super) admin: Option<Listener>,
    pub(super) provider: Option<Listener>,
    pub(super) addresses: Addresses,
}

fn bind(address: SocketAddr, key: &str) -> Result<Listener, String> {
    Listener::bind(address).map_err(|error| format!("{key}: cannot listen on {address}: {error}"))
}

/// Where a listener is reached from this machine.
pub(super) fn local(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

impl Start {
    pub(super) fn prepare(plan: Plan) -> Result<Self, String> {
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
        let public_url = match &server.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            // Every payment session names the address to which its buyer returns. Two processes that named two addresses
            // would ask for two sessions under one key, which a provider refuses for good.
            None if plan.roles.contains(&Role::Processor) && !plan.roles.contains(&Role::Gateway) => {
                return Err("server.public_url: must say what buyers' browsers call the gateways, because this process \
                            makes payment addresses and is no gateway"
                    .into());
            }
            None => {
                if listen.ip().is_unspecified() {
                    tracing::warn!(
                        "server.public_url: is not set: buyers are sent to http://{reached}, which leads only from this machine here; say what \
                         browsers call this server"
                    );
                }
                format!("http://{reached}")
            }
        };
        let addresses = Addresses { listen: reached, public_url, provider_url };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
        Ok(Self { plan, keys, clock, public, admin, provider, addresses })
    }

    pub(super) fn sandbox(&self) -> Result<Option<Sandbox>, String> {
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

    pub(super) fn console_url(&self) -> String {
        let own = self.admin.as_ref().map(|admin| format!("http://{}", local(admin.address())));
        format!("{}/console", own.as_deref().unwrap_or(&self.addresses.public_url))
    }

    pub(super) fn admin_token(&self) -> Result<(String, Option<std::path::PathBuf>), String> {
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

pub(super) fn limits(config: &Config) -> Limits {
    let server = &config.server;
    let trusted = server.trusted_proxies.clone();
    Limits {
        header_timeout: Duration::from_millis(server.header_timeout_ms),
        body_timeout: Duration::from_millis(server.body_timeout_ms),
        idle_timeout: Duration::from_millis(server.idle_timeout_ms),
        max_connections: descriptors::connections(server.max_connections),
        max_connections_per_address: server.max_connections_per_address,
        trusted: Arc::new(move |address| trusted.iter().any(|network| network.contains(address))),
        header_bytes: server.header_bytes,
        header_count: server.header_count,
        drain_timeout: Duration::from_millis(server.drain_timeout_ms),
        lists: Arc::default(),
    }
}
