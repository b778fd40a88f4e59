//! What every handler works with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::id::{SaleId, TicketId};
use domain::sale::Sale;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::clock::Clock;
use ports::dice::Dice;
use ports::orders::Orders;
use ports::tickets::Tickets;
use purchase::Stores;
use purchase::asked::Asked;
use purchase::catalog::Catalog;
use purchase::operate::Operator;
use purchase::pulse::Progress;
use purchase::selling::Selling;

use crate::api::sale::Shown;
use crate::challenges::Challenger;
use crate::client_address::AddressHeader;
use crate::limits::Rooms;
use crate::listener::Gauges;
use crate::lists::Lists;
use crate::metrics::Metrics;
pub use crate::pages::Pages;
use crate::problem::{Problem, fault, known_id, unknown_sale};
use crate::session::Sessions;
use crate::shedding::Shedding;

/// Numbers that the edge obeys.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// Until a request's body is there.
    pub body_timeout: Duration,
    /// Checkouts of one user a second; 0: no limit.
    pub user_per_s: f64,
    /// Checkouts of one user at once.
    pub user_burst: u32,
    /// Requests of one network a second; 0: no limit.
    pub network_per_s: f64,
    /// Requests of one network at once.
    pub network_burst: u32,
    /// Checkouts of one sale a second; 0: no limit.
    pub sale_per_s: f64,
    /// Streams of statuses open at once; more are refused.
    pub streams: u64,
    /// How long a session of the built-in issuer is valid, milliseconds.
    pub session_ttl_ms: u64,
    /// Shortest pause between two looks at a status, milliseconds.
    pub poll_min_ms: u64,
    /// Longest such pause, milliseconds.
    pub poll_max_ms: u64,
}

/// One dependency as `/readyz` shows it.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Its name.
    pub name: &'static str,
    /// Whether it does its work.
    pub ready: bool,
    /// Whether this process can do no work without it.
    pub vital: bool,
    /// What is wrong, in words.
    pub detail: String,
}

/// Asks every dependency.
pub type Probe = Arc<dyn Fn() -> futures::future::BoxFuture<'static, Vec<Readiness>> + Send + Sync>;

/// Seconds since the shop's keys were read, and how many readings have failed.
pub type KeysStanding = Box<dyn Fn() -> (f64, u64) + Send + Sync>;

/// Everything that handlers share.
pub struct Edge {
    /// Serves buyers.
    pub orders: Arc<dyn Orders>,
    /// Definitions of sales.
    pub catalog: Arc<Catalog>,
    /// The operator's side.
    pub operator: Operator,
    /// For webhooks and stories.
    pub stores: Stores,
    /// Verifies sessions.
    pub sessions: Sessions,
    /// How the shop's keys stand, where the shop signs sessions.
    pub keys_standing: Option<KeysStanding>,
    /// What operators keep of networks and sessions.
    pub lists: Arc<Lists>,
    /// Challenges, and what was noticed about buyers.
    pub challenger: Challenger,
    /// In which header proxies say who the client is.
    pub address_header: AddressHeader,
    /// Whose word counts for that.
    pub trusted: Arc<dyn Fn(std::net::IpAddr) -> bool + Send + Sync>,
    /// Counts requests by who sends them.
    pub rooms: Rooms,
    /// The operator's token.
    pub admin_token: String,
    /// Whether `/admin/v1` is answered on the public listener.
    pub admin_here: bool,
    /// Metrics.
    pub metrics: Metrics,
    /// Connections.
    pub gauges: Arc<Gauges>,
    /// Dependencies.
    pub probe: Probe,
    /// What they said last.
    pub readiness: Asked<Vec<Readiness>>,
    /// Which sales' stock the inventories said last is handed out.
    pub selling: Asked<Vec<Selling>>,
    /// Numbers.
    pub settings: EdgeSettings,
    /// 16 random bytes.
    pub random: fn() -> [u8; 16],
    /// Told when the process stops: streams end.
    pub stop: tokio_util::sync::CancellationToken,
    /// Pages of other rooms that the public listener shows (the sandbox's).
    pub guests: axum::Router,
    /// Sale documents as they were shown last.
    pub shown: std::sync::RwLock<foldhash::HashMap<SaleId, Arc<Shown>>>,
    /// Pages for everybody as they were made last.
    pub pages: Pages,
    /// The queue before the inventory.
    pub shedding: Shedding,
    /// Streams of statuses that are open.
    pub streams: AtomicU64,
    /// How busy the status endpoint is.
    pub polls: PerSecond,
}

