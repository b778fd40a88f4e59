//! Topics: what they are called, and how those that are missing are made.
//!
//! One that is made gets the settings that are in [`KEPT`]; one that is there and has others would lose claims, and is refused. How
//! many copies it has is the operator's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::{SaleId, ShardId};
use ports::Fault;
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::Client;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer as _;

use crate::consumer::Consumer;
use crate::context::Context;
use crate::fault::{LOG, is_missing, unavailable};
use crate::producer::Publisher;
use crate::{Limits, Refusal};

/// Settings of a topic whose records must not vanish: they are deleted by no age and by no newer record of the same key. A
/// claim that went before allocation has read it would be a ticket that no ledger ever hears of.
const KEPT: &[(&str, &str)] =
    &[("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")];
/// Claims that are kept for a day are read before that, milliseconds: a topic that somebody made by hand may delete by age.
const LONG_MS: i64 = 86_400_000;
/// Copies that must have a record before it counts, where there are several: one machine may then be lost.
const IN_SYNC: (&str, &str) = ("min.insync.replicas", "2");
/// Partitions of the topic of orders: how many programs of a shop can share the reading.
const ORDERS_PARTITIONS: i32 = 8;
/// Between two looks whether a new topic is known everywhere.
const PAUSE: Duration = Duration::from_millis(20);

/// What the topics are called.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn parse(prefix: &str) -> Result<Self, Refusal> {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        if prefix.len() > 100 || !prefix.chars().all(letter) {
            return Err(Refusal::Prefix(prefix.to_owned()));
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    fn claims(&self, sale: &SaleId) -> String {
        format!("{}claims.{sale}", self.prefix)
    }

    pub(crate) fn dead_letters(&self) -> String {
        format!("{}dead-letters", self.prefix)
    }

    fn orders(&self) -> String {
        format!("{}orders", self.prefix)
    }
}

/// The partition of a shard.
pub(crate) fn partition(shard: &ShardId) -> i32 {
    i32::from(shard.number)
}

/// A topic as it should be.
struct Wanted<'a> {
    name: &'a str,
    partitions: i32,
    settings: &'static [(&'static str, &'static str)],
    /// Whether one that is there with other settings is refused.
    is_strict: bool,
}

/// Makes sure that topics are there.
pub(crate) struct Topics {
    admin: AdminClient<Context>,
    names: Names,
    replication: Option<i16>,
    asking: Arc<Consumer>,
    publisher: Arc<Publisher>,
    limits: Limits,
    /// Topics that were there, with so many partitions.
    known: Mutex<HashSet<(String, i32)>>,
    /// One at a time looks and makes.
    turn: tokio::sync::Mutex<()>,
}

