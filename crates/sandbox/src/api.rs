//! The API, in Stripe's form.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::Inner;
use crate::bank::{Bank, Kept, NewSession, Refused, Row, refused};
use crate::clock::now_ms;
use crate::faults::Faults;
use crate::form::Form;

type Shared = State<Arc<Inner>>;
type Reply = Response<Body>;

pub(crate) fn routes(inner: Arc<Inner>) -> Router {
    let api = Router::new()
        .route("/v1/checkout/sessions", post(create))
        .route("/v1/checkout/sessions/{id}", get(session))
        .route("/v1/checkout/sessions/{id}/expire", post(expire))
        .route("/v1/payment_intents/{id}", get(intent))
        .route("/v1/payment_intents/{id}/capture", post(capture))
        .route("/v1/payment_intents/{id}/cancel", post(cancel))
        .route("/v1/refunds", post(refund))
        .layer(from_fn_with_state(Arc::clone(&inner), faulty));
    let watch = Router::new().route("/ledger", get(ledger)).route("/faults", get(faults).put(set_faults));
    api.merge(watch)
        .layer(from_fn_with_state(Arc::clone(&inner), authorised))
        .route("/v1/health", get(health))
        .with_state(inner)
}

fn reply(status: u16, body: &Value) -> Reply {
    let mut reply = Response::new(Body::from(body.to_string()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}

fn error(refusal: &Refused) -> Reply {
    let kind = if refusal.status >= 500 { "api_error" } else { "invalid_request_error" };
    let body = json!({ "error": { "type": kind, "code": refusal.code, "message": refusal.message } });
    reply(refusal.status, &body)
}

fn away() -> Reply {
    error(&refused(503, "unavailable", "The provider cannot write its books"))
}

async fn authorised(State(inner): Shared, request: Request, next: Next) -> Reply {
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if bool::from(sent.as_bytes().ct_eq(inner.options.secret_key.as_bytes())) {
        return next.run(request).await;
    }
    error(&refused(401, "invalid_api_key", "Invalid API key"))
}

/// What goes wrong on purpose.
async fn faulty(State(inner): Shared, request: Request, next: Next) -> Reply {
    let chances = &inner.chances;
    if chances.is_limited(now_ms()) {
        let mut limited = error(&refused(429, "rate_limit", "Too many requests"));
        limited.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return limited;
    }
    let latency = chances.latency_ms();
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    if chances.happens(|faults| faults.timeout_rate) {
        std::future::pending::<()>().await;
    }
    let broken = || error(&refused(500, "api_error", "Something went wrong on our side"));
    if chances.happens(|faults| faults.error_rate) {
        return broken();
    }
    let answer = next.run(request).await;
    if chances.happens(|faults| faults.error_after_effect_rate) { broken() } else { answer }
}

async fn health() -> Json<Value> {
    Json(json!({ "status": "alive" }))
}

async fn ledger(State(inner): Shared) -> Reply {
    inner.store.call(|bank| bank.ledger()).await.map_or_else(|_| away(), |ledger| reply(200, &ledger))
}

async fn faults(State(inner): Shared) -> Json<Faults> {
    Json(inner.chances.faults())
}

async fn set_faults(State(inner): Shared, body: Bytes) -> Reply {
    match read_faults(&body, inner.chances.faults()) {
        Ok((faults, reseeded)) => {
            inner.chances.replace(faults, reseeded);
            reply(200, &json!(faults))
        }
        Err(wrong) => error(&refused(400, "parameter_invalid", wrong)),
    }
}

/// New faults: what is not named is nothing, but the seed stays as it is, and so does the course of chances under it.
fn read_faults(body: &[u8], present: Faults) -> Result<(Faults, bool), String> {
    let mut named: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| format!("must be a JSON object of faults: {error}"))?;
    let reseeded = named.contains_key("seed");
    named.entry("seed").or_insert_with(|| present.seed.into());
    let faults: Faults = serde_json::from_value(named.into()).map_err(|error| error.to_string())?;
    faults.mistake().map_or(Ok((faults, reseeded)), Err)
}

/// Runs a call once per idempotency key: the same key and parameters give the same answer.
async fn once(
    inner: &Inner,
    path: String,
    headers: &HeaderMap,
    body: Bytes,
    work: impl FnOnce(&mut Bank, &Form) -> Result<Value, Refused> + Send + 'static,
) -> Reply {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let form = match Form::read(&body) {
        Ok(form) => form,
        Err(wrong) => return error(&refused(400, "parameter_invalid", wrong)),
    };
    let done = inner.store.call(move |bank| {
        let fingerprint = format!("{path}\u{0}{}", form.fingerprint());
        if let Some(kept) = key.as_ref().and_then(|key| bank.keys.get(key)) {
            if kept.fingerprint != fingerprint {
                let message = "Keys for idempotent requests can only be used with the same parameters";
                return Err(refused(400, "idempotency_error", message));
            }
            return Ok((kept.status, kept.body.clone()));
        }
        let value = work(bank, &form)?;
        if let Some(key) = key {
            bank.keys.insert(key.clone(), Kept { fingerprint, status: 200, body: value.clone() });
            bank.dirty.push(Row::Key(key));
        }
        Ok((200, value))
    });
    match done.await {
        Ok(Ok((status, value))) => reply(status, &value),
        Ok(Err(refusal)) => error(&refusal),
        Err(_) => away(),
    }
}

fn wrong(detail: String) -> Refused {
    refused(400, "parameter_invalid", detail)
}

async fn create(State(inner): Shared, headers: HeaderMap, body: Bytes) -> Reply {
    let public_url = inner.options.public_url.clone();
    once(&inner, "create".into(), &headers, body, move |bank, form| {
        let new = new_session(form, public_url).map_err(wrong)?;
        Ok(bank.create(new))
    })
    .await
}

fn new_session(form: &Form, public_url: String) -> Result<NewSession, String> {
    if form.required("mode")? != "payment" {
        return Err("mode must be payment".into());
    }
    if form.text("payment_intent_data[capture_method]") != Some("manual") {
        return Err("payment_intent_data[capture_method] must be manual here".into());
    }
    let unit = form.number("line_items[0][price_data][unit_amount]")?;
    let quantity = form.number("line_items[0][quantity]")?;
    let amount = unit.checked_mul(quantity).filter(|_| quantity > 0).ok_or("the amount is out of range")?;
    let currency = form.required("line_items[0][price_data][currency]")?.to_lowercase();
    if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_lowercase()) {
        return Err("currency must be an ISO 4217 code".into());
    }
    let success_url = form.required("success_url")?.to_owned();
    if !success_url.starts_with("http://") && !success_url.starts_with("https://") {
        return Err("success_url must be absolute".into());
    }
    let now = now_ms() / 1_000;
    let expires_at =
        if form.text("expires_at").is_some() { form.number("expires_at")? as u64 } else { now + 86_400 };
    if expires_at < now + 1_790 || expires_at > now + 86_410 {
        return Err("expires_at must be between 30 minutes and 24 hours from now".into());
    }
    Ok(NewSession {
        reference: form.text("client_reference_id").map(str::to_owned),
        description: form.required("line_items[0][price_data][product_data][name]")?.to_owned(),
        quantity,
        amount,
        currency,
        success_url,
        expires_at,
        public_url,
    })
}

