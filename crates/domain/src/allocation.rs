//! Allocation: whether the ledger takes a claim in. The first row written for a ticket decides its fate.

use crate::fence::{Position, Term};
use crate::hold::{Claim, Effect, EffectKind, Units};
use crate::order::Reason;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allocation {
    /// The order owns the units (edge E1).
    Allocated,
    /// The order is dead from the start (edge E2).
    Rejected(Reason),
    /// The ticket has an order already.
    Known,
}

/// What the ledger holds that bears on one claim.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The shard's term.
    pub term: Term,
    /// Where the claim lies in the log.
    pub position: Position,
    /// The order that this ticket has already: whether its units are live, and which they are.
    pub known: Option<(bool, &'a Units)>,
    /// Units that exist of the product.
    pub stock: u32,
    /// Whether any unit of the claim belongs to another order.
    pub taken: bool,
    /// Units of the product that the buyer has live in the ledger.
    pub user_units: u32,
    /// `max_per_user` of the product.
    pub limit: u8,
}

/// Decides one claim, and says what the inventory must be told.
#[must_use]
pub fn decide(claim: &Claim, facts: &Facts<'_>) -> (Allocation, Effect) {
    let allocation = outcome(claim, facts);
    let pinned = match (&allocation, facts.known) {
        (Allocation::Allocated, _) => true,
        (Allocation::Known, Some((live, units))) => live && *units == claim.units,
        (Allocation::Known | Allocation::Rejected(_), _) => false,
    };
    let kind = if pinned { EffectKind::Pin } else { EffectKind::Release };
    let effect =
        Effect { kind, product: claim.terms.product, claim: claim.ticket, units: claim.units.clone() };
    (allocation, effect)
}

fn outcome(claim: &Claim, facts: &Facts<'_>) -> Allocation {
    let whole = claim.units.len() == usize::from(claim.terms.quantity);
    let owned = whole && claim.units.iter().all(|unit| *unit < facts.stock);
    if facts.known.is_some() {
        Allocation::Known
    } else if !facts.term.accepts(claim.epoch, facts.position) {
        Allocation::Rejected(Reason::StoreFailover)
    } else if !owned || facts.taken {
        Allocation::Rejected(Reason::SoldOut)
    } else if facts.user_units + u32::from(claim.terms.quantity) > u32::from(facts.limit) {
        Allocation::Rejected(Reason::LimitReached)
    } else {
        Allocation::Allocated
    }
}
