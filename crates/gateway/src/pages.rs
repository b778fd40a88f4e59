//! The pages' handlers: from what the edge knows to what a page shows.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, Request as AxumRequest, State};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::api::{sale, status};
use crate::edge::Edge;
use crate::page;
use crate::path_part::PathPart;
use crate::reply;

type Shared = State<Arc<Edge>>;

/// What a page of a sale may be kept for: as its document, and longer by a CDN, since the page asks for the document itself.
const PAGE_CACHE: &str = "public, max-age=1, s-maxage=5, stale-while-revalidate=5, stale-if-error=60";

/// Whether the client, a browser, would rather have a page.
pub fn wanted(headers: &HeaderMap) -> bool {
    let html = |media: &str| media.trim().starts_with("text/html");
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepted.flat_map(|accept| accept.split(',')).any(html)
}

/// The running or next sale, or a list.
pub async fn front(State(edge): Shared) -> Response<Body> {
    let now = edge.now();
    let sales = edge.catalog.all();
    let mut open: Vec<_> = sales.iter().filter(|sale| now < sale.ends_at).collect();
    open.sort_by_key(|sale| sale.starts_at);
    if let [only] = open.as_slice() {
        return shown(&edge, only);
    }
    let shown = if open.is_empty() { sales.iter().collect() } else { open };
    let lines: Vec<_> = shown
        .into_iter()
        .map(|sale| page::SaleLine {
            sale_id: sale.sale_id.to_string(),
            name: sale.name.clone(),
            state: sale::state_word(sale::standing(&edge, sale).0).to_owned(),
            starts_at: sale.starts_at.to_string(),
            ends_at: sale.ends_at.to_string(),
            server_time: now.to_string(),
        })
        .collect();
    reply::html(StatusCode::OK, PAGE_CACHE, page::sales(&lines))
}

/// The page of a sale.
pub async fn sale_page(
    State(edge): Shared,
    PathPart(sale): PathPart,
    request: AxumRequest,
) -> Response<Body> {
    match edge.sale(&sale) {
        Some(sale) => shown(&edge, &sale),
        None => reply::html(StatusCode::NOT_FOUND, "no-store", page::not_found(request.uri().path(), true)),
    }
}

/// The page of a sale, which may show the widget of a challenge.
fn shown(edge: &Edge, sale: &domain::sale::Sale) -> Response<Body> {
    let mut reply = reply::html(StatusCode::OK, PAGE_CACHE, page::sale(&page_sale(edge, sale)));
    if let Some(origin) = edge.challenger.origin() {
        let policy = page::content_security_policy_with(origin);
        reply::set(&mut reply, header::CONTENT_SECURITY_POLICY, &policy);
    }
    reply
}

fn page_sale(edge: &Edge, sale: &domain::sale::Sale) -> page::SaleView {
    let (state, availability) = sale::standing(edge, sale);
    let product = |(product, availability): (&domain::product::Product, _)| page::ProductView {
        product_id: product.product_id.to_string(),
        name: product.name.clone(),
        description: product.description.clone(),
        image_url: product.image_url.clone(),
        amount: product.price.amount(),
        currency: product.price.currency.code().to_owned(),
        compare_at: product.compare_at.map(|money| money.amount()),
        availability: sale::availability_word(availability),
        max_per_user: product.max_per_user,
    };
    page::SaleView {
        sale_id: sale.sale_id.to_string(),
        name: sale.name.clone(),
        description: sale.description.clone(),
        message: sale.message.clone(),
        state: sale::state_word(state),
        starts_at: sale.starts_at.to_string(),
        ends_at: sale.ends_at.to_string(),
        server_time: edge.now().to_string(),
        extension_ms: sale.extension_ms,
        tag: sale::tag(edge, sale),
        products: sale.products.iter().zip(availability).map(product).collect(),
    }
}

/// The page of an order.
pub async fn return_page(
    State(edge): Shared,
    Query(query): Query<std::collections::HashMap<String, String>>,
) -> Response<Body> {
    let ticket = query.get("ticket").map(String::as_str).unwrap_or_default();
    let Some(stamp) = edge.ticket(ticket) else {
        return reply::html(StatusCode::NOT_FOUND, "no-store", page::order_unknown());
    };
    let Ok(found) = status::look(&edge, &stamp).await else {
        return reply::html(StatusCode::SERVICE_UNAVAILABLE, "no-store", page::order_later());
    };
    let document = status::document(&edge, &found);
    let sale = edge.catalog.get(&found.stamp.shard.sale);
    let terms = found.terms;
    let product = sale.as_ref().and_then(|sale| sale.products.get(terms?.product.index()));
    let total = product.zip(terms).map(|(product, terms)| {
        let total = product.price.times(terms.quantity);
        format!("{} {}", total.amount(), total.currency.code())
    });
    let view = page::OrderView {
        ticket: document.queue_ticket_id,
        status: document.status.to_owned(),
        phase: document.phase.to_owned(),
        reason: document.reason.map(str::to_owned),
        sale_id: document.sale_id,
        product: product.map(|product| product.name.clone()),
        quantity: terms.map_or(0, |terms| terms.quantity),
        total,
        units: document.units,
        checkout_url: document.checkout_url,
        hold_expires_at: document.hold_expires_at,
        version: document.version,
        terminal: found.terminal,
        poll_after_ms: document.poll_after_ms,
    };
    reply::html(StatusCode::OK, "no-store", page::order(&view))
}

/// The operator's page.
pub async fn console() -> Response<Body> {
    reply::html(StatusCode::OK, "no-store", page::console())
}

/// What errors mean.
pub async fn problems() -> Response<Body> {
    reply::html(StatusCode::OK, "public, max-age=60", page::problems())
}

/// What one error means.
pub async fn problem_page(PathPart(code): PathPart, request: AxumRequest) -> Response<Body> {
    match page::problem(&code) {
        Some(page) => reply::html(StatusCode::OK, "public, max-age=60", page),
        None => reply::html(StatusCode::NOT_FOUND, "no-store", page::not_found(request.uri().path(), true)),
    }
}

/// A script or a style.
pub async fn asset(PathPart(name): PathPart, request: AxumRequest) -> Response<Body> {
    let Some(asset) = page::asset(&name) else {
        return reply::html(StatusCode::NOT_FOUND, "no-store", page::not_found(request.uri().path(), true));
    };
    let mut reply = Response::new(Body::from(asset.body));
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    reply.headers_mut().insert(header::CACHE_CONTROL, forever);
    reply.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}
