//! The ledger's picture of a shard at one instant, as the ledger's adapters take it.

use domain::few::Few;
use domain::id::{Epoch, ProductNo};
use domain::order::Order;
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
    let mut records: Vec<_> = ledger.orders.values().flat_map(records_of).collect();
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

/// What an inventory remembers of one order: its ticket, and the late claim that its units are under, if any.
fn records_of(order: &Order) -> Vec<RecordSnapshot> {
    let under = |claim, place, units| RecordSnapshot {
        claim,
        ticket: order.ticket,
        user: order.user,
        terms: order.terms,
        place,
        units,
        epoch: order.epoch,
        issued_at: order.issued_at,
    };
    let place = if order.is_sold() { Place::Sold } else { Place::Held };
    let gone = || under(order.ticket, Place::Gone, Few::new());
    match (order.live, order.claim == order.ticket) {
        (false, _) => vec![gone()],
        (true, true) => vec![under(order.ticket, place, order.units.clone())],
        (true, false) => vec![gone(), under(order.claim, place, order.units.clone())],
    }
}

/// Cuts a picture into chunks of `size` records; the first carries the products and is never missing.
pub(crate) fn chunks(picture: &ShardSnapshot, size: usize) -> Vec<ShardSnapshot> {
    let chunk = |products, records| ShardSnapshot { epoch: picture.epoch, products, records };
    let mut rest = picture.records.chunks(size.max(1)).map(<[_]>::to_vec);
    let first = chunk(picture.products.clone(), rest.next().unwrap_or_default());
    std::iter::once(first).chain(rest.map(|records| chunk(Vec::new(), records))).collect()
}
