//! The provider's file: everything is written before it is answered, as many calls at once as wait.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use rand::TryRngCore;
use rusqlite::{Connection, OptionalExtension, params};
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use crate::SandboxError;
use crate::bank::{Bank, Row};

type Job = Box<dyn FnOnce(&mut Bank) -> Box<dyn FnOnce() + Send> + Send>;

/// Calls that may wait.
const QUEUE: usize = 4_096;
/// Calls of one commit at most.
const GROUP: usize = 512;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS about (id INTEGER PRIMARY KEY CHECK (id = 1), secret BLOB NOT NULL, counter INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS intents (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
";

/// The store.
pub(crate) struct Store {
    jobs: Mutex<Option<SyncSender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Why a call is not answered.
pub(crate) struct Away;

impl Store {
    pub(crate) fn open(file: &Path) -> Result<Self, SandboxError> {
        let said =
            |error: &dyn std::fmt::Display| SandboxError(format!("cannot use {}: {error}", file.display()));
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir).map_err(|error| said(&error))?;
        }
        // Return addresses have tickets in them: nobody else may read the books. Their journal gets the same rights.
        let private =
            std::fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
        private.map_err(|error| said(&error))?;
        let connection = Connection::open(file).map_err(|error| said(&error))?;
        if !is_ours(&connection).map_err(|error| said(&error))? {
            return Err(said(&"it is a database of something else"));
        }
        let bank = prepare(&connection).map_err(|error| said(&error))?;
        let (jobs, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("sandbox".into());
        let thread = thread.spawn(move || run(connection, bank, &waiting)).map_err(|error| said(&error))?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs `work` on the books; answers once what it changed is on the disk.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Bank) -> T + Send + 'static,
    ) -> Result<T, Away> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |bank| {
            let value = work(bank);
            Box::new(move || drop(answer.send(value)))
        });
        let sender = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sent = sender.ok_or(Away)?.try_send(job);
        sent.map_err(|(TrySendError::Full(_) | TrySendError::Disconnected(_))| Away)?;
        answered.await.map_err(|_| Away)
    }

    pub(crate) async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let joined = tokio::task::spawn_blocking(move || thread.map(JoinHandle::join));
        if !matches!(joined.await, Ok(None | Some(Ok(())))) {
            tracing::error!("the sandbox's thread did not end well");
        }
    }
}

fn run(connection: Connection, mut bank: Bank, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut answers = vec![first(&mut bank)];
        while answers.len() < GROUP
            && let Ok(job) = waiting.try_recv()
        {
            answers.push(job(&mut bank));
        }
        if let Err(error) = write(&connection, &mut bank) {
            // Nothing is answered that is not on the disk; the client's calls fail and are repeated.
            tracing::error!(%error, "the sandbox cannot write its file: it stops");
            return;
        }
        answers.into_iter().for_each(|answer| answer());
    }
}

fn write(connection: &Connection, bank: &mut Bank) -> rusqlite::Result<()> {
    if bank.dirty.is_empty() {
        return Ok(());
    }
    let dirty = std::mem::take(&mut bank.dirty);
    let transaction = connection.unchecked_transaction()?;
    let put = |table: &str, id: &dyn rusqlite::ToSql, body: Option<String>| match body {
        Some(body) => {
            let sql = format!("INSERT OR REPLACE INTO {table} (id, body) VALUES (?1, ?2)");
            transaction.prepare_cached(&sql)?.execute(params![id, body]).map(drop)
        }
        None => {
            transaction.prepare_cached(&format!("DELETE FROM {table} WHERE id = ?1"))?.execute([id]).map(drop)
        }
    };
    for row in &dirty {
        match row {
            Row::Session(id) => put("sessions", id, bank.sessions.get(id).map(json))?,
            Row::Intent(id) => put("intents", id, bank.intents.get(id).map(json))?,
            Row::Key(id) => put("keys", id, bank.keys.get(id).map(json))?,
            Row::Event(id) => put("events", &(*id as i64), bank.events.get(id).map(json))?,
            Row::Counter => {}
        }
    }
    transaction.prepare_cached("UPDATE about SET counter = ?1")?.execute([bank.counter as i64])?;
    transaction.commit()
}

fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Marks a file as the provider's own.
const APPLICATION_ID: i64 = 0x747a_7362;
/// The tables of a file that was made before files were marked.
const TABLES: [&str; 5] = ["about", "events", "intents", "keys", "sessions"];

/// Whether the file is empty or the provider's own; nothing is written into any other.
fn is_ours(connection: &Connection) -> rusqlite::Result<bool> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let mut names =
        connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(application == APPLICATION_ID || (application == 0 && (names.is_empty() || names == TABLES)))
}

fn prepare(connection: &Connection) -> rusqlite::Result<Bank> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(SCHEMA)?;
    let about: Option<([u8; 32], i64)> = connection
        .query_row("SELECT secret, counter FROM about", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (secret, counter) = match about {
        Some(about) => about,
        None => {
            let mut secret = [0; 32];
            rand::rngs::OsRng
                .try_fill_bytes(&mut secret)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            connection.execute("INSERT INTO about (id, secret, counter) VALUES (1, ?1, 0)", [secret])?;
            (secret, 0)
        }
    };
    let events: std::collections::BTreeMap<u64, _> =
        rows::<i64, _>(connection, "events")?.into_iter().map(|(id, event)| (id as u64, event)).collect();
    Ok(Bank {
        secret,
        counter: counter as u64,
        sessions: rows(connection, "sessions")?.into_iter().collect(),
        intents: rows(connection, "intents")?.into_iter().collect(),
        keys: rows(connection, "keys")?.into_iter().collect(),
        next_event: events.last_key_value().map_or(0, |(id, _)| *id),
        events,
        dirty: Vec::new(),
    })
}

fn rows<I: rusqlite::types::FromSql, T: DeserializeOwned>(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<(I, T)>> {
    let mut statement = connection.prepare(&format!("SELECT id, body FROM {table}"))?;
    let found = statement.query_map([], |row| {
        let body: String = row.get(1)?;
        let read = serde_json::from_str(&body);
        let value = read.map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error))
        })?;
        Ok((row.get(0)?, value))
    })?;
    found.collect()
}
