//! Why a question was not answered.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// Why a question was not answered that was given `patience` for its answer, in words that name the cause and no address.
#[must_use]
pub fn why(error: &reqwest::Error, patience: Duration) -> String {
    if error.is_timeout() && !error.is_connect() {
        return format!("no whole answer within {} s", patience.as_secs_f64());
    }
    if error.is_timeout() {
        return format!("no connection within {} s", patience.as_secs_f64());
    }
    named(error, error.is_connect())
}

/// By the causes of an error, the outermost first.
fn named(error: &(dyn Error + 'static), connecting: bool) -> String {
    let causes: Vec<&(dyn Error + 'static)> =
        std::iter::successors(Some(error), |cause: &&(dyn Error + 'static)| (*cause).source()).collect();
    let kinds = || causes.iter().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    let says = |part: &str| causes.iter().map(ToString::to_string).find(|text| text.contains(part));
    if kinds().any(|error| error.kind() == ErrorKind::ConnectionRefused) {
        return "the connection is refused: nobody listens there".to_owned();
    }
    if let Some(text) = says("certificate") {
        return format!("its TLS certificate is not trusted ({text})");
    }
    if let Some(text) = says("lookup address") {
        return format!("its name is not known ({text})");
    }
    let last = causes.last().map(ToString::to_string).unwrap_or_default();
    if connecting {
        return format!("cannot connect: {last}");
    }
    let cut = ["before message", "end of file", "unexpected EOF", "reset by peer"];
    if cut.iter().any(|part| says(part).is_some()) {
        return format!("its answer was cut short ({last})");
    }
    last
}

#[cfg(test)]
#[path = "why_tests.rs"]
mod tests;
