//! What a herd needs, and whether its sale can be sold as it is set up: arithmetic over measured costs.
//!
//! `herd`, `address`, `needs` and `judge` are pure: figures go in, figures and findings come out. Costs come from
//! `measure`, which runs the program for a moment on this machine, and from files of `costs`; none is written here.

pub mod address;
pub mod costs;
mod exchange;
pub mod forged;
pub mod herd;
pub mod judge;
pub mod measure;
pub mod needs;
mod press;
pub mod report;