impl Topics {
    pub(crate) fn new(
        client: &ClientConfig,
        names: Names,
        replication: Option<i16>,
        asking: Arc<Consumer>,
        publisher: Arc<Publisher>,
        limits: Limits,
    ) -> KafkaResult<Self> {
        let admin = client.create_with_context(Context::default())?;
        let (known, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Ok(Self { admin, names, replication, asking, publisher, limits, known, turn })
    }

    /// What the topic of a shard's claims is called.
    pub(crate) fn name(&self, shard: &ShardId) -> String {
        self.names.claims(&shard.sale)
    }

    /// The topic of a shard's claims, which has the shard's partition.
    pub(crate) async fn claims(&self, shard: &ShardId) -> Result<String, Fault> {
        let name = self.names.claims(&shard.sale);
        self.ensure(Wanted {
            name: &name,
            partitions: partition(shard) + 1,
            settings: KEPT,
            is_strict: true,
        })
        .await?;
        Ok(name)
    }

    /// The topic of what was put aside.
    pub(crate) async fn dead_letters(&self) -> Result<String, Fault> {
        let name = self.names.dead_letters();
        self.ensure(Wanted { name: &name, partitions: 1, settings: KEPT, is_strict: false }).await?;
        Ok(name)
    }

    /// The topic of how orders stand. How long it is kept is the brokers' default.
    pub(crate) async fn orders(&self) -> Result<String, Fault> {
        let name = self.names.orders();
        self.ensure(Wanted { name: &name, partitions: ORDERS_PARTITIONS, settings: &[], is_strict: false })
            .await?;
        Ok(name)
    }

    /// Something said that this topic is gone: the next who needs it looks again.
    pub(crate) fn forget(&self, topic: &str) {
        self.known().retain(|(known, _)| known != topic);
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<(String, i32)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ensure(&self, wanted: Wanted<'_>) -> Result<(), Fault> {
        let key = (wanted.name.to_owned(), wanted.partitions);
        if self.known().contains(&key) {
            return Ok(());
        }
        let until_there = async {
            let _turn = self.turn.lock().await;
            if self.known().contains(&key) { Ok(()) } else { self.until_there(&wanted).await }
        };
        tokio::time::timeout(self.limits.answer * 2, until_there).await.map_err(|_| {
            Fault::unavailable(LOG, format!("topic {} is not known to its brokers in time", wanted.name))
        })??;
        self.known().insert(key);
        Ok(())
    }

    async fn until_there(&self, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let mut made = false;
        loop {
            let partitions = self.partitions(wanted.name).await?;
            if partitions >= wanted.partitions {
                if wanted.is_strict {
                    self.keeps(wanted).await?;
                }
                return self.tell_publisher(wanted.name).await;
            }
            // A topic of orders that somebody made is used as it is.
            if partitions > 0 && wanted.settings.is_empty() {
                return self.tell_publisher(wanted.name).await;
            }
            if !made {
                if partitions == 0 {
                    self.make(wanted).await?
                } else {
                    self.widen(wanted).await?
                }
                made = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Partitions that the topic has, up to the first one without a leader; 0 where there is none.
    async fn partitions(&self, topic: &str) -> Result<i32, Fault> {
        let (asking, name, limit) = (Arc::clone(&self.asking), topic.to_owned(), self.limits.answer);
        let asked = blocking(move || led_partitions(asking.client(), &name, limit)).await?;
        match asked {
            Err(error) if error.rdkafka_error_code().is_some_and(is_missing) => Ok(0),
            asked => asked.map_err(|error| unavailable(format_args!("looking for topic {topic}"), &error)),
        }
    }

    /// Whether the topic has the settings that it must have. Brokers that do not say so to this user are believed.
    async fn keeps(&self, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let Wanted { name, settings, .. } = wanted;
        let asked = [ResourceSpecifier::Topic(name)];
        let described = self.admin.describe_configs(&asked, &self.patience()).await;
        let mut described =
            described.map_err(|error| unavailable(format_args!("looking at topic {name}"), &error))?;
        let found = match described.pop() {
            Some(Ok(found)) => found,
            Some(Err(code)) => {
                tracing::warn!(topic = name, %code, "{LOG}: the topic's settings cannot be read, and are not checked");
                return Ok(());
            }
            None => return Ok(()),
        };
        let found = found.entry_map();
        let wrong = settings.iter().find_map(|(key, right)| {
            let value = found.get(key)?.value.as_deref()?;
            let long = || *key == "retention.ms" && value.parse().is_ok_and(|ms: i64| ms >= LONG_MS);
            (value != *right && !long()).then_some((key, value, right))
        });
        let Some((key, value, right)) = wrong else { return Ok(()) };
        Err(Fault::unavailable(
            LOG,
            format!(
                "topic {name} has {key}={value}, under which claims vanish before the ledger has read them; set it: kafka-configs.sh \
                 --alter --entity-type topics --entity-name {name} --add-config {key}={right}"
            ),
        ))
    }

    /// The client that appends learns of partitions before it is asked to append to them.
    async fn tell_publisher(&self, topic: &str) -> Result<(), Fault> {
        let (client, name, limit) = (self.publisher.client(), topic.to_owned(), self.limits.answer);
        let asked = blocking(move || client.client().fetch_metadata(Some(&name), limit).map(drop)).await?;
        asked.map_err(|error| unavailable(format_args!("looking for topic {topic}"), &error))
    }

    async fn make(&self, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let copies = TopicReplication::Fixed(i32::from(self.replication.unwrap_or(-1)));
        let topic = NewTopic::new(wanted.name, wanted.partitions, copies);
        let topic = self.settings(wanted).fold(topic, |topic, (key, value)| topic.set(key, value));
        let made = self.admin.create_topics([&topic], &self.patience()).await;
        self.done(wanted, made, RDKafkaErrorCode::TopicAlreadyExists)
    }

    fn settings(&self, wanted: &Wanted<'_>) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        let several = self.replication.is_some_and(|copies| copies > 1);
        wanted.settings.iter().chain(several.then_some(&IN_SYNC))
    }

    async fn widen(&self, wanted: &Wanted<'_>) -> Result<(), Fault> {
        let count = usize::try_from(wanted.partitions).unwrap_or_default();
        let wider = NewPartitions::new(wanted.name, count);
        let made = self.admin.create_partitions([&wider], &self.patience()).await;
        self.done(wanted, made, RDKafkaErrorCode::InvalidPartitions)
    }

    fn patience(&self) -> AdminOptions {
        let limit = Some(self.limits.answer);
        AdminOptions::new().request_timeout(limit).operation_timeout(limit)
    }

    /// `harmless` is what is said where another node was faster.
    fn done(
        &self,
        wanted: &Wanted<'_>,
        made: KafkaResult<Vec<Result<String, (String, RDKafkaErrorCode)>>>,
        harmless: RDKafkaErrorCode,
    ) -> Result<(), Fault> {
        let results =
            made.map_err(|error| unavailable(format_args!("making topic {}", wanted.name), &error))?;
        let refused = results.into_iter().filter_map(Result::err).find(|(_, code)| *code != harmless);
        if let Some((_, code)) = refused {
            return Err(Fault::unavailable(LOG, self.how_to_make(wanted, code)));
        }
        tracing::info!(topic = wanted.name, partitions = wanted.partitions, "{LOG}: topic made");
        Ok(())
    }

    /// What to do where a topic may not be made from here.
    fn how_to_make(&self, wanted: &Wanted<'_>, code: RDKafkaErrorCode) -> String {
        let Wanted { name, partitions, .. } = wanted;
        let settings: String =
            self.settings(wanted).map(|(key, value)| format!(" --config {key}={value}")).collect();
        let copies =
            self.replication.map(|copies| format!(" --replication-factor {copies}")).unwrap_or_default();
        format!(
            "topic {name} with at least {partitions} partitions is missing and cannot be made from here ({code}); make it: \
             kafka-topics.sh --create --topic {name} --partitions {partitions}{copies}{settings}"
        )
    }
}

fn led_partitions(client: &Client<Context>, topic: &str, limit: Duration) -> KafkaResult<i32> {
    let metadata = client.fetch_metadata(Some(topic), limit)?;
    let Some(topic) = metadata.topics().first() else { return Ok(0) };
    if let Some(error) = topic.error() {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    let mut led: Vec<i32> = topic
        .partitions()
        .iter()
        .filter(|partition| partition.leader() >= 0)
        .map(|partition| partition.id())
        .collect();
    led.sort_unstable();
    Ok((0..).zip(led).take_while(|(at, id)| at == id).count().try_into().unwrap_or(i32::MAX))
}

/// Asks where asking blocks.
pub(crate) async fn blocking<T: Send + 'static>(
    ask: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(ask).await.map_err(|error| Fault::unavailable(LOG, error))
}
