//! The claim log on Apache Kafka: one topic a sale, one partition a shard, positions that are offsets.
//!
//! A claim counts as appended once every replica in sync has it, and never before. Offsets of what was read are the
//! ledger's: nothing is committed to Kafka, so that several nodes may read one shard at once, and who reads never waits for
//! a group. What is no claim goes to the topic `dead-letters` before reading passes over it.
//!
//! A topic of claims must neither expire nor be compacted: a claim that is deleted before the ledger took it in is lost.
//! Topics are made where they are missing (`topics.rs` has their settings), or beforehand by whoever may.
//!
//! What cannot be told: a topic that was deleted, made anew and filled beyond the position that the ledger has. Claims
//! before that position are then found again as holds that no order knows.

mod claims;
mod consumer;
mod context;
mod dead_letters;
mod fault;
mod fill;
mod letters;
mod order_facts;
mod producer;
mod security;
mod shelf;
mod topics;

use std::sync::Arc;
use std::time::Duration;

use ports::clock::Clock;
use rdkafka::ClientConfig;

pub use letters::{DeadLetter, LetterReader, Letters};
pub use order_facts::OrderFacts;
pub use security::{Mechanism, Sasl, Security};
pub use wire::order_event::OrderFact;

use consumer::Reader;
use context::Refused;
use dead_letters::DeadLetters;
use producer::Publisher;
use topics::{Names, Topics};

/// How long anything may take, and how much may wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Until a broker has answered, at the start.
    pub connect: Duration,
    /// Until a record that was handed over is acknowledged; afterwards its fate is unknown.
    pub delivery: Duration,
    /// One question about a topic: its end, its partitions, making it.
    pub answer: Duration,
    /// Until what lies in the log has come to a reader.
    pub arrival: Duration,
    /// After this, who waits for claims is let go without any.
    pub wait: Duration,
    /// Records that may be on their way to the log at once.
    pub queue: usize,
    /// Claims of one shard that are read ahead, and kept once they were read.
    pub shelf: usize,
    /// A shard for which nobody has asked for so long is read ahead no longer.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            delivery: Duration::from_secs(4),
            answer: Duration::from_secs(3),
            arrival: Duration::from_secs(5),
            wait: Duration::from_secs(5),
            queue: 100_000,
            shelf: 8_192,
            idle: Duration::from_secs(600),
        }
    }
}

/// How Kafka is reached, and what its topics are called.
#[derive(Clone)]
pub struct Options {
    /// Brokers as `host:port`, of which one must answer; the cluster names the rest.
    pub brokers: Vec<String>,
    /// What every topic's name begins with: letters, digits, `.`, `_` and `-`, at most 100.
    pub prefix: String,
    /// Copies of every topic that is made; the brokers' default where there is none.
    pub replication: Option<i16>,
    /// Who reads along, and who we are.
    pub security: Security,
    /// For limits of time only: nothing is decided by it.
    pub clock: Arc<dyn Clock>,
    /// How long anything may take.
    pub limits: Limits,
}

impl Options {
    /// These brokers, topics that begin with `tzero.`, the usual limits.
    #[must_use]
    pub fn of(brokers: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        let prefix = "tzero.".to_owned();
        let security = Security::default();
        Self { brokers, prefix, replication: None, security, clock, limits: Limits::default() }
    }
}

