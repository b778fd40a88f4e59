//! Both forms of challenge against the port's promises; Turnstile against a service over HTTP that keeps its documented rules.

mod altcha;
mod service;
mod turnstile;
