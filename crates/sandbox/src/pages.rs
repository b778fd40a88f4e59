//! The hosted pages on which buyers pay.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::get;

use crate::Inner;
use crate::bank::Session;
use crate::clock::now_ms;
use crate::form::Form;

type Shared = State<Arc<Inner>>;
type Reply = Response<Body>;

/// Currencies of ISO 4217 without a minor unit, and those with three digits; all others have two.
const NO_DECIMALS: &str = "bif clp djf gnf isk jpy kmf krw pyg rwf ugx vnd vuv xaf xof xpf";
const THREE_DECIMALS: &str = "bhd iqd jod kwd lyd omr tnd";

pub(crate) fn routes(inner: Arc<Inner>) -> Router {
    Router::new().route("/pay/{session}", get(show).post(act)).with_state(inner)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// The one style, and its hash for the policy: nothing else is let in.
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:40rem;\
                     overflow-wrap:anywhere}button{font:inherit;min-height:2.75rem;padding:.5rem 1rem}\
                     a{color:inherit}";
const POLICY: &str = "default-src 'none'; style-src 'sha256-ymOoH84YKT4oiK4wAL5D141Pm0BXSq8czZ5jgYBLYdM='; \
                      base-uri 'none'; frame-ancestors 'none'";

fn page(status: StatusCode, title: &str, main: &str) -> Reply {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1>{main}\
         <p><small>This is a sandbox: no money moves.</small></p></main></body></html>"
    );
    let mut reply = Response::new(Body::from(html));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    reply
}

/// The page of a session that takes no payment any more.
fn closed(session: &Session) -> Reply {
    let main = format!(
        "<p>This payment page is closed: it was paid, or its time is over. Nothing was charged now.</p>\
         <p><a href=\"{}\">Back to the shop</a> to see where your order stands.</p>",
        escape(&session.success_url)
    );
    page(StatusCode::GONE, "Closed", &main)
}

fn unknown() -> Reply {
    page(StatusCode::NOT_FOUND, "No such payment", "<p>There is no payment page at this address.</p>")
}

fn away() -> Reply {
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not now",
        "<p>The provider does not answer. Nothing was charged; try again.</p>",
    )
}

fn amount(minor: i64, currency: &str) -> String {
    let listed = |list: &str| list.split(' ').any(|each| each == currency);
    let decimals = if listed(NO_DECIMALS) {
        0
    } else if listed(THREE_DECIMALS) {
        3
    } else {
        2
    };
    let digits = format!("{minor:0width$}", width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let point = if decimals == 0 { "" } else { "." };
    format!("{whole}{point}{fraction} {}", currency.to_uppercase())
}

async fn show(State(inner): Shared, Path(id): Path<String>) -> Reply {
    let found = inner.store.call(move |bank| bank.session(&id, now_ms()).cloned()).await;
    match found {
        Err(_) => away(),
        Ok(Err(_)) => unknown(),
        Ok(Ok(session)) if session.status != "open" => closed(&session),
        Ok(Ok(session)) => {
            let quantity = session.quantity.map(|quantity| format!("{quantity} × ")).unwrap_or_default();
            let main = format!(
                "<p>{quantity}{}</p><p><strong>{}</strong></p><form method=\"post\"><p>\
                 <button name=\"action\" value=\"pay\">Pay</button> \
                 <button name=\"action\" value=\"decline\">Let the payment be declined</button></p></form>\
                 <p><a href=\"{}\">Back to the shop without paying</a></p>",
                escape(&session.description),
                escape(&amount(session.amount, &session.currency)),
                escape(&session.success_url),
            );
            page(StatusCode::OK, "Pay", &main)
        }
    }
}

async fn act(State(inner): Shared, Path(id): Path<String>, body: Bytes) -> Reply {
    let action = Form::read(&body).ok().and_then(|form| form.text("action").map(str::to_owned));
    let pays = match action.as_deref() {
        Some("pay") => true,
        Some("decline") => false,
        _ => {
            let main = "<p>The form must say <code>action=pay</code> or <code>action=decline</code>.</p>";
            return page(StatusCode::BAD_REQUEST, "Not understood", main);
        }
    };
    let how = inner.chances.delivery();
    let done = inner.store.call(move |bank| {
        let now = now_ms();
        let done = if pays { bank.pay(&id, now, how) } else { bank.decline(&id, now, how) };
        bank.session(&id, now).map(|session| (session.clone(), done.is_ok()))
    });
    match done.await {
        Err(_) => away(),
        Ok(Err(_)) => unknown(),
        Ok(Ok((session, false))) => closed(&session),
        Ok(Ok((session, true))) => {
            inner.changed.notify_one();
            let mut reply = page(StatusCode::SEE_OTHER, "Thank you", "<p>Back to the shop …</p>");
            if let Ok(back) = HeaderValue::from_str(&session.success_url) {
                reply.headers_mut().insert(header::LOCATION, back);
            }
            reply
        }
    }
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
