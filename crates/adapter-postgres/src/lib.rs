//! The ledger ports on PostgreSQL: who owns which unit, where orders stand, what the inventory must be told.
//!
//! Whether a claim is taken in and how an order moves is decided by `domain`, on rows that are held, at the database's
//! clock. Constraints (`migrations`) keep a unit from two owners whatever is written. A batch is one transaction with a
//! few statements that carry all of its rows, never a statement for each order. READ COMMITTED is enough, since every guard is a
//! held row or a constraint; no decision rests on SERIALIZABLE, and none reads a standby.
//!
//! A fault after COMMIT was sent leaves the outcome unknown. Every operation may therefore be repeated.

mod allocate;
mod apply;
mod books;
mod check;
mod columns;
mod copy;
mod deadlines;
mod effects;
mod encrypted;
mod facts;
mod failure;
mod job;
mod ledger;
mod live;
mod migrate;
mod queries;
mod refusal;
mod restock;
mod rows;
mod sale_numbers;
mod sales;
mod sent;
mod terms;
mod words;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use ports::Fault;
use ports::clock::Clock;
use store_tls::Tls;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

use crate::allocate::Care;
use crate::deadlines::Deadlines;
use crate::encrypted::Encrypted;
use crate::failure::{Failure, name_of};
pub use crate::refusal::Refusal;
use crate::sale_numbers::SaleNumbers;
use crate::sent::Sent;

/// How long anything may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until there is a connection.
    pub connect: Duration,
    /// One statement, in the server.
    pub statement: Duration,
    /// Until a row that somebody else holds is free, in the server.
    pub held_row: Duration,
    /// One operation of a port with all of its statements.
    pub operation: Duration,
    /// One operation that reads a whole sale.
    pub whole_sale: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            statement: Duration::from_secs(5),
            held_row: Duration::from_secs(3),
            operation: Duration::from_secs(10),
            whole_sale: Duration::from_secs(120),
        }
    }
}

/// How a ledger is reached.
#[derive(Clone)]
pub struct Options {
    /// Where it is: `postgresql://user:password@host:port/database`, or `key=value` pairs.
    pub url: String,
    /// Whom to believe over TLS, and what to show: no connection goes without it then. `None`: none is encrypted.
    pub tls: Option<Tls>,
    /// Connections at most.
    pub connections: usize,
    /// For pauses only: decisions use the database's clock.
    pub clock: Arc<dyn Clock>,
    /// How long a payment address may take, milliseconds.
    pub address_deadline_ms: u64,
    /// How long anything may take.
    pub limits: Limits,
}

/// The ledger in a PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    /// The database in words, without its password.
    name: Arc<str>,
    limits: Limits,
    address_deadline_ms: u64,
    numbers: Arc<SaleNumbers>,
    deadlines: Arc<Deadlines>,
    sent: Arc<Sent>,
    care: Arc<Care>,
}

impl Postgres {
    /// Connects to a migrated database.
    ///
    /// # Errors
    /// The address cannot be understood, the database does not answer or takes no writes, or its schema is not the one of this
    /// version.
    pub async fn connect(options: Options) -> Result<Self, Refusal> {
        let (pool, name) = pool(&options)?;
        let store = Self {
            pool,
            name,
            limits: options.limits,
            address_deadline_ms: options.address_deadline_ms,
            numbers: Arc::default(),
            deadlines: Arc::new(Deadlines::new(options.clock)),
            sent: Arc::default(),
            care: Arc::default(),
        };
        let verified = async {
            let client = store.client().await?;
            migrate::verify(&client).await?;
            migrate::is_read_only(&client).await
        };
        match verified.await {
            Ok(false) => Ok(store),
            Ok(true) => Err(Refusal::ReadOnly { name: store.name.to_string() }),
            Err(failure) => Err(failure.into_refusal(&store.name)),
        }
    }

    /// Makes sure that this database belongs to the secret whose digest this is, and to the fleet of this name; the first one to
    /// ask decides both.
    ///
    /// # Errors
    /// It belongs to another secret or fleet, or does not answer.
    pub async fn claim_for(&self, digest: [u8; 32], fleet: &str) -> Result<(), Refusal> {
        let mut known: (Option<Vec<u8>>, Option<String>) = (None, None);
        // What another process wrote just now, after the first statement's snapshot, is seen by the second.
        for _ in 0..2 {
            let rows = self.ask(queries::SECRET_CLAIM, &[&&digest[..], &fleet]).await?;
            let Some(row) = rows.first() else { continue };
            let read = || Ok::<_, Failure>((row.try_get(0)?, row.try_get(1)?));
            known = read().map_err(|failure| self.fault(failure))?;
            if known.1.is_some() {
                break;
            }
        }
        if known.0.as_deref() != Some(&digest[..]) {
            return Err(Refusal::OtherSecret);
        }
        if known.1.as_deref() != Some(fleet) {
            let theirs = called(known.1.as_deref().unwrap_or_default());
            return Err(Refusal::OtherFleet { theirs, ours: called(fleet) });
        }
        Ok(())
    }