async fn session(State(inner): Shared, Path(id): Path<String>) -> Reply {
    let found = inner.store.call(move |bank| {
        bank.session(&id, now_ms())?;
        Ok::<_, Refused>(bank.session_json(&id).unwrap_or_default())
    });
    match found.await {
        Ok(Ok(value)) => reply(200, &value),
        Ok(Err(refusal)) => error(&refusal),
        Err(_) => away(),
    }
}

async fn intent(State(inner): Shared, Path(id): Path<String>) -> Reply {
    match inner.store.call(move |bank| bank.intent_json(&id)).await {
        Ok(Some(value)) => reply(200, &value),
        Ok(None) => error(&refused(404, "resource_missing", "No such payment intent")),
        Err(_) => away(),
    }
}

async fn expire(State(inner): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Reply {
    once(&inner, format!("expire {id}"), &headers, body, move |bank, _| bank.expire(&id, now_ms())).await
}

async fn capture(State(inner): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Reply {
    once(&inner, format!("capture {id}"), &headers, body, move |bank, form| {
        bank.capture(&id, amount(form, "amount_to_capture")?)
    })
    .await
}

fn amount(form: &Form, name: &str) -> Result<Option<i64>, Refused> {
    if form.text(name).is_some() { form.number(name).map(Some).map_err(wrong) } else { Ok(None) }
}

async fn cancel(State(inner): Shared, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> Reply {
    once(&inner, format!("cancel {id}"), &headers, body, move |bank, _| bank.cancel(&id)).await
}

async fn refund(State(inner): Shared, headers: HeaderMap, body: Bytes) -> Reply {
    once(&inner, "refund".into(), &headers, body, |bank, form| {
        let id = form.required("payment_intent").map_err(wrong)?.to_owned();
        bank.refund(&id, amount(form, "amount")?)
    })
    .await
}

#[cfg(test)]
#[path = "api_tests.rs"]
mod tests;
