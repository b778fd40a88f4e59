//! The adapter against real servers of the tests' own.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

mod cluster;
mod contract;
mod differential;
mod fences;
mod refusals;
mod rights;
mod server;
mod shard;
mod shown;
