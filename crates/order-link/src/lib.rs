//! The link between gateways and orders nodes: the orders port over HTTP/2, both ends of it.
//!
//! [`Client`] is the orders port at a gateway: it sends each request to the node that batches for its shard, and to the
//! next node where that one does not answer. [`serve`] answers for any [`ports::orders::Orders`] at a node. Nothing here
//! decides about a purchase: refusals and faults cross as what they are.
//!
//! Each method has a path, to which its questions are posted in short binary form (`message.rs`): those that are there at
//! the same moment in one request (`bundle.rs`). `GET /health` says which versions of the form a node speaks.
//! Every request carries a bearer that both ends derive from one [`LinkKey`]. The link does
//! not encrypt: it belongs on a network of its own.

mod answer;
mod answers;
mod asking;
mod bundle;
mod carrier;
mod client;
mod connection;
mod crew;
mod document;
mod door;
mod gather;
mod key;
mod message;
mod node;
mod options;
mod outcome;
mod peer;
mod rendezvous;
mod requests;
mod route;
mod server;
mod views;
mod words;

pub use client::{Client, NodeState};
pub use key::LinkKey;
pub use options::Options;
pub use rendezvous::Rendezvous;
pub use server::{Limits, serve};
