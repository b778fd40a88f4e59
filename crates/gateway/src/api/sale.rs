//! `GET /v1/sales/{sale_id}`: the same bytes for everybody while nothing changes.

use std::sync::{Arc, PoisonError};

use axum::body::Body;
use domain::product::{Availability, Product};
use domain::sale::{Mode, Sale, SaleState};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::edge::Edge;
use crate::encoding::{Coding, Forms};
use crate::problem::Answer;
use crate::reply;

const CACHE: &str = "public, max-age=1, s-maxage=1, stale-while-revalidate=5, stale-if-error=60";

/// A sale for everybody.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PublicSale {
    /// Identifier.
    pub sale_id: String,
    /// Name.
    pub name: String,
    /// `scheduled`, `live`, `paused`, `sold_out` or `ended`.
    pub state: &'static str,
    /// T-zero.
    pub starts_at: String,
    /// From here on no checkout is taken.
    pub ends_at: String,
    /// When this snapshot was made.
    pub server_time: String,
    /// `rush` or `draw`.
    pub mode: &'static str,
    /// The buyer's time to pay, milliseconds.
    pub hold_ms: u64,
    /// What is sold.
    pub products: Vec<PublicProduct>,
}

/// A product for everybody.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PublicProduct {
    /// Identifier.
    pub product_id: String,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// A picture.
    pub image_url: Option<String>,
    /// Price of one unit.
    pub price: Price,
    /// A former or list price.
    pub compare_at: Option<Price>,
    /// `in_stock`, `low`, `all_held` or `sold_out`.
    pub availability: &'static str,
    /// Units that one buyer may have.
    pub max_per_user: u8,
}

/// An amount of money.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Price {
    /// Decimal string.
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
}

impl From<domain::money::Money> for Price {
    fn from(money: domain::money::Money) -> Self {
        Self { amount: money.amount(), currency: money.currency.code().to_owned() }
    }
}

/// A sale document as it was shown last, and what it was made of.
pub struct Shown {
    revision: u64,
    state: SaleState,
    availability: Vec<Availability>,
    forms: Forms,
    etag: HeaderValue,
}

/// The word for a state.
#[must_use]
pub const fn state_word(state: SaleState) -> &'static str {
    match state {
        SaleState::Scheduled => "scheduled",
        SaleState::Live => "live",
        SaleState::Paused => "paused",
        SaleState::SoldOut => "sold_out",
        SaleState::Ended => "ended",
    }
}

/// The word for a mode.
#[must_use]
pub const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Rush => "rush",
        Mode::Draw => "draw",
    }
}

/// The word for an availability.
#[must_use]
pub const fn availability_word(availability: Availability) -> &'static str {
    match availability {
        Availability::InStock => "in_stock",
        Availability::Low => "low",
        Availability::AllHeld => "all_held",
        Availability::SoldOut => "sold_out",
    }
}

/// How much of each product there is, and the state that follows.
#[must_use]
pub fn standing(edge: &Edge, sale: &Sale) -> (SaleState, Vec<Availability>) {
    let of = |product: &Product| {
        let view = edge.orders.view(&sale.sale_id, &product.product_id);
        match view {
            Some(view) if view.open => Availability::of(product.stock, view.available, view.sold),
            // A shard that is being made ready hands nothing out for a moment, and proves nothing.
            Some(_) => Availability::AllHeld,
            // A sale that another node has just made: nothing speaks against it.
            None => Availability::InStock,
        }
    };
    let availability: Vec<_> = sale.products.iter().map(of).collect();
    let sold_out = availability.iter().all(|each| *each == Availability::SoldOut);
    (sale.state(edge.now(), sold_out), availability)
}

/// The document as it is now: the one shown last, unless something changed.
#[must_use]
fn shown(edge: &Edge, sale: &Sale) -> Arc<Shown> {
    let (state, availability) = standing(edge, sale);
    let known = edge.shown.read().unwrap_or_else(PoisonError::into_inner).get(&sale.sale_id).cloned();
    if let Some(known) = known
        && (known.revision, known.state) == (sale.revision, state)
        && known.availability == availability
    {
        return known;
    }
    let document = PublicSale {
        sale_id: sale.sale_id.to_string(),
        name: sale.name.clone(),
        state: state_word(state),
        starts_at: sale.starts_at.to_string(),
        ends_at: sale.ends_at.to_string(),
        server_time: edge.now().to_string(),
        mode: mode_word(sale.mode),
        hold_ms: sale.hold_ms,
        products: sale.products.iter().zip(&availability).map(|(p, a)| public_product(p, *a)).collect(),
    };
    let body = serde_json::to_vec(&document).unwrap_or_default();
    let hash = blake3::hash(&body).to_hex();
    let etag = HeaderValue::from_str(&format!("\"{}\"", &hash[..32]));
    let etag = etag.unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let fresh =
        Arc::new(Shown { revision: sale.revision, state, availability, forms: Forms::of(body), etag });
    let mut all = edge.shown.write().unwrap_or_else(PoisonError::into_inner);
    all.insert(sale.sale_id.clone(), Arc::clone(&fresh));
    fresh
}

fn public_product(product: &Product, availability: Availability) -> PublicProduct {
    PublicProduct {
        product_id: product.product_id.to_string(),
        name: product.name.clone(),
        description: product.description.clone(),
        image_url: product.image_url.clone(),
        price: product.price.into(),
        compare_at: product.compare_at.map(Price::from),
        availability: availability_word(availability),
        max_per_user: product.max_per_user,
    }
}

/// The tag of the document as it is now.
#[must_use]
pub fn tag(edge: &Edge, sale: &Sale) -> String {
    shown(edge, sale).etag.to_str().unwrap_or_default().to_owned()
}

/// Answers with the sale, or with 304.
///
/// # Errors
/// 404, 503.
pub async fn sale(edge: &Edge, id: &str, headers: &HeaderMap) -> Answer {
    let sale = edge.sale(id).await?;
    let shown = shown(edge, &sale);
    let (coding, mut reply) =
        reply::for_all("application/json", CACHE, &shown.forms, Coding::wished(headers));
    let etag = coding.tag(&shown.etag);
    let matches = |value: &HeaderValue| {
        let listed = value.to_str().unwrap_or_default().split(',').map(str::trim);
        listed
            .map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
            .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
    };
    if headers.get_all(header::IF_NONE_MATCH).iter().any(matches) {
        reply = not_modified(&reply);
    }
    reply.headers_mut().insert(header::ETAG, etag);
    Ok(reply)
}

/// What the client has is still so: the answer without its body, and with what says how long it may be kept.
fn not_modified(whole: &Response<Body>) -> Response<Body> {
    let mut reply = reply::empty(StatusCode::NOT_MODIFIED);
    for name in [header::CACHE_CONTROL, header::VARY] {
        if let Some(value) = whole.headers().get(&name) {
            reply.headers_mut().insert(name, value.clone());
        }
    }
    reply
}
