//! The hosted pages on which buyers pay.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::get;

use crate::Inner;
use crate::bank::Refused;
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

fn page(status: StatusCode, title: &str, main: &str) -> Reply {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>{title}</title></head><body><main><h1>{title}</h1>{main}\
         <p><small>This is a sandbox: no money moves.</small></p></main></body></html>"
    );
    let mut reply = Response::new(Body::from(html));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    );
    reply
}

fn closed() -> Reply {
    let main = "<p>This payment page is closed: it was paid, or its time is over. Nothing was charged now.</p>\
                <p>Go back to the shop to see where your order stands.</p>";
    page(StatusCode::GONE, "Closed", main)
}

fn problem(refusal: &Refused) -> Reply {
    match refusal.status {
        404 => {
            page(StatusCode::NOT_FOUND, "No such payment", "<p>There is no payment page at this address.</p>")
        }
        _ => closed(),
    }
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
        Ok(Err(refusal)) => problem(&refusal),
        Ok(Ok(session)) if session.status != "open" => closed(),
        Ok(Ok(session)) => {
            let main = format!(
                "<p>{}</p><p><strong>{}</strong></p><form method=\"post\"><p>\
                 <button name=\"action\" value=\"pay\">Pay</button> \
                 <button name=\"action\" value=\"decline\">Let the payment be declined</button></p></form>",
                escape(&session.description),
                escape(&amount(session.amount, &session.currency)),
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
        if pays {
            bank.pay(&id, now, how)?
        } else {
            bank.decline(&id, now, how)?
        }
        bank.session(&id, now).map(|session| session.success_url.clone())
    });
    match done.await {
        Err(_) => away(),
        Ok(Err(refusal)) => problem(&refusal),
        Ok(Ok(back)) => {
            inner.changed.notify_one();
            let mut reply = page(StatusCode::SEE_OTHER, "Thank you", "<p>Back to the shop …</p>");
            if let Ok(back) = HeaderValue::from_str(&back) {
                reply.headers_mut().insert(header::LOCATION, back);
            }
            reply
        }
    }
}
