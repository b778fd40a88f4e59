//! The program: command line, configuration, wiring. Nothing depends on it.

pub mod cli;
pub mod config;
pub mod descriptors;
mod files;
mod keys;
mod node;
pub mod plan;
mod preflight;
mod role;
mod telemetry;
mod wiring;
