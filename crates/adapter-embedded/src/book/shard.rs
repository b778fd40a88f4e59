//! One shard in memory: its term, its log of claims, what waits for its inventory, and who owns its units.

use std::collections::VecDeque;

use domain::fence::{Position, Term};
use domain::hold::{Claim, Effect};
use domain::id::{ProductNo, UserHash};
use domain::order::Order;
use domain::striped::Striped;
use ports::ledger::PendingEffect;

use super::OrderNo;

/// One shard.
pub(crate) struct ShardBook {
    pub(crate) term: Term,
    /// Where allocation goes on: the position of the first claim in `log`.
    pub(crate) position: Position,
    /// Claims that the ledger has not taken in.
    pub(crate) log: VecDeque<Claim>,
    /// Effects that wait for the inventory; not journalled, since a rebuild has what they would have said.
    pub(crate) effects: VecDeque<PendingEffect>,
    effects_ever: u64,
    /// By product and unit, as far as any unit was ever owned.
    owners: Vec<Vec<Option<OrderNo>>>,
    users: Striped<(UserHash, ProductNo), u32>,
}

impl ShardBook {
    pub(crate) fn new() -> Self {
        Self {
            term: Term::NEW,
            position: Position(0),
            log: VecDeque::new(),
            effects: VecDeque::new(),
            effects_ever: 0,
            owners: Vec::new(),
            users: Striped::default(),
        }
    }

    /// The position after the last claim.
    pub(crate) fn end(&self) -> Position {
        Position(self.position.0 + self.log.len() as u64)
    }

    /// Effects up to these numbers have been applied; they need not be the oldest.
    pub(crate) fn forget_effects(&mut self, mut ids: Vec<u64>) {
        ids.sort_unstable();
        self.effects.retain(|pending| ids.binary_search(&pending.id).is_err());
    }

    /// Queues an effect.
    pub(crate) fn send(&mut self, effect: Effect) {
        self.effects_ever += 1;
        self.effects.push_back(PendingEffect { id: self.effects_ever, effect });
    }

    /// How many effects were ever queued.
    pub(crate) const fn effects_ever(&self) -> u64 {
        self.effects_ever
    }

    /// Who owns a unit.
    pub(crate) fn owner(&self, product: ProductNo, unit: u32) -> Option<OrderNo> {
        *self.owners.get(product.index())?.get(unit as usize)?
    }

    /// Units of live orders of a product.
    pub(crate) fn owned(&self, product: ProductNo) -> impl Iterator<Item = u32> + '_ {
        let owners = self.owners.get(product.index()).into_iter().flatten();
        (0..).zip(owners).filter(|(_, owner)| owner.is_some()).map(|(unit, _)| unit)
    }

    /// Units that a user has live.
    pub(crate) fn user_units(&self, user: UserHash, product: ProductNo) -> u32 {
        self.users.get(&(user, product)).copied().unwrap_or_default()
    }

    fn place(&mut self, product: ProductNo, unit: u32) -> &mut Option<OrderNo> {
        if self.owners.len() <= product.index() {
            self.owners.resize_with(product.index() + 1, Vec::new);
        }
        let owners = &mut self.owners[product.index()];
        if owners.len() <= unit as usize {
            owners.resize(unit as usize + 1, None);
        }
        &mut owners[unit as usize]
    }

    pub(crate) fn own(&mut self, order: &Order, number: OrderNo) {
        if !order.live {
            return;
        }
        let product = order.terms.product;
        for unit in order.units.iter() {
            *self.place(product, *unit) = Some(number);
        }
        *self.users.entry((order.user, product)) += order.units.len() as u32;
    }

    pub(crate) fn forget(&mut self, order: &Order, number: OrderNo) {
        if !order.live {
            return;
        }
        let product = order.terms.product;
        for unit in order.units.iter() {
            if self.owner(product, *unit) == Some(number) {
                *self.place(product, *unit) = None;
            }
        }
        if let Some(units) = self.users.get_mut(&(order.user, product)) {
            *units = units.saturating_sub(order.units.len() as u32);
            if *units == 0 {
                self.users.remove(&(order.user, product));
            }
        }
    }
}
