//! One shard of the inventory: which numbered unit is free, held or sold, and under which claim.
//!
//! Units move only as written here: free → held ([`Shard::hold`]), held → free, held → sold and sold → free
//! ([`Shard::settle`]). Whatever an effect does not match exactly is left alone.

use std::ops::Range;

use crate::few::Few;
use crate::free_units::FreeUnits;
use crate::hold::{
    Effect, EffectKind, Grant, HoldOutcome, HoldRequest, Intent, Settled, StockView, Terms, Units,
};
use crate::id::{Epoch, ProductNo, TicketId, UserHash};
use crate::records::{Record, Records};
use crate::snapshot::{Place, ProductSnapshot, RecordSnapshot};
use crate::striped::Striped;
use crate::time::Timestamp;
use crate::unpinned::Unpinned;

#[derive(Clone, Debug, Default)]
struct Stock {
    total: u32,
    free: FreeUnits,
    held: u32,
    sold: u32,
}

/// What a look at the shard says; nothing is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// This is the answer; it rests on a record made at this mark (0 where it rests on none).
    Decided(HoldOutcome, u64),
    /// The claim is unknown, and the rules would give the units.
    Free,
}

/// One shard: products, records of claims, standing of users.
#[derive(Clone, Debug)]
pub struct Shard {
    epoch: Epoch,
    products: Vec<Stock>,
    records: Records,
    users: Striped<(UserHash, ProductNo), Standing>,
    unpinned: Unpinned,
}

/// What a user has of one product: units held and sold together, and the live claims, oldest first.
#[derive(Clone, Debug, Default)]
struct Standing {
    units: u32,
    claims: Few<TicketId>,
}

impl Shard {
    /// A shard without records, under `epoch`, with the given units.
    #[must_use]
    pub fn new(epoch: Epoch, products: &[ProductSnapshot]) -> Self {
        let stock = |product: &ProductSnapshot| {
            let mut free = FreeUnits::default();
            product.free.ranges().iter().cloned().for_each(|range| free.put(range));
            Stock { total: product.stock, free, held: 0, sold: 0 }
        };
        Self {
            epoch,
            products: products.iter().map(stock).collect(),
            records: Records::default(),
            users: Striped::default(),
            unpinned: Unpinned::default(),
        }
    }

    /// Adds what the ledger remembers of a claim; used while a shard is being rebuilt, before it opens.
    pub fn load(&mut self, record: RecordSnapshot) {
        let RecordSnapshot { claim, ticket, user, terms, place, units, epoch, issued_at } = record;
        let count = units.len() as u32;
        if let Some(stock) = self.products.get_mut(terms.product.index()) {
            match place {
                Place::Held => stock.held += count,
                Place::Sold => stock.sold += count,
                Place::Gone => {}
            }
        }
        if place != Place::Gone {
            let standing = self.users.entry((user, terms.product));
            standing.units += count;
            standing.claims.push(claim);
        }
        let recorded = true;
        let record =
            Record { ticket, user, terms, place, units, epoch, issued_at, mark: 0, recorded, batch: None };
        self.records.insert(claim, record);
    }

    /// The epoch under which the shard is open.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// How many products there are.
    #[must_use]
    pub fn products(&self) -> usize {
        self.products.len()
    }

    /// What [`Shard::hold`] would answer, changing nothing.
    #[must_use]
    pub fn look(&self, request: &HoldRequest) -> Look {
        if let Some(record) = self.records.get(&request.claim) {
            let same = record.terms == request.terms && record.user == request.user;
            let outcome = if same { record.replayed() } else { HoldOutcome::KeyReused };
            return Look::Decided(outcome, record.mark);
        }
        if request.intent == Intent::Find {
            return Look::Decided(HoldOutcome::Absent, 0);
        }
        let quantity = u32::from(request.terms.quantity);
        if let Some(limit) = self.over_limit(request, quantity) {
            return limit;
        }
        let free = self.products.get(request.terms.product.index()).map_or(0, |stock| stock.free.count);
        match request.intent {
            _ if free < quantity => Look::Decided(HoldOutcome::Short { free }, 0),
            Intent::Weigh => Look::Decided(HoldOutcome::Absent, 0),
            Intent::Take | Intent::Find | Intent::TakeLate => Look::Free,
        }
    }

