//! What a shard remembers of its claims.

use crate::hold::{Effect, Grant, HoldOutcome, Terms, Units};
use crate::id::{Epoch, TicketId, UserHash};
use crate::pieces::Pieces;
use crate::snapshot::Place;
use crate::striped::Striped;
use crate::time::Timestamp;

/// What the shard remembers of a claim, for as long as the sale is kept.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// What the buyer knows it by.
    pub(crate) ticket: TicketId,
    pub(crate) user: UserHash,
    pub(crate) terms: Terms,
    pub(crate) place: Place,
    pub(crate) units: Units,
    pub(crate) epoch: Epoch,
    pub(crate) issued_at: Timestamp,
    pub(crate) mark: u64,
    /// Whether the hold itself was the claim's event.
    pub(crate) recorded: bool,
    /// The batch in the index of unacknowledged claims; `None` once the ledger has it.
    pub(crate) batch: Option<u64>,
}

impl Record {
    pub(crate) fn grant(&self) -> Grant {
        Grant { units: self.units.clone(), epoch: self.epoch, issued_at: self.issued_at }
    }

    /// Whether an effect is about these units at this place.
    pub(crate) fn is(&self, place: Place, effect: &Effect) -> bool {
        self.place == place && self.terms.product == effect.product && self.units == effect.units
    }

    pub(crate) fn replayed(&self) -> HoldOutcome {
        HoldOutcome::Replayed { grant: self.grant(), recorded: self.recorded || self.batch.is_none() }
    }
}

/// The records, by claim. None is ever taken away.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    places: Striped<TicketId, u32>,
    records: Pieces<Record>,
}

impl Records {
    pub(crate) fn get(&self, claim: &TicketId) -> Option<&Record> {
        self.places.get(claim).and_then(|place| self.records.get(*place))
    }

    pub(crate) fn get_mut(&mut self, claim: &TicketId) -> Option<&mut Record> {
        self.places.get(claim).and_then(|place| self.records.get_mut(*place))
    }

    /// Whether there is no place for another one: there are 4,294,967,295.
    pub(crate) fn are_full(&self) -> bool {
        self.records.next().is_none()
    }

    /// Adds a record, or replaces the one of that claim.
    pub(crate) fn insert(&mut self, claim: TicketId, record: Record) {
        match self.get_mut(&claim) {
            Some(known) => *known = record,
            None => self.add(claim, record),
        }
    }

    /// Adds the record of a claim that has none.
    pub(crate) fn add(&mut self, claim: TicketId, record: Record) {
        if let Some(place) = self.records.next() {
            self.places.insert(claim, place);
            self.records.push(record);
        }
    }

    /// All of them, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }
}
