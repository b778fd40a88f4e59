//! The loops that a role runs. Each is idempotent, takes no input, runs on a timer and on a nudge, and may run on
//! several nodes at once.

pub mod backlog;
pub mod catalog;
pub mod expiration;
pub mod facts;
pub mod pool;
pub mod processor;
pub mod provider;
pub mod reconciler;
pub mod relay;
pub mod runner;
pub mod shards;
pub mod treasurer;

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use purchase::catalog::Catalog;
use purchase::{Settings, Stores};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What every loop works with.
#[derive(Clone)]
pub struct Crew {
    /// Stores and peers.
    pub stores: Stores,
    /// Numbers that the steps obey.
    pub settings: Settings,
    /// This node's copy of the sales.
    pub catalog: Arc<Catalog>,
    /// Where loops run; closed and waited for at shutdown.
    pub tasks: TaskTracker,
    /// Told when to stop: a loop finishes what it has begun, and ends.
    pub stop: CancellationToken,
    /// Told which loop has broken, and how.
    pub broken: Arc<watch::Sender<Option<String>>>,
}

impl Crew {
    /// Runs a loop until it ends by itself.
    pub fn spawn(&self, name: &'static str, run: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(guarded(name, Arc::clone(&self.broken), run));
    }
}

/// A loop that panics is told of: without it the process would look healthy and do nothing.
pub async fn guarded(
    name: &'static str,
    broken: Arc<watch::Sender<Option<String>>>,
    run: impl Future<Output = ()> + Send,
) {
    if let Err(panic) = AssertUnwindSafe(run).catch_unwind().await {
        broken.send_replace(Some(format!("the loop '{name}' has panicked: {}", said(&*panic))));
    }
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_loop_that_panics_is_told_of_by_name() {
        let broken = Arc::new(watch::Sender::new(None));
        guarded("allocation", Arc::clone(&broken), async {}).await;
        assert_eq!(*broken.borrow(), None, "it has ended by itself");
        guarded("allocation", Arc::clone(&broken), async { panic!("no such {}", "place") }).await;
        let told = "the loop 'allocation' has panicked: no such place";
        assert_eq!(broken.borrow().as_deref(), Some(told));
    }
}
