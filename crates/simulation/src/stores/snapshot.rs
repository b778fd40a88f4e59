//! The ledger's picture of a shard at one instant, as the ledger's adapters take it.

use domain::id::{Epoch, ProductNo};
use domain::snapshot::{Place, ProductSnapshot, RecordSnapshot, ShardSnapshot};
use domain::time::Timestamp;
use domain::unit_set::UnitSet;

use super::ledger::Ledger;
use crate::mutant::{Mutant, Mutants};

/// Takes the picture.
pub(crate) fn picture(ledger: &Ledger, epoch: Epoch, now: Timestamp, mutants: Mutants) -> ShardSnapshot {
    let product = |(number, stock): (usize, &u32)| {
        let product = ProductNo(number as u16);
        let live = ledger.orders.values().filter(|order| order.live && order.terms.product == product);
        let owned = UnitSet::collect(live.flat_map(|order| order.units.iter().copied())).0;
        ProductSnapshot { stock: *stock, free: UnitSet::whole(*stock).difference(&owned) }
    };
    let products = ledger.stock.iter().enumerate().map(product).collect();
    let mut records: Vec<_> = ledger.orders.values().flat_map(RecordSnapshot::of).collect();
    if mutants.has(Mutant::SnapshotWithoutSold) {
        records.retain(|record| record.place != Place::Sold);
    }
    if mutants.has(Mutant::SnapshotWithoutEnded) {
        records.retain(|record| record.place != Place::Gone);
    }
    if mutants.has(Mutant::SnapshotNewStamps) {
        records.iter_mut().for_each(|record| (record.epoch, record.issued_at) = (epoch, now));
    }
    ShardSnapshot { epoch, products, records }
}

/// Cuts a picture into chunks of `size` records; the first carries the products and is never missing.
pub(crate) fn chunks(picture: &ShardSnapshot, size: usize) -> Vec<ShardSnapshot> {
    let chunk = |products, records| ShardSnapshot { epoch: picture.epoch, products, records };
    let mut rest = picture.records.chunks(size.max(1)).map(<[_]>::to_vec);
    let first = chunk(picture.products.clone(), rest.next().unwrap_or_default());
    std::iter::once(first).chain(rest.map(|records| chunk(Vec::new(), records))).collect()
}
