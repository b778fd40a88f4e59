//! Orders of a sale: listed, exported, told, refunded; and what operators did.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use domain::id::{SaleId, UserId};
use domain::order::{Order, Reason};
use domain::status::{Status, StatusDocument};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use ports::ledger::{OrderFilter, Step};
use purchase::operate::RefundAnswer;
use serde::Serialize;
use serde_json::{Value, json};

use super::{ACTOR, answer, authorised};
use crate::api::sale::Price;
use crate::api::status::{opened, unknown as unknown_ticket};
use crate::edge::Edge;
use crate::json_members;
use crate::path_part::PathPart;
use crate::problem::{Answer, Code, FieldError, Problem, fault, known_id};
use crate::reply;

/// Orders on one page.
const PAGE: usize = 100;
/// Orders of one piece of an export.
const PIECE: usize = 1_000;
/// Actions shown.
const ACTIONS: usize = 1_000;
/// Largest body of a refund, bytes.
const LARGEST: usize = 1_024;

type Asked = Request<Body>;

/// An order as an operator sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct OperatorOrder {
    queue_ticket_id: String,
    sale_id: String,
    product_id: Option<String>,
    user_id: String,
    quantity: u8,
    units: Vec<u32>,
    status: &'static str,
    reason: Option<&'static str>,
    amount: Price,
    payment: Option<String>,
    allocated_at: String,
    hold_expires_at: Option<String>,
    changed_at: String,
    version: u32,
}

fn operator_order(edge: &Edge, order: &Order) -> OperatorOrder {
    let sale = edge.catalog.get(&order.shard.sale);
    let product = sale.as_ref().and_then(|sale| sale.products.get(order.terms.product.index()));
    let document = StatusDocument::of(order);
    OperatorOrder {
        queue_ticket_id: edge.tickets().seal(&order.stamp()),
        sale_id: order.shard.sale.to_string(),
        product_id: product.map(|product| product.product_id.to_string()),
        user_id: order.user_id.as_str().to_owned(),
        quantity: order.terms.quantity,
        units: order.units.to_vec(),
        status: document.status.as_str(),
        reason: document.reason,
        amount: order.amount.into(),
        payment: order.payment.as_ref().map(|payment| payment.payment.clone()),
        allocated_at: order.allocated_at.to_string(),
        hold_expires_at: order.expires_at.map(|at| at.to_string()),
        changed_at: order.changed_at.to_string(),
        version: order.version,
    }
}

/// What a list is filtered by.
struct Query {
    filter: OrderFilter,
    ticket: Option<String>,
    cursor: u64,
}

fn query(edge: &Edge, sale: &SaleId, text: &str) -> Result<Query, Problem> {
    let mut asked = Query { filter: OrderFilter::default(), ticket: None, cursor: 0 };
    let mut errors = Vec::new();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(text).unwrap_or_default();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        let wrong = match name.as_str() {
            "user_id" => match UserId::parse(&value) {
                Ok(user) => {
                    asked.filter.user = Some(edge.stores.ids.user(sale, &user));
                    None
                }
                Err(refusal) => Some(refusal.to_string()),
            },
            "status" => {
                asked.filter.status = Status::ALL.into_iter().find(|status| status.as_str() == value);
                let words: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
                asked.filter.status.is_none().then(|| format!("must be one of {}", words.join(", ")))
            }
            "ticket" => {
                asked.ticket = Some(value);
                None
            }
            "cursor" => {
                let cursor = value.parse().ok();
                asked.cursor = cursor.unwrap_or_default();
                cursor.is_none().then(|| "must be the cursor of the page before".to_owned())
            }
            // Names were looked at before.
            _ => None,
        };
        errors.extend(wrong.map(|detail| FieldError::new(name, detail)));
    }
    if errors.is_empty() { Ok(asked) } else { Err(Problem::invalid(errors)) }
}

