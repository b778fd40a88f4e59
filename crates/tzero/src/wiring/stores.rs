//! Which stores the configuration names: the embedded ones of this process, or those of a fleet.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::{Embedded, Options as EmbeddedOptions};
pub use adapter_kafka::DeadLetter;
use adapter_kafka::{Kafka, LetterReader, Letters, Mechanism, Sasl, Security};
use adapter_postgres::{Limits, Options as PostgresOptions, Postgres};
use adapter_redis::{Address, Options as RedisOptions, Redis, Refusal, SealKey, probe};
use futures::future::BoxFuture;
use ports::claims::ClaimLog;
use ports::clock::{Clock, SystemClock};
use ports::facts::{FactLog, Facts};
use ports::inventory::{Inventory, Rebuild};
use ports::ledger::{Allocations, Books, Effects, Ledger, Terms};
use ports::sales::Sales;
use ports::status_board::StatusBoard;
use store_tls::Tls;
use tokio::sync::watch;

use super::tls_files::StoresTls;
use crate::config::{Config, SaslMechanism, times};
use crate::keys::Keys;
use crate::role::Role;

/// Every store behind its port.
pub struct StorePorts {
    pub inventory: Arc<dyn Inventory>,
    pub rebuild: Arc<dyn Rebuild>,
    pub claims: Arc<dyn ClaimLog>,
    pub allocations: Arc<dyn Allocations>,
    pub ledger: Arc<dyn Ledger>,
    pub effects: Arc<dyn Effects>,
    pub terms: Arc<dyn Terms>,
    pub books: Arc<dyn Books>,
    pub sales: Arc<dyn Sales>,
    pub board: Arc<dyn StatusBoard>,
    /// What the shop's own systems hear, and where; stores without a log that others read have neither.
    pub facts: Option<(Arc<dyn Facts>, Arc<dyn FactLog>)>,
}

type Close = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// What a process has to do with its stores besides using them.
pub struct Keeper {
    /// Tells when they have stopped by themselves.
    pub failed: watch::Receiver<Option<String>>,
    /// Whether other processes may use them too.
    pub shared: bool,
    close: Close,
    /// Stores that never stop by themselves still have somebody who would tell.
    _tells: Option<watch::Sender<Option<String>>>,
}

impl Keeper {
    /// Closes what must be closed in good order.
    pub async fn close(&self) {
        (self.close)().await;
    }
}

/// Opens the stores that the configuration names.
///
/// # Errors
/// One cannot be opened, in words for the person who starts the program.
pub async fn open(
    config: &Config,
    keys: &Keys,
    clock: &Arc<dyn Clock>,
    roles: &HashSet<Role>,
) -> Result<(StorePorts, Keeper), String> {
    if let Some(url) = &config.postgres.url {
        return fleet(config, url.expose(), keys, clock, roles).await;
    }
    let deadline_ms = config.processor.payment_address_deadline_ms;
    let secret = Some(keys.derive("store"));
    let options = EmbeddedOptions { secret, ..embedded_options(&config.data.dir, clock, deadline_ms) };
    Ok(embedded(Embedded::open(options).map_err(|fault| fault.to_string())?))
}

/// How the embedded stores of a folder are opened.
pub fn embedded_options(dir: &Path, clock: &Arc<dyn Clock>, address_deadline_ms: u64) -> EmbeddedOptions {
    EmbeddedOptions { dir: dir.to_path_buf(), clock: Arc::clone(clock), address_deadline_ms, secret: None }
}

/// The embedded store behind every port.
pub fn embedded(store: Embedded) -> (StorePorts, Keeper) {
    let shared = Arc::new(store.clone());
    let ports = StorePorts {
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
        facts: None,
    };
    let failed = store.failed();
    let close: Close = Box::new(move || {
        let store = store.clone();
        Box::pin(async move {
            if tokio::task::spawn_blocking(move || store.close()).await.is_err() {
                tracing::error!("the store did not close well");
            }
        })
    });
    (ports, Keeper { failed, shared: false, close, _tells: None })
}

