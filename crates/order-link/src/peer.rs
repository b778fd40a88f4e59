//! Whether a connection's other end has shown the key.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// No request was there yet.
    #[default]
    Unknown,
    /// A request had the key.
    Known,
    /// A request did not have it.
    Refused,
}

/// The other end of one connection.
#[derive(Debug, Default)]
pub(crate) struct Peer {
    known: AtomicBool,
    standing: watch::Sender<Standing>,
}

impl Peer {
    /// A request had the key.
    pub(crate) fn admit(&self) {
        if !self.known.load(Ordering::Relaxed) {
            self.known.store(true, Ordering::Relaxed);
            self.standing.send_replace(Standing::Known);
        }
    }

    /// A request did not have it.
    pub(crate) fn refuse(&self) {
        self.standing.send_replace(Standing::Refused);
    }

    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Ends once a request was refused: the connection is then no longer wanted.
    pub(crate) async fn refused(&self) {
        self.reaches(|standing| standing == Standing::Refused).await;
    }

    /// Ends when the connection has not shown the key within `limit`, or is still there that long after it was refused.
    pub(crate) async fn overstays(&self, limit: Duration) {
        let shown = self.reaches(|standing| standing != Standing::Unknown);
        if tokio::time::timeout(limit, shown).await.is_ok() {
            self.refused().await;
            tokio::time::sleep(limit).await;
        }
    }

    async fn reaches(&self, there: impl Fn(Standing) -> bool) {
        // The sender lives as long as this, so that the wait ends only with the standing.
        drop(self.standing.subscribe().wait_for(|standing| there(*standing)).await);
    }
}
