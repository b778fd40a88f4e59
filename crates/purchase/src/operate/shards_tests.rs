//! What is known of a shard from what the stores have said.

use domain::fence::{Position, Term, TermState};
use domain::id::{Epoch, SaleId, ShardId};
use ports::Fault;

use super::{ShardState, Standing};

fn state(term: Option<TermState>, running: Option<Option<u32>>) -> ShardState {
    let away = |store| Fault::unavailable(store, "gone");
    ShardState {
        shard: ShardId { sale: SaleId::parse("s").unwrap(), number: 0 },
        term: term
            .map(|state| Term { epoch: Epoch(3), state, fence: None })
            .ok_or_else(|| away("the ledger")),
        running: running.map(|epoch| epoch.map(Epoch)).ok_or_else(|| away("the inventory")),
        position: Ok(Position(4)),
        end: Ok(Position(9)),
    }
}

#[test]
fn one_store_is_enough_to_know_that_a_shard_is_closed_and_both_are_needed_to_know_that_it_sells() {
    for (term, running, standing) in [
        (Some(TermState::Open), Some(Some(3)), Standing::Open),
        (Some(TermState::Open), Some(Some(2)), Standing::Closed),
        (Some(TermState::Open), Some(None), Standing::Closed),
        (Some(TermState::Open), None, Standing::Unknown),
        (Some(TermState::Fencing), Some(Some(3)), Standing::Closed),
        (Some(TermState::Rebuild), None, Standing::Closed),
        (None, Some(None), Standing::Closed),
        (None, Some(Some(3)), Standing::Unknown),
        (None, None, Standing::Unknown),
    ] {
        assert_eq!(state(term, running).standing(), standing, "{term:?} {running:?}");
    }
}

#[test]
fn claims_that_wait_are_counted_where_both_ends_are_known() {
    let mut shard = state(None, None);
    assert_eq!(shard.claims_waiting(), Some(5));
    shard.end = Err(Fault::unavailable("the claim log", "gone"));
    assert_eq!(shard.claims_waiting(), None);
}
