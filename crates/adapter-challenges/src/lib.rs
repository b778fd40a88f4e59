//! Forms of challenge behind the challenges port: ALTCHA's proof of work, and Cloudflare's Turnstile.
//!
//! Neither ALTCHA's library nor its widget remembers what was used: [`spent`] does, for one process. A challenge is bound to
//! its sale and user, so what a second gateway does not know can be used there by the same user alone, once more; and that
//! user has their limit.

pub mod altcha;
mod binding;
pub mod spent;
pub mod turnstile;

pub use altcha::Altcha;
pub use turnstile::Turnstile;
