//! One shard in memory: its term, its log of claims, what waits for its inventory, and who owns its units.

use std::collections::{HashMap, VecDeque};

use domain::fence::{Position, Term};
use domain::hold::{Claim, Effect};
use domain::id::{HashIdMap, ProductNo, TicketId, UserHash};
use domain::order::Order;
use ports::ledger::PendingEffect;

/// One shard.
pub(crate) struct ShardBook {
    pub(crate) term: Term,
    /// Where allocation goes on: the position of the first claim in `log`.
    pub(crate) position: Position,
    /// Claims that the ledger has not taken in.
    pub(crate) log: VecDeque<Claim>,
    /// Effects that wait for the inventory; not journalled, since a rebuild has what they would have said.
    pub(crate) effects: VecDeque<PendingEffect>,
    /// Its tickets, in the order in which they were taken in.
    pub(crate) tickets: Vec<TicketId>,
    effects_ever: u64,
    owners: HashMap<(ProductNo, u32), TicketId>,
    users: HashIdMap<(UserHash, ProductNo), u32>,
}

impl ShardBook {
    pub(crate) fn new() -> Self {
        Self {
            term: Term::NEW,
            position: Position(0),
            log: VecDeque::new(),
            effects: VecDeque::new(),
            tickets: Vec::new(),
            effects_ever: 0,
            owners: HashMap::new(),
            users: HashIdMap::default(),
        }
    }

    /// The position after the last claim.
    pub(crate) fn end(&self) -> Position {
        Position(self.position.0 + self.log.len() as u64)
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
    pub(crate) fn owner(&self, product: ProductNo, unit: u32) -> Option<TicketId> {
        self.owners.get(&(product, unit)).copied()
    }

    /// Units of live orders of a product.
    pub(crate) fn owned(&self, product: ProductNo) -> impl Iterator<Item = u32> + '_ {
        self.owners.keys().filter(move |(of, _)| *of == product).map(|(_, unit)| *unit)
    }

    /// Units that a user has live.
    pub(crate) fn user_units(&self, user: UserHash, product: ProductNo) -> u32 {
        self.users.get(&(user, product)).copied().unwrap_or_default()
    }

    pub(crate) fn own(&mut self, order: &Order) {
        if !order.live {
            return;
        }
        let product = order.terms.product;
        for unit in order.units.iter() {
            self.owners.insert((product, *unit), order.ticket);
        }
        *self.users.entry((order.user, product)).or_default() += order.units.len() as u32;
    }

    pub(crate) fn forget(&mut self, order: &Order) {
        if !order.live {
            return;
        }
        let product = order.terms.product;
        for unit in order.units.iter() {
            if self.owner(product, *unit) == Some(order.ticket) {
                self.owners.remove(&(product, *unit));
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
