//! Holding units: what is asked of the inventory, and what it answers.

use std::collections::HashSet;

use crate::few::Few;
use crate::id::{Epoch, ProductNo, ShardId, TicketId, UserHash, UserId};
use crate::time::Timestamp;

/// Numbers of the units that one hold has.
pub type Units = Few<u32>;

/// What a checkout asks for; the same key with other terms is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Which product.
    pub product: ProductNo,
    /// How many units, 1..=100.
    pub quantity: u8,
}

/// What a request may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Take units if the rules allow it.
    Take,
    /// Only say whether this ticket exists: the sale is paused, over, or not open.
    Find,
    /// Only say what taking would answer; [`HoldOutcome::Absent`] where it would take units.
    Weigh,
    /// Take units again for late money; leaves no claim for the ledger to take in.
    TakeLate,
}

/// One request for a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRequest {
    /// The claim: a ticket, or what [`crate::id::IdSecret::late_claim`] derives from one.
    pub claim: TicketId,
    /// The ticket that the buyer knows: the claim itself, or for late money the one that the claim was derived from.
    pub ticket: TicketId,
    /// Whose limit counts.
    pub user: UserHash,
    /// The buyer as the shop knows them: for the claim's event only, never kept by an inventory.
    pub user_id: UserId,
    /// Product and quantity.
    pub terms: Terms,
    /// `max_per_user` of the product.
    pub limit: u8,
    /// What the request may do.
    pub intent: Intent,
}

impl HoldRequest {
    /// The claim that a grant of this request is.
    #[must_use]
    pub fn claim_of(&self, shard: &ShardId, grant: &Grant) -> Claim {
        Claim {
            ticket: self.claim,
            shard: shard.clone(),
            epoch: grant.epoch,
            issued_at: grant.issued_at,
            user: self.user,
            user_id: self.user_id.clone(),
            terms: self.terms,
            units: grant.units.clone(),
        }
    }
}

/// What was given, or had been given: the stamp's values and the units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The units; those of a released claim are gone, and then this is empty.
    pub units: Units,
    /// The epoch under which they were given first.
    pub epoch: Epoch,
    /// When they were given first.
    pub issued_at: Timestamp,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// Units are held now.
    Held {
        /// What was given.
        grant: Grant,
        /// The inventory's own commit is the event record already: nothing is left to publish.
        recorded: bool,
    },
    /// This claim was given before, with the same terms.
    Replayed {
        /// What was given.
        grant: Grant,
        /// As for [`HoldOutcome::Held`]: its event is on record. Where it is not, nobody knows whether it was ever
        /// published, and it must be before anybody is told.
        recorded: bool,
    },
    /// This claim was given before, with other terms.
    KeyReused,
    /// What the user holds and owns would exceed the limit.
    LimitReached {
        /// The newest ticket that the user has.
        newest: TicketId,
        /// Its stamp's values.
        grant: Grant,
    },
    /// Fewer units are free than asked for; none was taken.
    Short {
        /// Free units.
        free: u32,
    },
    /// Nothing is known of this claim, and the request was only to find it.
    Absent,
}

/// The answer that a node can give at once, without asking the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Glance {
    /// Certain, and durable: this is what [`HoldOutcome`] would say. Never `Held`.
    Decided(HoldOutcome),
    /// This claim does not exist; nothing else is certain.
    Absent,
    /// Nothing is certain: ask.
    Unknown,
}

/// A hold before the ledger knows it, as its event records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The ticket.
    pub ticket: TicketId,
    /// The shard.
    pub shard: ShardId,
    /// The epoch under which the units were given.
    pub epoch: Epoch,
    /// When they were given.
    pub issued_at: Timestamp,
    /// The buyer's hash.
    pub user: UserHash,
    /// The buyer as the shop knows them.
    pub user_id: UserId,
    /// Product and quantity.
    pub terms: Terms,
    /// The units.
    pub units: Units,
}

impl Claim {
    /// The member that the inventory never gives such a value: a claim is of one unit or more, and names each of its units once.
    #[must_use]
    pub fn flaw(&self) -> Option<&'static str> {
        let mut seen = HashSet::with_capacity(self.units.len());
        if self.terms.quantity == 0 {
            Some("quantity")
        } else if self.units.len() > usize::from(self.terms.quantity)
            || !self.units.iter().all(|unit| seen.insert(unit))
        {
            Some("units")
        } else {
            None
        }
    }
}

/// What the ledger tells the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EffectKind {
    /// The ledger has the claim: stop watching it.
    Pin,
    /// The order is dead: its units are free again.
    Release,
    /// The order is paid: its units are sold.
    Confirm,
    /// A sold order's units come back (a refund whose goods return).
    Return,
    /// Units are added to the product: those listed, which follow the last one that exists.
    Restock,
}

/// One effect. It applies to exactly this claim with exactly these units; what is not there is a no-op,
/// so that repetition is harmless, and effects of different claims may come in any order. Those of one claim keep theirs:
/// a return before its confirmation would leave the units sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// What to do.
    pub kind: EffectKind,
    /// Which product.
    pub product: ProductNo,
    /// Under which claim; all zero for a restock.
    pub claim: TicketId,
    /// Which units; for a restock the first and the one after the last.
    pub units: Units,
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It changed the inventory.
    Applied,
    /// There was nothing that it matches.
    NoOp,
}

/// Counts of one product, as a hint: may be behind by a moment, never invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct StockView {
    /// Units that exist.
    pub stock: u32,
    /// Free units.
    pub available: u32,
    /// Held units.
    pub held: u32,
    /// Confirmed units, as the ledger proved them.
    pub sold: u32,
    /// When the next hold may lapse, where that is known.
    pub next_release_at: Option<Timestamp>,
    /// Whether the shard answers at all; a closed one is being rebuilt.
    pub open: bool,
}

impl StockView {
    /// Whether every unit is confirmed.
    #[must_use]
    pub const fn sold_out(&self) -> bool {
        self.open && self.sold >= self.stock
    }
}