async fn fleet(
    config: &Config,
    url: &str,
    keys: &Keys,
    clock: &Arc<dyn Clock>,
    roles: &HashSet<Role>,
) -> Result<(StorePorts, Keeper), String> {
    let tls = StoresTls::read(config)?;
    let postgres = Arc::new(ledger(postgres_options(config, url, tls.postgres, clock)).await?);
    for role in ledger_roles(config, roles) {
        let group = format!("tzero_{}", role.name());
        postgres.has_rights_of(&group).await.map_err(|refusal| refusal.to_string())?;
    }
    // Not the key itself: who reads the ledger must not be able to make tickets.
    let digest = *blake3::hash(&keys.derive("store")).as_bytes();
    postgres.claim_for(digest, &config.fleet.name).await.map_err(|refusal| refusal.to_string())?;
    let redis = Arc::new(inventory(config, tls.redis, keys).await?);
    let kafka = Kafka::connect(kafka_options(config, tls.kafka, clock))
        .await
        .map_err(|refusal| refusal.to_string())?;
    let facts: (Arc<dyn Facts>, Arc<dyn FactLog>) = (postgres.clone(), Arc::new(kafka.order_facts()));
    let ports = StorePorts {
        inventory: redis.clone(),
        rebuild: redis.clone(),
        claims: Arc::new(kafka),
        allocations: postgres.clone(),
        ledger: postgres.clone(),
        effects: postgres.clone(),
        terms: postgres.clone(),
        books: postgres.clone(),
        sales: postgres,
        board: redis,
        facts: Some(facts),
    };
    let (tells, failed) = watch::channel(None);
    let close: Close = Box::new(|| Box::pin(std::future::ready(())));
    Ok((ports, Keeper { failed, shared: true, close, _tells: Some(tells) }))
}

fn postgres_options(config: &Config, url: &str, tls: Option<Tls>, clock: &Arc<dyn Clock>) -> PostgresOptions {
    PostgresOptions {
        url: url.to_owned(),
        tls,
        connections: config.postgres.connections,
        clock: Arc::clone(clock),
        address_deadline_ms: config.processor.payment_address_deadline_ms,
        limits: Limits {
            statement: times::LEDGER_STATEMENT,
            held_row: times::LEDGER_ROW,
            operation: times::LEDGER_OPERATION,
            ..Limits::default()
        },
    }
}

/// An empty database gets its schema; one of an older version is left to `tzero migrate`.
async fn ledger(options: PostgresOptions) -> Result<Postgres, String> {
    if Postgres::is_empty(&options).await.map_err(refused)? {
        Postgres::migrate(&options).await.map_err(refused)?;
    }
    Postgres::connect(options).await.map_err(refused)
}

/// The refusal, and what to do where the server says no more than that it is not there for us.
fn refused(refusal: adapter_postgres::Refusal) -> String {
    match refusal {
        adapter_postgres::Refusal::Fault(fault @ ports::Fault::Unavailable { .. }) => format!(
            "{fault}; check host, port, user, password and database of postgres.url, and postgres.tls"
        ),
        refusal => refusal.to_string(),
    }
}

/// The roles whose rights in the ledger a process of `roles` needs: each role has a group of its name there. A gateway that
/// asks no orders nodes serves orders itself.
fn ledger_roles(config: &Config, roles: &HashSet<Role>) -> Vec<Role> {
    let serves_orders = roles.contains(&Role::Gateway) && config.fleet.orders_nodes.is_empty();
    let needs = |role: &Role| roles.contains(role) || (*role == Role::Orders && serves_orders);
    Role::ALL.into_iter().filter(|role| *role != Role::Sandbox && needs(role)).collect()
}

fn redis_address(config: &Config, tls: Option<Tls>) -> Address {
    let redis = &config.redis;
    let scheme = if tls.is_some() { "rediss" } else { "redis" };
    let password = redis.password.as_ref().map(|password| encoded(password.expose()));
    let user = redis.user.as_deref().map(encoded).unwrap_or_default();
    let who = password.map(|password| format!("{user}:{password}@")).unwrap_or_default();
    Address {
        nodes: redis.nodes.iter().map(|node| format!("{scheme}://{who}{node}")).collect(),
        tls,
        connect_timeout_ms: redis.timeout_ms,
        response_timeout_ms: redis.timeout_ms,
    }
}

