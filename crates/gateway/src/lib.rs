//! HTTP: the accept loop, sessions, limits, the API of the contract, the operator's API, metrics and pages.
//!
//! Nothing here decides: a checkout's form and its sender are checked here, its fate elsewhere. Answers are written as
//! the HTTP contract words them; `problem.rs` has every error.

pub mod admin;
pub mod api;
mod browsers;
pub mod challenges;
pub mod client_address;
pub mod edge;
pub mod encoding;
pub mod hot;
mod json_members;
pub mod limits;
pub mod listener;
pub mod lists;
pub mod metrics;
pub mod openapi;
pub mod page;
mod pages;
mod path_part;
pub mod problem;
mod query;
pub mod reply;
pub mod routes;
pub mod session;
pub mod shedding;
