//! The end of a walk: faults stop, the fleet must converge, and then every unit can be sold.

use domain::audit::{LedgerUnits, compare};
use domain::hold::{HoldOutcome, Terms};
use domain::id::ProductNo;
use domain::inventory::{Look, Shard};
use domain::order::{Order, OrderState};
use domain::time::Timestamp;
use domain::transition::{Change, Closing};

use crate::invariants::check;
use crate::roles::order_node::Batch;
use crate::roles::worker::Worker;
use crate::violation::{Checked, Violation, ensure};
use crate::world::World;

/// Rounds after which a fleet without faults must be quiet.
const ROUNDS: usize = 40;

/// Lets the fleet come to rest, and checks what must hold then.
pub(crate) fn drain(world: &mut World) -> Checked {
    settle_down(world)?;
    for sale in 0..world.sales.len() {
        converge(world, sale)?;
        check_quiet(world, sale)?;
        world.sales[sale].auditor.count_hints(&world.sales[sale].ledger, &mut world.figures);
        sell_out(world, sale)?;
        check_quiet(world, sale)?;
    }
    Ok(())
}

/// Every process is gone, no old primary is left; some of what was under way still arrives.
fn settle_down(world: &mut World) -> Checked {
    world.say(|| "DRAIN".to_owned());
    world.calm = true;
    world.batches.clear();
    world.readers.clear();
    world.settlers.clear();
    world.relays.clear();
    world.recoveries.clear();
    world.workers.clear();
    for sale in &mut world.sales {
        sale.servers.isolated.clear();
        sale.servers.primary.skew_ms = 0;
    }
    while let Some((sale, message)) = world.late.pop() {
        if world.dice.chance(500) {
            world.deliver(sale, &message)?;
            check(&world.sales[sale])?;
        }
    }
    while let Some((sale, claim)) = world.late_claims.pop() {
        if world.dice.chance(500) {
            world.append(sale, claim);
        }
    }
    Ok(())
}

fn converge(world: &mut World, sale: usize) -> Checked {
    for _ in 0..ROUNDS {
        round(world, sale)?;
        if rest(world, sale).is_empty() {
            return Ok(());
        }
    }
    let left = rest(world, sale).join(", ");
    Err(Violation { rule: "L2", what: format!("shard {sale} does not come to rest: {left}") })
}

/// Everybody does what is due, once.
fn round(world: &mut World, sale: usize) -> Checked {
    if !world.healthy(sale) {
        world.renew_whole(sale)?;
    }
    world.now = world.now.plus_millis(20_000);
    if let Some(mut relay) = world.read_unpinned(sale)? {
        while let Some(left) = world.relay_step(relay)? {
            relay = left;
        }
    }
    while world.sales[sale].ledger.position < world.sales[sale].log.end() {
        world.allocate_some(sale)?;
    }
    while !world.sales[sale].provider.news.is_empty() {
        let (ticket, stage) = world.sales[sale].provider.news.swap_remove(0);
        world.paid(sale, ticket, stage)?;
    }
    let now = world.now;
    let due = |order: &&Order| order.deadline().is_some_and(|deadline| deadline <= now);
    let overdue: Vec<_> = world.sales[sale].ledger.orders.values().filter(due).map(|o| o.ticket).collect();
    for ticket in overdue {
        world.apply(sale, ticket, &Change::Close(Closing::Deadline))?;
    }
    let orders: Vec<_> = world.sales[sale].ledger.orders.values().cloned().collect();
    for mut worker in orders.into_iter().filter_map(|order| Worker::of(sale, order)) {
        while let Some(left) = world.work_step(worker)? {
            worker = left;
        }
        check(&world.sales[sale])?;
    }
    for _ in 0..world.sales[sale].ledger.effects.len() {
        let Some(mut settler) = world.read_effects(sale) else { break };
        while let Some(left) = world.settle_step(settler)? {
            settler = left;
        }
        check(&world.sales[sale])?;
    }
    check(&world.sales[sale])
}

/// What is not at rest.
fn rest(world: &World, at: usize) -> Vec<String> {
    let sale = &world.sales[at];
    let shard = sale.servers.primary.open();
    let unpinned = shard.map_or(0, |shard| shard.unpinned(Timestamp::MAX, 64).len());
    let busy =
        sale.ledger.orders.values().filter(|order| !order.state.is_terminal() || order.work().is_some());
    let facts = [
        (!world.healthy(at), "the shard is closed".to_owned()),
        (sale.ledger.position < sale.log.end(), "claims wait".to_owned()),
        (!sale.ledger.effects.is_empty(), format!("effects {:?}", sale.ledger.effects)),
        (unpinned > 0, format!("{unpinned} claims are not acknowledged")),
        (
            busy.clone().next().is_some(),
            format!("orders {:?}", busy.map(|o| (o.ticket, o.state)).collect::<Vec<_>>()),
        ),
    ];
    facts.into_iter().filter(|(wrong, _)| *wrong).map(|(_, what)| what).collect()
}

