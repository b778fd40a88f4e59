//! Every limit of time on the path of a purchase that another one depends on, and what must hold between them.
//!
//! Limits that are configured are named by their keys; those that are not are constants here, and whoever obeys them is
//! given them from here. No unit is ever decided by one of them: where an inequality breaks, work is done twice or answers
//! come late, and nothing worse.

use std::time::Duration;

use super::check::Relation;

/// One statement of the ledger, in its server.
pub const LEDGER_STATEMENT: Duration = Duration::from_secs(5);
/// Until a row of the ledger that somebody else holds is free, in its server.
pub const LEDGER_ROW: Duration = Duration::from_secs(3);
/// One operation of the ledger with all of its statements.
pub const LEDGER_OPERATION: Duration = Duration::from_secs(10);
/// What a checkout may take at an orders node besides its own limit: the way there and back.
pub const LINK: Duration = Duration::from_millis(200);
/// How long a stop waits for loops and batches to finish what they have begun.
pub const LOOPS: Duration = Duration::from_secs(15);
/// For how long work that was taken is kept from others.
pub const WORK_LEASE: Duration = Duration::from_millis(workers::pool::LEASE_MS);

/// The longest call to the provider after which there is time for the ledger before others may take the same work.
const LONGEST_CALL_MS: u64 = (WORK_LEASE.as_millis() - LEDGER_OPERATION.as_millis()) as u64;
/// The longest publication that a stop waits for.
const LONGEST_PUBLICATION_MS: u64 = LOOPS.as_millis() as u64;

const _: () =
    assert!(LEDGER_ROW.as_millis() < LEDGER_STATEMENT.as_millis(), "a row is given up before its statement");
const _: () =
    assert!(LEDGER_STATEMENT.as_millis() < LEDGER_OPERATION.as_millis(), "a statement may be repeated");
const _: () =
    assert!(LONGEST_CALL_MS == 20_000 && LONGEST_PUBLICATION_MS == 15_000, "as the messages below say");

/// What must hold between limits of which at least one is configured.
pub(super) const RELATIONS: &[Relation] = &[
    Relation {
        keys: &["fleet.relay_after_ms", "kafka.publish_timeout_ms"],
        holds: |config| config.fleet.relay_after_ms > config.kafka.publish_timeout_ms,
        detail: "must be longer than kafka.publish_timeout_ms, so that a publication under way is not repeated",
    },
    Relation {
        keys: &["limits.checkout_deadline_ms", "redis.timeout_ms"],
        holds: |config| {
            !config.has_fleet_stores() || config.limits.checkout_deadline_ms > config.redis.timeout_ms
        },
        detail: "must be longer than redis.timeout_ms, so that a checkout outlives one slow answer",
    },
    Relation {
        keys: &["kafka.publish_timeout_ms"],
        holds: |config| config.kafka.publish_timeout_ms < LONGEST_PUBLICATION_MS,
        detail: "must be shorter than 15000, the time for which a stop waits for what was begun",
    },
    Relation {
        keys: &["payments.timeout_ms"],
        holds: |config| config.payments.timeout_ms < LONGEST_CALL_MS,
        detail: "must be shorter than 20000: work is kept from other processes for 30000, and the ledger may need 10000 of them",
    },
];
