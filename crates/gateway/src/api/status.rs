//! `GET /v1/orders/status/{ticket}`, and the same as a stream of events.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::edge::Edge;
use crate::problem::{Code, Problem, fault};
use crate::reply::Whole;

/// A stream is looked at again after this long even where nothing woke it.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The status document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Document {
    /// The ticket.
    pub queue_ticket_id: String,
    /// `pending`, `awaiting_payment`, `confirmed` or `failed`.
    pub phase: &'static str,
    /// The fine state.
    pub status: &'static str,
    /// Why, where there is something to say.
    pub reason: Option<&'static str>,
    /// The sale.
    pub sale_id: String,
    /// The product; null where a failing store lost which it was.
    pub product_id: Option<String>,
    /// How many; null where a failing store lost it.
    pub quantity: Option<u8>,
    /// Which units are theirs; empty until confirmed.
    pub units: Vec<u32>,
    /// Where to pay.
    pub checkout_url: Option<String>,
    /// When the hold ends.
    pub hold_expires_at: Option<String>,
    /// When to look again, milliseconds.
    pub poll_after_ms: u64,
    /// Only grows.
    pub version: u32,
}

/// A status in the contract's words.
#[must_use]
pub fn document(edge: &Edge, status: &StatusDocument) -> Document {
    let shard = &status.stamp.shard;
    let sale = edge.catalog.get(&shard.sale);
    let terms = status.terms;
    let product = sale.as_ref().and_then(|sale| sale.products.get(terms?.product.index()));
    Document {
        queue_ticket_id: edge.tickets().seal(&status.stamp),
        phase: status.status.phase().as_str(),
        status: status.status.as_str(),
        reason: status.reason,
        sale_id: shard.sale.to_string(),
        product_id: product.map(|product| product.product_id.to_string()),
        quantity: terms.map(|terms| terms.quantity),
        units: status.units.to_vec(),
        checkout_url: status.checkout_url.clone(),
        hold_expires_at: status.hold_expires_at.map(|at| at.to_string()),
        poll_after_ms: if status.terminal { edge.settings.poll_max_ms } else { edge.poll_after_ms() },
        version: status.version,
    }
}

/// The stamp of a ticket.
///
/// # Errors
/// 404, decided without asking anybody.
pub fn opened(edge: &Edge, ticket: &str) -> Result<TicketStamp, Problem> {
    edge.ticket(ticket).ok_or_else(unknown)
}

/// 404.
#[must_use]
pub fn unknown() -> Problem {
    Problem::new(Code::UnknownTicket, "no order has this ticket")
}

/// The status of a ticket that we sealed.
///
/// # Errors
/// 503 where nobody can tell.
pub async fn look(edge: &Edge, stamp: &TicketStamp) -> Result<StatusDocument, Problem> {
    match edge.orders.status(stamp).await {
        Ok(Some(status)) => Ok(status),
        Ok(None) => Err(Problem::new(Code::Unavailable, "the order is on its way into the ledger")
            .retry_after_ms(edge.busy_ms())),
        Err(failed) => Err(fault(edge, &failed)),
    }
}

/// Answers with the status.
///
/// # Errors
/// 404 or 503.
pub async fn status(edge: &Edge, ticket: &str) -> Result<Whole, Problem> {
    let stamp = opened(edge, ticket)?;
    let status = look(edge, &stamp).await?;
    Ok(Whole::json(StatusCode::OK, &document(edge, &status)))
}

/// Answers with a stream: one event a change, until a terminal state.
///
/// # Errors
/// 404 or 503.
pub async fn events(edge: Arc<Edge>, ticket: &str) -> Result<Response<Body>, Problem> {
    let stamp = opened(&edge, ticket)?;
    let place = StreamPlace::take(&edge)?;
    let first = look(&edge, &stamp).await?;
    let following = Following { edge, stamp, at: At::First(Box::new(first)), _place: place };
    let stream = futures::stream::unfold(following, Following::step);
    let mut reply = Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(reply)
}

/// One of the streams that may be open at once; given back when the stream ends.
struct StreamPlace(Arc<Edge>);

impl StreamPlace {
    /// # Errors
    /// 503: streams stay for long, and must leave connections for those who buy, pay and poll.
    fn take(edge: &Arc<Edge>) -> Result<Self, Problem> {
        if edge.streams.fetch_add(1, Ordering::Relaxed) >= edge.settings.streams {
            edge.streams.fetch_sub(1, Ordering::Relaxed);
            let refused =
                Problem::new(Code::Overloaded, "too many streams are open: poll the status instead");
            return Err(refused.retry_after_ms(edge.busy_ms()));
        }
        Ok(Self(Arc::clone(edge)))
    }
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Following {
    edge: Arc<Edge>,
    stamp: TicketStamp,
    at: At,
    _place: StreamPlace,
}

/// Where a stream stands.
enum At {
    /// Nothing was sent yet.
    First(Box<StatusDocument>),
    /// This version was sent.
    Sent(u32),
    /// The end was sent.
    End,
}

impl Following {
    async fn step(self) -> Option<(Result<Event, Infallible>, Self)> {
        let Self { edge, stamp, at, _place } = self;
        let status = match at {
            At::First(status) => *status,
            At::Sent(version) => newer(&edge, &stamp, version).await?,
            At::End => return None,
        };
        let event = Event::default().id(status.version.to_string()).event("status");
        let event = event.json_data(document(&edge, &status)).unwrap_or_default();
        let at = if status.terminal { At::End } else { At::Sent(status.version) };
        Some((Ok(event), Self { edge, stamp, at, _place }))
    }
}

/// The next status; `None` where the process stops: the client then asks again.
async fn newer(edge: &Edge, stamp: &TicketStamp, version: u32) -> Option<StatusDocument> {
    loop {
        tokio::select! {
            () = edge.stop.cancelled() => return None,
            _ = tokio::time::timeout(LOOK_AGAIN, edge.orders.wait(stamp, version)) => {}
        }
        if let Ok(Some(status)) = edge.orders.status(stamp).await
            && status.version > version
        {
            return Some(status);
        }
    }
}
