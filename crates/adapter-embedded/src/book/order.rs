//! Orders in memory, and the indexes that each of them is in.

use domain::few::Few;
use domain::id::TicketId;
use domain::order::{Order, Work};
use domain::time::Timestamp;
use ports::ledger::Step;

use super::{Behind, Book};
use crate::tables::Tabled;

/// An order as the ledger has it.
pub(crate) struct Entry {
    pub(crate) order: Order,
    /// In which order it came: 1 for the first of the store.
    pub(crate) number: u64,
    /// The journal's number of its last change.
    pub(crate) seq: u64,
    /// When its work is due.
    pub(crate) due: Timestamp,
    /// Whether a table has yet to follow.
    pub(crate) behind: bool,
    /// What the tables have of it.
    pub(crate) tabled: Tabled,
    /// Its story.
    pub(crate) story: Few<Step>,
}

/// The place of a kind of work in [`Book::work`].
pub(crate) const fn work_index(work: Work) -> usize {
    work as usize
}

impl Book {
    /// The order as it is from now on, new or changed.
    pub(crate) fn put_order(&mut self, seq: u64, order: Order) {
        let ticket = order.ticket;
        let step =
            Step { at: order.changed_at, version: order.version, state: order.state, reason: order.reason };
        let due = order.changed_at;
        if let Some(mut entry) = self.orders.remove(&ticket) {
            self.unindex(&entry);
            entry.story.push(step);
            (entry.order, entry.seq, entry.due) = (order, seq, due);
            self.index(entry);
        } else {
            let number = self.numbers;
            self.index(Box::new(Entry {
                order,
                number,
                seq,
                due,
                behind: false,
                tabled: Tabled::Nothing,
                story: Few::One(step),
            }));
        }
    }

    /// A table follows now; gives what the tables have had of the order, where it is one.
    pub(crate) fn follow(&mut self, behind: &Behind) -> Tabled {
        let Behind::Order(ticket) = behind else { return Tabled::Nothing };
        let Some(entry) = self.orders.get_mut(ticket) else { return Tabled::Nothing };
        entry.behind = false;
        std::mem::replace(&mut entry.tabled, Tabled::of(&entry.order))
    }

    /// Makes the order's work due at another time.
    pub(crate) fn put_off(&mut self, ticket: TicketId, work: Work, at: Timestamp) {
        let Some(entry) = self.orders.get_mut(&ticket) else { return };
        if entry.order.work() != Some(work) {
            return;
        }
        let queue = &mut self.work[work_index(work)];
        queue.remove(&(entry.due, entry.number, ticket));
        entry.due = at;
        queue.insert((at, entry.number, ticket));
    }

    fn unindex(&mut self, entry: &Entry) {
        let order = &entry.order;
        if let Some(work) = order.work() {
            self.work[work_index(work)].remove(&(entry.due, entry.number, order.ticket));
        }
        if let Some(sale) = self.sales.get_mut(&order.shard.sale) {
            sale.forget(order);
        }
        self.shard(&order.shard).forget(order);
    }

    fn index(&mut self, mut entry: Box<Entry>) {
        let order = &entry.order;
        let ticket = order.ticket;
        if let Some(work) = order.work() {
            self.work[work_index(work)].insert((entry.due, entry.number, ticket));
        }
        if let Some(sale) = self.sales.get_mut(&order.shard.sale) {
            sale.count(order);
        }
        let shard = order.shard.clone();
        self.shard(&shard).own(&entry.order);
        if !entry.behind {
            entry.behind = true;
            self.behind.push_back((entry.seq, Behind::Order(ticket)));
        }
        self.orders.insert(ticket, entry);
    }
}
