//! Both ends of the link against each other, over real sockets.

#![expect(clippy::unwrap_used, reason = "a constant of a test that is wrong fails it")]

mod bounds;
mod bundles;
mod crossing;
mod drain;
mod failover;
mod generated;
mod rendezvous;
mod stage;
mod strangers;
mod views;
