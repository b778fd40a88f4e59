//! Brings a database to the schema of this version, one transaction a step.

use deadpool_postgres::{Client, GenericClient};

use crate::failure::Failure;
use crate::refusal::Refusal;

/// The steps, oldest first. A step that was released is never changed: the database knows its digest.
const STEPS: &[(&str, &str)] = &[
    ("0001_schema", include_str!("../migrations/0001_schema.sql")),
    ("0002_roles", include_str!("../migrations/0002_roles.sql")),
    ("0003_service", include_str!("../migrations/0003_service.sql")),
    ("0004_facts", include_str!("../migrations/0004_facts.sql")),
    ("0005_batches", include_str!("../migrations/0005_batches.sql")),
    ("0006_doors", include_str!("../migrations/0006_doors.sql")),
    ("0007_challenge", include_str!("../migrations/0007_challenge.sql")),
    ("0008_fleet", include_str!("../migrations/0008_fleet.sql")),
    ("0009_processes", include_str!("../migrations/0009_processes.sql")),
];

/// Keeps two processes from migrating at once. Any number that nobody else uses.
const TURN: &str = "SELECT pg_advisory_xact_lock(7305734820)";

const BOOK: &str = "CREATE SCHEMA IF NOT EXISTS tzero;
    CREATE TABLE IF NOT EXISTS tzero.migration (
      name text PRIMARY KEY, digest text NOT NULL, done_at timestamptz NOT NULL DEFAULT clock_timestamp())";

fn digest(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Names and digests of the steps that were done.
async fn done(client: &impl GenericClient) -> Result<Vec<(String, String)>, Failure> {
    let rows = client.query("SELECT name, digest FROM tzero.migration ORDER BY name", &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Whether the steps that were done are the first ones of this version; how many.
fn compare(done: &[(String, String)]) -> Result<usize, Refusal> {
    for (at, (name, known)) in done.iter().enumerate() {
        let Some((step, text)) = STEPS.get(at) else {
            return Err(Refusal::Later { step: name.clone() });
        };
        if step != name || digest(text) != *known {
            return Err(Refusal::Foreign { found: name.clone(), step });
        }
    }
    Ok(done.len())
}

/// Does what was not done; gives the names of the steps.
pub(crate) async fn run(client: &mut Client) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    loop {
        let step = client.transaction().await?;
        step.batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
        step.batch_execute(TURN).await?;
        step.batch_execute(BOOK).await?;
        let Some((name, text)) = STEPS.get(compare(&done(&step).await?)?) else {
            step.commit().await?;
            return Ok(names);
        };
        step.batch_execute(text).await?;
        let noted = "INSERT INTO tzero.migration (name, digest) VALUES ($1, $2)";
        step.execute(noted, &[name, &digest(text)]).await?;
        step.commit().await?;
        names.push((*name).to_owned());
    }
}

/// Whether no step was ever done.
pub(crate) async fn is_empty(client: &impl GenericClient) -> Result<bool, Failure> {
    let known = "SELECT to_regclass('tzero.migration') IS NULL";
    Ok(client.query_one(known, &[]).await?.try_get(0)?)
}

/// Whether the schema is the one of this version.
pub(crate) async fn verify(client: &impl GenericClient) -> Result<(), Failure> {
    let done = if is_empty(client).await? { 0 } else { compare(&done(client).await?)? };
    let all = STEPS.len();
    if done == all { Ok(()) } else { Err(Refusal::Earlier { done, all }.into()) }
}

/// Whether nothing can be written here: it is a standby, or says so of this user.
pub(crate) async fn is_read_only(client: &impl GenericClient) -> Result<bool, Failure> {
    let asked = "SELECT current_setting('transaction_read_only')::boolean";
    Ok(client.query_one(asked, &[]).await?.try_get(0)?)
}
