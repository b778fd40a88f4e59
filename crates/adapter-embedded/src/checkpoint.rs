//! The log's way home, beside the writer. Copying the log's pages into the file, and syncing that, takes as long as the disk
//! likes: tens of milliseconds for some megabytes, in which no answer could leave if the writer did it.
//!
//! SQLite lets one connection copy pages while another appends (<https://www.sqlite.org/wal.html#ckpt>). Only when all of them
//! are home does the log begin anew, and while somebody appends they never are: so the writer copies the last few itself.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use rusqlite::{Connection, OpenFlags};

use crate::OpenFault;

/// Bytes written after which pages are to be copied.
const STEP_BYTES: usize = 1 << 20;
/// Pages after which the log is to begin anew: 16 MiB.
const LOG_PAGES: i64 = 4_000;
/// Pages that the writer may have to copy for that.
const LAST_PAGES: i64 = 512;
/// Pages at which it does so however many there are.
const MOST_PAGES: i64 = 32_000;

/// Who copies pages.
pub(crate) struct Checkpointer {
    ask: SyncSender<()>,
    /// The log is long, and the writer is to copy the rest.
    long: Arc<AtomicBool>,
    thread: JoinHandle<()>,
    /// Bytes written since pages were last to be copied.
    written: usize,
}

impl Checkpointer {
    /// Starts for the store's file.
    pub(crate) fn start(file: &Path) -> Result<Self, OpenFault> {
        let said = |error: &dyn std::fmt::Display| {
            OpenFault(format!("cannot start writing the log of {} home: {error}", file.display()))
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags).map_err(|error| said(&error))?;
        let (ask, asked) = sync_channel(1);
        let long = Arc::new(AtomicBool::new(false));
        let thread = Builder::new().name("checkpoint".to_owned()).spawn({
            let long = Arc::clone(&long);
            move || run(&connection, &asked, &long)
        });
        Ok(Self { ask, long, thread: thread.map_err(|error| said(&error))?, written: 0 })
    }

    /// So many bytes were committed over `connection`, the writer's.
    pub(crate) fn committed(&mut self, bytes: usize, connection: &Connection) -> rusqlite::Result<()> {
        self.written += bytes;
        // Asked already, and not done yet: that will do.
        if self.written >= STEP_BYTES && self.ask.try_send(()).is_ok() {
            self.written = 0;
        }
        if self.long.swap(false, Ordering::Relaxed) {
            copy(connection)?;
        }
        Ok(())
    }

    /// Ends, once what it is doing is done.
    pub(crate) fn stop(self) {
        drop(self.ask);
        if self.thread.join().is_err() {
            tracing::error!("writing the log home ended in a panic");
        }
    }
}

fn run(connection: &Connection, asked: &Receiver<()>, long: &AtomicBool) {
    while asked.recv().is_ok() {
        match copy(connection) {
            Ok(pages) => long.store(pages.is_for_the_writer(), Ordering::Relaxed),
            // Nothing is lost, the log has it; the next step tries again, and a disk that is broken stops the writer.
            Err(error) => tracing::error!(%error, "the log cannot be written home"),
        }
    }
}

/// The log's pages: how many there are, and how many of them are home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pages {
    log: i64,
    home: i64,
}

impl Pages {
    const fn is_for_the_writer(self) -> bool {
        self.log >= MOST_PAGES || (self.log >= LOG_PAGES && self.log - self.home <= LAST_PAGES)
    }
}

/// Copies what can be copied without anybody waiting.
fn copy(connection: &Connection) -> rusqlite::Result<Pages> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        Ok(Pages { log: row.get(1)?, home: row.get(2)? })
    })
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
