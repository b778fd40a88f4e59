//! `POST /v1/sales/{sale_id}/checkout`: the checks in the contract's order, then the order service.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use domain::challenge::Signal;
use domain::id::SaleId;
use domain::status::StatusDocument;
use domain::time::Timestamp;
use http::{HeaderName, HeaderValue, StatusCode, header};
use ports::orders::{Checkout, CheckoutAnswer, CheckoutRefusal};
use serde::Serialize;

use super::bearer;
use super::checkout_form;
use crate::challenges::{self, Standing};
use crate::client_address::network_key;
use crate::edge::Edge;
use crate::hot::Given;
use crate::limits::{Cells, header_value};
use crate::lists::Rule;
use crate::problem::{Code, FieldError, Problem, fault, unknown_sale};
use crate::reply::{self, Whole};
use crate::session::{self, Session};

/// Says that the ticket was made by an earlier request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Largest body, bytes.
pub const LARGEST: usize = 4_096;

/// Wait told to networks that the operator denies, milliseconds: they may be taken off the list.
const DENIED_MS: u64 = 60_000;

/// Shortest wait told where a unit may come free at any moment, milliseconds.
const SHORTEST_WAIT_MS: u64 = 1_000;
/// Longest wait told with a 409, milliseconds: units may come back earlier than the next deadline.
const LONGEST_WAIT_MS: u64 = 30_000;
/// Longest wait told before a sale begins, milliseconds; its start is in the answer.
const LONGEST_START_MS: u64 = 86_400_000;

/// The 202.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Accepted {
    /// The ticket.
    queue_ticket_id: String,
    /// See the status document.
    status: &'static str,
    /// Where to follow it.
    status_url: String,
    /// When the hold ends; null until the payment address is there.
    hold_expires_at: Option<String>,
    /// When to look, milliseconds.
    poll_after_ms: u64,
}

/// Answers a checkout of `sale`.
///
/// # Errors
/// A problem of the contract's table.
pub async fn checkout(
    edge: &Edge,
    sale: &str,
    client: IpAddr,
    given: &Given<'_>,
    body: &[u8],
) -> Result<Whole, Problem> {
    let Some(_place) = edge.shedding.enter(edge.clock()) else {
        edge.shedding.step_aside(edge.clock(), edge.dice()).await;
        let detail = "too many checkouts are under way; nothing was done";
        let wait = edge.shedding.wait_ms(edge.now(), edge.dice());
        return Err(Problem::new(Code::Overloaded, detail).retry_after_ms(wait));
    };
    reply::is_json(given.content_type)?;
    let session = session(edge, given)?;
    limit(edge, &session, client, sale)?;
    let form = checkout_form::read(given, body).inspect_err(|_| {
        edge.challenger.note(edge, &session.user, Signal::Malformed);
    })?;
    if form.user != session.user {
        edge.challenger.note(edge, &session.user, Signal::Mismatched);
        return Err(Problem::new(Code::UserMismatch, "user_id must be the session's subject"));
    }
    let Ok(sale_id) = SaleId::parse(sale) else { return Err(unknown_sale()) };
    let quantity = form.quantity;
    let standing = challenges::standing(edge, &sale_id, &session, client, given, &form.key).await;
    let passed = standing == Standing::Passed;
    let checkout =
        Checkout { sale: sale_id, user: form.user, product: form.product, key: form.key, quantity, passed };
    match edge.orders.checkout(checkout).await {
        Ok(CheckoutAnswer::Accepted { document, replayed }) => Ok(accepted(edge, &document, replayed)),
        Ok(CheckoutAnswer::Refused(CheckoutRefusal::ChallengeRequired)) => {
            Err(challenges::required(sale, standing))
        }
        Ok(CheckoutAnswer::Refused(refusal)) => Err(refused(edge, refusal)),
        Err(failed) => Err(fault(edge, &failed)),
    }
}

