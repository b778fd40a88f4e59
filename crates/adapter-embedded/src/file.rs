//! The file: its lock, its settings, its schema.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::{OpenFault, Options, store_file};

/// The form of the file that this version writes, kept in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 1;
/// "TZRO": says to `file` and to us what this is.
const APPLICATION_ID: i64 = 0x545A_524F;

const SCHEMA: &str = "
CREATE TABLE journal (seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, records BLOB NOT NULL, digest BLOB NOT NULL) STRICT;
CREATE TABLE followed (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL) STRICT;
INSERT INTO followed (id, seq) VALUES (1, 0);
CREATE TABLE sales (sale_id TEXT PRIMARY KEY, name TEXT NOT NULL, starts_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL, hold_ms INTEGER NOT NULL, paused INTEGER NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE product_stock (sale_id TEXT NOT NULL, product_no INTEGER NOT NULL, product_id TEXT NOT NULL,
    stock INTEGER NOT NULL, held INTEGER NOT NULL, sold INTEGER NOT NULL,
    PRIMARY KEY (sale_id, product_no)) STRICT, WITHOUT ROWID;
CREATE TABLE orders (number INTEGER PRIMARY KEY, seq INTEGER NOT NULL, ticket BLOB NOT NULL, sale_id TEXT NOT NULL,
    product_no INTEGER NOT NULL, quantity INTEGER NOT NULL, user_id TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
    live INTEGER NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, payment TEXT,
    allocated_at_ms INTEGER NOT NULL, expires_at_ms INTEGER, changed_at_ms INTEGER NOT NULL,
    version INTEGER NOT NULL) STRICT;
CREATE TABLE order_unit (id INTEGER PRIMARY KEY, number INTEGER NOT NULL, sale_id TEXT NOT NULL,
    product_no INTEGER NOT NULL, unit INTEGER NOT NULL, sold INTEGER NOT NULL) STRICT;
CREATE TABLE actions (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    sale_id TEXT, detail TEXT NOT NULL) STRICT;
";

/// A digest of the secret under which the store was written; made where it is missing.
const SECRET: &str =
    "CREATE TABLE IF NOT EXISTS secret (id INTEGER PRIMARY KEY CHECK (id = 1), digest BLOB NOT NULL) STRICT";

/// What the lock's file says once its folder has a store: one that is gone afterwards is lost, not new.
const MARK: &[u8] = b"This folder has a store.\n";

/// A store that is open for writing, and the lock that keeps others away.
pub(crate) struct Opened {
    pub(crate) connection: Connection,
    pub(crate) lock: File,
}

/// Opens the store of `dir` for writing.
pub(crate) fn open(dir: &Path) -> Result<Opened, OpenFault> {
    let said = |doing: &str, error: &dyn std::fmt::Display| OpenFault(format!("cannot {doing}: {error}"));
    fs::create_dir_all(dir).map_err(|error| said(&format!("make the folder {}", dir.display()), &error))?;
    let mut lock = lock(dir)?;
    let had_store = !said_by(&mut lock).map_err(|error| said("read tzero.lock", &error))?.is_empty();
    let file = store_file(dir);
    let name = file.display().to_string();
    if had_store && !file.exists() {
        return Err(OpenFault(format!("{name} {LOST}")));
    }
    // It names buyers: for its owner alone. SQLite gives its log and index the rights of the file.
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
    drop(made.map_err(|error| said(&format!("open {name}"), &error))?);
    let connection = Connection::open(&file).map_err(|error| said(&format!("open {name}"), &error))?;
    prepare(&connection, had_store).map_err(|error| match error {
        Wrong::Sqlite(error) => said(&format!("use {name}"), &error),
        Wrong::Form(detail) => OpenFault(format!("{name} {detail}")),
    })?;
    if !had_store {
        lock.write_all(MARK)
            .and_then(|()| lock.sync_all())
            .map_err(|error| said("write tzero.lock", &error))?;
    }
    Ok(Opened { connection, lock })
}

/// What the lock's file says.
fn said_by(lock: &mut File) -> std::io::Result<String> {
    let mut text = String::new();
    lock.read_to_string(&mut text)?;
    Ok(text)
}

/// Opens the store of `dir` for reading.
pub(crate) fn open_read_only(dir: &Path) -> Result<Connection, OpenFault> {
    let file = store_file(dir);
    if !file.exists() {
        return Err(OpenFault(format!(
            "{} has no store: there is no file {}",
            dir.display(),
            file.display()
        )));
    }
    let read = reading(&file, "").or_else(|error| {
        // SQLite wants to make an index beside the file, which nobody may in a folder that is read-only. Without a log
        // there is nothing to index, and nobody writes.
        let has_log = file.with_extension("db-wal").metadata().is_ok_and(|log| log.len() > 0);
        if has_log { Err(error) } else { reading(&file, "?immutable=1") }
    });
    match read {
        Ok((connection, APPLICATION_ID, SCHEMA_VERSION)) => Ok(connection),
        Ok((_, APPLICATION_ID, other)) => {
            Err(OpenFault(format!("{} {}", file.display(), other_version(other))))
        }
        Ok(_) => Err(OpenFault(format!("{} is empty, or a database of something else", file.display()))),
        Err(error) => Err(OpenFault(format!("cannot read {}: {error}", file.display()))),
    }
}

/// A connection that reads, whose file it is, and its form.
fn reading(file: &Path, how: &str) -> rusqlite::Result<(Connection, i64, i64)> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let name = file.display().to_string().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let connection = Connection::open_with_flags(format!("file:{name}{how}"), flags)?;
    let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((connection, application, version))
}

