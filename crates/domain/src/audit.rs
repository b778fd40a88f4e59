//! The audit: compares the sets of unit numbers of ledger and inventory, and names every unit that is wrong.
//!
//! Nothing is found by subtracting from the stock: a unit is somewhere, or it is named.

use std::collections::BTreeMap;

use crate::inventory::InventoryUnits;
use crate::unit_set::UnitSet;

/// Every unit of one product as the ledger has them: lists, so that a unit that is there twice shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerUnits {
    /// Units that exist.
    pub stock: u32,
    /// Units of live orders that are not sold.
    pub held: Vec<u32>,
    /// Units of sold orders.
    pub sold: Vec<u32>,
    /// Units of live orders beyond their buyers' limit.
    pub over_limit: Vec<u32>,
}

/// What is wrong with a unit or a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViolationKind {
    /// A unit belongs to two orders.
    SoldTwice,
    /// A unit is in two places of the inventory.
    InTwoPlaces,
    /// A unit is nowhere in the inventory.
    Nowhere,
    /// A unit has a number that does not exist.
    OutOfStock,
    /// The inventory gives out a unit that belongs to an order.
    FreeButOwned,
    /// The inventory holds a unit that no order owns.
    HeldWithoutOrder,
    /// Ledger and inventory differ on whether a unit is sold.
    SoldOnOneSide,
    /// Ledger and inventory differ on how many units exist.
    StockDiffers,
    /// A running counter is not the size of its set.
    WrongCount,
    /// A buyer has more units than the limit allows.
    OverLimit,
    /// A stored table differs from the record that it follows.
    TableDiffers,
    /// Money taken and kept is not the price of what was confirmed.
    Money,
}

impl ViolationKind {
    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SoldTwice => "sold-twice",
            Self::InTwoPlaces => "in-two-places",
            Self::Nowhere => "nowhere",
            Self::OutOfStock => "out-of-stock",
            Self::FreeButOwned => "free-but-owned",
            Self::HeldWithoutOrder => "held-without-order",
            Self::SoldOnOneSide => "sold-on-one-side",
            Self::StockDiffers => "stock-differs",
            Self::WrongCount => "wrong-count",
            Self::OverLimit => "over-limit",
            Self::TableDiffers => "table-differs",
            Self::Money => "money",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What is wrong.
    pub kind: ViolationKind,
    /// With which units.
    pub units: UnitSet,
    /// In words.
    pub detail: String,
}

/// The audit of one product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductAudit {
    /// Units that exist, by the ledger.
    pub stock: u32,
    /// Free units of the inventory that no order owns.
    pub available: u32,
    /// Units held: by the inventory, or by live orders that it does not know.
    pub held: u32,
    /// Units of sold orders, by the ledger.
    pub sold: u32,
    /// Units on their way between shards.
    pub in_transfer: u32,
    /// Units that belong to more than one order.
    pub oversold: u32,
    /// What is wrong.
    pub violations: Vec<Violation>,
}

/// Compares both sides of one product. A closed shard (`inventory` none) counts its units as available, less
/// those that live orders own.
#[must_use]
pub fn compare(ledger: &LedgerUnits, inventory: Option<&InventoryUnits>) -> ProductAudit {
    let mut findings = Findings::default();
    let (ledger_held, _) = UnitSet::collect(ledger.held.iter().copied());
    let (ledger_sold, _) = UnitSet::collect(ledger.sold.iter().copied());
    let (owned, twice) = UnitSet::collect(ledger.held.iter().chain(&ledger.sold).copied());
    let oversold = twice.len() as u32;
    findings.units(ViolationKind::SoldTwice, twice, "belongs to more than one order");
    let all = UnitSet::whole(ledger.stock);
    findings.name(
        ViolationKind::OutOfStock,
        &owned.difference(&all),
        "is owned by an order but does not exist",
    );
    findings.units(
        ViolationKind::OverLimit,
        ledger.over_limit.iter().copied(),
        "is beyond its buyer's limit",
    );
    let (available, held) = match inventory {
        None => (all.difference(&owned), ledger_held),
        Some(inventory) => sides(ledger.stock, &owned, &ledger_held, &ledger_sold, inventory, &mut findings),
    };
    ProductAudit {
        stock: ledger.stock,
        available: available.len(),
        held: held.len(),
        sold: ledger_sold.len(),
        in_transfer: 0,
        oversold,
        violations: findings.done(),
    }
}

/// Compares an open shard with the ledger; gives the sets of available and held units.
fn sides(
    stock: u32,
    owned: &UnitSet,
    ledger_held: &UnitSet,
    ledger_sold: &UnitSet,
    inventory: &InventoryUnits,
    findings: &mut Findings,
) -> (UnitSet, UnitSet) {
    let free = UnitSet::from_ranges(inventory.free.iter().cloned());
    let (held, _) = UnitSet::collect(inventory.held.iter().copied());
    let (sold, _) = UnitSet::collect(inventory.sold.iter().copied());
    let (known, twice) = UnitSet::collect_ranges(inventory.everywhere());
    let all = UnitSet::whole(stock);
    if inventory.stock != stock {
        let (here, there) = (inventory.stock, stock);
        findings.count(
            ViolationKind::StockDiffers,
            format!("the inventory has {here} units, the ledger {there}"),
        );
    }
    findings.name(ViolationKind::InTwoPlaces, &twice, "is in two places of the inventory");
    findings.name(ViolationKind::Nowhere, &all.difference(&known), "is nowhere in the inventory");
    findings.name(ViolationKind::OutOfStock, &known.difference(&all), "does not exist");
    findings.name(ViolationKind::FreeButOwned, &free.intersection(owned), "is free, yet an order owns it");
    let loose = held.difference(owned);
    findings.name(ViolationKind::HeldWithoutOrder, &loose, "is held, yet no order owns it");
    let differ = sold.difference(ledger_sold).union(&ledger_sold.intersection(&held));
    findings.name(ViolationKind::SoldOnOneSide, &differ, "is sold on one side only");
    let places = ["free", "held", "sold"].iter().zip(inventory.counted).zip(inventory.sizes());
    for ((word, counted), size) in places {
        if counted != size {
            findings.count(
                ViolationKind::WrongCount,
                format!("the {word} counter says {counted}, there are {size}"),
            );
        }
    }
    (free.difference(owned), held.union(ledger_held).difference(ledger_sold))
}

#[derive(Default)]
struct Findings {
    named: BTreeMap<ViolationKind, (UnitSet, &'static str)>,
    counts: Vec<Violation>,
}

impl Findings {
    fn name(&mut self, kind: ViolationKind, units: &UnitSet, what: &'static str) {
        if !units.is_empty() {
            let entry = self.named.entry(kind).or_insert((UnitSet::new(), what));
            entry.0 = entry.0.union(units);
        }
    }

    fn units(&mut self, kind: ViolationKind, units: impl IntoIterator<Item = u32>, what: &'static str) {
        self.name(kind, &UnitSet::collect(units).0, what);
    }

    fn count(&mut self, kind: ViolationKind, detail: String) {
        self.counts.push(Violation { kind, units: UnitSet::new(), detail });
    }

    fn done(self) -> Vec<Violation> {
        let named = self.named.into_iter().map(|(kind, (units, what))| {
            let first = units.iter().next().unwrap_or_default();
            let rest = match units.len() {
                1 => String::new(),
                many => format!(" (and {} more)", many - 1),
            };
            Violation { kind, detail: format!("unit {first}{rest} {what}"), units }
        });
        named.chain(self.counts).collect()
    }
}
