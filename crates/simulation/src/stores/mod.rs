//! The stores of a fleet, each as one machine sees it: inventory servers, the claim log, the ledger, the provider.

pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod provider;
pub(crate) mod server;
pub(crate) mod snapshot;
