//! Which proxy a request takes, if any.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::{Proxy, Url};

/// The environment's proxy for other hosts, and none for this machine.
pub(crate) fn of_the_environment() -> Proxy {
    of(Matcher::from_env())
}

fn of(environment: Matcher) -> Proxy {
    Proxy::custom(move |url| route(&environment, url))
}

fn route(environment: &Matcher, url: &Url) -> Option<Url> {
    if is_this_machine(url) {
        return None;
    }
    address(&environment.intercept(&url.as_str().parse().ok()?)?)
}

/// A proxy's address with its credentials.
fn address(proxy: &Intercept) -> Option<Url> {
    let mut address = Url::parse(&proxy.uri().to_string()).ok()?;
    if let Some(basic) = proxy.basic_auth() {
        let encoded = basic.as_bytes().strip_prefix(b"Basic ")?;
        let plain = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user, password) = plain.split_once(':')?;
        address.set_username(user).ok()?;
        address.set_password(Some(password)).ok()?;
    }
    Some(address)
}

/// Whether what is sent to an address stays on this machine.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        let ip = ip.to_canonical();
        // What is sent to no address at all arrives here, too.
        return ip.is_loopback() || ip.is_unspecified();
    }
    host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
