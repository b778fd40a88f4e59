//! Sales: created, shown, changed, paused, ended, restocked.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use domain::id::{IdempotencyKey, ProductId};
use domain::limits::MAX_STOCK;
use domain::sale::Sale;
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use ports::sales::{Created, Restocked};
use purchase::operate::Patched;
use serde_json::{Value, json};

use super::report::operator_sale;
use super::{ACTOR, answer, authorised, sale_form};
use crate::api::checkout_form;
use crate::edge::Edge;
use crate::hot::{Given, only};
use crate::json_members;
use crate::path_part::PathPart;
use crate::problem::{Answer, Code, FieldError, Problem, fault, known_id, unknown_sale};
use crate::reply;

/// Largest body of an operator's request, bytes: a sale with the most products and the longest texts.
const LARGEST: usize = 2 << 20;

type Asked = Request<Body>;

/// The JSON body of a request that carries the operator's token.
async fn read(edge: &Edge, request: Asked) -> Result<Value, Problem> {
    authorised(edge, request.headers())?;
    reply::is_json(only(request.headers(), &http::header::CONTENT_TYPE))?;
    let body = reply::body(edge, request.into_body(), LARGEST).await?;
    json_members::read(&body)
}

fn shown(edge: &Edge, status: StatusCode, sale: &Sale) -> Response<Body> {
    reply::json(status, &operator_sale(edge, sale))
}

/// How long a new sale or a restock waits for the inventory to count its units, and how often it looks.
const COUNTED: Duration = Duration::from_millis(1_500);
const LOOK: Duration = Duration::from_millis(20);

/// Waits until the counts that an operator reads have the units of a new sale, or those that were added: without them an answer
/// would say that there are none, or that all are held or sold, while there is something to sell.
async fn counted(edge: &Edge, sale: &Sale, product: &ProductId) {
    let Some((_, known)) = sale.product(product) else { return };
    let shown = async {
        loop {
            let view = edge.orders.view(&sale.sale_id, product).unwrap_or_default();
            if view.available + view.held + view.sold >= known.stock {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    // Longer than that the shard is closed: its counts are of before, as those of every answer then.
    drop(tokio::time::timeout(COUNTED, shown).await);
}

/// `POST /admin/v1/sales`.
pub async fn create(State(edge): State<Arc<Edge>>, request: Asked) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let created = async {
        let sale = sale_form::sale(&read(&edge, request).await?)?;
        let id = sale.sale_id.clone();
        match edge.operator.create(ACTOR, sale).await.map_err(|error| fault(&edge, &error))? {
            Created::Exists => {
                Err(Problem::new(Code::SaleExists, "a sale has this sale_id already; it is as it was"))
            }
            Created::Created => {
                let sale = edge.known_sale(&id).await?;
                for product in &sale.products {
                    counted(&edge, &sale, &product.product_id).await;
                }
                let mut reply = shown(&edge, StatusCode::CREATED, &sale);
                reply::set(&mut reply, http::header::LOCATION, &format!("/admin/v1/sales/{id}"));
                Ok(reply)
            }
        }
    };
    let created: Answer = created.await;
    answer(&path, created)
}

/// `GET /admin/v1/sales`.
pub async fn list(State(edge): State<Arc<Edge>>, request: Asked) -> Response<Body> {
    let listed = authorised(&edge, request.headers()).map(|()| {
        let sales: Vec<_> = edge.operator.sales().iter().map(|sale| operator_sale(&edge, sale)).collect();
        reply::json(StatusCode::OK, &json!({ "sales": sales }))
    });
    answer(request.uri().path(), listed)
}

/// `GET /admin/v1/sales/{sale}`.
pub async fn show(State(edge): State<Arc<Edge>>, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    let found = async {
        authorised(&edge, &head.headers)?;
        Ok(shown(&edge, StatusCode::OK, &*edge.sale(&sale).await?))
    };
    let found: Answer = found.await;
    answer(head.uri.path(), found)
}

/// `PATCH /admin/v1/sales/{sale}`.
pub async fn patch(
    State(edge): State<Arc<Edge>>,
    PathPart(sale): PathPart,
    request: Asked,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let patched = async {
        let value = read(&edge, request).await?;
        let id = known_id(&sale)?;
        let known = edge.known_sale(&id).await?;
        let patch = sale_form::patch(&value, &known)?;
        match edge.operator.patch(ACTOR, &id, patch).await.map_err(|error| fault(&edge, &error))? {
            Patched::Patched(sale) => Ok(shown(&edge, StatusCode::OK, &sale)),
            Patched::Unknown => Err(unknown_sale()),
            Patched::EndsBeforeStart => {
                Err(Problem::invalid(vec![FieldError::new("ends_at", "must be later than starts_at")]))
            }
            Patched::TooLate(members) => {
                let detail = format!("the sale is live: {} cannot change any more", members.join(", "));
                Err(Problem::new(Code::AlreadyLive, detail))
            }
        }
    };
    let patched: Answer = patched.await;
    answer(&path, patched)
}

enum Step {
    Pause,
    Resume,
    End,
}

async fn steer(edge: Arc<Edge>, sale: String, request: Asked, step: Step) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let steered = async {
        authorised(&edge, request.headers())?;
        let body = reply::body(&edge, request.into_body(), LARGEST).await?;
        reply::nothing(&body)?;
        let id = known_id(&sale)?;
        let done = match step {
            Step::Pause => edge.operator.pause(ACTOR, &id).await,
            Step::Resume => edge.operator.resume(ACTOR, &id).await,
            Step::End => edge.operator.end(ACTOR, &id).await,
        };
        let sale = done.map_err(|error| fault(&edge, &error))?.ok_or_else(unknown_sale)?;
        Ok(shown(&edge, StatusCode::OK, &sale))
    };
    let steered: Answer = steered.await;
    answer(&path, steered)
}

/// `POST /admin/v1/sales/{sale}/pause`.
pub async fn pause(
    State(edge): State<Arc<Edge>>,
    PathPart(sale): PathPart,
    request: Asked,
) -> Response<Body> {
    steer(edge, sale, request, Step::Pause).await
}

/// `POST /admin/v1/sales/{sale}/resume`.
pub async fn resume(
    State(edge): State<Arc<Edge>>,
    PathPart(sale): PathPart,
    request: Asked,
) -> Response<Body> {
    steer(edge, sale, request, Step::Resume).await
}

/// `POST /admin/v1/sales/{sale}/end`.
pub async fn end(State(edge): State<Arc<Edge>>, PathPart(sale): PathPart, request: Asked) -> Response<Body> {
    steer(edge, sale, request, Step::End).await
}

/// The members of a small body, each read by a rule; unknown ones are named.
fn members<'a>(value: &'a Value, names: &[&str], errors: &mut Vec<FieldError>) -> Vec<Option<&'a Value>> {
    let Some(object) = value.as_object() else {
        errors.push(FieldError::new("body", "must be a JSON object"));
        return vec![None; names.len()];
    };
    for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
        let detail = format!("is not a member here; the members are {}", names.join(", "));
        errors.push(FieldError::new(name.as_str(), detail));
    }
    let found = names.iter().map(|name| {
        let value = object.get(*name);
        if value.is_none() {
            errors.push(FieldError::new(*name, "is missing"));
        }
        value
    });
    found.collect()
}

