//! The processes of a fleet, each a sequence of steps with nothing but chance between two of them.
//!
//! A process is a value that knows its next step. The world takes one, lets it make that step, and keeps what is left
//! of it; whoever is not chosen again stalls, and whoever is dropped was killed.

pub(crate) mod allocator;
pub(crate) mod late_payment;
pub(crate) mod order_node;
pub(crate) mod recovery;
pub(crate) mod relay;
pub(crate) mod settler;
pub(crate) mod worker;
