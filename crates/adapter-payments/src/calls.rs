//! Calls: form-encoded requests, JSON answers, and what an answer that is none means.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ports::payments::PaymentFault;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

/// The form of Stripe's objects that `session.rs` and `webhook.rs` read.
const VERSION: &str = "2025-03-31.basil";
/// Wait where a provider limits us and does not say for how long, milliseconds.
const LIMITED_MS: u64 = 1_000;

/// A client of the provider's API.
pub(crate) struct Calls {
    http: reqwest::Client,
    patience: Duration,
    base_url: String,
    secret_key: String,
    /// Why we are refused, as the latest call says that says anything of it.
    trouble: Mutex<Option<String>>,
}

/// Why a call has no object.
pub(crate) enum Refusal {
    /// The provider understood and said no.
    Said { code: String, detail: String },
    /// Something else.
    Fault(PaymentFault),
}

impl Refusal {
    pub(crate) fn fault(self) -> PaymentFault {
        match self {
            Self::Said { code, detail } => PaymentFault::Refused(format!("{code}: {detail}")),
            Self::Fault(fault) => fault,
        }
    }
}

impl Calls {
    pub(crate) fn new(base_url: &str, secret_key: &str, timeout: Duration) -> Result<Self, String> {
        let http = http_client::builder().timeout(timeout).redirect(reqwest::redirect::Policy::none());
        let http = http.build().map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        Ok(Self {
            http,
            patience: timeout,
            base_url: base_url.trim_end_matches('/').to_owned(),
            secret_key: secret_key.to_owned(),
            trouble: Mutex::default(),
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Refusal> {
        self.send(self.http.get(format!("{}{path}", self.base_url))).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        key: &str,
        form: &[(String, String)],
    ) -> Result<Value, Refusal> {
        let request =
            self.http.post(format!("{}{path}", self.base_url)).header("Idempotency-Key", key).form(form);
        self.send(request).await
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, Refusal> {
        let unknown = |error: reqwest::Error| {
            Refusal::Fault(PaymentFault::Unknown(http_client::why(&error, self.patience)))
        };
        let request = request.bearer_auth(&self.secret_key).header("Stripe-Version", VERSION);
        let answer = request.send().await.map_err(unknown)?;
        let status = answer.status();
        let wait =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let text = answer.text().await.map_err(unknown)?;
        let value: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        self.note(status, &value);
        if status.is_success() && value.is_object() {
            return Ok(value);
        }
        Err(refusal(status, wait, &value))
    }

    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes whether we are let in; said once, and not at every call.
    fn note(&self, status: StatusCode, value: &Value) {
        let trouble = match status.as_u16() {
            401 | 403 => {
                let said = said(value, "message");
                Some(format!("it refuses our key ({status}: {said}); check payments.secret_key"))
            }
            // Limits and failures come before anybody looks at a key.
            429 | 500.. => return,
            _ => None,
        };
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*known, &trouble) {
            (None, Some(why)) => tracing::error!("the payment provider: {why}"),
            (Some(_), None) => tracing::info!("the payment provider takes our key"),
            _ => {}
        }
        *known = trouble;
    }
}

/// A member of the error that an answer has.
fn said(value: &Value, name: &str) -> String {
    value["error"][name].as_str().unwrap_or_default().to_owned()
}

fn refusal(status: StatusCode, wait_s: Option<u64>, value: &Value) -> Refusal {
    let said = |name: &str| said(value, name);
    match status.as_u16() {
        429 => {
            let retry_after_ms = wait_s.map_or(LIMITED_MS, |seconds| seconds.saturating_mul(1_000));
            Refusal::Fault(PaymentFault::RateLimited { retry_after_ms })
        }
        // 409 is a call under the same key that is still under way; 401 is a wrong key, which a person must mend.
        401 | 403 | 409 => {
            Refusal::Fault(PaymentFault::Unknown(format!("answered {status}: {}", said("message"))))
        }
        400..=499 => Refusal::Said { code: said("code"), detail: said("message") },
        _ => Refusal::Fault(PaymentFault::Unknown(format!("answered {status}"))),
    }
}