    fn over_limit(&self, request: &HoldRequest, quantity: u32) -> Option<Look> {
        let standing = self.users.get(&(request.user, request.terms.product))?;
        if standing.units + quantity <= u32::from(request.limit) {
            return None;
        }
        let newest = *standing.claims.last()?;
        let record = self.records.get(&newest)?;
        // The stamp is that of the ticket, also where its units are under a late claim.
        let stamped = self.records.get(&record.ticket).unwrap_or(record);
        let refusal = HoldOutcome::LimitReached { newest: record.ticket, grant: stamped.grant() };
        Some(Look::Decided(refusal, record.mark))
    }

    /// Decides one request and takes the units where the rules give them.
    ///
    /// `mark` is kept with the record and comes back from [`Shard::look`]: an adapter that answers from memory
    /// uses it to tell whether the record is durable. `recorded` says that the hold itself is the claim's event; a replay
    /// says so too, or that the ledger has acknowledged the claim.
    pub fn hold(&mut self, request: &HoldRequest, now: Timestamp, mark: u64, recorded: bool) -> HoldOutcome {
        if let Look::Decided(outcome, _) = self.look(request) {
            return outcome;
        }
        let stock = self.products.get_mut(request.terms.product.index());
        let Some(stock) = stock.filter(|_| !self.records.are_full()) else {
            return HoldOutcome::Short { free: 0 };
        };
        let units: Units = (0..request.terms.quantity).filter_map(|_| stock.free.take()).collect();
        stock.held += units.len() as u32;
        let standing = self.users.entry((request.user, request.terms.product));
        standing.units += units.len() as u32;
        standing.claims.push(request.claim);
        let record = Record {
            ticket: request.ticket,
            user: request.user,
            terms: request.terms,
            place: Place::Held,
            units,
            epoch: self.epoch,
            issued_at: now,
            mark,
            recorded,
            batch: Some(self.unpinned.add(request.claim, now)),
        };
        let grant = record.grant();
        // The look did not find it.
        self.records.add(request.claim, record);
        HoldOutcome::Held { grant, recorded }
    }

    /// Applies one effect of the ledger.
    pub fn settle(&mut self, effect: &Effect) -> Settled {
        match effect.kind {
            EffectKind::Pin => self.pin(effect),
            EffectKind::Release => self.move_units(effect, Place::Held, Place::Gone),
            EffectKind::Confirm => self.move_units(effect, Place::Held, Place::Sold),
            EffectKind::Return => self.move_units(effect, Place::Sold, Place::Gone),
            EffectKind::Restock => self.restock(effect),
        }
    }

    fn pin(&mut self, effect: &Effect) -> Settled {
        let record = self.records.get_mut(&effect.claim).filter(|record| record.is(Place::Held, effect));
        match record.and_then(|record| record.batch.take()) {
            Some(batch) => {
                self.unpinned.acknowledge(batch);
                Settled::Applied
            }
            None => Settled::NoOp,
        }
    }

    fn move_units(&mut self, effect: &Effect, from: Place, to: Place) -> Settled {
        let record = self.records.get_mut(&effect.claim).filter(|record| record.is(from, effect));
        let (Some(record), Some(stock)) = (record, self.products.get_mut(effect.product.index())) else {
            return Settled::NoOp;
        };
        if let Some(batch) = record.batch.take() {
            self.unpinned.acknowledge(batch);
        }
        record.place = to;
        let count = record.units.len() as u32;
        match from {
            Place::Held => stock.held -= count,
            Place::Sold => stock.sold -= count,
            Place::Gone => {}
        }
        if to == Place::Sold {
            stock.sold += count;
            return Settled::Applied;
        }
        record.units.iter().for_each(|unit| stock.free.put(*unit..*unit + 1));
        record.units = Units::new();
        let user = (record.user, effect.product);
        self.leave(user, effect.claim, count);
        Settled::Applied
    }

    fn leave(&mut self, user: (UserHash, ProductNo), claim: TicketId, count: u32) {
        if let Some(standing) = self.users.get_mut(&user) {
            standing.units = standing.units.saturating_sub(count);
            standing.claims.remove(&claim);
            if standing.claims.is_empty() {
                self.users.remove(&user);
            }
        }
    }