/// `GET /admin/v1/sales/{sale}/orders`.
pub async fn list(State(edge): State<Arc<Edge>>, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    let listed = async {
        authorised(&edge, &head.headers)?;
        let id = known_id(&sale)?;
        edge.known_sale(&id).await?;
        let asked = query(&edge, &id, head.uri.query().unwrap_or_default())?;
        let failed = |error: ports::Fault| fault(&edge, &error);
        let (orders, cursor) = match &asked.ticket {
            Some(ticket) => {
                let stamp = edge.ticket(ticket).filter(|stamp| stamp.shard.sale == id);
                let found = match stamp {
                    Some(stamp) => edge.operator.story(stamp.ticket).await.map_err(failed)?,
                    None => None,
                };
                let found = found.into_iter().map(|(order, _)| order);
                (found.filter(|order| asked.filter.takes(order)).collect(), None)
            }
            None => edge.operator.orders(&id, &asked.filter, asked.cursor, PAGE).await.map_err(failed)?,
        };
        let orders: Vec<_> = orders.iter().map(|order| operator_order(&edge, order)).collect();
        let cursor = cursor.map(|cursor| cursor.to_string());
        Ok(reply::json(StatusCode::OK, &json!({ "orders": orders, "cursor": cursor })))
    };
    let listed: Answer = listed.await;
    answer(head.uri.path(), listed)
}

/// `GET /admin/v1/sales/{sale}/orders.csv`: RFC 4180, streamed.
pub async fn csv(State(edge): State<Arc<Edge>>, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    let exported = async {
        authorised(&edge, &head.headers)?;
        let id = known_id(&sale)?;
        edge.known_sale(&id).await?;
        let name = format!("attachment; filename=\"{id}-orders.csv\"");
        let pieces = futures::stream::unfold((Arc::clone(&edge), id, Some(None)), piece);
        let mut reply = Response::new(Body::from_stream(pieces));
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply::set(&mut reply, header::CONTENT_DISPOSITION, &name);
        Ok(reply)
    };
    let exported: Answer = exported.await;
    answer(head.uri.path(), exported)
}

const COLUMNS: &str = "queue_ticket_id,product_id,user_id,quantity,units,status,reason,amount,currency,payment,\
                       allocated_at,changed_at\r\n";

/// Where an export stands: nothing sent yet, or the cursor to go on with; `None` at its end.
type Export = (Arc<Edge>, SaleId, Option<Option<u64>>);

async fn piece((edge, id, at): Export) -> Option<(Result<Bytes, ports::Fault>, Export)> {
    let Some(cursor) = at? else {
        return Some((Ok(Bytes::from_static(COLUMNS.as_bytes())), (edge, id, Some(Some(0)))));
    };
    match edge.operator.orders(&id, &OrderFilter::default(), cursor, PIECE).await {
        Ok((orders, next)) => {
            let rows: String = orders.iter().map(|order| row(&operator_order(&edge, order))).collect();
            Some((Ok(rows.into()), (edge, id, next.map(Some))))
        }
        // The stream breaks off, so that nobody takes half an export for the whole.
        Err(error) => Some((Err(error), (edge, id, None))),
    }
}

fn row(order: &OperatorOrder) -> String {
    let units: Vec<String> = order.units.iter().map(u32::to_string).collect();
    let (quantity, units) = (order.quantity.to_string(), units.join(" "));
    let fields = [
        order.queue_ticket_id.as_str(),
        order.product_id.as_deref().unwrap_or_default(),
        &order.user_id,
        &quantity,
        &units,
        order.status,
        order.reason.unwrap_or_default(),
        &order.amount.amount,
        &order.amount.currency,
        order.payment.as_deref().unwrap_or_default(),
        &order.allocated_at,
        &order.changed_at,
    ];
    fields.map(field).join(",") + "\r\n"
}

