//! The adapter against a real PostgreSQL: the contract of the ports, and what only this store promises.

mod allocators;
mod both;
mod constraints;
mod contract;
mod effects;
mod facts;
mod kill;
mod late;
mod queries;
mod random;
mod rights;
mod server;
mod shop;
mod turns;
