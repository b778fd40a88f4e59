//! The herd: distinct buyers against a running system, over HTTP and nothing else. It knows the HTTP contract, and checks
//! every answer against it; it shares no code with what it tests.
//!
//! Load is open-loop: the instant of each buyer's request is fixed beforehand, and latency counts from that instant, so
//! that a slow server cannot hide behind a client that waits for it (coordinated omission).

mod answers;
mod arrival;
mod auditor;
mod buyer;
mod challenge;
mod checks;
mod client;
mod clock;
mod fairness;
mod finish;
mod flood;
mod foe;
mod forecast;
mod gauge;
mod herd;
mod hostile;
mod measure;
pub mod pace;
mod plan;
mod prepare;
mod report;
mod run;
mod side;
mod siege;

pub use foe::Kind;
pub use gauge::{Flaw, Gauge, Lack};
pub use plan::{Arrival, Plan, Preset};
pub use report::Report;
pub use run::{Progress, RehearsalFault, Watcher, run, run_gauged};
pub use siege::{KindReport, Siege};
