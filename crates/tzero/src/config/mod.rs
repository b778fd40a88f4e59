//! Configuration: a commented default compiled in, a TOML file, the environment, the command line.
//!
//! A later layer overrides an earlier one, key by key; an unknown key or a wrong value is refused
//! wherever it stands, with its place and what would be right, and all mistakes are named at once. The
//! environment comes in as an argument; its one home is [`environment`].

mod challenge;
mod check;
mod document;
pub mod environment;
mod fleet;
mod json_document;
mod keys;
mod kind;
mod layers;
mod mistake;
mod model;
mod nearest;
mod network;
mod origin;
mod postgres_address;
mod print;
pub mod sale_file;
mod sale_members;
mod secret;
pub mod times;
mod tls;
mod web_address;

pub use challenge::{Challenge, ChallengeProvider};
pub use fleet::SaslMechanism;
pub use layers::Sources;
pub use mistake::{Mistake, Mistakes, Place};
pub use model::{
    Admin, ClientAddressHeader, Config, Data, Expiration, Issuer, JwtAlgorithm, Limits, Log, LogFormat,
    LogLevel, Payments, Processor, Provider, Sandbox, Server, Sessions, Status,
};
pub use network::Network;
pub use secret::Secret;
pub use tls::{Store, StoreTls, TlsMode};
pub use web_address::WebAddress;

/// Every mistake of a configuration.
pub type ConfigErrors = Mistakes;

/// The commented default, as `config/default.toml` has it.
pub const DEFAULT: &str = include_str!("../../../../config/default.toml");
