//! Payments: authorise, decide, capture; void; refund; and closing the provider's door.
//!
//! Every call is idempotent under its key, so that a call whose answer was lost is simply repeated.

use async_trait::async_trait;
use domain::money::Money;
use domain::payment::{Payment, PaymentSession};
use domain::time::Timestamp;

/// Why the provider did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentFault {
    /// No answer, or one that says nothing about the outcome: repeat it under the same key.
    #[error("payment provider: outcome unknown: {0}")]
    Unknown(String),
    /// The provider asks us to slow down; nothing happened.
    #[error("payment provider: rate limited")]
    RateLimited {
        /// When to try again, milliseconds.
        retry_after_ms: u64,
    },
    /// The provider refuses for good.
    #[error("payment provider refused: {0}")]
    Refused(String),
}

/// What a session is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRequest {
    /// The same for every attempt at the same session.
    pub idempotency_key: String,
    /// What the provider's events say of us: the ticket's identifier in hexadecimal.
    pub reference: String,
    /// What is bought, as the buyer reads it on the provider's page.
    pub description: String,
    /// Price of one unit.
    pub unit_price: Money,
    /// How many.
    pub quantity: u8,
    /// Where the buyer goes afterwards, paid or not; absolute.
    pub return_url: String,
    /// A backstop: the provider may close the session by itself after this. Never the buyer's deadline.
    pub closes_at: Timestamp,
}

/// A session as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// Whether the buyer can still pay.
    pub open: bool,
    /// The payment, once the buyer has paid.
    pub payment: Option<Payment>,
}

/// What became of closing a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorClosing {
    /// Nobody can pay any more, and nobody has.
    Closed,
    /// The buyer has paid.
    Paid(Payment),
}

/// What became of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureOutcome {
    /// The money has moved, now or before.
    Captured,
    /// The authorisation is gone; the money will never move.
    Gone,
}

/// What a verified webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's identifier of the event, the same on every delivery.
    pub event: String,
    /// The reference that the session was made with, if the event is about one.
    pub reference: Option<String>,
    /// What happened.
    pub news: WebhookNews,
}

/// What happened at the provider. A hint: where it does not fit what we know, the session is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookNews {
    /// The buyer has paid.
    Paid(Payment),
    /// A payment was declined; the session is still open.
    Declined,
    /// Something that changes nothing for us.
    Other(String),
}

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefusal {
    /// No signature, or not in the form.
    #[error("the signature is missing or malformed")]
    Malformed,
    /// Not signed with a secret of ours.
    #[error("the signature does not match")]
    Forged,
    /// Signed too long ago, or in the future.
    #[error("the signature's time is out of tolerance")]
    Stale,
    /// Signed, but not an event.
    #[error("the body is not an event")]
    Body,
}

/// A payment provider.
#[async_trait]
pub trait Payments: Send + Sync {
    /// The name under which webhooks come in: `/v1/payments/webhooks/{provider}`.
    fn provider(&self) -> &str;

    /// Why the provider refuses whoever calls it from here, in an operator's words, as the latest call has shown that said anything
    /// of it; `None` where it does not, or nothing was asked. MUST NOT block.
    fn trouble(&self) -> Option<String>;

    /// Asks for something that is not there, so that [`Payments::trouble`] knows; changes nothing.
    async fn knock(&self);

    /// Makes a session, or gives the one that this key made.
    ///
    /// # Errors
    /// See [`PaymentFault`].
    async fn create_session(&self, request: SessionRequest) -> Result<PaymentSession, PaymentFault>;

    /// Closes a session so that nobody can pay any more, or says that somebody has. MUST NOT answer `Closed` unless
    /// it is certain.
    ///
    /// # Errors
    /// See [`PaymentFault`].
    async fn close_session(&self, session: &str) -> Result<DoorClosing, PaymentFault>;

    /// The session as it is.
    ///
    /// # Errors
    /// See [`PaymentFault`].
    async fn fetch(&self, session: &str) -> Result<SessionState, PaymentFault>;

    /// Collects authorised money.
    ///
    /// # Errors
    /// See [`PaymentFault`].
    async fn capture(&self, payment: &str, amount: &Money, key: &str)
    -> Result<CaptureOutcome, PaymentFault>;

    /// Gives up an authorisation: no money moves.
    ///
    /// # Errors
    /// See [`PaymentFault`].
    async fn void(&self, payment: &str, key: &str) -> Result<(), PaymentFault>;

    /// Gives captured money back.
    ///
    /// # Errors
    /// See [`PaymentFault`].
    async fn refund(&self, payment: &str, amount: &Money, key: &str) -> Result<(), PaymentFault>;

    /// Verifies a webhook over its raw body and reads it.
    ///
    /// # Errors
    /// A refusal: not believed.
    fn read_webhook(
        &self,
        signature: Option<&str>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookRefusal>;
}
