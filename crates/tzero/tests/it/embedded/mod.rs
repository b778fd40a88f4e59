//! What only the embedded stores have: their file, its folder, and commands that need no server.

mod audit;
mod command_line;
mod faults;
mod plan;
mod store;