/// The key under which units are added.
fn key(headers: &HeaderMap) -> Result<IdempotencyKey, &'static str> {
    let required = "is required as a header: 1 to 255 visible ASCII characters";
    let key = checkout_form::header_key(&Given::of(headers))?.ok_or(required)?;
    IdempotencyKey::parse(&key).map_err(|_| required)
}

/// `POST /admin/v1/sales/{sale}/restock`.
pub async fn restock(
    State(edge): State<Arc<Edge>>,
    PathPart(sale): PathPart,
    request: Asked,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let restocked = async {
        let headers = request.headers().clone();
        let value = read(&edge, request).await?;
        let mut errors = Vec::new();
        let found = members(&value, &["product_id", "units"], &mut errors);
        let product = found[0].and_then(|value| {
            let id = value.as_str().and_then(|text| ProductId::parse(text).ok());
            errors.extend(
                id.is_none().then(|| FieldError::new("product_id", "must be a product's identifier")),
            );
            id
        });
        let units = found[1].and_then(|value| {
            let units = sale_form::whole(value, 1, u64::from(MAX_STOCK));
            units.map_err(|detail| errors.push(FieldError::new("units", detail))).ok()
        });
        let key =
            key(&headers).map_err(|detail| errors.push(FieldError::new("Idempotency-Key", detail))).ok();
        let (Some(product), Some(units), Some(key), true) = (product, units, key, errors.is_empty()) else {
            return Err(Problem::invalid(errors));
        };
        let id = known_id(&sale)?;
        let known = edge.known_sale(&id).await?;
        if known.product(&product).is_none() {
            return Err(Problem::new(Code::UnknownProduct, "the sale has no product with this product_id"));
        }
        let done = edge.operator.restock(ACTOR, &id, &product, units as u32, &key).await;
        match done.map_err(|error| fault(&edge, &error))? {
            Restocked::Restocked(sale) => {
                counted(&edge, &sale, &product).await;
                Ok(shown(&edge, StatusCode::OK, &sale))
            }
            Restocked::Replay(sale) => {
                let mut reply = shown(&edge, StatusCode::OK, &sale);
                reply::set(&mut reply, crate::api::checkout::REPLAYED, "true");
                Ok(reply)
            }
            Restocked::KeyReused => Err(Problem::new(
                Code::IdempotencyKeyReused,
                "this key was used for another restock; use a new key to add units again",
            )),
            Restocked::TooMany => {
                let detail = format!("the stock would be more than {MAX_STOCK}");
                Err(Problem::invalid(vec![FieldError::new("units", detail)]))
            }
            Restocked::Unknown => Err(unknown_sale()),
        }
    };
    let restocked: Answer = restocked.await;
    answer(&path, restocked)
}

/// `POST /admin/v1/sales/{sale}/message`.
pub async fn message(
    State(edge): State<Arc<Edge>>,
    PathPart(sale): PathPart,
    request: Asked,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let told = async {
        let value = read(&edge, request).await?;
        let mut errors = Vec::new();
        let found = members(&value, &["message"], &mut errors);
        let text = found[0].and_then(|value| {
            sale_form::prose(value).map_err(|detail| errors.push(FieldError::new("message", detail))).ok()
        });
        let (Some(text), true) = (text, errors.is_empty()) else { return Err(Problem::invalid(errors)) };
        let id = known_id(&sale)?;
        let sale = edge.operator.message(ACTOR, &id, &text).await;
        let sale = sale.map_err(|error| fault(&edge, &error))?.ok_or_else(unknown_sale)?;
        Ok(shown(&edge, StatusCode::OK, &sale))
    };
    let told: Answer = told.await;
    answer(&path, told)
}
