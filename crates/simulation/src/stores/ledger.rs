//! The ledger of one sale: every method is one transaction, and what it answers is durable.
//!
//! Decisions are the project's: [`domain::allocation::decide`], [`domain::transition::transition`], [`domain::fence::Term`].
//! This file keeps the rows, as the ledger's adapters do.

use std::collections::BTreeMap;

use domain::allocation::{Allocation, Facts, decide};
use domain::fence::{Position, Term, TermState};
use domain::hold::{Claim, Effect, EffectKind, Units};
use domain::id::{Epoch, ProductNo, TicketId, UserHash};
use domain::money::Money;
use domain::order::{Order, OrderTerms, Reason};
use domain::snapshot::ShardSnapshot;
use domain::time::Timestamp;
use domain::transition::{Change, ChangeRefusal, Transition, transition};

use super::snapshot::picture;
use crate::mutant::{Mutant, Mutants};
use crate::rules;
use crate::violation::{Checked, ensure};

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Applied {
    Changed(Box<Order>),
    Replay,
    Refused(ChangeRefusal),
    Unknown,
}

/// The rows of one sale.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) term: Term,
    pub(crate) position: Position,
    pub(crate) orders: BTreeMap<TicketId, Order>,
    pub(crate) effects: Vec<(u64, Effect)>,
    sent: u64,
    pub(crate) stock: Vec<u32>,
    pub(crate) limit: u8,
    price: Money,
    address_ms: u64,
    mutants: Mutants,
}

impl Ledger {
    pub(crate) fn new(stock: Vec<u32>, limit: u8, price: Money, address_ms: u64, mutants: Mutants) -> Self {
        Self {
            term: Term::NEW,
            position: Position(0),
            orders: BTreeMap::new(),
            effects: Vec::new(),
            sent: 0,
            stock,
            limit,
            price,
            address_ms,
            mutants,
        }
    }

    fn live(&self, product: ProductNo) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(move |order| order.live && order.terms.product == product)
    }

    fn taken(&self, product: ProductNo, units: &Units) -> bool {
        self.live(product).any(|order| order.units.iter().any(|unit| units.contains(unit)))
    }

    /// Units of a product that a buyer owns.
    pub(crate) fn user_units(&self, product: ProductNo, user: UserHash) -> u32 {
        let mine = self.live(product).filter(|order| order.user == user);
        mine.map(|order| order.units.len() as u32).sum()
    }

    fn send(&mut self, effect: Effect) {
        self.sent += 1;
        self.effects.push((self.sent, effect));
    }

    /// Decides one claim; part of the transaction that moves the position.
    pub(crate) fn take_in(
        &mut self,
        claim: &Claim,
        position: Position,
        now: Timestamp,
    ) -> Checked<Allocation> {
        let known = self.orders.get(&claim.ticket).map(|order| (order.live, &order.units));
        let facts = Facts {
            term: self.term,
            position,
            known,
            stock: self.stock.get(claim.terms.product.index()).copied().unwrap_or(0),
            taken: self.taken(claim.terms.product, &claim.units),
            user_units: self.user_units(claim.terms.product, claim.user),
            limit: self.limit,
        };
        let (allocation, effect) = decide(claim, &rules::bend(facts, claim.epoch, self.mutants));
        let refused = match allocation {
            Allocation::Known => None,
            Allocation::Allocated => Some(None),
            Allocation::Rejected(reason) => Some(Some(reason)),
        };
        if let Some(refused) = refused {
            let guarded = matches!(refused, Some(Reason::SoldOut | Reason::LimitReached));
            ensure(!guarded, "guard", || {
                format!("{claim:?} is refused by {refused:?}: a shard gave too much")
            })?;
            let amount = self.price.times(claim.terms.quantity);
            let terms = OrderTerms { amount, address_deadline_ms: self.address_ms };
            self.orders.insert(claim.ticket, Order::from_claim(claim, terms, refused, now));
        }
        self.send(effect);
        Ok(allocation)
    }

    /// Applies a change to one order.
    pub(crate) fn apply(&mut self, ticket: TicketId, change: &Change, now: Timestamp) -> Checked<Applied> {
        let Some(order) = self.orders.get(&ticket) else { return Ok(Applied::Unknown) };
        let mut change = change.clone();
        if let Change::LateHeld { claim, units, epoch, attempt } = &mut change
            && !(order.live && order.claim == *claim)
        {
            if self.mutants.has(Mutant::LateAnyAttempt) {
                *attempt = order.late_attempts;
            }
            let running = self.term.epoch == *epoch && self.term.state == TermState::Open;
            if !running && !self.mutants.has(Mutant::LateAnyEpoch) {
                return Ok(Applied::Refused(ChangeRefusal::Ended));
            }
            if order.wants_units() && *attempt == order.late_attempts && !units.is_empty() {
                self.guard_late(order, units)?;
            }
        }
        match transition(order, &change, now) {
            Err(refusal) => Ok(Applied::Refused(refusal)),
            Ok(Transition::Replay) => Ok(Applied::Replay),
            Ok(Transition::Changed(next, effect)) => {
                self.orders.insert(ticket, (*next).clone());
                effect.into_iter().for_each(|effect| self.send(effect));
                Ok(Applied::Changed(next))
            }
        }
    }

    /// Constraints of last resort; that one is needed is a violation.
    fn guard_late(&self, order: &Order, units: &Units) -> Checked {
        let (ticket, product) = (order.ticket, order.terms.product);
        let free = !self.taken(product, units);
        ensure(free, "guard", || format!("late units {units:?} of {ticket:?} belong to another order"))?;
        let more = self.user_units(product, order.user) + units.len() as u32;
        ensure(more <= u32::from(self.limit), "guard", || {
            format!("{ticket:?} late: beyond the buyer's limit")
        })
    }

    /// Up to `limit` effects, oldest first, with the epoch read together with them.
    pub(crate) fn pending(&self, limit: usize) -> (Epoch, Vec<(u64, Effect)>) {
        (self.term.epoch, self.effects.iter().take(limit).cloned().collect())
    }

    pub(crate) fn forget(&mut self, ids: &[u64]) {
        self.effects.retain(|(id, _)| !ids.contains(id));
    }

    /// R1.
    pub(crate) fn fence(&mut self) -> Term {
        self.term = rules::begin(self.term, self.mutants);
        self.term
    }

    /// R3.
    pub(crate) fn set_fence(&mut self, epoch: Epoch, end: Position) -> Term {
        self.term = rules::with_fence(self.term, epoch, end, self.mutants);
        self.term
    }

    /// R4, with the outbox emptied in the same transaction.
    pub(crate) fn snapshot(&mut self, epoch: Epoch, now: Timestamp) -> Option<ShardSnapshot> {
        self.term = rules::snapshot(self.term, epoch, self.position, self.mutants)?;
        if !self.mutants.has(Mutant::EffectsKept) {
            self.effects.clear();
        }
        Some(picture(self, epoch, now, self.mutants))
    }

    /// R7; whether the term is open at `epoch`.
    pub(crate) fn opened(&mut self, epoch: Epoch) -> bool {
        self.term = self.term.opened(epoch).unwrap_or(self.term);
        self.term.epoch == epoch && self.term.state == TermState::Open
    }

    /// The operator adds `more` units.
    pub(crate) fn restock(&mut self, product: ProductNo, more: u32) {
        let Some(stock) = self.stock.get_mut(product.index()) else { return };
        let units: Units = [*stock, *stock + more].into_iter().collect();
        *stock += more;
        self.send(Effect { kind: EffectKind::Restock, product, claim: TicketId([0; 16]), units });
    }
}
