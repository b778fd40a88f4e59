//! The adapter against real servers of the tests' own.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

mod contract;
mod fences;
mod server;
mod shard;
