//! The rules of a flash sale, pure: state and time go in, decisions come out.
//!
//! Nothing here does I/O, reads a clock or draws a random number; both backends, the simulation and
//! the tests run these same rules. A *refusal* (the rules said no) is a value; there are no faults here.

pub mod allocation;
pub mod audit;
pub mod backlog;
pub mod challenge;
pub mod fence;
pub mod few;
mod free_units;
pub mod hold;
pub mod id;
pub mod inventory;
pub mod limits;
pub mod money;
pub mod order;
pub mod payment;
pub mod pieces;
pub mod product;
mod records;
pub mod sale;
pub mod seldom;
pub mod snapshot;
pub mod status;
pub mod striped;
pub mod ticket;
pub mod time;
pub mod transition;
pub mod unit_set;
mod unpinned;
