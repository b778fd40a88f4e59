//! Every order of the store, by ticket and by number.
//!
//! Every index names an order by its number: four bytes, and no walk through a map. A buyer who waits for their payment address
//! takes memory in a herd's first second, when it is dearest.

use std::num::NonZeroU32;

use domain::id::TicketId;
use domain::pieces::Pieces;
use domain::striped::Striped;

use super::Entry;

/// Which order of the store it is: 1 for the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OrderNo(NonZeroU32);

impl OrderNo {
    /// As the tables have it.
    pub(crate) const fn get(self) -> u64 {
        self.0.get() as u64
    }

    /// The number of the order at a place.
    fn at(place: u32) -> Option<Self> {
        place.checked_add(1).and_then(NonZeroU32::new).map(Self)
    }

    const fn place(self) -> u32 {
        self.0.get() - 1
    }
}

/// Every order of the store.
#[derive(Default)]
pub(crate) struct Orders {
    numbers: Striped<TicketId, OrderNo>,
    entries: Pieces<Entry>,
}

impl Orders {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The number of a ticket's order.
    pub(crate) fn number(&self, ticket: &TicketId) -> Option<OrderNo> {
        self.numbers.get(ticket).copied()
    }

    /// A ticket's order.
    pub(crate) fn get(&self, ticket: &TicketId) -> Option<&Entry> {
        self.number(ticket).and_then(|number| self.at(number))
    }

    /// The order with this number.
    pub(crate) fn at(&self, number: OrderNo) -> Option<&Entry> {
        self.entries.get(number.place())
    }

    /// The order with this number, to be changed.
    pub(crate) fn at_mut(&mut self, number: OrderNo) -> Option<&mut Entry> {
        self.entries.get_mut(number.place())
    }

    /// The next order's number; `None` where the store is full.
    pub(crate) fn next(&self) -> Option<OrderNo> {
        self.entries.next().and_then(OrderNo::at)
    }

    /// Adds an order under the next number. Its ticket must be new.
    pub(crate) fn add(&mut self, entry: Entry) {
        self.numbers.insert(entry.order.ticket, entry.number);
        self.entries.push(entry);
    }

    /// All of them, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// All of them, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }
}
