//! Orders in memory, and the indexes that each of them is in.

use domain::few::Few;
use domain::id::TicketId;
use domain::order::{Order, Work};
use domain::time::Timestamp;
use ports::Fault;
use ports::ledger::Step;

use super::{Behind, Book, OrderNo};
use crate::tables::Tabled;

/// An order as the ledger has it.
pub(crate) struct Entry {
    pub(crate) order: Order,
    pub(crate) number: OrderNo,
    /// Whether a table has yet to follow.
    pub(crate) behind: bool,
    /// What the tables have of it.
    pub(crate) tabled: Tabled,
    /// The journal's number of its last change.
    pub(crate) seq: u64,
    /// When its work is due.
    pub(crate) due: Timestamp,
    /// Its story.
    pub(crate) story: Few<Step>,
}

/// The place of a kind of work in [`Book::work`].
pub(crate) const fn work_index(work: Work) -> usize {
    work as usize
}

fn step(order: &Order) -> Step {
    Step { at: order.changed_at, version: order.version, state: order.state, reason: order.reason }
}

impl Book {
    /// Takes a new order in.
    ///
    /// # Errors
    /// There are as many orders as numbers.
    pub(crate) fn add_order(&mut self, seq: u64, order: Order) -> Result<(), Fault> {
        let full = || Fault::damaged("the journal", "it has more orders than a store can number");
        let number = self.orders.next().ok_or_else(full)?;
        if let Some(sale) = self.sales.get_mut(&order.shard.sale) {
            sale.numbers.push(number);
        }
        let (due, story) = (order.changed_at, Few::One(step(&order)));
        let entry = Entry { order, number, behind: false, tabled: Tabled::Nothing, seq, due, story };
        self.orders.add(entry);
        self.index(number);
        Ok(())
    }

    /// The order as it is from now on.
    ///
    /// # Errors
    /// It is not known.
    pub(crate) fn change_order(&mut self, seq: u64, order: Order) -> Result<(), Fault> {
        let number = self.orders.number(&order.ticket).ok_or_else(|| super::missing("an order"))?;
        self.unindex(number);
        if let Some(entry) = self.orders.at_mut(number) {
            entry.story.push(step(&order));
            (entry.due, entry.seq) = (order.changed_at, seq);
            entry.order = order;
        }
        self.index(number);
        Ok(())
    }

    /// A table follows now; gives what the tables have had of the order, where it is one.
    pub(crate) fn follow(&mut self, behind: &Behind) -> Tabled {
        let Behind::Order(number) = behind else { return Tabled::Nothing };
        let Some(entry) = self.orders.at_mut(*number) else { return Tabled::Nothing };
        entry.behind = false;
        std::mem::replace(&mut entry.tabled, Tabled::of(&entry.order))
    }

    /// Makes the order's work due at another time.
    pub(crate) fn put_off(&mut self, ticket: TicketId, work: Work, at: Timestamp) {
        let number = self.orders.number(&ticket);
        let Some(entry) = number.and_then(|number| self.orders.at_mut(number)) else { return };
        if entry.order.work() != Some(work) {
            return;
        }
        let queue = &mut self.work[work_index(work)];
        queue.remove(&(entry.due, entry.number));
        entry.due = at;
        queue.insert((at, entry.number));
    }

    fn unindex(&mut self, number: OrderNo) {
        let Self { orders, sales, shards, work, .. } = self;
        let Some(entry) = orders.at(number) else { return };
        let order = &entry.order;
        if let Some(kind) = order.work() {
            work[work_index(kind)].remove(&(entry.due, number));
        }
        if let Some(sale) = sales.get_mut(&order.shard.sale) {
            sale.forget(order, number);
        }
        if let Some(shard) = shards.get_mut(&order.shard) {
            shard.forget(order, number);
        }
    }

    fn index(&mut self, number: OrderNo) {
        let Self { orders, sales, shards, work, behind, .. } = self;
        let Some(entry) = orders.at_mut(number) else { return };
        let order = &entry.order;
        if let Some(kind) = order.work() {
            work[work_index(kind)].insert((entry.due, number));
        }
        if let Some(sale) = sales.get_mut(&order.shard.sale) {
            sale.count(order, number);
        }
        if let Some(shard) = shards.get_mut(&order.shard) {
            shard.own(order, number);
        }
        if !entry.behind {
            entry.behind = true;
            behind.push_back((entry.seq, Behind::Order(number)));
        }
    }
}