/// Why Kafka cannot be worked with, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody was named.
    #[error("no Kafka broker is named: name at least one as host:port")]
    NoBroker,
    /// None of those named answers.
    #[error(
        "no Kafka broker of {brokers} has answered within {} ms ({detail}); check that one runs there, that the addresses that \
         it advertises can be reached from here, and that kafka.tls is \"verify-full\" where it speaks TLS alone", limit.as_millis()
    )]
    Unreachable {
        /// Those that were asked.
        brokers: String,
        /// How long.
        limit: Duration,
        /// What was heard.
        detail: String,
    },
    /// No topic can be called that.
    #[error("the prefix {0:?} cannot begin a topic's name: use at most 100 of A-Z, a-z, 0-9 and . _ -")]
    Prefix(String),
    /// The client cannot be set up.
    #[error("the Kafka client cannot be set up: {0}")]
    Client(String),
    /// TLS or a user is asked for, and the client library has neither.
    #[error(
        "this program was built without TLS and SASL for Kafka: build it with `cargo build --release --features kafka-tls` \
         (needs OpenSSL's headers; Debian has them in libssl-dev, with pkg-config), or take the image of deploy/Dockerfile"
    )]
    BuiltWithout,
    /// It does not come to TLS.
    #[error("Kafka cannot be reached over TLS: {0}")]
    Tls(String),
    /// The brokers do not take us for whom we say that we are.
    #[error(
        "Kafka refuses this user: check kafka.sasl_mechanism, which must be one that the brokers offer, kafka.sasl_user and \
         kafka.sasl_password ({0})"
    )]
    User(String),
}

impl Refusal {
    fn of(refused: Refused) -> Self {
        match refused {
            Refused::Tls(said) => Self::Tls(store_tls::why_of(&said, "kafka").unwrap_or(said)),
            Refused::User(said) => Self::User(said),
        }
    }
}

/// The claim log on a Kafka cluster.
pub struct Kafka {
    reader: Reader,
    publisher: Arc<Publisher>,
    topics: Arc<Topics>,
    dead_letters: DeadLetters,
    clock: Arc<dyn Clock>,
    limits: Limits,
}

impl Kafka {
    /// Connects, and makes sure that a broker answers.
    ///
    /// # Errors
    /// A refusal that says what to do.
    pub async fn connect(options: Options) -> Result<Self, Refusal> {
        let names = Names::parse(&options.prefix)?;
        if options.brokers.is_empty() {
            return Err(Refusal::NoBroker);
        }
        let client = client(&options)?;
        let refused = |error: rdkafka::error::KafkaError| Refusal::Client(error.to_string());
        let limits = options.limits;
        let reader =
            Reader::start(&client, &options.prefix, Arc::clone(&options.clock), limits).map_err(refused)?;
        let found = reader.probe(&names.dead_letters(), &options.brokers).await?;
        if let Some(copies) =
            options.replication.filter(|copies| usize::try_from(*copies).is_ok_and(|copies| copies > found))
        {
            // No refusal: a broker may be down for a while, and the topics that exist go on.
            tracing::warn!(
                "kafka.replication: {copies} copies need as many brokers, and Kafka has {found} now; until there are more no new sale \
                 can be made"
            );
        }
        let publisher = Arc::new(Publisher::new(&client, limits).map_err(refused)?);
        let asking = reader.asking();
        let topics = Topics::new(&client, names, options.replication, asking, Arc::clone(&publisher), limits);
        let topics = Arc::new(topics.map_err(refused)?);
        let dead_letters = DeadLetters::new(Arc::clone(&publisher), Arc::clone(&topics));
        Ok(Self { reader, publisher, topics, dead_letters, clock: options.clock, limits })
    }

    /// A publisher of how orders stand, for the shop's own systems.
    #[must_use]
    pub fn order_facts(&self) -> OrderFacts {
        OrderFacts::new(Arc::clone(&self.publisher), Arc::clone(&self.topics))
    }
}

/// What the clients have in common.
fn client(options: &Options) -> Result<ClientConfig, Refusal> {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", options.brokers.join(","))
        .set("client.id", "tzero")
        .set("socket.keepalive.enable", "true")
        // A broker that comes back is found again within a second.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.fast.interval.ms", "100")
        // Producers whose only broker had hung were seen to send nothing for minutes, without a leader for their partition;
        // the default asks for leaders every five minutes.
        .set("topic.metadata.refresh.interval.ms", "2000")
        .set("log.connection.close", "false");
    options.security.tell(&mut client)?;
    Ok(client)
}
