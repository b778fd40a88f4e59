//! Inventory, rebuild and status board on Redis keep every promise of the ports.

use crate::server::backend;

ports::contract_suite!(backend);