/// A part of an address, with whatever has a meaning there written as `%xx`.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(byte).collect()
}

/// Servers without a function library get one; another version's is left to `tzero migrate`.
async fn inventory(config: &Config, tls: Option<Tls>, keys: &Keys) -> Result<Redis, String> {
    let address = redis_address(config, tls);
    let options = || RedisOptions {
        address: address.clone(),
        seal: SealKey::new(keys.derive("redis seal")),
        name: config.fleet.name.clone(),
    };
    match Redis::connect(options()).await {
        Err(lacking @ Refusal::Library { .. }) => match probe::install(&address).await {
            // A user of least right installs nothing: what is missing is the library.
            Err(Refusal::Unreachable(_)) => Err(lacking.to_string()),
            Err(refusal) => Err(refusal.to_string()),
            Ok(()) => Redis::connect(options()).await.map_err(|refusal| refusal.to_string()),
        },
        connected => connected.map_err(|refusal| refusal.to_string()),
    }
}

fn kafka_options(config: &Config, tls: Option<Tls>, clock: &Arc<dyn Clock>) -> adapter_kafka::Options {
    let usual = adapter_kafka::Options::of(config.kafka.brokers.clone(), Arc::clone(clock));
    let name = &config.fleet.name;
    let delivery = Duration::from_millis(config.kafka.publish_timeout_ms);
    adapter_kafka::Options {
        prefix: if name.is_empty() { usual.prefix } else { format!("{}{name}.", usual.prefix) },
        security: Security { tls, sasl: sasl(config) },
        replication: i16::try_from(config.kafka.replication).ok().filter(|copies| *copies > 0),
        limits: adapter_kafka::Limits { delivery, ..usual.limits },
        ..usual
    }
}

/// The newest dead letters of the claim log that the configuration names; `None` where it is the embedded one, in which nothing else
/// than claims can lie.
///
/// # Errors
/// The log cannot be read, in words for the person who asks.
pub async fn dead_letters(config: &Config, limit: u64) -> Result<Option<Letters>, String> {
    if config.postgres.url.is_none() {
        return Ok(None);
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let options = kafka_options(config, StoresTls::read(config)?.kafka, &clock);
    let reader = LetterReader::connect(options).await.map_err(|refusal| refusal.to_string())?;
    reader.newest(limit).await.map(Some).map_err(|fault| fault.to_string())
}

/// Who we say that we are; the configuration has all of it or nothing.
fn sasl(config: &Config) -> Option<Sasl> {
    let kafka = &config.kafka;
    let mechanism = match kafka.sasl_mechanism? {
        SaslMechanism::Plain => Mechanism::Plain,
        SaslMechanism::ScramSha256 => Mechanism::ScramSha256,
        SaslMechanism::ScramSha512 => Mechanism::ScramSha512,
    };
    let (user, password) = (kafka.sasl_user.clone()?, kafka.sasl_password.as_ref()?.expose().to_owned());
    Some(Sasl { mechanism, user, password })
}

/// Brings the stores that the configuration names to this version's form; says what was done.
///
/// # Errors
/// A store cannot be opened or written.
pub async fn migrate(config: &Config) -> Result<Vec<String>, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    if let Some(url) = &config.postgres.url {
        let tls = StoresTls::read(config)?;
        let steps = Postgres::migrate(&postgres_options(config, url.expose(), tls.postgres, &clock)).await;
        let steps = steps.map_err(|refusal| refusal.to_string())?;
        probe::replace(&redis_address(config, tls.redis)).await.map_err(|refusal| refusal.to_string())?;
        let steps = steps.into_iter().map(|step| format!("the ledger's schema: {step}"));
        return Ok(steps.chain(["the function library of Redis is this version's".to_owned()]).collect());
    }
    let options = embedded_options(&config.data.dir, &clock, config.processor.payment_address_deadline_ms);
    Embedded::migrate(&options).map_err(|fault| fault.to_string())
}
