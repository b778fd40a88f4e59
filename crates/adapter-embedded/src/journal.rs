//! The journal: one blob a group of changes, each chained to the one before it by its digest.

use domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::tables::Tables;

/// The digest before the first entry.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

/// The digest of an entry: BLAKE3 over the digest before it, its number and its records.
pub(crate) fn digest(before: &[u8; 32], seq: u64, records: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before);
    hasher.update(&seq.to_be_bytes());
    hasher.update(records);
    *hasher.finalize().as_bytes()
}

/// The journal, open for appending.
pub(crate) struct Journal {
    connection: Connection,
    newest: [u8; 32],
    /// `PRAGMA data_version` as we saw it last.
    version: i64,
    /// Kept locked until the journal is closed.
    _lock: std::fs::File,
}

impl Journal {
    pub(crate) fn new(
        connection: Connection,
        newest: [u8; 32],
        lock: std::fs::File,
    ) -> rusqlite::Result<Self> {
        let version = version(&connection)?;
        Ok(Self { connection, newest, version, _lock: lock })
    }

    /// Appends one entry and commits it. After an error nothing is known; the caller must stop.
    pub(crate) fn append(&mut self, seq: u64, at: Timestamp, records: &[u8]) -> rusqlite::Result<()> {
        let digest = digest(&self.newest, seq, records);
        let sql = "INSERT INTO journal (seq, at_ms, records, digest) VALUES (?1, ?2, ?3, ?4)";
        // One statement outside a transaction is a transaction of its own.
        self.connection.prepare_cached(sql)?.execute(params![seq as i64, at.as_millis(), records, digest])?;
        self.newest = digest;
        Ok(())
    }

    /// Writes the slice of the tables that is due, in one transaction.
    pub(crate) fn follow(
        &mut self,
        write: impl FnOnce(&mut Tables<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        write(&mut Tables::new(&transaction))?;
        transaction.commit()
    }

    /// Whether another connection has written to the file since the last call.
    pub(crate) fn meddled(&mut self) -> rusqlite::Result<bool> {
        let version = version(&self.connection)?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Writes the log home and closes the file.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// Changes whenever another connection commits.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}
