//! The fleet keeps every promise of the ports, those of the claim log among them.

use crate::fleet::fresh;

ports::contract_suite!(fresh);
