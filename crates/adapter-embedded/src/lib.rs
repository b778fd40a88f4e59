//! Every store port on one SQLite file: memory guarded by the domain's rules, journalled before it answers.
//!
//! One writer thread drains whatever waits into one group, applies it to memory, appends what became true as one blob
//! to the journal, commits (WAL, `synchronous=FULL`) and only then answers. Refusals that rest on durable memory are
//! answered by the asking thread. A failed commit stops everything: it is never retried, since after a failed fsync
//! nobody knows what is on the disk.
//!
//! The journal is the truth. Tables follow it for people who query, and are compared with it at every start.
//! Nothing here may answer from what is not durable, and nothing here decides: rules live in `domain`.

mod board;
mod book;
mod books;
mod cell;
mod checkpoint;
mod claims;
mod compare;
mod core;
mod effects;
mod file;
mod inventory;
mod journal;
mod ledger;
mod rebuild;
mod replay;
mod sales;
mod tables;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::id::ShardId;
use ports::Fault;
use ports::clock::Clock;
use tokio::sync::{oneshot, watch};

use crate::board::Board;
use crate::cell::ShardCell;
use crate::core::Core;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// The folder; made where it is missing.
    pub dir: PathBuf,
    /// The ledger's clock.
    pub clock: Arc<dyn Clock>,
    /// How long a payment address may take, milliseconds.
    pub address_deadline_ms: u64,
    /// What follows from the secret under which identifiers are made: a store is opened only under the secret that wrote
    /// it. `None` where none is needed, since nothing is made.
    pub secret: Option<[u8; 32]>,
}

/// Why a store cannot be opened, in words for the person who starts the program.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenFault(pub String);

/// A job of the writer: works on memory, and gives what to answer once everything is durable.
struct Job {
    press: Press,
    work: Box<dyn FnOnce(&mut Core) -> Answer + Send>,
}

/// Whether somebody waits for a job's answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Press {
    /// At once, or with the group that is being made.
    Now,
    /// With the next group that somebody waits for, or after a moment.
    Soon,
}

type Answer = Box<dyn FnOnce() + Send>;

/// Jobs that may wait for the writer; a batch of holds is one job.
const QUEUE: usize = 16_384;

/// What every thread sees.
pub(crate) struct Shared {
    cells: RwLock<foldhash::HashMap<ShardId, Arc<ShardCell>>>,
    /// The newest sequence number of the journal that is on the disk.
    durable: AtomicU64,
    /// Why the store stopped.
    failed: watch::Sender<Option<String>>,
    /// Shards that somebody renews.
    turns: std::sync::Mutex<std::collections::HashSet<ShardId>>,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cells: RwLock::default(),
            durable: AtomicU64::new(0),
            failed: watch::Sender::new(None),
            turns: std::sync::Mutex::default(),
        })
    }

    /// The cell of a shard, made where there is none.
    pub(crate) fn cell(&self, shard: &ShardId) -> Arc<ShardCell> {
        if let Some(cell) = self.known(shard) {
            return cell;
        }
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(cells.entry(shard.clone()).or_default())
    }

    /// The cell of a shard, if there is one.
    pub(crate) fn known(&self, shard: &ShardId) -> Option<Arc<ShardCell>> {
        self.cells.read().unwrap_or_else(PoisonError::into_inner).get(shard).cloned()
    }

    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }
}

/// The embedded store: every store port of the core.
#[derive(Clone)]
pub struct Embedded {
    shared: Arc<Shared>,
    board: Arc<Board>,
    jobs: Arc<Mutex<Option<std::sync::mpsc::SyncSender<Job>>>>,
    sender: std::sync::mpsc::SyncSender<Job>,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

impl Embedded {
    /// Opens the store of a folder and reads its journal. Every shard is closed until it is renewed.
    ///
    /// # Errors
    /// The folder cannot be written, another process has it, or its file is damaged or of a later version.
    pub fn open(options: Options) -> Result<Self, OpenFault> {
        let opened = file::open(&options.dir)?;
        file::check_secret(&opened.connection, &options)?;
        Self::start(replay::open(opened, &options)?)
    }

    /// Opens a copy in memory of what a folder holds, read-only: what is done to it is not written anywhere.
    /// A running process on the same folder is not disturbed.
    ///
    /// # Errors
    /// There is no store, or it cannot be read.
    pub fn open_copy(options: Options) -> Result<Self, OpenFault> {
        let connection = file::open_read_only(&options.dir)?;
        Self::start(replay::copy(&connection, &options)?)
    }

    /// Brings the tables of a folder to what its journal says; gives what was done, in words.
    ///
    /// # Errors
    /// As [`Embedded::open`].
    pub fn migrate(options: &Options) -> Result<Vec<String>, OpenFault> {
        // A folder that was never started has nothing to bring anywhere: its name may be mistyped.
        drop(file::open_read_only(&options.dir)?);
        let opened = file::open(&options.dir)?;
        replay::migrate(opened, options)
    }

    fn start(core: Core) -> Result<Self, OpenFault> {
        let shared = Arc::clone(&core.shared);
        let (sender, waiting) = std::sync::mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("ledger".into());
        let thread = thread
            .spawn(move || writer::run(core, &waiting))
            .map_err(|error| OpenFault(format!("cannot start the writer's thread: {error}")))?;
        Ok(Self {
            shared,
            board: Arc::new(Board::new()),
            jobs: Arc::new(Mutex::new(Some(sender.clone()))),
            sender,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Tells when the store has stopped by itself, and why. The process must then end.
    #[must_use]
    pub fn failed(&self) -> watch::Receiver<Option<String>> {
        self.shared.failed.subscribe()
    }

    /// Lets the tables catch up, writes everything home and ends the writer. Later calls are answered with a fault.
    pub fn close(&self) {
        let open = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(jobs) = open else { return };
        let work = |core: &mut Core| -> Answer {
            core.closing = true;
            Box::new(|| ())
        };
        drop(jobs.send(Job { press: Press::Now, work: Box::new(work) }));
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(_)) = thread.map(std::thread::JoinHandle::join) {
            tracing::error!("the writer's thread ended in a panic");
        }
    }

    /// Runs `work` in the writer; answers once everything that it recorded is durable.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        self.call_as(Press::Now, work).await
    }

    /// As [`Embedded::call`], for work that nobody waits for: it may join the next group.
    pub(crate) async fn call_soon<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        self.call_as(Press::Soon, work).await
    }

    async fn call_as<T: Send + 'static>(
        &self,
        press: Press,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let work = move |core: &mut Core| -> Answer {
            let value = work(core);
            Box::new(move || drop(answer.send(value)))
        };
        let job = Job { press, work: Box::new(work) };
        self.sender.try_send(job).map_err(|refused| match refused {
            std::sync::mpsc::TrySendError::Full(_) => Fault::Overloaded("the store's queue"),
            std::sync::mpsc::TrySendError::Disconnected(_) => self.stopped(),
        })?;
        answered.await.map_err(|_| self.stopped())
    }

    fn stopped(&self) -> Fault {
        let why = self.shared.failed.borrow().clone();
        Fault::unavailable("the store", why.unwrap_or_else(|| "it is closed".to_owned()))
    }
}

/// The file of a folder's store.
#[must_use]
pub fn store_file(dir: &Path) -> PathBuf {
    dir.join("tzero.db")
}