fn check_quiet(world: &World, at: usize) -> Checked {
    let sale = &world.sales[at];
    for ticket in sale.auditor.told.keys() {
        let order = sale.ledger.orders.get(ticket);
        let ended = order.is_some_and(|order| order.state.is_terminal());
        ensure(ended, "L1", || format!("{ticket:?} was given and is {:?}", order.map(|order| order.state)))?;
    }
    for order in sale.ledger.orders.values() {
        let keeps = sale.provider.sessions.get(&order.ticket).is_some_and(|session| session.keeps_money());
        let sold = order.state == OrderState::Confirmed;
        let rest = (order.ticket, order.state);
        ensure(keeps == sold, "I9", || format!("{rest:?}, and its money is kept: {keeps}"))?;
    }
    for order in sale.ledger.orders.values() {
        let ended =
            matches!(order.state, OrderState::Expired | OrderState::Cancelled) && order.session.is_some();
        let session = sale.provider.sessions.get(&order.ticket).filter(|_| ended);
        let open = session.is_some_and(|session| !session.closed && session.payment.is_none());
        ensure(!open, "open door", || format!("{:?} has ended, and its buyer can still pay", order.ticket))?;
    }
    for session in sale.provider.sessions.values() {
        let once = session.captures <= 1 && session.refunds <= session.captures;
        ensure(once, "I9", || format!("{session:?}: money moved twice"))?;
    }
    let Some(shard) = sale.servers.primary.open() else {
        return Err(Violation { rule: "L4", what: format!("shard {at} is closed") });
    };
    conserved(world, at, shard)?;
    counted(world, at, shard)
}

/// Ledger and inventory have the same sets of units, by the project's own audit.
fn conserved(world: &World, at: usize, shard: &Shard) -> Checked {
    let ledger = &world.sales[at].ledger;
    for (number, stock) in ledger.stock.iter().enumerate() {
        let product = ProductNo(number as u16);
        let mut books = LedgerUnits { stock: *stock, ..LedgerUnits::default() };
        for order in ledger.orders.values().filter(|o| o.live && o.terms.product == product) {
            let side = if order.is_sold() { &mut books.sold } else { &mut books.held };
            side.extend(order.units.iter().copied());
        }
        let units = shard.units(product);
        let audit = compare(&books, units.as_ref());
        ensure(audit.violations.is_empty(), "L2", || format!("product {number}: {:?}", audit.violations))?;
        let total = audit.available + audit.held + audit.sold;
        ensure(total == audit.stock, "I3", || format!("product {number}: {total} of {} units", audit.stock))?;
    }
    Ok(())
}

/// The inventory's limits count exactly what the ledger says each buyer owns.
fn counted(world: &World, at: usize, shard: &Shard) -> Checked {
    let sale = &world.sales[at];
    let claim = sale.ids.late_claim(domain::id::TicketId([9; 16]), 0);
    for wish in &sale.wishes {
        for number in 0..sale.ledger.stock.len() {
            let product = ProductNo(number as u16);
            let owned = sale.ledger.user_units(product, wish.user);
            for limit in [owned, owned + 1] {
                let terms = Terms { product, quantity: 1 };
                let mut request = sale.request(wish, terms);
                (request.claim, request.ticket, request.limit) = (claim, claim, limit as u8);
                let refused =
                    matches!(shard.look(&request), Look::Decided(HoldOutcome::LimitReached { .. }, _));
                let right = refused == (limit == owned && owned > 0);
                ensure(right, "limit count", || format!("{:?} owns {owned}, limit {limit}", wish.user))?;
            }
        }
    }
    Ok(())
}

/// Every free unit can be sold, one by one, to buyers that nobody has seen before.
fn sell_out(world: &mut World, at: usize) -> Checked {
    let products = world.sales[at].ledger.stock.clone();
    for (number, stock) in products.iter().enumerate() {
        let product = ProductNo(number as u16);
        let sold = |world: &World| -> u32 {
            let live =
                world.sales[at].ledger.orders.values().filter(|o| o.live && o.terms.product == product);
            live.map(|order| order.units.len() as u32).sum()
        };
        while sold(world) < *stock {
            let before = sold(world);
            let user = 1_000 + world.sales[at].wishes.len();
            sell_one(world, at, user, product)?;
            ensure(sold(world) == before + 1, "L3", || format!("product {number}: a free unit is not sold"))?;
        }
    }
    Ok(())
}

fn sell_one(world: &mut World, at: usize, user: usize, product: ProductNo) -> Checked {
    let terms = Terms { product, quantity: 1 };
    let sale = &mut world.sales[at];
    let missing = || Violation { rule: "L3", what: "a buyer has no name".to_owned() };
    sale.add_wish(user, 0, terms).ok_or_else(missing)?;
    let wish = sale.wishes.last().cloned().ok_or_else(missing)?;
    let mut batch = Batch::new(0, at, vec![sale.request(&wish, terms)]);
    while let Some(left) = world.serve_step(batch)? {
        batch = left;
    }
    while world.sales[at].ledger.position < world.sales[at].log.end() {
        world.allocate_some(at)?;
    }
    for _ in 0..2 {
        let order = world.sales[at].ledger.orders.get(&wish.ticket).cloned();
        let mut worker = order.and_then(|order| Worker::of(at, order));
        while let Some(working) = worker {
            worker = world.work_step(working)?;
        }
        if world.sales[at].provider.pay(wish.ticket, (false, false))
            && let Some((ticket, stage)) = world.sales[at].provider.news.pop()
        {
            world.paid(at, ticket, stage)?;
        }
    }
    converge(world, at)
}
