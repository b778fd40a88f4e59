//! Reading ahead: one thread a node puts what comes of every shard on that shard's shelf.
//!
//! Partitions are assigned by hand and positions are given with them. The group's name is there because the client library
//! assigns nothing without one; nobody joins it and nothing is committed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use domain::id::ShardId;
use ports::Fault;
use ports::clock::Clock;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::Notify;

use crate::context::Context;
use crate::fault::{Bounds, LOG, is_passing, unavailable};
use crate::shelf::Shelf;
use crate::topics::{blocking, partition};
use crate::{Limits, Refusal, fill};

/// The client that reads.
pub(crate) type Consumer = BaseConsumer<Context>;

/// One turn of the thread waits no longer than this for a record.
const TURN: Duration = Duration::from_millis(50);
/// The thread has ended within this, or is left to end by itself.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the first question to a broker waits; each further one twice as long.
const FIRST_ANSWER: Duration = Duration::from_millis(500);
/// Between two questions whose answer will soon be another.
const PAUSE: Duration = Duration::from_millis(30);

/// A shard that is read ahead.
pub(crate) struct Standing {
    pub shard: ShardId,
    pub topic: String,
    shelf: Mutex<Shelf>,
    /// Something came, or went wrong.
    pub arrived: Notify,
    /// Whether records of it are being fetched.
    following: AtomicBool,
    /// One at a time moves it; whether the client has it assigned.
    turn: Mutex<bool>,
    /// When somebody last asked for it, by the clock's own time.
    asked_at: Mutex<Duration>,
}

impl Standing {
    pub(crate) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_followed(&self) -> bool {
        self.following.load(Ordering::Acquire)
    }

    /// Whether what lies at `from` is at hand, or comes by itself.
    pub(crate) fn brings(&self, from: u64) -> bool {
        self.shelf().covers(from) && self.is_followed()
    }

    /// Nothing more is fetched, or what is fetched does not come: the next reader begins anew.
    pub(crate) fn fell_behind(&self) {
        self.following.store(false, Ordering::Release);
    }

    fn asked(&self, now: Duration) {
        *self.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    fn at(&self, offset: Offset) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        // An offset that can be written: it came from a position or stands for none.
        let _ = list.add_partition_offset(&self.topic, partition(&self.shard), offset);
        list
    }
}

/// Shards by topic and partition.
type Standings = HashMap<String, HashMap<i32, Arc<Standing>>>;

