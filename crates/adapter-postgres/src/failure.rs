//! Why an operation failed, and which fault that is: unknown outcomes are never taken for refusals.

use std::error::Error as _;

use deadpool_postgres::PoolError;
use ports::Fault;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;

use crate::refusal::Refusal;

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server refused a statement, or the connection broke.
    #[error(transparent)]
    Sql(#[from] tokio_postgres::Error),
    /// There is no connection.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// The answer to COMMIT did not come: nobody knows whether it happened.
    #[error("the outcome is unknown")]
    Unknown(tokio_postgres::Error),
    /// It took too long; whether it happened is unknown.
    #[error("no answer in time")]
    Slow,
    /// A fault of its own.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// This database is not one to work with.
    #[error(transparent)]
    Refused(Box<Refusal>),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Failure {
    /// Something stored that is not what was written.
    pub(crate) fn damaged(what: &'static str, detail: impl std::fmt::Display) -> Self {
        Self::Fault(Fault::damaged(what, detail))
    }

    /// Whether the same again may go well, and nothing has happened: a circle of waiting, rows that moved under a snapshot,
    /// a unit that somebody took between the look and the write.
    pub(crate) fn may_pass(&self) -> bool {
        let Self::Sql(error) = self else { return false };
        let moved = [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
        error.code().is_some_and(|code| moved.contains(&code) || *code == SqlState::UNIQUE_VIOLATION)
    }

    /// What whoever starts the program is told. `name` is the database's.
    pub(crate) fn into_refusal(self, name: &str) -> Refusal {
        match self {
            Self::Refused(refusal) => *refusal,
            Self::Sql(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                Refusal::Denied { said: format!("{name}: {}", words(&error)) }
            }
            Self::Sql(error) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                Refusal::ReadOnly { name: name.to_owned() }
            }
            other => other.into_fault(name).into(),
        }
    }

    /// What the core is told. `name` is the database's.
    pub(crate) fn into_fault(self, name: &str) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Sql(error) if violates(&error) => {
                Fault::damaged("the ledger", format!("{name} refused what was written: {}", words(&error)))
            }
            Self::Sql(error) => Fault::unavailable("the ledger", format!("{name}: {}", words(&error))),
            Self::Unknown(error) => {
                let what = words(&error);
                Fault::unavailable("the ledger", format!("{name}: the outcome is unknown: {what}"))
            }
            Self::Pool(PoolError::Backend(error)) => {
                Fault::unavailable("the ledger", format!("{name}: {}", words(&error)))
            }
            Self::Pool(error) => Fault::unavailable("the ledger", format!("{name}: {error}")),
            Self::Refused(refusal) => Fault::unavailable("the ledger", refusal),
            Self::Slow => Fault::unavailable("the ledger", format!("{name}: no answer in time")),
        }
    }
}

/// A constraint was violated: the rules and what is stored do not agree.
fn violates(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("23"))
}

/// An error in words, without what PostgreSQL calls its detail: that has values of rows in it, and so buyers.
fn words(error: &tokio_postgres::Error) -> String {
    if let Some(answer) = error.as_db_error() {
        if let Some(told) = store_tls::why_of(answer.message(), "postgres") {
            return told;
        }
        let constraint = answer.constraint().map(|name| format!(", constraint {name}")).unwrap_or_default();
        return format!("{} ({}{constraint})", answer.message(), answer.code().code());
    }
    if let Some(told) = store_tls::why(error, "postgres") {
        return told;
    }
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// A database in words, without its password.
pub(crate) fn name_of(config: &tokio_postgres::Config) -> String {
    let ports = config.get_ports();
    let place = |(at, host): (usize, &Host)| {
        let port = ports.get(at).or_else(|| ports.first()).map_or(5432, |port| *port);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
        }
    };
    let places: Vec<String> = config.get_hosts().iter().enumerate().map(place).collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    format!("PostgreSQL database {database} at {}", places.join(", "))
}
