//! Buyers and the operator: who sends what, again and again, pays, gives up, adds stock, refunds.

use domain::hold::Terms;
use domain::id::ProductNo;
use domain::order::{Order, OrderState};
use domain::transition::{Change, Closing};

use crate::roles::order_node::Batch;
use crate::violation::Checked;
use crate::world::World;

/// Checkouts reach an order node that serves no other batch of this sale; retries among them.
pub(crate) fn buy(world: &mut World) -> Option<usize> {
    let (at, node) = (world.any_sale(), world.dice.below(world.options.nodes));
    if world.batches.iter().any(|batch| (batch.node, batch.sale) == (node, at)) {
        return None;
    }
    let count = 1 + world.dice.below(world.options.batch);
    let sale = &world.sales[at];
    let mut requests = Vec::new();
    for _ in 0..count {
        let wish = &sale.wishes[world.dice.below(sale.wishes.len())];
        let other = Terms { quantity: 3 - wish.terms.quantity, ..wish.terms };
        let fits = world.dice.chance(30) && other.quantity <= sale.ledger.limit;
        requests.push(sale.request(wish, if fits { other } else { wish.terms }));
    }
    world.batches.push(Batch::new(node, at, requests));
    None
}

/// A buyer who was shown an address pays there, also after the order has ended.
pub(crate) fn pay(world: &mut World) -> Option<usize> {
    let at = world.any_sale();
    let late = world.dice.chance(500);
    let shown = |order: &Order| order.session.is_some() && (!late || order.state.is_dead());
    let order = world.sales[at].pick(&mut world.dice, shown)?;
    let (at_once, wrong) = (world.dice.chance(world.options.at_once), world.dice.chance(20));
    if world.sales[at].provider.pay(order.ticket, (at_once, wrong)) {
        world.say(|| format!("s{at} {:?} is paid, {:?}", order.ticket, order.state));
    }
    Some(at)
}

/// A buyer gives up, or asks for more time.
pub(crate) fn give_up(world: &mut World) -> Checked<Option<usize>> {
    let at = world.any_sale();
    let change = world.dice.of(&[0, 1, 2]);
    let change = match change {
        0 => Change::Extend { extension_ms: 500 },
        1 => Change::Declined,
        _ => Change::Close(Closing::ByBuyer),
    };
    let Some(order) = world.sales[at].pick(&mut world.dice, |order| order.state.is_open()) else {
        return Ok(None);
    };
    world.apply(at, order.ticket, &change)?;
    Ok(Some(at))
}

/// The operator adds stock, ends an order, or refunds one, with or without its units.
pub(crate) fn operate(world: &mut World) -> Checked<Option<usize>> {
    let at = world.any_sale();
    if world.dice.chance(300) {
        let product = ProductNo(world.dice.below(usize::from(world.options.products)) as u16);
        let ledger = &mut world.sales[at].ledger;
        if ledger.stock.get(product.index()).is_some_and(|stock| *stock < world.options.most_stock) {
            ledger.restock(product, 1);
            world.figures.restocked += 1;
            world.say(|| format!("s{at} one more unit of {product:?}"));
        }
        return Ok(Some(at));
    }
    let refund = world.dice.chance(800);
    let state = |state: OrderState| {
        if refund { matches!(state, OrderState::Confirmed | OrderState::Refunded) } else { state.is_open() }
    };
    let Some(order) = world.sales[at].pick(&mut world.dice, |order| state(order.state)) else {
        return Ok(None);
    };
    let return_units = world.dice.chance(600);
    let change = if refund { Change::Refund { return_units } } else { Change::Close(Closing::ByOperator) };
    world.apply(at, order.ticket, &change)?;
    Ok(Some(at))
}
