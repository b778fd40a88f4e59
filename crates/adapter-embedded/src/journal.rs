//! The journal: one blob a group of changes, each chained to the one before it by its digest.

use std::path::Path;

use domain::time::Timestamp;
use rusqlite::{Connection, params};

use crate::OpenFault;
use crate::checkpoint::Checkpointer;
use crate::file::Opened;
use crate::tables::Tables;

/// What following by one row adds to the log, about.
const ROW_BYTES: usize = 512;

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
    checkpointer: Checkpointer,
    newest: [u8; 32],
    /// `PRAGMA data_version` as we saw it last.
    version: i64,
    /// Kept locked until the journal is closed.
    _lock: std::fs::File,
}

impl Journal {
    /// The journal of `file`, whose newest entry has the digest `newest`.
    pub(crate) fn new(opened: Opened, file: &Path, newest: [u8; 32]) -> Result<Self, OpenFault> {
        let Opened { connection, lock } = opened;
        let version =
            version(&connection).map_err(|error| OpenFault(format!("cannot read the journal: {error}")))?;
        Ok(Self { connection, checkpointer: Checkpointer::start(file)?, newest, version, _lock: lock })
    }

    /// Appends one entry and commits it. After an error nothing is known; the caller must stop.
    pub(crate) fn append(&mut self, seq: u64, at: Timestamp, records: &[u8]) -> rusqlite::Result<()> {
        let digest = digest(&self.newest, seq, records);
        let sql = "INSERT INTO journal (seq, at_ms, records, digest) VALUES (?1, ?2, ?3, ?4)";
        // One statement outside a transaction is a transaction of its own.
        self.connection.prepare_cached(sql)?.execute(params![seq as i64, at.as_millis(), records, digest])?;
        self.newest = digest;
        self.checkpointer.committed(records.len(), &self.connection)
    }

    /// Writes the slice of the tables that is due, about so many rows, in one transaction.
    pub(crate) fn follow(
        &mut self,
        rows: usize,
        write: impl FnOnce(&mut Tables<'_>) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        write(&mut Tables::new(&transaction))?;
        transaction.commit()?;
        self.checkpointer.committed(rows * ROW_BYTES, &self.connection)
    }

    /// Whether another connection has written to the file since the last call.
    pub(crate) fn meddled(&mut self) -> rusqlite::Result<bool> {
        let version = version(&self.connection)?;
        Ok(std::mem::replace(&mut self.version, version) != version)
    }

    /// The first entry that is not as it was written, where there is one: gone, changed, or more than there were.
    pub(crate) fn damaged(&self, newest: u64) -> rusqlite::Result<Option<u64>> {
        let mut statement =
            self.connection.prepare("SELECT seq, records, digest FROM journal ORDER BY seq")?;
        let mut rows = statement.query([])?;
        let (mut seq, mut before) = (0, GENESIS);
        while let Some(row) = rows.next()? {
            seq += 1;
            let (number, records, stored): (i64, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
            before = digest(&before, number as u64, &records);
            if number as u64 != seq || stored != before {
                return Ok(Some(seq));
            }
        }
        let whole = seq == newest && before == self.newest;
        Ok((!whole).then_some(seq + 1))
    }

    pub(crate) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Writes the log home and closes the file.
    pub(crate) fn close(self) -> rusqlite::Result<()> {
        self.checkpointer.stop();
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        self.connection.close().map_err(|(_, error)| error)
    }
}

/// Changes whenever another connection commits.
fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}
