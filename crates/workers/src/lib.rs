//! The loops that a role runs. Each is idempotent, takes no input, runs on a timer and on a nudge, and may run on
//! several nodes at once.

pub mod backlog;
pub mod catalog;
pub mod expiration;
pub mod facts;
pub mod pool;
pub mod processor;
pub mod reconciler;
pub mod relay;
pub mod runner;
pub mod shards;
pub mod treasurer;

use std::sync::Arc;

use purchase::catalog::Catalog;
use purchase::{Settings, Stores};
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
}