    fn restock(&mut self, effect: &Effect) -> Settled {
        let [start, end] = effect.units[..] else { return Settled::NoOp };
        match self.products.get_mut(effect.product.index()) {
            Some(stock) if stock.total == start && end > start => {
                stock.total = end;
                stock.free.put(start..end);
                Settled::Applied
            }
            _ => Settled::NoOp,
        }
    }

    /// Claims were published again: they count as made at `now` for [`Shard::unpinned`]. What is not there, or is
    /// acknowledged, is left alone.
    pub fn touch(&mut self, claims: &[TicketId], now: Timestamp) {
        for claim in claims {
            let Some(record) = self.records.get_mut(claim) else { continue };
            // A claim that is in the newest batch already stays there: it must not be listed twice.
            let Some(batch) = record.batch.take_if(|batch| !self.unpinned.takes(*batch, now)) else {
                continue;
            };
            // First into the new one, so that numbers stay those of the batches that they were given for.
            record.batch = Some(self.unpinned.add(*claim, now));
            self.unpinned.acknowledge(batch);
        }
    }

    /// Claims that the ledger has not acknowledged and that were made before `before`, oldest first.
    #[must_use]
    pub fn unpinned(&self, before: Timestamp, limit: usize) -> Vec<UnpinnedClaim> {
        let old = self.unpinned.batches.iter().take_while(|batch| batch.at < before);
        let numbered = (self.unpinned.first()..).zip(old);
        let claims =
            numbered.flat_map(|(number, batch)| batch.claims.iter().map(move |claim| (number, claim)));
        let claims = claims.filter_map(|(number, claim)| {
            // A claim that was touched stands in its newest batch only.
            let record = self.records.get(claim).filter(|record| record.batch == Some(number))?;
            Some(UnpinnedClaim {
                claim: *claim,
                ticket: record.ticket,
                user: record.user,
                terms: record.terms,
                grant: record.grant(),
            })
        });
        claims.take(limit).collect()
    }

    /// Counts of one product; `None` if there is no such product.
    #[must_use]
    pub fn view(&self, product: ProductNo) -> Option<StockView> {
        let stock = self.products.get(product.index())?;
        Some(StockView {
            stock: stock.total,
            available: stock.free.count,
            held: stock.held,
            sold: stock.sold,
            next_release_at: None,
            open: true,
        })
    }

    /// The sets of unit numbers of one product, for the audit; `None` if there is no such product.
    #[must_use]
    pub fn units(&self, product: ProductNo) -> Option<InventoryUnits> {
        let stock = self.products.get(product.index())?;
        let of = |place: Place| {
            let records = self.records.iter();
            let mine = records.filter(move |r| r.terms.product == product && r.place == place);
            mine.flat_map(|record| record.units.iter().copied()).collect::<Vec<_>>()
        };
        Some(InventoryUnits {
            stock: stock.total,
            free: stock.free.ranges.iter().cloned().collect(),
            held: of(Place::Held),
            sold: of(Place::Sold),
            counted: [stock.free.count, stock.held, stock.sold],
        })
    }
}

/// A claim that the ledger has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnpinnedClaim {
    /// The claim.
    pub claim: TicketId,
    /// The ticket that the buyer knows.
    pub ticket: TicketId,
    /// Whose it is.
    pub user: UserHash,
    /// What was asked for.
    pub terms: Terms,
    /// What was given.
    pub grant: Grant,
}

/// Every unit of one product, by place, as the inventory has them: lists, not sets, so that a unit that is
/// there twice shows. Free ones are ranges, since there may be sixteen million.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryUnits {
    /// Units that exist.
    pub stock: u32,
    /// Free units.
    pub free: Vec<Range<u32>>,
    /// Held units.
    pub held: Vec<u32>,
    /// Sold units.
    pub sold: Vec<u32>,
    /// The running counters: free, held, sold.
    pub counted: [u32; 3],
}

impl InventoryUnits {
    /// Every entry: free, then held, then sold.
    pub fn everywhere(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        let taken = self.held.iter().chain(&self.sold).map(|unit| *unit..*unit + 1);
        self.free.iter().cloned().chain(taken)
    }

    /// How many entries each place has: free, held, sold.
    #[must_use]
    pub fn sizes(&self) -> [u32; 3] {
        let free = self.free.iter().map(ExactSizeIterator::len).sum();
        [free, self.held.len(), self.sold.len()].map(|size| size as u32)
    }
}
