//! The inventory, its rebuild and the status board on Redis.
//!
//! A [function library](library) decides every hold and effect as `domain::inventory` does, many at a time; this crate
//! packs what it is asked, and reads what it answers. Who may hand out units is in the memory of the Redis process only:
//! a restart, a fail-over or a reload of the library closes every shard until it was loaded anew from the ledger.
//!
//! Redis MUST run with `maxmemory-policy noeviction`, and as version 7.0 or later; [`Redis::connect`] refuses anything
//! else. Persistence and replication make a restart shorter and are not needed for correctness.

mod client;
mod codec;
mod inventory;
mod keys;
pub mod library;
pub mod probe;
mod rebuild;
mod seal;
mod status_board;
mod status_codec;
mod views;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::id::{Epoch, ShardId};
use ports::Fault;
use redis::{Cmd, Value};
use tokio::task::JoinSet;

pub use client::Address;
pub use probe::Refusal;
pub use seal::SealKey;

use client::Client;
use keys::Keys;
use library::Answer;
use views::Views;

/// How to reach Redis, and the secret for what it must not read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is.
    pub address: Address,
    /// Seals the identifiers of buyers.
    pub seal: SealKey,
    /// What this system's keys are called by, where several systems share the servers: letters, digits and hyphens;
    /// empty where it is the only one.
    pub name: String,
}

/// The inventory, its rebuild and the status board on one Redis or a cluster.
pub struct Redis {
    shared: Arc<Shared>,
    /// Looks at what somebody asked for; ends with this.
    _looking: JoinSet<()>,
}

struct Shared {
    client: Client,
    address: Address,
    keys: Keys,
    seal: SealKey,
    /// The epoch at which each shard answered last; asked anew where it is another.
    epochs: Mutex<HashMap<ShardId, Epoch>>,
    /// The epoch of the newest load that this node began.
    loads: Mutex<HashMap<ShardId, Epoch>>,
    views: Views,
}

impl Redis {
    /// Connects, and makes sure that the server is one that this crate can work with.
    ///
    /// # Errors
    /// A refusal that says what to do.
    pub async fn connect(options: Options) -> Result<Self, Refusal> {
        let client = Client::connect(&options.address)
            .await
            .map_err(|error| Refusal::unreachable_at(&options.address, error))?;
        probe::check(&client).await?;
        let keys = Keys::of(&options.name);
        probe::own(&client, keys.owner(), &options.seal.fingerprint()).await?;
        let shared = Arc::new(Shared {
            client,
            address: options.address,
            keys,
            seal: options.seal,
            epochs: Mutex::default(),
            loads: Mutex::default(),
            views: Views::default(),
        });
        let mut looking = JoinSet::new();
        looking.spawn(inventory::look_where_asked(Arc::clone(&shared)));
        Ok(Self { shared, _looking: looking })
    }
}

impl Shared {
    /// Calls what `build` makes for the epoch at which the shard is open.
    ///
    /// # Errors
    /// [`Fault::Closed`] where it is not open, or a fault of the store.
    async fn call_open(
        &self,
        shard: &ShardId,
        build: impl Fn(Epoch) -> Cmd,
    ) -> Result<(Epoch, Vec<Value>), Fault> {
        let mut epoch = self.epochs().get(shard).copied().unwrap_or_default();
        // Once with what this node believes, and once with what it was told.
        for _ in 0..2 {
            match library::answer(self.client.send(&build(epoch)).await)? {
                Answer::Done(values) => return Ok((epoch, values)),
                Answer::Fenced(Some(running)) if running != epoch => {
                    self.epochs().insert(shard.clone(), running);
                    epoch = running;
                }
                Answer::Fenced(_) => break,
            }
        }
        self.views.closed(shard);
        Err(Fault::Closed(shard.clone()))
    }

    fn epochs(&self) -> std::sync::MutexGuard<'_, HashMap<ShardId, Epoch>> {
        self.epochs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn loads(&self) -> std::sync::MutexGuard<'_, HashMap<ShardId, Epoch>> {
        self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
