//! What an operator reads of a sale: its definition with counts, and its audit.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use domain::id::SaleId;
use domain::product::Product;
use domain::sale::Sale;
use domain::status::Status;
use http::request::Parts;
use http::{Response, StatusCode};
use ports::ledger::{MoneyTotals, SaleTotals};
use purchase::audit::SaleAudit;
use purchase::totals::Totals;
use serde::Serialize;

use super::{answer, authorised};
use crate::api::sale::{Price, availability_word, mode_word, standing, state_word};
use crate::edge::Edge;
use crate::path_part::PathPart;
use crate::problem::{Answer, fault, known_id, unknown_sale};
use crate::reply;

/// A sale with everything an operator may see.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OperatorSale {
    sale_id: String,
    name: String,
    description: String,
    /// The operator's message to buyers.
    message: String,
    /// As the public sees it.
    state: &'static str,
    starts_at: String,
    ends_at: String,
    mode: &'static str,
    hold_ms: u64,
    extension_ms: u64,
    /// Whom the sale asks to show that they are no program.
    challenge: &'static str,
    shards: u16,
    paused: bool,
    /// Raised by every change.
    revision: u64,
    products: Vec<OperatorProduct>,
}

/// A product with its counts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OperatorProduct {
    product_id: String,
    name: String,
    description: String,
    image_url: Option<String>,
    price: Price,
    compare_at: Option<Price>,
    stock: u32,
    max_per_user: u8,
    availability: &'static str,
    /// Free units, as a hint.
    available: u32,
    /// Held units, as a hint.
    held: u32,
    /// Confirmed units.
    sold: u32,
    /// When the next hold may lapse.
    next_release_at: Option<String>,
}

/// The sale as an operator sees it.
#[must_use]
pub fn operator_sale(edge: &Edge, sale: &Sale) -> OperatorSale {
    let (state, availability) = standing(edge, sale);
    let product = |(product, availability): (&Product, _)| {
        let view = edge.orders.view(&sale.sale_id, &product.product_id).unwrap_or_default();
        OperatorProduct {
            product_id: product.product_id.to_string(),
            name: product.name.clone(),
            description: product.description.clone(),
            image_url: product.image_url.clone(),
            price: product.price.into(),
            compare_at: product.compare_at.map(Price::from),
            stock: product.stock,
            max_per_user: product.max_per_user,
            availability: availability_word(availability),
            available: view.available,
            held: view.held,
            sold: view.sold,
            next_release_at: view.next_release_at.map(|at| at.to_string()),
        }
    };
    OperatorSale {
        sale_id: sale.sale_id.to_string(),
        name: sale.name.clone(),
        description: sale.description.clone(),
        message: sale.message.clone(),
        state: state_word(state),
        starts_at: sale.starts_at.to_string(),
        ends_at: sale.ends_at.to_string(),
        mode: mode_word(sale.mode),
        hold_ms: sale.hold_ms,
        extension_ms: sale.extension_ms,
        challenge: sale.challenge.as_str(),
        shards: sale.shards,
        paused: sale.paused,
        revision: sale.revision,
        products: sale.products.iter().zip(availability).map(product).collect(),
    }
}

/// The audit.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditReport {
    sale_id: String,
    /// Nothing is wrong.
    ok: bool,
    /// Things moved while it was read: what differs between the two sides says nothing yet.
    settling: bool,
    products: Vec<AuditedProduct>,
    /// The inventory's side.
    inventory: InventorySide,
    /// The ledger's side.
    ledger: LedgerSide,
    /// Orders by status.
    orders: std::collections::BTreeMap<&'static str, u64>,
    /// Money by currency.
    money: Vec<MoneySums>,
    violations: Vec<FoundViolation>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct AuditedProduct {
    product_id: String,
    stock: u32,
    available: u32,
    held: u32,
    sold: u32,
    in_transfer: u32,
    oversold: u32,
}

#[derive(Serialize, utoipa::ToSchema)]
struct InventorySide {
    /// Whether every shard was open.
    open: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
struct LedgerSide {
    /// Claims that the ledger has not taken in.
    claims_waiting: u64,
    /// Effects that the inventory has not applied.
    effects_waiting: u64,
}

/// Money in one currency.
#[derive(Serialize, utoipa::ToSchema)]
pub struct MoneySums {
    currency: String,
    captured: String,
    refunded: String,
    revenue: String,
}

#[derive(Serialize, utoipa::ToSchema)]
struct FoundViolation {
    kind: &'static str,
    product_id: Option<String>,
    /// The first thousand of the units concerned.
    units: Vec<u32>,
    detail: String,
}

/// Units that one violation lists at most; its detail counts all of them.
const UNITS_SHOWN: usize = 1_000;

/// Money as it is shown.
#[must_use]
pub fn money(totals: &SaleTotals) -> Vec<MoneySums> {
    let sums = |totals: &MoneyTotals| MoneySums {
        currency: totals.captured.currency.code().to_owned(),
        captured: totals.captured.amount(),
        refunded: totals.refunded.amount(),
        revenue: totals.revenue.amount(),
    };
    totals.money.iter().map(sums).collect()
}

/// Orders by status, each status named.
#[must_use]
pub fn orders(totals: &Totals) -> std::collections::BTreeMap<&'static str, u64> {
    let mut counts: std::collections::BTreeMap<_, _> =
        Status::ALL.into_iter().map(|status| (status.as_str(), 0)).collect();
    for (status, count) in &totals.orders {
        *counts.entry(status.as_str()).or_default() += count;
    }
    *counts.entry(Status::Queued.as_str()).or_default() += totals.claims_waiting;
    counts
}

/// The audit's report.
#[must_use]
pub fn report(sale: &SaleId, audit: SaleAudit) -> AuditReport {
    let found = |product: Option<&str>, violation: &domain::audit::Violation| FoundViolation {
        kind: violation.kind.as_str(),
        product_id: product.map(str::to_owned),
        units: violation.units.iter().take(UNITS_SHOWN).collect(),
        detail: violation.detail.clone(),
    };
    let mut violations: Vec<_> = audit.violations.iter().map(|violation| found(None, violation)).collect();
    for (product, audited) in &audit.products {
        violations
            .extend(audited.violations.iter().map(|violation| found(Some(product.as_str()), violation)));
    }
    let products = audit.products.iter().map(|(product, audited)| AuditedProduct {
        product_id: product.to_string(),
        stock: audited.stock,
        available: audited.available,
        held: audited.held,
        sold: audited.sold,
        in_transfer: audited.in_transfer,
        oversold: audited.oversold,
    });
    AuditReport {
        sale_id: sale.to_string(),
        ok: audit.ok,
        settling: audit.settling,
        products: products.collect(),
        inventory: InventorySide { open: audit.open },
        ledger: LedgerSide {
            claims_waiting: audit.totals.claims_waiting,
            effects_waiting: audit.totals.effects_waiting,
        },
        orders: orders(&audit.totals),
        money: money(&audit.totals),
        violations,
    }
}

/// `GET /admin/v1/sales/{sale}/audit`.
pub async fn audit(State(edge): State<Arc<Edge>>, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    let audited = async {
        authorised(&edge, &head.headers)?;
        let id = known_id(&sale)?;
        let failed = |failed: ports::Fault| fault(&edge, &failed);
        let audit = edge.operator.audit(&id).await.map_err(failed)?.ok_or_else(unknown_sale)?;
        Ok(reply::json(StatusCode::OK, &report(&id, audit)))
    };
    let audited: Answer = audited.await;
    answer(head.uri.path(), audited)
}