    /// Makes sure that the user of this store has every right of a group, as the role that the group is for needs it.
    ///
    /// # Errors
    /// The first right that is missing, or the database does not answer.
    pub async fn has_rights_of(&self, group: &str) -> Result<(), Refusal> {
        let lacked = self.ask(queries::RIGHTS_LACKED, &[&group]).await?;
        let Some(row) = lacked.first() else { return Ok(()) };
        let read = || Ok::<_, Failure>((row.try_get(0)?, row.try_get(1)?));
        let (user, lacked) = read().map_err(|failure| self.fault(failure))?;
        Err(Refusal::Lacks { user, group: group.to_owned(), lacked })
    }

    /// Whether the database has nothing of ours yet.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_empty(options: &Options) -> Result<bool, Refusal> {
        let (pool, name) = pool(options)?;
        let asked = async { migrate::is_empty(&pool.get().await?).await };
        asked.await.map_err(|failure: Failure| failure.into_refusal(&name))
    }

    /// Brings a database to the schema of this version; gives what was done, in words. Needs the right to create a
    /// schema and the extension `btree_gist`; roles are made where they are missing.
    ///
    /// # Errors
    /// The database does not answer, a right is missing, or its schema is of another origin or a later version.
    pub async fn migrate(options: &Options) -> Result<Vec<String>, Refusal> {
        let (pool, name) = pool(options)?;
        let done = async {
            let mut client = pool.get().await?;
            migrate::run(&mut client).await
        };
        done.await.map_err(|failure: Failure| failure.into_refusal(&name))
    }

    async fn client(&self) -> Result<deadpool_postgres::Client, Failure> {
        Ok(self.pool.get().await?)
    }

    fn fault(&self, failure: Failure) -> Fault {
        failure.into_fault(&self.name)
    }
}

/// A fleet by its name.
fn called(name: &str) -> String {
    if name.is_empty() { "the fleet without a name".to_owned() } else { format!("the fleet {name:?}") }
}

/// Settings of every connection. A statement is planned anew each time, by the sizes that tables have then: a plan that was
/// made while a sale's tables were empty, and kept, costs many times as much an order. Scans of whole tables and joins
/// that read them are discouraged for the same reason, and starting parallel workers costs more than a batch.
fn settings(limits: &Limits) -> String {
    let (statement, held_row) = (limits.statement.as_millis(), limits.held_row.as_millis());
    let idle = limits.operation.as_millis();
    format!(
        "-c statement_timeout={statement} -c lock_timeout={held_row} -c idle_in_transaction_session_timeout={idle} \
         -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off \
         -c max_parallel_workers_per_gather=0 \
         -c plan_cache_mode=force_custom_plan -c timezone=UTC"
    )
}

fn pool(options: &Options) -> Result<(Pool, Arc<str>), Fault> {
    let unusable = |error: &dyn std::fmt::Display| Fault::unavailable("the ledger", error);
    let mut config: tokio_postgres::Config =
        options.url.parse().map_err(|_| unusable(&"its address is none that PostgreSQL understands"))?;
    if options.tls.is_none() && config.get_ssl_mode() == SslMode::Require {
        return Err(unusable(&"its address asks for TLS (sslmode), and this program was told to do without"));
    }
    let name: Arc<str> = name_of(&config).into();
    let asked = config.get_options().map(|asked| format!(" {asked}")).unwrap_or_default();
    config.options(format!("{}{asked}", settings(&options.limits)));
    config.connect_timeout(options.limits.connect);
    config.tcp_user_timeout(options.limits.operation);
    if config.get_application_name().is_none() {
        config.application_name("tzero");
    }
    let kept = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    // Never the one where the other was meant, whatever the server offers.
    let manager = if let Some(tls) = &options.tls {
        config.ssl_mode(SslMode::Require);
        Manager::from_config(config, Encrypted::by(tls.config()), kept)
    } else {
        config.ssl_mode(SslMode::Disable);
        Manager::from_config(config, NoTls, kept)
    };
    let pool = Pool::builder(manager)
        .max_size(options.connections)
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(options.limits.operation))
        .create_timeout(Some(options.limits.connect))
        .recycle_timeout(Some(options.limits.connect));
    Ok((pool.build().map_err(|error| unusable(&error))?, name))
}
