//! What must hold after every step, computed from sets and from nothing that the rules count themselves.

use domain::id::{ProductNo, UserHash};
use domain::inventory::Shard;
use domain::order::{Order, OrderState};

use crate::sale::Sale;
use crate::stores::server::units_of;
use crate::violation::{Checked, Violation, ensure};

/// Unit numbers as bits; a walk has far fewer than 64 units of a product.
type Bits = u64;

/// Every invariant of one sale.
pub(crate) fn check(sale: &Sale) -> Checked {
    let mut owned = [0; 4];
    ledger(sale, &mut owned)?;
    let epoch = Some(sale.ledger.term.epoch);
    let servers = std::iter::once(&sale.servers.primary).chain(&sale.servers.isolated);
    for shard in servers.filter(|server| server.lease == epoch).filter_map(|server| server.open()) {
        inventory(sale, shard, &owned)?;
    }
    Ok(())
}

fn ledger(sale: &Sale, owned: &mut [Bits; 4]) -> Checked {
    for order in sale.ledger.orders.values() {
        let ticket = order.ticket;
        ensure(fits(order), "I8", || format!("{ticket:?} is {:?}, live: {}", order.state, order.live))?;
        if !order.live {
            continue;
        }
        let product = order.terms.product.index();
        let whole = order.units.len() == usize::from(order.terms.quantity);
        ensure(whole, "I1", || format!("{ticket:?} owns a part: {:?}", order.units))?;
        let units = bits(&order.units, sale.ledger.stock[product], "I1")?;
        let twice = owned[product] & units;
        ensure(twice == 0, "I1", || format!("units {twice:#b} belong to {ticket:?} and to another order"))?;
        owned[product] |= units;
    }
    limits(sale)
}

/// Whether an order's state agrees with its having units.
fn fits(order: &Order) -> bool {
    match order.state {
        OrderState::Allocated
        | OrderState::PendingPayment
        | OrderState::Expiring
        | OrderState::Capturing
        | OrderState::Confirmed => order.live,
        OrderState::Expired | OrderState::Cancelled | OrderState::Rejected => {
            !order.live || (order.is_late() && order.claim != order.ticket)
        }
        OrderState::Refunding | OrderState::Refunded => true,
    }
}

/// Units as bits: each exists, and none is there twice.
fn bits(units: &[u32], stock: u32, rule: &'static str) -> Checked<Bits> {
    let mut seen = 0;
    for unit in units {
        let bit = 1_u64.checked_shl(*unit).unwrap_or(0);
        if *unit >= stock || seen & bit != 0 {
            return Err(Violation { rule, what: format!("unit {unit} of {units:?}: twice, or of {stock}") });
        }
        seen |= bit;
    }
    Ok(seen)
}

fn limits(sale: &Sale) -> Checked {
    let mut counts: [(Option<(UserHash, ProductNo)>, u32); 32] = [(None, 0); 32];
    for order in sale.ledger.orders.values().filter(|order| order.live) {
        let key = (order.user, order.terms.product);
        let Some((whose, count)) = counts.iter_mut().find(|(whose, _)| whose.is_none_or(|w| w == key)) else {
            continue;
        };
        *whose = Some(key);
        *count += order.units.len() as u32;
        let within = *count <= u32::from(sale.ledger.limit);
        ensure(within, "I10", || format!("{:?} owns more than the limit", order.user))?;
    }
    Ok(())
}

/// An open shard at the running epoch.
fn inventory(sale: &Sale, shard: &Shard, owned: &[Bits; 4]) -> Checked {
    for (product, owned) in owned.iter().enumerate().take(shard.products()) {
        let Some(units) = shard.units(ProductNo(product as u16)) else { continue };
        let stock = units.stock;
        let ahead = stock <= sale.ledger.stock[product];
        ensure(ahead, "I2", || format!("product {product}: {stock} units are more than exist"))?;
        let free: Vec<u32> = units.free.iter().cloned().flatten().collect();
        let [free, held, sold] = [&free, &units.held, &units.sold].map(|list| bits(list, stock, "I3"));
        let (free, held, sold) = (free?, held?, sold?);
        let twice = (free & held) | (free & sold) | (held & sold);
        ensure(twice == 0, "I3", || format!("product {product}: units {twice:#b} are in two places"))?;
        let all = (1 << stock) - 1;
        let nowhere = all & !(free | held | sold);
        ensure(nowhere == 0, "I3", || format!("product {product}: units {nowhere:#b} are nowhere"))?;
        let loose = free & owned;
        ensure(loose == 0, "I3", || format!("product {product}: units {loose:#b} are free and owned"))?;
        let sizes = [free, held, sold].map(Bits::count_ones);
        ensure(sizes == units.counted, "I3", || format!("counters {:?}, sets {sizes:?}", units.counted))?;
    }
    for order in sale.ledger.orders.values().filter(|order| order.live) {
        let here = units_of(shard, order.claim, order.user, order.terms);
        ensure(here.as_ref() == Some(&order.units), "I3", || {
            format!("{:?} owns {:?}, the shard has {here:?} for it", order.ticket, order.units)
        })?;
    }
    Ok(())
}
