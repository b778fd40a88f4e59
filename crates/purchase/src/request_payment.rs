//! Request payment: an allocated order gets its payment address, and the buyer's time starts.

use domain::order::{Order, Work};
use domain::transition::{Change, Closing};
use ports::Fault;
use ports::ledger::Applied;
use ports::payments::{PaymentFault, SessionRequest};

use crate::catalog::Catalog;
use crate::pulse::Progress;
use crate::stores::{PROVIDER, Settings, Stores, reference};

/// Makes the payment address of one order; puts it off where the provider fails for now.
///
/// # Errors
/// A fault of the ledger; the work comes back after its lease.
pub async fn request_payment(
    stores: &Stores,
    settings: &Settings,
    catalog: &Catalog,
    order: &Order,
) -> Result<(), Fault> {
    let now = stores.clock.now();
    if order.address_deadline <= now {
        return apply(stores, order, Change::Close(Closing::Deadline)).await.map(drop);
    }
    let Some(sale) = catalog.get(&order.shard.sale) else {
        let fault = PaymentFault::Unknown("this node does not know the sale yet".into());
        return stores.put_off(order, Work::Address, settings, &fault).await;
    };
    let Some(product) = sale.products.get(order.terms.product.index()) else {
        return Err(Fault::damaged("the catalog", format!("{} has no such product", sale.sale_id)));
    };
    let ticket = stores.tickets.seal(&order.stamp());
    let request = keyed(SessionRequest {
        idempotency_key: String::new(),
        reference: reference(order.ticket),
        description: product.name.clone(),
        unit_price: product.price,
        quantity: order.terms.quantity,
        return_url: format!("{}/return?ticket={ticket}", settings.public_url),
        closes_at: order.allocated_at.plus_millis(settings.session_life_ms),
    });
    match stores.payments.create_session(request).await {
        Ok(session) => {
            let change = Change::AddressReady { session: session.clone(), hold_ms: sale.hold_ms };
            let applied = apply(stores, order, change).await?;
            stores.pulse.progress(Progress::PaymentAddress, stores.clock.now(), 1);
            if applied.as_ref().and_then(Applied::order).is_some_and(|order| !order.has_session(&session)) {
                // Another process was faster with another session: nobody was shown this address. Close it. Should that fail, the provider's own backstop does it.
                if let Err(fault) = stores.payments.close_session(&session.session).await {
                    stores.met(PROVIDER, "left-open", &fault);
                }
            }
            Ok(())
        }
        Err(PaymentFault::Refused(detail)) => {
            tracing::error!(ticket = ?order.ticket, detail, "the provider refuses a session");
            apply(stores, order, Change::ProviderRefused).await.map(drop)
        }
        Err(fault) => stores.put_off(order, Work::Address, settings, &fault).await,
    }
}

/// The request under its key: the same for the same session, another for another. A provider refuses for good what comes
/// under a known key with other parameters, as from a process whose `public_url` was changed; what such a process makes
/// anew leaves a session that nobody was shown, which ends by its backstop.
fn keyed(request: SessionRequest) -> SessionRequest {
    let price = &request.unit_price;
    let parameters = [
        request.description.clone(),
        format!("{} {} {}", request.quantity, price.amount(), price.currency.code()),
        request.return_url.clone(),
        request.closes_at.to_string(),
    ];
    let digest = blake3::hash(parameters.join("\0").as_bytes()).to_hex();
    SessionRequest { idempotency_key: format!("{}:create:{}", request.reference, &digest[..16]), ..request }
}

async fn apply(stores: &Stores, order: &Order, change: Change) -> Result<Option<Applied>, Fault> {
    let applied = stores.ledger.apply(vec![(order.ticket, change)]).await?.pop();
    stores.show(applied.as_ref().and_then(Applied::order)).await;
    stores.pulse.nudge(Work::Close);
    stores.pulse.nudge(Work::LateClose);
    Ok(applied)
}
