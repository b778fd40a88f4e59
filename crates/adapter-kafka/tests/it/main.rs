//! The adapter against a real Kafka broker of the tests' own.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

mod broker;
mod claims;
mod contract;
mod damage;
mod fleet;
mod letters;
mod log;
mod orders;
mod outage;
#[expect(dead_code, reason = "the tests of that adapter use more of it")]
#[path = "../../../adapter-postgres/tests/it/server.rs"]
mod postgres;
mod raw;
#[expect(dead_code, reason = "the tests of that adapter use more of it")]
#[path = "../../../adapter-redis/tests/it/server.rs"]
mod redis;
