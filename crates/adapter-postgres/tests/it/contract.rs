//! The ledger on PostgreSQL keeps every promise of the ports.

use crate::both::fresh;

ports::contract_suite!(fresh);
