//! Each promise of the store ports as a test that every adapter runs.
//!
//! Nothing here assumes one process, a clock that can be set, or memory: each test makes a sale of its own, and waits for a
//! level with a bound. An adapter gives a [`Backend`] and writes `ports::contract_suite!(backend);`.

mod challenges;
mod claims;
mod inventory;
mod ledger;
mod sales;
mod terms;
mod world;

use std::sync::Arc;

use crate::claims::ClaimLog;
use crate::inventory::{Inventory, Rebuild};
use crate::ledger::{Allocations, Books, Effects, Ledger, Terms};
use crate::sales::Sales;
use crate::status_board::StatusBoard;

pub use challenges::*;
pub use claims::*;
pub use inventory::*;
pub use ledger::*;
pub use sales::*;
pub use terms::*;
pub use world::World;

/// Every store port of one backend.
#[derive(Clone)]
pub struct Backend {
    /// See [`Inventory`].
    pub inventory: Arc<dyn Inventory>,
    /// See [`Rebuild`].
    pub rebuild: Arc<dyn Rebuild>,
    /// See [`ClaimLog`].
    pub claims: Arc<dyn ClaimLog>,
    /// See [`Allocations`].
    pub allocations: Arc<dyn Allocations>,
    /// See [`Ledger`].
    pub ledger: Arc<dyn Ledger>,
    /// See [`Effects`].
    pub effects: Arc<dyn Effects>,
    /// See [`Terms`].
    pub terms: Arc<dyn Terms>,
    /// See [`Books`].
    pub books: Arc<dyn Books>,
    /// See [`Sales`].
    pub sales: Arc<dyn Sales>,
    /// See [`StatusBoard`].
    pub board: Arc<dyn StatusBoard>,
}

/// Runs the whole suite. `$backend` is an `async fn() -> (Backend, Guard)`; the guard lives as long as the test.
#[macro_export]
macro_rules! contract_suite {
    ($backend:path) => {
        $crate::contract_suite!(@tests $backend;
            a_hold_takes_units_that_nobody_else_has,
            a_repeated_hold_is_a_replay_and_other_terms_are_refused,
            a_replay_says_whether_its_event_is_on_record,
            a_buyer_at_the_limit_gets_none_and_learns_their_newest_ticket,
            fewer_than_asked_for_is_none,
            finding_takes_nothing,
            a_glance_says_what_a_hold_would_and_changes_nothing,
            an_effect_applies_to_exactly_its_claim_and_units_once,
            effects_of_another_epoch_are_refused,
            unacknowledged_claims_are_listed_oldest_first_until_they_are_pinned,
            a_touched_claim_is_the_newest,
            every_unit_is_in_exactly_one_place,
            a_closed_shard_hands_out_nothing,
            a_load_needs_the_newest_key_and_every_chunk_once,
            a_rebuilt_shard_remembers_every_ticket,
            the_end_of_the_log_covers_what_was_answered,
            claims_are_read_in_order_and_positions_only_grow,
            allocation_moves_the_position_once,
            the_first_row_of_a_ticket_decides,
            changes_are_applied_once_and_told_to_the_inventory,
            work_that_was_taken_is_kept_from_others_until_its_lease_ends,
            overdue_orders_are_found_by_the_ledgers_clock,
            an_event_is_noted_once,
            late_units_of_an_older_epoch_are_refused,
            a_renewal_fences_once_and_waits_for_allocation,
            a_turn_is_ones_own_until_it_is_dropped,
            a_shard_says_at_which_epoch_it_is_open,
            a_snapshot_drops_what_waits_for_the_inventory,
            a_sale_is_created_once_and_updated_at_its_revision,
            a_restock_happens_once_per_key,
            actions_are_listed_newest_first,
            a_board_never_goes_back,
            orders_are_listed_page_by_page,
        );
    };
    (@tests $backend:path; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let (backend, _guard) = $backend().await;
                $crate::contract::$name(&backend).await;
            }
        )*
    };
}
