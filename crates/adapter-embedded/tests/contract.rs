//! The embedded store keeps every promise of the ports.

mod common;

use common::backend;

ports::contract_suite!(backend);