/// What thread and readers share.
pub(crate) struct Shared {
    consumer: Consumer,
    /// Asks where logs begin and end, over connections of its own: a broker answers what comes over one connection in turn,
    /// and a fetch that waits for claims would hold every question back.
    asking: Arc<Consumer>,
    /// What both of them say.
    heard: Context,
    standings: Mutex<Standings>,
    stop: AtomicBool,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

/// Reads ahead until it is dropped.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    pub(crate) fn start(
        client: &ClientConfig,
        prefix: &str,
        clock: Arc<dyn Clock>,
        limits: Limits,
    ) -> KafkaResult<Self> {
        let mut asking = client.clone();
        reads_everything(&mut asking);
        let heard = Context::default();
        let shared = Arc::new(Shared {
            consumer: config(client, prefix).create_with_context(heard.clone())?,
            asking: Arc::new(asking.create_with_context(heard.clone())?),
            heard,
            standings: Mutex::default(),
            stop: AtomicBool::new(false),
            clock,
            limits,
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("claims-reader".to_owned())
            .spawn(move || run(&of_thread))
            .map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The client that asks.
    pub(crate) fn asking(&self) -> Arc<Consumer> {
        Arc::clone(&self.shared.asking)
    }

    /// Makes sure that a broker answers, and gives how many there are; `topic` need not be there. Where brokers refuse us, this
    /// does not wait for more.
    pub(crate) async fn probe(&self, topic: &str, brokers: &[String]) -> Result<usize, Refusal> {
        let limit = self.shared.limits.connect;
        let until = self.shared.clock.elapsed() + limit;
        let mut patience = FIRST_ANSWER;
        loop {
            let left = until.saturating_sub(self.shared.clock.elapsed()).max(PAUSE);
            let (asking, topic, wait) = (self.asking(), topic.to_owned(), patience.min(left));
            let asked =
                blocking(move || asking.fetch_metadata(Some(&topic), wait).map(|said| said.brokers().len()))
                    .await;
            let detail = match asked {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(error)) => {
                    error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string())
                }
                Err(fault) => fault.to_string(),
            };
            if let Some(refused) = self.shared.heard.refused() {
                return Err(Refusal::of(refused));
            }
            if self.shared.clock.elapsed() + PAUSE >= until {
                return Err(Refusal::Unreachable { brokers: brokers.join(", "), limit, detail });
            }
            // A broker that ends every connection at once is not asked without a pause.
            tokio::time::sleep(PAUSE).await;
            patience *= 2;
        }
    }

    /// The shard's place, where there is one.
    pub(crate) fn find(&self, shard: &ShardId, topic: &str) -> Option<Arc<Standing>> {
        let standings = self.shared.standings();
        let standing = standings.get(topic)?.get(&partition(shard))?;
        standing.asked(self.shared.clock.elapsed());
        Some(Arc::clone(standing))
    }

    /// The shard's place, made where there is none.
    pub(crate) fn place(&self, shard: &ShardId, topic: String) -> Arc<Standing> {
        let now = self.shared.clock.elapsed();
        let mut standings = self.shared.standings();
        let of_topic = standings.entry(topic.clone()).or_default();
        let standing = of_topic.entry(partition(shard)).or_insert_with(|| {
            Arc::new(Standing {
                shard: shard.clone(),
                topic,
                shelf: Mutex::new(Shelf::new(self.shared.limits.shelf)),
                arrived: Notify::new(),
                following: AtomicBool::new(false),
                turn: Mutex::default(),
                asked_at: Mutex::new(now),
            })
        });
        Arc::clone(standing)
    }

    /// Where a shard's log begins and ends, now.
    ///
    /// The end is the high watermark: every record that was acknowledged lies before it, since a leader acknowledges with
    /// `acks=all` only once its high watermark has passed the record, and a new leader answers this question only once its
    /// own has caught up with its log (KIP-207).
    pub(crate) async fn bounds(&self, standing: &Arc<Standing>) -> Result<Bounds, KafkaError> {
        let (shared, standing) = (Arc::clone(&self.shared), Arc::clone(standing));
        let asked = blocking(move || shared.bounds(&standing)).await;
        asked.unwrap_or(Err(KafkaError::Canceled))
    }

    /// Reads ahead from `from` on, or from where it ended.
    pub(crate) async fn follow(&self, standing: &Arc<Standing>, from: Option<u64>) -> Result<(), Fault> {
        let (shared, standing) = (Arc::clone(&self.shared), Arc::clone(standing));
        blocking(move || shared.follow(&standing, from))
            .await?
            .map_err(|error| unavailable("reading ahead", &error))
    }
}

/// How the client reads: where it is told to and nowhere else, and not far ahead.
pub(crate) fn config(client: &ClientConfig, prefix: &str) -> ClientConfig {
    let mut config = client.clone();
    config
        .set("group.id", format!("{prefix}allocation"))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A position that is not there is told, and never replaced by another.
        .set("auto.offset.reset", "error")
        // A fetch that waits for claims holds back one for a shard that was just added, so it waits shortly.
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "100")
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.min.messages", "10000")
        .set("queued.max.messages.kbytes", "16384")
        .set("socket.timeout.ms", "6000");
    reads_everything(&mut config);
    config
}

/// Nobody here writes in transactions; one that a stranger left open must not hold claims back. No topic springs from a name.
fn reads_everything(config: &mut ClientConfig) {
    config.set("isolation.level", "read_uncommitted").set("allow.auto.create.topics", "false");
}

