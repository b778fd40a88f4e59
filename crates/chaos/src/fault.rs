//! The table of faults: what each is called, what is done, and what must follow besides what must always be true.

/// What is done to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Nothing.
    Nothing,
    /// The Redis primary of the sale is killed with its replica in step.
    KillPrimary,
    /// The same, with a replica that lacks the last two seconds.
    KillPrimaryAheadOfReplica,
    /// The primary of the sale ends in good order and starts again.
    RestartPrimary,
    /// The primary of the sale stands still for so many seconds.
    PausePrimary(u64),
    /// The primary of the sale is cut off from all other nodes, and from no client, for so many seconds.
    IsolatePrimary(u64),
    /// The primary of the sale has no memory left for so many seconds.
    FillPrimary(u64),
    /// The primary of the sale is killed, and starts again at once without its data.
    EmptyPrimary,
    /// The slot of the sale moves to another primary, and back.
    MoveSlot,
    /// Every node of Redis forgets its data and its functions.
    LoseRedis,
    /// Every primary loads its functions again.
    ReloadFunctions,
    /// Kafka is killed, and away for so many seconds.
    KafkaDown(u64),
    /// Kafka stands still for so many seconds.
    PauseKafka(u64),
    /// PostgreSQL is killed, and away for so many seconds besides the time that it takes to start.
    PostgresDown(u64),
    /// The processes of a role are killed in turn and started again, so many times in all.
    KillRole(&'static str, u32),
    /// Each reconciler is killed while the shard is closed; the other one must open it.
    KillReconcilers,
    /// Each reconciler stands still while it may have the turn to renew the shard, until the other one has.
    PauseReconcilers,
    /// The processes of a role stand still in turn, each for so many seconds.
    PauseRole(&'static str, u64),
    /// Processors are killed while the provider takes seconds for every call.
    KillProcessorInCall,
    /// The provider behaves badly: what is sent to the sandbox as its faults.
    Provider(&'static str),
    /// The provider is killed, and away for some seconds.
    KillProvider(u64),
    /// Every process is asked to end and started again, one after another.
    RollingRestart,
    /// The primary of the sale works with a clock that is so many seconds ahead, and behind.
    PrimaryClock(i64),
    /// PostgreSQL works with a clock that is so many seconds behind, and ahead.
    PostgresClock(i64),
    /// The first process of every role works with a clock that is so many seconds ahead.
    RoleClocks(i64),
    /// Every process of the previous program makes place for one of the program under test, and back, and again.
    Upgrade,
}

/// What a deed needs besides the stores and the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Another version of the program.
    Previous,
    /// The right to cut the network between processes.
    Network,
    /// The library that makes clocks wrong.
    Clocks,
}

impl Deed {
    /// What it needs.
    pub const fn need(self) -> Option<Need> {
        match self {
            Self::Upgrade => Some(Need::Previous),
            Self::IsolatePrimary(_) => Some(Need::Network),
            Self::PrimaryClock(_) | Self::PostgresClock(_) | Self::RoleClocks(_) => Some(Need::Clocks),
            _ => None,
        }
    }
}

/// Whether new tickets are given while a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selling {
    /// They are.
    GoesOn,
    /// They may cease at first; in the second half of the fault they are given.
    GoesOnHalfway,
    /// They may cease until the fault is over.
    MayCease,
}

/// What a fault may do to buyers and no more; everything else is a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Tickets may end because the store failed: claims that came after the fence of their epoch.
    pub refused_tickets: bool,
    /// Whether there are new tickets.
    pub selling: Selling,
    /// The status of a ticket may be refused meanwhile.
    pub statuses: bool,
}

/// A fault.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is done.
    pub done: &'static str,
    /// What must follow.
    pub follows: &'static str,
    /// What is done, for the machine.
    pub deed: Deed,
    /// What may happen.
    pub allowed: Allowed,
    /// How long it takes with what follows, seconds: the stock must last so long.
    pub seconds: u64,
}

const SERVED: Allowed = Allowed { refused_tickets: false, selling: Selling::GoesOn, statuses: false };
const CLOSED: Allowed = Allowed { selling: Selling::MayCease, ..SERVED };
/// An old primary goes on alone, and another one takes over before the fault is half over.
const TWO_PRIMARIES: Allowed = Allowed { refused_tickets: true, selling: Selling::GoesOnHalfway, ..SERVED };

