//! What the core needs from the world: one small trait a file, promises written as MUST.
//!
//! Both backends implement the same traits; nothing here may assume one process, one node or one store.
//! A *fault* (the world failed) is an error; a *refusal* (the rules said no) is a value inside `Ok`.

pub mod challenges;
pub mod claims;
pub mod clock;
pub mod dice;
pub mod facts;
pub mod fault;
pub mod inventory;
pub mod ledger;
pub mod orders;
pub mod payments;
pub mod sales;
pub mod status_board;
pub mod tickets;

#[cfg(feature = "contract")]
pub mod contract;

pub use fault::Fault;
