//! Logs: one line an event on standard error, as text or JSON; what clients wrote is escaped.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{Log, LogFormat, LogLevel};

/// Starts logging; a second call changes nothing.
pub fn start(log: &Log) {
    let told = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let chatty = ["hyper", "reqwest"].map(|library| (library, told.min(LevelFilter::WARN)));
    // What it warns of is what clients do, who could fill the log with it; such connections are counted.
    let clients = [("h2", told.min(LevelFilter::ERROR))];
    let filter = Targets::new().with_default(told).with_targets(chatty).with_targets(clients);
    let lines = || tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let registry = tracing_subscriber::registry().with(filter);
    let started = match log.format {
        LogFormat::Text => registry.with(lines()).try_init(),
        LogFormat::Json => registry.with(lines().json()).try_init(),
    };
    drop(started);
}