fn lock(dir: &Path) -> Result<File, OpenFault> {
    let path = dir.join("tzero.lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(|error| OpenFault(format!("cannot write {}: {error}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenFault(format!(
            "another process uses the data folder {}: stop it, or name another folder with --data",
            dir.display()
        ))),
        Err(TryLockError::Error(error)) => Err(OpenFault(format!("cannot lock {}: {error}", path.display()))),
    }
}

/// Whether the store was written under this secret; a store that knows none takes it.
pub(crate) fn check_secret(connection: &Connection, options: &Options) -> Result<(), OpenFault> {
    let Some(secret) = options.secret else { return Ok(()) };
    let name = store_file(&options.dir).display().to_string();
    let failed = |error: rusqlite::Error| OpenFault(format!("cannot use {name}: {error}"));
    // Not the key itself: who reads the store must not be able to make tickets.
    let digest = *blake3::hash(&secret).as_bytes();
    connection.execute_batch(SECRET).map_err(failed)?;
    connection.execute("INSERT OR IGNORE INTO secret VALUES (1, ?1)", [digest]).map_err(failed)?;
    let known: [u8; 32] =
        connection.query_row("SELECT digest FROM secret", [], |row| row.get(0)).map_err(failed)?;
    if known == digest {
        return Ok(());
    }
    Err(OpenFault(format!(
        "{name} was written under another secret than this one: put back the secret.key of its folder, or the data.secret that it was made \
         with. \
         Under a new one every ticket would be unknown, and a buyer could buy again"
    )))
}

const LOST: &str = "is missing or empty, although its folder has had a store: put the file back, or name another folder with --data; \
     to begin anew with nothing, remove the whole folder";

enum Wrong {
    Sqlite(rusqlite::Error),
    Form(String),
}

impl From<rusqlite::Error> for Wrong {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn other_version(version: i64) -> String {
    format!(
        "has form {version}; this version of tzero knows form {SCHEMA_VERSION}: use the version that wrote it"
    )
}

fn prepare(connection: &Connection, had_store: bool) -> Result<(), Wrong> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION_ID {
        return Err(Wrong::Form("is a database of something else".to_owned()));
    }
    if tables > 0 && version != SCHEMA_VERSION {
        return Err(Wrong::Form(other_version(version)));
    }
    if tables == 0 && had_store {
        return Err(Wrong::Form(LOST.to_owned()));
    }
    // WAL with FULL syncs the log at every commit; NORMAL would not.
    let mode: String = connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Wrong::Form(format!("cannot use a write-ahead log (journal mode is {mode})")));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // See `checkpoint`: no commit is to wait for the log's way home.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    if tables == 0 {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {SCHEMA} PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION}; COMMIT;"
        ))?;
    } else {
        // A file that cannot be written shows here and not at the first sale.
        connection.execute_batch("BEGIN IMMEDIATE; UPDATE followed SET seq = seq; COMMIT;")?;
    }
    Ok(())
}