/// The session of a request.
///
/// # Errors
/// 401.
pub fn session(edge: &Edge, given: &Given<'_>) -> Result<Session, Problem> {
    let wrong = |detail| Problem::new(Code::InvalidSession, detail);
    let token =
        bearer(given.authorization).ok_or_else(|| wrong("send one session, as 'Authorization: Bearer …'"))?;
    if token.len() > session::LONGEST {
        let (length, most) = (token.len(), session::LONGEST);
        let detail = format!("the session is too long: it has {length} characters, and may have {most}");
        return Err(Problem::new(Code::InvalidSession, detail));
    }
    let verified = edge.sessions.verify(token, edge.now());
    let session =
        verified.ok_or_else(|| wrong("the session is expired, or was not signed for this system"))?;
    if edge.lists.revoked.load().has(&session) {
        edge.lists.revoked_sessions.fetch_add(1, Ordering::Relaxed);
        return Err(wrong("the session was revoked"));
    }
    Ok(session)
}

/// Checkouts per user and sale, and requests per network.
fn limit(edge: &Edge, session: &Session, client: IpAddr, sale: &str) -> Result<(), Problem> {
    let (settings, user) = (&edge.settings, &session.user);
    let (room, key) = (("user", &edge.rooms.users), user.as_str().as_bytes());
    let counted = one_limit(edge, room, key, settings.user_per_s, settings.user_burst);
    counted.inspect_err(|_| edge.challenger.note(edge, user, Signal::RateLimited))?;
    network_limit(edge, client)?;
    let burst = (settings.sale_per_s / 10.0).ceil().max(1.0) as u32;
    one_limit(edge, ("sale", &edge.rooms.sales), sale.as_bytes(), settings.sale_per_s, burst)
}

/// Challenges per user, which use up none of their checkouts: each costs the server a derivation, and whoever is given many makes
/// everybody's more work.
///
/// # Errors
/// 429.
pub fn challenge_limit(edge: &Edge, session: &Session) -> Result<(), Problem> {
    if edge.settings.user_per_s <= 0.0 {
        return Ok(());
    }
    let (room, key) = (("user", &edge.rooms.challenges), session.user.as_str().as_bytes());
    let counted = one_limit(edge, room, key, challenges::PER_USER_PER_S, challenges::PER_USER_BURST);
    counted.inspect_err(|_| edge.challenger.note(edge, &session.user, Signal::RateLimited))
}

/// Requests per network; loopback and networks that the operator allows are not limited, and those that they deny refused.
///
/// # Errors
/// 429.
pub fn network_limit(edge: &Edge, client: IpAddr) -> Result<(), Problem> {
    if client.to_canonical().is_loopback() {
        return Ok(());
    }
    match edge.lists.networks.load().rule(client) {
        None => {}
        Some(Rule::Allow) => return Ok(()),
        Some(Rule::Deny) => {
            edge.lists.denied_requests.fetch_add(1, Ordering::Relaxed);
            let wait_s = edge.spread_ms(DENIED_MS).div_ceil(1_000);
            let standing =
                (format!("\"network\";q=0;w={}", DENIED_MS / 1_000), format!("\"network\";r=0;t={wait_s}"));
            return Err(too_many("no requests of this network are taken", wait_s * 1_000, standing));
        }
    }
    let (room, key) = (("network", &edge.rooms.networks), network_key(client).to_be_bytes());
    one_limit(edge, room, &key, edge.settings.network_per_s, edge.settings.network_burst)
}

fn one_limit(
    edge: &Edge,
    (name, cells): (&str, &Cells),
    key: &[u8],
    rate_per_s: f64,
    burst: u32,
) -> Result<(), Problem> {
    if rate_per_s <= 0.0 {
        return Ok(());
    }
    let now = edge.clock().elapsed();
    let Err(denied) = cells.check(key, rate_per_s, burst, now) else { return Ok(()) };
    let detail = format!("too many requests of this {name}");
    let standing = header_value(name, rate_per_s, burst, &denied);
    Err(too_many(&detail, edge.spread_ms(denied.retry_after_ms), standing))
}

