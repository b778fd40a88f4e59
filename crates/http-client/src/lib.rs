//! The one place where HTTP clients are made, and where it is said in words why a question was not answered.
//!
//! A proxy of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, less what `NO_PROXY` names) is used for other hosts
//! only: whatever goes to this machine carries keys and tokens that are nobody else's business.

mod proxy;
mod why;

pub use proxy::is_this_machine;
pub use why::why;

/// A client to build: by a proxy of the environment to other hosts, and straight to this machine.
#[expect(clippy::disallowed_methods, reason = "the one home of HTTP clients")]
pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder().proxy(proxy::of_the_environment())
}
