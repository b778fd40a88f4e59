//! The pages' handlers: from what the edge knows to what a page shows.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::body::Body;
use axum::extract::{Query, Request as AxumRequest, State};
use domain::time::Timestamp;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::api::{sale, status};
use crate::edge::Edge;
use crate::encoding::{Coding, Forms};
use crate::page;
use crate::path_part::PathPart;
use crate::problem::Code;
use crate::reply;

type Shared = State<Arc<Edge>>;

/// What a page of a sale may be kept for: as its document, and longer by a CDN, since the page asks for the document itself.
const PAGE_CACHE: &str = "public, max-age=1, s-maxage=5, stale-while-revalidate=5, stale-if-error=60";

const PROBLEM_CACHE: &str = "public, max-age=60";
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Whether the client, a browser, would rather have a page.
pub fn wanted(headers: &HeaderMap) -> bool {
    let html = |media: &str| media.trim().starts_with("text/html");
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    accepted.flat_map(|accept| accept.split(',')).any(html)
}

/// The name under which the list of sales is kept; no sale has it.
const FRONT: &str = "";

/// Pages for everybody as they were made last. Each is made, and compressed, once a second at most while nothing changes, however
/// many ask: that is how long anybody may keep it.
#[derive(Default)]
pub struct Pages {
    kept: RwLock<foldhash::HashMap<String, Kept>>,
}

struct Kept {
    /// The second in which it was made.
    second: i64,
    /// What it was made of.
    of: String,
    forms: Arc<Forms>,
}

impl Pages {
    /// The page called `name` as it was made of the same within this second, or made now.
    fn get(&self, name: &str, now: Timestamp, of: String, make: impl FnOnce() -> String) -> Arc<Forms> {
        let second = now.as_millis().div_euclid(1_000);
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.get(name).filter(|kept| kept.second == second && kept.of == of) {
            return Arc::clone(&kept.forms);
        }
        drop(kept);
        let forms = Arc::new(Forms::of(make()));
        let fresh = Kept { second, of, forms: Arc::clone(&forms) };
        self.kept.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), fresh);
        forms
    }
}

/// The running or next sale, or a list.
pub async fn front(State(edge): Shared, request: AxumRequest) -> Response<Body> {
    let wished = Coding::wished(request.headers());
    let now = edge.now();
    let sales = edge.catalog.all();
    let mut open: Vec<_> = sales.iter().filter(|sale| now < sale.ends_at).collect();
    open.sort_by_key(|sale| sale.starts_at);
    if let [only] = open.as_slice() {
        return shown(&edge, only, wished);
    }
    let shown = if open.is_empty() { sales.iter().collect() } else { open };
    let lines: Vec<page::SaleLine> = shown
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
    let of = shown_of(
        lines
            .iter()
            .flat_map(|line| [&line.sale_id, &line.name, &line.state, &line.starts_at, &line.ends_at]),
    );
    let forms = edge.pages.get(FRONT, now, of, || page::sales(&lines));
    reply::page_for_all(PAGE_CACHE, &forms, wished)
}

/// What a page is made of, in one text.
fn shown_of<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    texts.flat_map(|text| [text.as_str(), "\n"]).collect()
}

/// The page of a sale.
pub async fn sale_page(State(edge): Shared, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    match edge.sale(&sale).await {
        Ok(sale) => shown(&edge, &sale, Coding::wished(&head.headers)),
        Err(problem) if problem.code() == Code::UnknownSale => {
            reply::html(StatusCode::NOT_FOUND, page::not_found(head.uri.path(), true))
        }
        Err(_) => reply::html(StatusCode::SERVICE_UNAVAILABLE, page::sale_later()),
    }
}

/// The page of a sale, which may show the widget of a challenge.
fn shown(edge: &Edge, sale: &domain::sale::Sale, wished: Coding) -> Response<Body> {
    // The document's tag is new with each revision, state and availability.
    let of = sale::tag(edge, sale);
    let forms = edge.pages.get(sale.sale_id.as_str(), edge.now(), of, || page::sale(&page_sale(edge, sale)));
    let mut reply = reply::page_for_all(PAGE_CACHE, &forms, wished);
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
        return reply::html(StatusCode::NOT_FOUND, page::order_unknown());
    };
    let Ok(found) = status::look(&edge, &stamp).await else {
        return reply::html(StatusCode::SERVICE_UNAVAILABLE, page::order_later());
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
    reply::html(StatusCode::OK, page::order(&view))
}

/// The operator's page.
pub async fn console() -> Response<Body> {
    reply::html(StatusCode::OK, page::console())
}

/// What errors mean.
pub async fn problems(request: AxumRequest) -> Response<Body> {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    let forms = FORMS.get_or_init(|| Forms::of(page::problems()));
    reply::page_for_all(PROBLEM_CACHE, forms, Coding::wished(request.headers()))
}

/// What one error means.
pub async fn problem_page(PathPart(code): PathPart, request: AxumRequest) -> Response<Body> {
    match page::problem(&code) {
        // Small, and asked for by hardly anybody: it is not compressed.
        Some(page) => reply::page_for_all(PROBLEM_CACHE, &Forms::of(page), Coding::Identity),
        None => reply::html(StatusCode::NOT_FOUND, page::not_found(request.uri().path(), true)),
    }
}

/// A script or a style.
pub async fn asset(PathPart(name): PathPart, request: AxumRequest) -> Response<Body> {
    let Some(asset) = page::asset(&name) else {
        return reply::html(StatusCode::NOT_FOUND, page::not_found(request.uri().path(), true));
    };
    let wished = Coding::wished(request.headers());
    let (_, mut reply) = reply::for_all(asset.content_type, FOR_EVER, asset.forms, wished);
    reply.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    reply
}
