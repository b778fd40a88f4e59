//! `POST /v1/payments/webhooks/{provider}`.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use purchase::confirm::{WebhookAnswer, receive};
use serde_json::json;

use crate::edge::Edge;
use crate::problem::{Answer, Code, Problem, fault};
use crate::reply;

/// Largest webhook, bytes: a provider's event carries the whole session.
const LARGEST: usize = 64 << 10;

/// Takes a provider's webhook; 200 only after its effect is durable.
///
/// # Errors
/// 404 where no such provider is configured, 400 where it is not believed, 503 where it must be sent again.
pub async fn webhook<B>(edge: &Edge, provider: &str, headers: &HeaderMap, body: B) -> Answer
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let body = reply::body(edge, body, LARGEST).await?;
    if provider != edge.stores.payments.provider() {
        return Err(Problem::new(Code::NotFound, "no provider of this name is configured"));
    }
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok());
    match receive(&edge.stores, signature, &body).await {
        Ok(WebhookAnswer::Done) => Ok(reply::json(StatusCode::OK, &json!({ "received": true }))),
        Ok(WebhookAnswer::Refused(refusal)) => Err(Problem::new(Code::InvalidWebhook, refusal.to_string())),
        Err(failed) => Err(fault(edge, &failed)),
    }
}