/// Counts something second by second.
#[derive(Default)]
pub struct PerSecond {
    second: AtomicI64,
    now: AtomicU64,
    before: AtomicU64,
}

/// Status requests a second up to which the shortest pause is told; above, the pause grows in proportion.
pub const POLLS_PER_S: u64 = 2_000;

impl PerSecond {
    /// Counts one; gives how many there were in the second before.
    pub fn count(&self, now: Timestamp) -> u64 {
        self.turn(now);
        self.now.fetch_add(1, Ordering::Relaxed);
        self.before.load(Ordering::Relaxed)
    }

    /// How many there were in this second so far, or in the one before, whichever is more.
    #[must_use]
    pub fn most(&self, now: Timestamp) -> u64 {
        self.turn(now);
        self.now.load(Ordering::Relaxed).max(self.before.load(Ordering::Relaxed))
    }

    fn turn(&self, now: Timestamp) {
        let second = now.as_millis() / 1_000;
        let seen = self.second.load(Ordering::Relaxed);
        if seen != second
            && self.second.compare_exchange(seen, second, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            let count = self.now.swap(0, Ordering::Relaxed);
            self.before.store(if seen + 1 == second { count } else { 0 }, Ordering::Relaxed);
        }
    }
}

/// Shortest wait told with a 503, milliseconds.
const BUSY_MS: u64 = 1_000;
/// How many times as much chance adds at most.
const BUSY_SPREAD: f64 = 4.0;

impl Edge {
    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.stores.clock
    }

    /// The instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.stores.clock.now()
    }

    /// Looks who waits for progress; a ledger that is away is said by `/readyz`.
    pub async fn take_pulse(&self) {
        let checkouts = self.shedding.under_way();
        self.stores.pulse.observe(Progress::Hold, checkouts > 0, self.now());
        if let Err(fault) = self.operator.take_pulse().await {
            self.stores.met(fault.what(), "not-counted", &fault);
        }
    }

    /// Randomness.
    #[must_use]
    pub fn dice(&self) -> &dyn Dice {
        &*self.stores.dice
    }

    /// Seals and opens tickets.
    #[must_use]
    pub fn tickets(&self) -> &dyn Tickets {
        &*self.stores.tickets
    }

    /// The ticket of a text, if it is one of ours.
    #[must_use]
    pub fn ticket(&self, text: &str) -> Option<TicketStamp> {
        self.tickets().open(text)
    }

    /// The ticket's identifier.
    #[must_use]
    pub fn ticket_id(&self, text: &str) -> Option<TicketId> {
        self.ticket(text).map(|stamp| stamp.ticket)
    }

    /// The sale called `id`.
    ///
    /// # Errors
    /// 404 where there is none, 503 where nobody can tell.
    pub async fn sale(&self, id: &str) -> Result<Arc<Sale>, Problem> {
        self.known_sale(&known_id(id)?).await
    }

    /// The same for an identifier.
    ///
    /// # Errors
    /// 404, 503.
    pub async fn known_sale(&self, id: &SaleId) -> Result<Arc<Sale>, Problem> {
        let found = self.operator.sale(id).await.map_err(|failed| fault(self, &failed))?;
        found.ok_or_else(unknown_sale)
    }

    /// When a buyer should look again: the shortest pause, longer in proportion as more look than
    /// [`POLLS_PER_S`], up to half of it more by chance, never more than the longest.
    #[must_use]
    pub fn poll_after_ms(&self) -> u64 {
        let polls = self.polls.count(self.now());
        let base = self.settings.poll_min_ms * (polls / POLLS_PER_S + 1);
        self.dice().jittered(base, 0.5).min(self.settings.poll_max_ms)
    }

    /// A wait for somebody who is sent away because of load or a fault, milliseconds. `Retry-After` has whole seconds: it is
    /// spread over several of them, so that those who are sent away together do not come back together.
    #[must_use]
    pub fn busy_ms(&self) -> u64 {
        self.dice().jittered(BUSY_MS, BUSY_SPREAD)
    }

    /// A wait for somebody who is sent away, spread by chance so that they do not all come back at once.
    #[must_use]
    pub fn spread_ms(&self, base_ms: u64) -> u64 {
        self.dice().jittered(base_ms, 1.0)
    }
}
