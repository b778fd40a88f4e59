//! Logs: one line an event on standard error, as text or JSON; what clients wrote is escaped.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging; a second call changes nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::new(format!("{},hyper=warn,reqwest=warn,h2=warn", log.level.as_str()));
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    drop(started);
}
