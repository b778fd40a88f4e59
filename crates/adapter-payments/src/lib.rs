//! Payment providers behind the payments port: Stripe's wire form, spoken to Stripe and to the sandbox alike.

mod calls;
mod session;
mod webhook;

use std::time::Duration;

use async_trait::async_trait;
use domain::money::Money;
use domain::payment::{Payment, PaymentSession, PaymentStage};
use domain::time::Timestamp;
use ports::payments::{
    CaptureOutcome, DoorClosing, PaymentFault, Payments, SessionRequest, SessionState, WebhookEvent,
    WebhookRefusal,
};

use crate::calls::{Calls, Refusal};
use crate::session::{SessionObject, session_form};

/// A session that no provider has given.
const NO_SESSION: &str = "cs_none";

/// How a provider is reached.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name under which its webhooks come in.
    pub provider: &'static str,
    /// Its API, without a slash at the end, e.g. `https://api.stripe.com`.
    pub base_url: String,
    /// The key with which we call it.
    pub secret_key: String,
    /// Secrets under which its webhooks may be signed.
    pub webhook_secrets: Vec<String>,
    /// How long one call may take, milliseconds.
    pub timeout_ms: u64,
}

/// A provider that speaks Stripe's form.
pub struct StripeForm {
    provider: &'static str,
    calls: Calls,
    webhook_secrets: Vec<String>,
}

impl StripeForm {
    /// A client of the provider.
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn new(options: Options) -> Result<Self, String> {
        let timeout = Duration::from_millis(options.timeout_ms);
        let calls = Calls::new(&options.base_url, &options.secret_key, timeout)?;
        Ok(Self { provider: options.provider, calls, webhook_secrets: options.webhook_secrets })
    }

    async fn session(&self, id: &str) -> Result<SessionObject, PaymentFault> {
        let path = format!("/v1/checkout/sessions/{}?expand[]=payment_intent", checked(id)?);
        let value = self.calls.get(&path).await.map_err(Refusal::fault)?;
        SessionObject::read(&value)
    }

    /// What the provider says of a payment's stage.
    async fn stage(&self, payment: &str) -> Result<Option<PaymentStage>, PaymentFault> {
        let value =
            self.calls.get(&format!("/v1/payment_intents/{payment}")).await.map_err(Refusal::fault)?;
        Ok(value.get("status").and_then(serde_json::Value::as_str).and_then(session::stage))
    }
}

/// An identifier that may stand in a path.
fn checked(id: &str) -> Result<&str, PaymentFault> {
    let fits =
        !id.is_empty() && id.len() <= 255 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if fits { Ok(id) } else { Err(PaymentFault::Refused("an identifier that no provider gives".into())) }
}

#[async_trait]
impl Payments for StripeForm {
    fn provider(&self) -> &str {
        self.provider
    }

    fn trouble(&self) -> Option<String> {
        self.calls.trouble()
    }

    async fn knock(&self) {
        // What it answers is noted with every call, and there is no such session.
        drop(self.session(NO_SESSION).await);
    }

    async fn create_session(&self, request: SessionRequest) -> Result<PaymentSession, PaymentFault> {
        let form = session_form(&request);
        let key = &request.idempotency_key;
        let value = self.calls.post("/v1/checkout/sessions", key, &form).await.map_err(Refusal::fault)?;
        let session = SessionObject::read(&value)?;
        match session.url {
            Some(url) => Ok(PaymentSession { session: session.id, url }),
            None => Err(PaymentFault::Refused("the provider gave a session without an address".into())),
        }
    }

    async fn close_session(&self, session: &str) -> Result<DoorClosing, PaymentFault> {
        let path = format!("/v1/checkout/sessions/{}/expire", checked(session)?);
        match self.calls.post(&path, &format!("{session}:expire"), &[]).await {
            Ok(_) => Ok(DoorClosing::Closed),
            // It was closed or paid before, or something else is wrong: the session itself says.
            Err(Refusal::Said { .. }) => {
                let state = self.session(session).await?;
                match (state.status.as_str(), state.payment) {
                    (_, Some(payment)) => Ok(DoorClosing::Paid(payment)),
                    ("expired", None) => Ok(DoorClosing::Closed),
                    (status, None) => {
                        Err(PaymentFault::Unknown(format!("the session is {status} and cannot be closed")))
                    }
                }
            }
            Err(other) => Err(other.fault()),
        }
    }

    async fn fetch(&self, session: &str) -> Result<SessionState, PaymentFault> {
        let found = self.session(session).await?;
        Ok(SessionState { open: found.status == "open", payment: found.payment })
    }

    async fn capture(
        &self,
        payment: &str,
        amount: &Money,
        key: &str,
    ) -> Result<CaptureOutcome, PaymentFault> {
        let payment = checked(payment)?;
        let form = [("amount_to_capture".to_owned(), amount.minor.to_string())];
        match self.calls.post(&format!("/v1/payment_intents/{payment}/capture"), key, &form).await {
            Ok(_) => Ok(CaptureOutcome::Captured),
            Err(Refusal::Said { detail, .. }) => match self.stage(payment).await? {
                Some(PaymentStage::Captured | PaymentStage::Refunded) => Ok(CaptureOutcome::Captured),
                Some(PaymentStage::Voided) => Ok(CaptureOutcome::Gone),
                Some(PaymentStage::Authorised) | None => Err(PaymentFault::Refused(detail)),
            },
            Err(other) => Err(other.fault()),
        }
    }

    async fn void(&self, payment: &str, key: &str) -> Result<(), PaymentFault> {
        let payment = checked(payment)?;
        match self.calls.post(&format!("/v1/payment_intents/{payment}/cancel"), key, &[]).await {
            Ok(_) => Ok(()),
            Err(Refusal::Said { detail, .. }) => match self.stage(payment).await? {
                Some(PaymentStage::Voided) => Ok(()),
                _ => Err(PaymentFault::Refused(detail)),
            },
            Err(other) => Err(other.fault()),
        }
    }

    async fn refund(&self, payment: &str, amount: &Money, key: &str) -> Result<(), PaymentFault> {
        let form = [
            ("payment_intent".to_owned(), checked(payment)?.to_owned()),
            ("amount".to_owned(), amount.minor.to_string()),
        ];
        match self.calls.post("/v1/refunds", key, &form).await {
            Ok(_) => Ok(()),
            Err(Refusal::Said { code, .. }) if code == "charge_already_refunded" => Ok(()),
            Err(other) => Err(other.fault()),
        }
    }

    fn read_webhook(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookRefusal> {
        webhook::verify(&self.webhook_secrets, signature, body, now)?;
        webhook::read(body)
    }
}

/// A payment out of the parts that every object has.
fn payment(id: &str, minor: i64, currency: &str, stage: PaymentStage) -> Option<Payment> {
    let currency = domain::money::Currency::parse(&currency.to_uppercase())?;
    Some(Payment { payment: id.to_owned(), amount: Money { minor, currency }, stage })
}
