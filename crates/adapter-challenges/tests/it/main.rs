//! Both forms of challenge against the port's promises; Turnstile against a service over HTTP that keeps its documented rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod altcha;
mod service;
mod turnstile;
