//! The flow of a purchase, one file a step.
//!
//! | step | trigger | changes | then | undone by |
//! |---|---|---|---|---|
//! | [`checkout`] | a buyer presses Buy | units are held, the claim is published | 202; [`allocate`] | [`settle`] of a release |
//! | [`allocate`] | a claim in the log | the ledger takes the claim in, or refuses it | [`settle`]; [`request_payment`] | [`expire`], [`cancel`] |
//! | [`request_payment`] | an allocated order | a session at the provider; the buyer's time starts | the buyer pays | [`expire`], [`cancel`] |
//! | [`confirm`] | a verified payment | the order is decided | [`capture`], or [`late_payment`] | [`refund`] |
//! | [`capture`] | a decided order | the money is collected, the units are sold | [`settle`] | [`refund`] |
//! | [`cancel`] | the buyer gives up | the order is closing | [`expire`] closes the door | – |
//! | [`expire`] | a deadline | the provider's door is closed, then the units go back | [`settle`] | [`late_payment`] |
//! | [`late_payment`] | money for a dead order | units are held again, or the money goes back | [`capture`] or [`refund`] | [`refund`] |
//! | [`refund`] | an order that must not keep money | the money goes back | – | – |
//! | [`settle`] | an effect in the ledger's outbox | the inventory follows the ledger | – | repeated freely |
//! | [`relay`] | a claim that nobody acknowledged | it is published again | [`allocate`] | repeated freely |
//! | [`tell`] | a change of an order | the shop's own systems hear of it | – | repeated freely |
//! | [`recover`] | a start, or a shard that lost its memory | a new epoch, loaded from the ledger | selling goes on | another epoch |
//! | [`audit`] | a question | nothing | – | – |
//!
//! Every step is idempotent: it may be stopped anywhere and run again.

pub mod allocate;
pub mod asked;
pub mod audit;
pub mod backlog;
mod batcher;
mod breaker;
pub mod cancel;
pub mod capture;
pub mod catalog;
pub mod checkout;
pub mod confirm;
mod doubts;
pub mod expire;
mod fate;
pub mod faults;
pub mod late_payment;
pub mod operate;
pub mod pulse;
pub mod recover;
pub mod refund;
pub mod relay;
pub mod request_payment;
pub mod selling;
pub mod settle;
pub mod stores;
pub mod tell;
pub mod totals;

pub use checkout::OrderService;
pub use stores::{Settings, Stores};