/// A field that no spreadsheet takes for a formula, quoted where it must be.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if formula { format!("'{text}") } else { text.to_owned() };
    if guarded.contains([',', '"', '\r', '\n']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[derive(Serialize, utoipa::ToSchema)]
struct StoryStep {
    at: String,
    version: u32,
    status: &'static str,
    reason: Option<&'static str>,
}

fn steps(story: &[Step]) -> Vec<StoryStep> {
    let step = |step: &Step| StoryStep {
        at: step.at.to_string(),
        version: step.version,
        status: Status::of(step.state, step.reason).as_str(),
        reason: step.reason.map(Reason::as_str),
    };
    story.iter().map(step).collect()
}

/// `GET /admin/v1/orders/{ticket}`: the whole story.
pub async fn story(State(edge): State<Arc<Edge>>, PathPart(ticket): PathPart, head: Parts) -> Response<Body> {
    let told = async {
        authorised(&edge, &head.headers)?;
        let stamp = opened(&edge, &ticket)?;
        let failed = |error: ports::Fault| fault(&edge, &error);
        let found = edge.operator.story(stamp.ticket).await.map_err(failed)?;
        let (order, story) = found.ok_or_else(unknown_ticket)?;
        let body = json!({
            "order": operator_order(&edge, &order),
            "issued_at": order.issued_at.to_string(),
            "story": steps(&story),
        });
        Ok(reply::json(StatusCode::OK, &body))
    };
    let told: Answer = told.await;
    answer(head.uri.path(), told)
}

/// Whether the goods come back with a refund.
fn return_units(body: &[u8]) -> Result<bool, Problem> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(false);
    }
    let wrong = |field: &str, detail: &str| Problem::invalid(vec![FieldError::new(field, detail)]);
    let value = json_members::read(body)?;
    let members = value.as_object().ok_or_else(|| wrong("body", "must be a JSON object"))?;
    if let Some(other) = members.keys().find(|name| *name != "return_units") {
        return Err(wrong(other, "is not a member here; the only member is return_units"));
    }
    match members.get("return_units") {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(wrong("return_units", "must be true or false")),
    }
}

/// `POST /admin/v1/orders/{ticket}/refund`.
pub async fn refund(
    State(edge): State<Arc<Edge>>,
    PathPart(ticket): PathPart,
    request: Asked,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let refunded = async {
        authorised(&edge, request.headers())?;
        let body = reply::body(&edge, request.into_body(), LARGEST).await?;
        let return_units = return_units(&body)?;
        let stamp = opened(&edge, &ticket)?;
        let done = edge.operator.refund(ACTOR, stamp.ticket, return_units).await;
        match done.map_err(|error| fault(&edge, &error))? {
            RefundAnswer::Refunding(order) => Ok(reply::json(StatusCode::OK, &operator_order(&edge, &order))),
            RefundAnswer::Refused(..) => {
                Err(Problem::new(Code::NotRefundable, "only a confirmed order can be refunded"))
            }
            RefundAnswer::Unknown => Err(unknown_ticket()),
        }
    };
    let refunded: Answer = refunded.await;
    answer(&path, refunded)
}

/// `GET /admin/v1/actions`.
pub async fn actions(State(edge): State<Arc<Edge>>, head: Parts) -> Response<Body> {
    let listed = async {
        authorised(&edge, &head.headers)?;
        let failed = |error: ports::Fault| fault(&edge, &error);
        let actions = edge.operator.actions(ACTIONS).await.map_err(failed)?;
        let actions = actions.iter().map(|action| {
            json!({
                "at": action.at.to_string(),
                "actor": action.actor,
                "action": action.action,
                "sale_id": action.sale.as_ref().map(ToString::to_string),
                "detail": action.detail,
            })
        });
        let actions: Vec<_> = actions.collect();
        Ok(reply::json(StatusCode::OK, &json!({ "actions": actions })))
    };
    let listed: Answer = listed.await;
    answer(head.uri.path(), listed)
}
