//! One orders node as a client sees it: its connections, and how much may be asked of it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};

use crate::carrier::{Carried, Question};
use crate::connection::{Live, Place};
use crate::options::Options;
use crate::route::Route;

/// A node.
pub(crate) struct Node {
    pub(crate) name: String,
    /// Connections that requests share.
    shared: Vec<Arc<Place>>,
    /// The connection of those who wait.
    waiting: Arc<Place>,
    next: AtomicUsize,
    lane: Semaphore,
    waiting_lane: Semaphore,
    /// Where questions are handed to their carriers, in the order of [`Route::CARRIED`].
    entrances: Vec<mpsc::Sender<Question>>,
}

/// What a carrier takes its questions from.
pub(crate) type Exits = Vec<(Route, mpsc::Receiver<Question>)>;

/// How well a node is; the better one is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It answers.
    Well,
    /// Its last answer to the question after its health is missing.
    Suspect,
    /// There is no connection.
    Away,
}

impl Node {
    pub(crate) fn new(name: &str, options: &Options) -> (Self, Exits) {
        // Room for whatever may be in flight, and for as much that was given up and is still on its way out.
        let room = options.in_flight.saturating_mul(2).min(Semaphore::MAX_PERMITS);
        let (entrances, exits) = Route::CARRIED.map(|_| mpsc::channel(room)).into_iter().unzip();
        let exits: Vec<_> = exits;
        let node = Self {
            name: name.to_owned(),
            shared: (0..options.connections).map(|_| Arc::default()).collect(),
            waiting: Arc::default(),
            next: AtomicUsize::new(0),
            lane: Semaphore::new(options.in_flight.min(Semaphore::MAX_PERMITS)),
            waiting_lane: Semaphore::new(options.waiting.min(Semaphore::MAX_PERMITS)),
            entrances,
        };
        (node, Route::CARRIED.into_iter().zip(exits).collect())
    }

    /// Where its connections are to be kept.
    pub(crate) fn places(&self) -> impl Iterator<Item = &Arc<Place>> {
        self.shared.iter().chain(std::iter::once(&self.waiting))
    }

    pub(crate) fn standing(&self) -> Standing {
        let suspects = self.shared.iter().filter_map(|place| place.standing());
        match suspects.min() {
            Some(false) => Standing::Well,
            Some(true) => Standing::Suspect,
            None => Standing::Away,
        }
    }

    /// Room for one more request; `None` where there are as many as may be.
    pub(crate) fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.lane.try_acquire().ok()
    }

    /// Asks one question; the error says what went wrong, in words after the node's name.
    pub(crate) async fn ask(&self, route: Route, body: Bytes) -> Carried {
        const CLOSED: &str = "this client is closed";
        let (answer, carried) = oneshot::channel();
        let at = Route::CARRIED.iter().position(|carried| *carried == route);
        let entrance =
            at.and_then(|at| self.entrances.get(at)).ok_or("questions of this kind are not carried")?;
        entrance.try_send(Question { body, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => "too many questions are on their way",
            mpsc::error::TrySendError::Closed(_) => CLOSED,
        })?;
        carried.await.unwrap_or_else(|_| Err(CLOSED.to_owned()))
    }

    /// Room for one more who waits.
    pub(crate) fn waiting_room(&self) -> Option<SemaphorePermit<'_>> {
        self.waiting_lane.try_acquire().ok()
    }

    /// A connection for a request: each in its turn, those above suspicion first.
    pub(crate) fn connection(&self) -> Option<Arc<Live>> {
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let mut suspect = None;
        for offset in 0..self.shared.len() {
            let place = self.shared.get(first.wrapping_add(offset) % self.shared.len());
            match place.and_then(|place| place.live()) {
                Some(live) if !live.is_suspect() => return Some(live),
                Some(live) => suspect = Some(live),
                None => {}
            }
        }
        suspect
    }

    /// The connection of those who wait.
    pub(crate) fn waiting(&self) -> Option<Arc<Live>> {
        self.waiting.live()
    }

    /// Why it is away, in words after its name.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.shared.iter().find_map(|place| place.trouble())
    }
}