impl Shared {
    pub(crate) fn standings(&self) -> MutexGuard<'_, Standings> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bounds(&self, standing: &Standing) -> KafkaResult<Bounds> {
        let until = self.clock.elapsed() + self.limits.answer;
        loop {
            let left = until.saturating_sub(self.clock.elapsed()).max(PAUSE);
            let asked = self.asking.fetch_watermarks(&standing.topic, partition(&standing.shard), left);
            match asked {
                Ok((low, high)) => {
                    let number = |offset| u64::try_from(offset).unwrap_or_default();
                    return Ok(Bounds { low: number(low), high: number(high) });
                }
                Err(error) => {
                    let passing = error.rdkafka_error_code().is_some_and(is_passing);
                    if !passing || self.clock.elapsed() + PAUSE >= until {
                        return Err(error);
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Fetches from `from` on, or from where the shelf ends.
    pub(crate) fn follow(&self, standing: &Standing, from: Option<u64>) -> KafkaResult<()> {
        let mut assigned = standing.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let next = {
            let mut shelf = standing.shelf();
            if let Some(from) = from {
                if shelf.covers(from) && standing.is_followed() {
                    return Ok(());
                }
                shelf.begin(from);
            }
            shelf.next()
        };
        self.unassign(standing, &mut assigned);
        let offset = Offset::Offset(next.try_into().unwrap_or(i64::MAX));
        self.consumer.incremental_assign(&standing.at(offset))?;
        *assigned = true;
        standing.following.store(true, Ordering::Release);
        Ok(())
    }

    /// Fetches nothing more of a shard.
    pub(crate) fn leave(&self, standing: &Standing) {
        let mut assigned = standing.turn.lock().unwrap_or_else(PoisonError::into_inner);
        standing.fell_behind();
        self.unassign(standing, &mut assigned);
    }

    /// What is not assigned cannot be taken back, and the client would complain.
    fn unassign(&self, standing: &Standing, assigned: &mut bool) {
        if *assigned && let Err(error) = self.consumer.incremental_unassign(&standing.at(Offset::Invalid)) {
            tracing::warn!(shard = %standing.shard, %error, "{LOG}: reading ahead cannot be ended");
        }
        *assigned = false;
    }

    /// Leaves the shards for which nobody has asked for long.
    fn leave_the_idle(&self) {
        let now = self.clock.elapsed();
        let is_idle = |standing: &Arc<Standing>| {
            let asked_at = *standing.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody holds it, as a reader that waits does.
            Arc::strong_count(standing) == 1 && now.saturating_sub(asked_at) > self.limits.idle
        };
        // Left while nobody can find it: who makes a new place for the shard fetches anew afterwards.
        self.standings().retain(|_, of_topic| {
            of_topic.values().filter(|standing| is_idle(standing)).for_each(|standing| self.leave(standing));
            of_topic.retain(|_, standing| !is_idle(standing));
            !of_topic.is_empty()
        });
    }
}

fn run(shared: &Shared) {
    let mut looked_at = shared.clock.elapsed();
    let mut hand = fill::Hand::default();
    while !shared.stop.load(Ordering::Acquire) {
        match shared.consumer.poll(TURN) {
            Some(Ok(message)) => hand.put(shared, &message),
            Some(Err(error)) => fill::failed(shared, &error),
            // What the client that asks has to say is heard as well, so that it does not pile up.
            None => drop(shared.asking.poll(Duration::ZERO)),
        }
        let now = shared.clock.elapsed();
        if now.saturating_sub(looked_at) > shared.limits.idle / 4 {
            looked_at = now;
            shared.leave_the_idle();
        }
    }
    let _ = shared.consumer.unassign();
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        let until = self.shared.clock.elapsed() + FAREWELL;
        while !thread.is_finished() && self.shared.clock.elapsed() < until {
            std::thread::sleep(TURN / 5);
        }
        if thread.is_finished() {
            // A panic of the thread has been told where it happened.
            let _ = thread.join();
        } else {
            tracing::warn!("the thread that reads claims has not ended in time, and is left to itself");
        }
    }
}
