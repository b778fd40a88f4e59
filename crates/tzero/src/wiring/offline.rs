//! The audit of a folder that no program uses.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use adapter_embedded::Embedded;
use adapter_payments::{Options as PaymentOptions, StripeForm};
use domain::id::SaleId;
use ports::clock::{Clock, SystemClock};
use ports::payments::Payments;
use purchase::Settings;
use serde_json::Value;

use super::{System, stores};
use crate::keys::Keys;
use crate::role::Role;

/// Audits the stores of a folder, read-only: a copy in memory is recovered as at a start, and audited.
///
/// # Errors
/// There is no store, or it cannot be read.
pub async fn audit_offline(dir: &Path, sale: Option<&str>) -> Result<Vec<Value>, String> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let store =
        Embedded::open_copy(stores::embedded_options(dir, &clock, 0)).map_err(|fault| fault.to_string())?;
    // Neither tickets nor payments are touched by an audit: the keys may be any.
    let keys = Keys::of([0; 32]);
    let nobody = PaymentOptions {
        provider: "sandbox",
        base_url: "http://127.0.0.1:9".into(),
        secret_key: String::new(),
        webhook_secrets: Vec::new(),
        timeout_ms: 1,
    };
    let payments: Arc<dyn Payments> = Arc::new(StripeForm::new(nobody)?);
    let settings = Settings {
        checkout_queue: 1,
        checkout_deadline_ms: 1,
        address_deadline_ms: 1,
        address_limit_per_s: None,
        retry_min_ms: 1,
        retry_max_ms: 1,
        grace_ms: 0,
        session_life_ms: super::SESSION_LIFE_MS,
        relay_after_ms: 1,
        public_url: String::new(),
        ledger_lane: 1,
    };
    let (ports, keeper) = stores::embedded(store);
    let system = System::over(ports, keeper, payments, &keys, clock, settings);
    system.recover(&HashSet::from(Role::ALL)).await?;
    let named = sale.map(|id| SaleId::parse(id).map_err(|refusal| format!("{id}: {refusal}"))).transpose()?;
    let mut reports = Vec::new();
    for sale in system.catalog.all() {
        if named.as_ref().is_none_or(|named| *named == sale.sale_id) {
            let audit =
                purchase::audit::audit(&system.stores, &sale).await.map_err(|fault| fault.to_string())?;
            let report = gateway::admin::report::report(&sale.sale_id, audit);
            reports.push(serde_json::to_value(report).map_err(|error| error.to_string())?);
        }
    }
    system.close().await;
    match named {
        Some(named) if reports.is_empty() => Err(format!("there is no sale {named} in {}", dir.display())),
        _ => Ok(reports),
    }
}
