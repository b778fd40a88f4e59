//! Late payment: money that came after the end buys a free unit again, or goes back.

use domain::hold::{Effect, EffectKind, Grant, HoldOutcome, HoldRequest, Intent};
use domain::id::TicketId;
use domain::order::{Order, Work};
use domain::transition::Change;
use ports::Fault;
use ports::ledger::Applied;

use crate::catalog::Catalog;
use crate::stores::Stores;

/// How often units are tried for before the money goes back: enough to survive a shard that is being rebuilt.
const ATTEMPTS: u16 = 5;

/// Takes units again for one order, within its buyer's limit; where that fails, the money goes back.
///
/// An attempt makes its number durable first. Only the newest attempt may succeed, so what an older one took and
/// could not use is safely given back.
///
/// # Errors
/// A fault; the work comes back after its lease, under the next attempt.
pub async fn late_payment(stores: &Stores, catalog: &Catalog, order: &Order) -> Result<(), Fault> {
    let Some(order) = begin_attempt(stores, order).await? else { return Ok(()) };
    let attempt = order.late_attempts;
    // Each of them: the attempt in between may have died before it looked.
    for older in 1..attempt {
        give_up(stores, &order, older).await?;
    }
    if attempt > ATTEMPTS {
        return give_back(stores, &order).await;
    }
    let claim = stores.ids.late_claim(order.ticket, attempt);
    let request = request(&order, catalog, claim, Intent::TakeLate);
    let outcome = stores.inventory.hold(&order.shard, vec![request]).await?.pop();
    let Some(HoldOutcome::Held { grant, .. } | HoldOutcome::Replayed { grant, .. }) = outcome else {
        return give_back(stores, &order).await;
    };
    let change = Change::LateHeld { claim, attempt, units: grant.units.clone(), epoch: grant.epoch };
    let applied = stores.ledger.apply(vec![(order.ticket, change)]).await?.pop();
    match applied {
        Some(Applied::Changed(order) | Applied::Replay(order)) => {
            stores.show([&*order]).await;
            stores.pulse.nudge(Work::Capture);
            Ok(())
        }
        // The shard was rebuilt in between, or another attempt is under way: the work comes back.
        Some(Applied::Refused(..) | Applied::Unknown) | None => release(stores, &order, claim, &grant).await,
    }
}

/// The order with its attempt counted; `None` where it is not late any more.
async fn begin_attempt(stores: &Stores, order: &Order) -> Result<Option<Order>, Fault> {
    let applied = stores.ledger.apply(vec![(order.ticket, Change::LateAttempt)]).await?.pop();
    match applied {
        Some(Applied::Changed(order)) => Ok(Some(*order)),
        Some(Applied::Replay(_) | Applied::Refused(..) | Applied::Unknown) | None => Ok(None),
    }
}

fn request(order: &Order, catalog: &Catalog, claim: TicketId, intent: Intent) -> HoldRequest {
    let sale = catalog.get(&order.shard.sale);
    let limit = sale.and_then(|sale| sale.products.get(order.terms.product.index()).map(|p| p.max_per_user));
    HoldRequest {
        claim,
        ticket: order.ticket,
        user: order.user,
        user_id: order.user_id.clone(),
        terms: order.terms,
        limit: limit.unwrap_or(0),
        intent,
    }
}

/// Gives back what an older attempt took.
async fn give_up(stores: &Stores, order: &Order, attempt: u16) -> Result<(), Fault> {
    let claim = stores.ids.late_claim(order.ticket, attempt);
    let find = request(order, &Catalog::default(), claim, Intent::Find);
    match stores.inventory.hold(&order.shard, vec![find]).await?.pop() {
        Some(HoldOutcome::Replayed { grant, .. }) if !grant.units.is_empty() => {
            release(stores, order, claim, &grant).await
        }
        _ => Ok(()),
    }
}

async fn release(stores: &Stores, order: &Order, claim: TicketId, grant: &Grant) -> Result<(), Fault> {
    let effect =
        Effect { kind: EffectKind::Release, product: order.terms.product, claim, units: grant.units.clone() };
    match stores.inventory.settle(&order.shard, grant.epoch, &[effect]).await {
        // A closed shard is being rebuilt from the ledger, which knows nothing of this claim.
        Ok(_) | Err(Fault::Closed(_)) => Ok(()),
        Err(fault) => Err(fault),
    }
}

async fn give_back(stores: &Stores, order: &Order) -> Result<(), Fault> {
    let applied = stores.ledger.apply(vec![(order.ticket, Change::GiveBack)]).await?;
    stores.show(applied.iter().filter_map(Applied::order)).await;
    stores.pulse.nudge(Work::Refund);
    Ok(())
}
