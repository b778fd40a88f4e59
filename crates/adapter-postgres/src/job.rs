//! One operation: a connection with a bound, one transaction, repeated only where nothing has happened.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Object, Transaction};
use ports::Fault;
use tokio_postgres::types::ToSql;
use tokio_postgres::{IsolationLevel, Row};

use crate::Postgres;
use crate::failure::Failure;

/// How often an operation is tried that another one was in the way of.
const ATTEMPTS: u32 = 8;

/// What a statement is given.
pub(crate) type Given<'a> = &'a [&'a (dyn ToSql + Sync)];

/// What an operation does within its transaction. May run more than once; only the last one counts.
#[async_trait]
pub(crate) trait Job: Sync {
    /// What it answers.
    type Answer: Send;
    /// Whether it reads one instant of a whole sale.
    const WHOLE_SALE: bool = false;

    /// Does it.
    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure>;
}

/// Rows of a prepared statement.
pub(crate) async fn rows(
    client: &impl GenericClient,
    query: &str,
    given: Given<'_>,
) -> Result<Vec<Row>, Failure> {
    let statement = client.prepare_cached(query).await?;
    Ok(client.query(&statement, given).await?)
}

/// The row of a prepared statement, if there is one.
pub(crate) async fn row(
    client: &impl GenericClient,
    query: &str,
    given: Given<'_>,
) -> Result<Option<Row>, Failure> {
    Ok(rows(client, query, given).await?.pop())
}

/// How many rows a prepared statement wrote.
pub(crate) async fn write(
    client: &impl GenericClient,
    query: &str,
    given: Given<'_>,
) -> Result<u64, Failure> {
    let statement = client.prepare_cached(query).await?;
    Ok(client.execute(&statement, given).await?)
}

impl Postgres {
    /// Runs an operation in one transaction.
    pub(crate) async fn run<J: Job>(&self, job: &J) -> Result<J::Answer, Fault> {
        let mut tried = 1;
        loop {
            match self.once(job).await {
                Err(failure) if tried < ATTEMPTS && failure.may_pass() => {
                    tracing::debug!(%failure, tried, "an operation of the ledger is tried again");
                    tried += 1;
                }
                done => return done.map_err(|failure| self.fault(failure)),
            }
        }
    }

    async fn once<J: Job>(&self, job: &J) -> Result<J::Answer, Failure> {
        let mut client = self.client().await?;
        let limit = if J::WHOLE_SALE { self.limits.whole_sale } else { self.limits.operation };
        let work = async {
            let level =
                if J::WHOLE_SALE { IsolationLevel::RepeatableRead } else { IsolationLevel::ReadCommitted };
            let inside = client.build_transaction().isolation_level(level).start().await?;
            if J::WHOLE_SALE {
                let longer = format!("SET LOCAL statement_timeout = {}", limit.as_millis());
                inside.batch_execute(&longer).await?;
            }
            let answer = job.run(&inside).await?;
            inside.commit().await.map_err(Failure::Unknown)?;
            Ok(answer)
        };
        if let Ok(done) = tokio::time::timeout(limit, work).await {
            return done;
        }
        // Something of it may still run there: this connection is of no use to anybody.
        drop(Object::take(client));
        Err(Failure::Slow)
    }

    /// Rows of one statement, which is its own transaction.
    pub(crate) async fn ask(&self, query: &str, given: Given<'_>) -> Result<Vec<Row>, Fault> {
        let client = self.client().await.map_err(|failure| self.fault(failure))?;
        match tokio::time::timeout(self.limits.operation, rows(&client, query, given)).await {
            Ok(done) => done.map_err(|failure| self.fault(failure)),
            Err(_) => {
                drop(Object::take(client));
                Err(self.fault(Failure::Slow))
            }
        }
    }
}
