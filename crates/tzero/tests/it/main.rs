//! The whole program, from outside: started as a process, spoken to over HTTP, killed by its pid.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why and fails")]

mod challenge;
mod checkout;
mod compressed;
mod embedded;
mod faults;
mod fleet;
mod harness;
mod hostile;
mod injection;
mod kill;
mod lapse;
mod limits;
mod lists;
mod orders;
mod pages;
mod race;
mod rehearse;
mod restart;
mod sessions;
mod sockets;
mod stores;
mod system;