/// 429, with the policy and how the client stands by it.
fn too_many(detail: &str, retry_after_ms: u64, (policy, standing): (String, String)) -> Problem {
    let problem = Problem::new(Code::RateLimited, detail).retry_after_ms(retry_after_ms);
    let named = |name, text: String| HeaderValue::from_str(&text).ok().map(|value| (name, value));
    let headers = [
        named(HeaderName::from_static("ratelimit-policy"), policy),
        named(HeaderName::from_static("ratelimit"), standing),
    ];
    headers.into_iter().flatten().fold(problem, |problem, (name, value)| problem.header(name, value))
}

fn accepted(edge: &Edge, document: &StatusDocument, replayed: bool) -> Whole {
    let ticket = edge.tickets().seal(&document.stamp);
    let status_url = format!("/v1/orders/status/{ticket}");
    let location = HeaderValue::from_str(&status_url);
    let body = Accepted {
        queue_ticket_id: ticket,
        status: document.status.as_str(),
        status_url,
        hold_expires_at: document.hold_expires_at.map(|at| at.to_string()),
        poll_after_ms: edge.poll_after_ms(),
    };
    let mut whole = Whole::json(StatusCode::ACCEPTED, &body);
    whole.headers.extend(location.ok().map(|location| (header::LOCATION, location)));
    if replayed {
        whole = whole.header(REPLAYED, HeaderValue::from_static("true"));
    }
    whole
}

/// One exhaustive match from refusals to the contract's rows.
fn refused(edge: &Edge, refusal: CheckoutRefusal) -> Problem {
    match refusal {
        CheckoutRefusal::UnknownSale => unknown_sale(),
        CheckoutRefusal::UnknownProduct => {
            Problem::new(Code::UnknownProduct, "the sale has no product with this product_id")
        }
        CheckoutRefusal::OverLimitQuantity { max_per_user } => {
            let detail =
                format!("must be at most {max_per_user}: one buyer may have no more of this product");
            Problem::invalid(vec![FieldError::new("quantity", detail)])
        }
        CheckoutRefusal::KeyReused => Problem::new(
            Code::IdempotencyKeyReused,
            "this key has a ticket for another product or quantity; use a new key for another purchase",
        ),
        CheckoutRefusal::SaleEnded => Problem::new(Code::SaleEnded, "the sale takes no checkouts any more"),
        CheckoutRefusal::NotStarted { starts_at } => not_started(edge, starts_at),
        CheckoutRefusal::Paused => {
            Problem::new(Code::Paused, "the operator has stopped new checkouts for now")
                .retry_after_ms(edge.busy_ms() + SHORTEST_WAIT_MS)
        }
        CheckoutRefusal::ChallengeRequired => {
            Problem::new(Code::ChallengeRequired, "solve a challenge first")
        }
        CheckoutRefusal::LimitReached { newest } => Problem::new(
            Code::LimitReached,
            "with what you hold and bought it would be more than one buyer may have",
        )
        .member("queue_ticket_id", edge.tickets().seal(&newest)),
        CheckoutRefusal::SoldOut => Problem::new(Code::SoldOut, "no unit is left: all of them are sold"),
        CheckoutRefusal::AllHeld { next_release_at } => {
            held(edge, Code::AllUnitsHeld, "every unit is held, but holds may lapse", next_release_at)
        }
        CheckoutRefusal::NotEnough { next_release_at } => {
            let detail = "fewer units are free than you asked for; none was taken";
            held(edge, Code::NotEnoughUnits, detail, next_release_at)
        }
    }
}

fn not_started(edge: &Edge, starts_at: Timestamp) -> Problem {
    let wait = starts_at.millis_since(edge.now()).min(LONGEST_START_MS);
    Problem::new(Code::SaleNotStarted, "the sale begins at starts_at, by the server's clock")
        .member("starts_at", starts_at.to_string())
        .retry_after_ms(wait)
}

fn held(edge: &Edge, code: Code, detail: &str, next_release_at: Option<Timestamp>) -> Problem {
    let until = next_release_at.map_or(SHORTEST_WAIT_MS, |at| at.millis_since(edge.now()));
    let wait = edge.dice().jittered(until.clamp(SHORTEST_WAIT_MS, LONGEST_WAIT_MS), 0.25);
    Problem::new(code, detail)
        .member("next_release_at", next_release_at.map(|at| at.to_string()))
        .retry_after_ms(wait)
}