const fn fault(
    name: &'static str,
    done: &'static str,
    follows: &'static str,
    deed: Deed,
    (allowed, seconds): (Allowed, u64),
) -> Fault {
    Fault { name, done, follows, deed, allowed, seconds }
}

/// Every fault, in the order in which they come in turn.
pub const FAULTS: &[Fault] = &[
    fault("none", "nothing: the drop alone", "the stock is sold", Deed::Nothing, (SERVED, 10)),
    fault(
        "redis-primary-killed",
        "the sale's primary is killed with its replica in step",
        "503 until the replica is promoted and the shard renewed; every ticket stands",
        Deed::KillPrimary,
        (CLOSED, 20),
    ),
    fault(
        "redis-primary-killed-replica-behind",
        "the replica is cut off and stopped for 2 s, then the sale's primary is killed",
        "the same: claims that were published are honoured although Redis lost them, no unit is given twice",
        Deed::KillPrimaryAheadOfReplica,
        (CLOSED, 25),
    ),
    fault(
        "redis-restarted",
        "the sale's primary ends in good order and starts again",
        "the shard is closed at once and renewed; every ticket stands",
        Deed::RestartPrimary,
        (CLOSED, 20),
    ),
    fault(
        "redis-primary-paused",
        "the sale's primary stands still for 15 s, longer than the cluster waits, and goes on",
        "its replica takes over and sells while it stands; what the old one gives after the fence ends as store-failover",
        Deed::PausePrimary(15),
        (TWO_PRIMARIES, 30),
    ),
    fault(
        "redis-primary-isolated",
        "the sale's primary is cut off from the other nodes for 20 s, and not from its clients",
        "the same: it goes on taking writes until it notices; published claims stand, no unit is given twice",
        Deed::IsolatePrimary(20),
        (TWO_PRIMARIES, 35),
    ),
    fault(
        "redis-slot-moved",
        "the slot that the sale is on moves to another primary key by key, and back",
        "503 until all of it is there and the shard renewed: the new owner has no lease; every ticket stands",
        Deed::MoveSlot,
        (CLOSED, 30),
    ),
    fault(
        "redis-full",
        "the sale's primary has no memory left for 10 s",
        "503, and no claim is half done; releases and statuses go on",
        Deed::FillPrimary(10),
        (CLOSED, 20),
    ),
    fault(
        "redis-aof-lost",
        "the sale's primary is killed, and starts again at once without its data",
        "the shard is loaded from PostgreSQL, whichever node is primary then; every ticket stands",
        Deed::EmptyPrimary,
        (CLOSED, 25),
    ),
    fault(
        "redis-lost",
        "FLUSHALL and FUNCTION FLUSH on every node",
        "every shard is loaded from PostgreSQL; every ticket stands",
        Deed::LoseRedis,
        (CLOSED, 10),
    ),
    fault(
        "redis-functions-reloaded",
        "FUNCTION LOAD REPLACE on every primary",
        "every shard is closed at once and renewed; every ticket stands",
        Deed::ReloadFunctions,
        (CLOSED, 10),
    ),
    fault(
        "redis-clock-wrong",
        "the clock of the sale's primary is ten minutes ahead, and ten minutes behind",
        "the shard is renewed at each restart; no unit is given twice or freed by that clock",
        Deed::PrimaryClock(600),
        (CLOSED, 60),
    ),
    fault(
        "orders-killed",
        "the two orders processes are killed in turn, eight times",
        "the other one answers; the same request gets the same ticket, also where its answer was lost",
        Deed::KillRole("orders", 8),
        (SERVED, 25),
    ),
    fault(
        "orders-paused",
        "each orders process stands still for 8 s in turn, and goes on",
        "the other one answers, within what the contract gives a checkout",
        Deed::PauseRole("orders", 8),
        (SERVED, 28),
    ),
    fault(
        "kafka-down",
        "the broker is killed and away for 30 s",
        "503 in a second; the same request gets its ticket afterwards; what waits is taken in",
        Deed::KafkaDown(30),
        (CLOSED, 60),
    ),
    fault(
        "kafka-paused",
        "the broker stands still for 10 s and goes on",
        "the same: what hangs is away, too",
        Deed::PauseKafka(10),
        (CLOSED, 25),
    ),
    fault(
        "allocator-paused",
        "each allocator stands still for 35 s in turn, longer than its session at PostgreSQL lives, and goes on",
        "the other one takes claims in; nothing is taken in twice",
        Deed::PauseRole("allocator", 35),
        (SERVED, 85),
    ),
    fault(
        "allocator-killed",
        "the two allocators are killed in turn, four times",
        "the other one takes claims in",
        Deed::KillRole("allocator", 4),
        (SERVED, 14),
    ),
    fault(
        "processor-killed",
        "the two processors are killed in turn, six times, while every call to the provider takes 2 s",
        "the same key gives the same payment session; no second one, no second charge",
        Deed::KillProcessorInCall,
        (SERVED, 40),
    ),
    fault(
        "postgres-killed",
        "PostgreSQL is killed and started again",
        "holds go on; nothing is released meanwhile",
        Deed::PostgresDown(0),
        (Allowed { statuses: true, ..SERVED }, 40),
    ),
    fault(
        "postgres-down",
        "PostgreSQL is killed and away for 30 s",
        "holds go on, nothing is released, nobody is told sold-out",
        Deed::PostgresDown(30),
        (Allowed { statuses: true, ..SERVED }, 45),
    ),
    fault(
        "postgres-clock-wrong",
        "the clock of PostgreSQL is a minute behind, right, and a minute ahead: it goes back twice",
        "holds end early or late, and nothing else; who pays for one that ended gets a unit or the money back",
        Deed::PostgresClock(60),
        (Allowed { statuses: true, ..SERVED }, 60),
    ),
    fault(
        "provider-slow",
        "every call to the provider takes from 2 s to 6 s, some longer than is waited for",
        "orders wait as queued; the buyer's time has not begun",
        Deed::Provider(r#"{"latency_min_ms":2000,"latency_max_ms":6000}"#),
        (SERVED, 20),
    ),
    fault(
        "provider-failing",
        "half of the calls fail, and a third of the others after they took effect",
        "calls are repeated under the same key",
        Deed::Provider(r#"{"error_rate":0.5,"error_after_effect_rate":0.33}"#),
        (SERVED, 20),
    ),
    fault(
        "provider-silent",
        "no call to the provider is answered",
        "orders wait as queued",
        Deed::Provider(r#"{"timeout_rate":1.0}"#),
        (SERVED, 20),
    ),
    fault(
        "provider-killed",
        "the provider is killed and away for 5 s",
        "the same; its books have what it answered",
        Deed::KillProvider(5),
        (SERVED, 12),
    ),
    fault(
        "gateway-killed",
        "the two gateways are killed in turn, four times",
        "the same request at the other one gets the same ticket",
        Deed::KillRole("gateway", 4),
        (SERVED, 14),
    ),
    fault(
        "expiration-killed",
        "the two expiration processes are killed in turn, four times",
        "holds end all the same",
        Deed::KillRole("expiration", 4),
        (SERVED, 14),
    ),
    fault(
        "relay-killed",
        "the two relays are killed in turn, four times",
        "the other one goes on",
        Deed::KillRole("relay", 4),
        (SERVED, 14),
    ),
    fault(
        "reconciler-killed",
        "functions are loaded again, and a reconciler is killed while the shard is closed; then the other one",
        "the one that is left renews the shard",
        Deed::KillReconcilers,
        (CLOSED, 20),
    ),
    fault(
        "reconciler-paused",
        "functions are loaded again while Kafka stands still, and a reconciler stands still in the middle of it; then the other one",
        "where it had the turn it loses it, and the other one renews the shard",
        Deed::PauseReconcilers,
        (CLOSED, 30),
    ),
    fault(
        "rolling-restart",
        "every process ends in good order and starts again, one after another",
        "no request is lost",
        Deed::RollingRestart,
        (SERVED, 60),
    ),
    fault(
        "role-clocks-differ",
        "the first process of every role is ten minutes ahead, and right again",
        "what goes by such a clock comes too early or too late, and nothing else",
        Deed::RoleClocks(600),
        (SERVED, 90),
    ),
    fault(
        "upgrade",
        "processes of the program of --previous make place for this one's, one after another; and back, and again",
        "no request is lost, also while old and new work side by side",
        Deed::Upgrade,
        (SERVED, 120),
    ),
];

/// The fault of this name.
pub fn named(name: &str) -> Result<&'static Fault, String> {
    FAULTS.iter().find(|fault| fault.name == name).ok_or_else(|| {
        let names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
        format!("there is no fault `{name}`; there are {}", names.join(", "))
    })
}

#[cfg(test)]
#[path = "fault_tests.rs"]
mod tests;
