//! The provider's books: sessions, payments, refunds, events. Pure: what changed is listed for the store to write.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::faults::Delivery;

/// A payment session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) reference: Option<String>,
    pub(crate) description: String,
    /// How many of it; sessions of before do not say.
    #[serde(default)]
    pub(crate) quantity: Option<i64>,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) success_url: String,
    pub(crate) url: String,
    pub(crate) expires_at: u64,
    pub(crate) intent: Option<String>,
}

/// A payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) session: String,
    pub(crate) reference: Option<String>,
    pub(crate) status: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) received: i64,
    pub(crate) refunded: i64,
}

/// News on their way to the client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) forged: bool,
    pub(crate) due_ms: u64,
    pub(crate) first_ms: u64,
    pub(crate) attempts: u32,
    /// Being sent by this process.
    #[serde(skip)]
    pub(crate) sending: bool,
}

/// An answer under an idempotency key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) fingerprint: String,
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// An error in Stripe's form.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

pub(crate) fn refused(status: u16, code: &'static str, message: impl Into<String>) -> Refused {
    Refused { status, code, message: message.into() }
}

/// A row that changed, to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Session(String),
    Intent(String),
    Event(u64),
    Key(String),
    Counter,
}

/// The books.
#[derive(Default)]
pub(crate) struct Bank {
    pub(crate) secret: [u8; 32],
    pub(crate) counter: u64,
    pub(crate) sessions: HashMap<String, Session>,
    pub(crate) intents: HashMap<String, Intent>,
    pub(crate) events: BTreeMap<u64, Event>,
    pub(crate) next_event: u64,
    pub(crate) keys: HashMap<String, Kept>,
    pub(crate) dirty: Vec<Row>,
}

/// What a new session is made of.
pub(crate) struct NewSession {
    pub(crate) reference: Option<String>,
    pub(crate) description: String,
    pub(crate) quantity: i64,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) success_url: String,
    pub(crate) expires_at: u64,
    pub(crate) public_url: String,
}

impl Bank {
    /// An identifier that nobody can guess.
    fn id(&mut self, prefix: &str) -> String {
        use sha2::Digest;
        self.counter += 1;
        self.dirty.push(Row::Counter);
        let hash =
            sha2::Sha256::new().chain_update(self.secret).chain_update(self.counter.to_be_bytes()).finalize();
        let hex: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{prefix}_{hex}")
    }

    pub(crate) fn create(&mut self, new: NewSession) -> Value {
        let id = self.id("cs_test");
        let session = Session {
            url: format!("{}/pay/{id}", new.public_url),
            id: id.clone(),
            status: "open".into(),
            reference: new.reference,
            description: new.description,
            quantity: Some(new.quantity),
            amount: new.amount,
            currency: new.currency,
            success_url: new.success_url,
            expires_at: new.expires_at,
            intent: None,
        };
        self.sessions.insert(id.clone(), session);
        self.dirty.push(Row::Session(id.clone()));
        self.session_json(&id).unwrap_or_default()
    }

    /// A session's own backstop.
    fn lapse(&mut self, id: &str, now_ms: u64) {
        if let Some(session) = self.sessions.get_mut(id)
            && session.status == "open"
            && session.expires_at * 1_000 <= now_ms
        {
            session.status = "expired".into();
            self.dirty.push(Row::Session(id.to_owned()));
        }
    }

    pub(crate) fn session(&mut self, id: &str, now_ms: u64) -> Result<&Session, Refused> {
        self.lapse(id, now_ms);
        self.sessions.get(id).ok_or_else(|| refused(404, "resource_missing", "No such checkout session"))
    }

    pub(crate) fn session_json(&self, id: &str) -> Option<Value> {
        let session = self.sessions.get(id)?;
        let intent = session.intent.as_deref().and_then(|intent| self.intent_json(intent));
        let paid = intent.as_ref().is_some_and(|intent| intent["status"] == "succeeded");
        Some(json!({
            "id": session.id,
            "object": "checkout.session",
            "mode": "payment",
            "status": session.status,
            "payment_status": if paid { "paid" } else { "unpaid" },
            "client_reference_id": session.reference,
            "amount_total": session.amount,
            "currency": session.currency,
            "success_url": session.success_url,
            "expires_at": session.expires_at,
            "url": if session.status == "open" { Value::from(session.url.as_str()) } else { Value::Null },
            "payment_intent": intent,
        }))
    }

    pub(crate) fn intent_json(&self, id: &str) -> Option<Value> {
        let intent = self.intents.get(id)?;
        let capturable = if intent.status == "requires_capture" { intent.amount } else { 0 };
        Some(json!({
            "id": intent.id,
            "object": "payment_intent",
            "status": intent.status,
            "amount": intent.amount,
            "amount_capturable": capturable,
            "amount_received": intent.received,
            "amount_refunded": intent.refunded,
            "currency": intent.currency,
            "metadata": { "reference": intent.reference },
        }))
    }

    pub(crate) fn expire(&mut self, id: &str, now_ms: u64) -> Result<Value, Refused> {
        let status = self.session(id, now_ms)?.status.clone();
        if status != "open" {
            let message = format!("Only open sessions can be expired; this one is {status}");
            return Err(refused(400, "checkout_session_not_open", message));
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.status = "expired".into();
        }
        self.dirty.push(Row::Session(id.to_owned()));
        Ok(self.session_json(id).unwrap_or_default())
    }

    /// The buyer pays: the money is authorised.
    pub(crate) fn pay(&mut self, id: &str, now_ms: u64, how: Delivery) -> Result<(), Refused> {
        let session = self.session(id, now_ms)?.clone();
        if session.status != "open" {
            return Err(refused(410, "checkout_session_not_open", "This payment page is closed"));
        }
        let intent = self.new_intent(&session, "requires_capture");
        if let Some(open) = self.sessions.get_mut(id) {
            open.status = "complete".into();
            open.intent = Some(intent.clone());
        }
        self.dirty.push(Row::Session(id.to_owned()));
        let mut object = self.session_json(id).unwrap_or_default();
        object["payment_intent"] = intent.into();
        if how.wrong_amount {
            object["amount_total"] = (session.amount + 1).into();
        }
        self.tell("checkout.session.completed", object, now_ms, how);
        Ok(())
    }

    /// The buyer's payment is declined; the session stays open.
    pub(crate) fn decline(&mut self, id: &str, now_ms: u64, how: Delivery) -> Result<(), Refused> {
        let session = self.session(id, now_ms)?.clone();
        if session.status != "open" {
            return Err(refused(410, "checkout_session_not_open", "This payment page is closed"));
        }
        let intent = self.new_intent(&session, "requires_payment_method");
        let object = self.intent_json(&intent).unwrap_or_default();
        self.tell("payment_intent.payment_failed", object, now_ms, how);
        Ok(())
    }

    fn new_intent(&mut self, session: &Session, status: &str) -> String {
        let id = self.id("pi");
        let intent = Intent {
            id: id.clone(),
            session: session.id.clone(),
            reference: session.reference.clone(),
            status: status.into(),
            amount: session.amount,
            currency: session.currency.clone(),
            received: 0,
            refunded: 0,
        };
        self.intents.insert(id.clone(), intent);
        self.dirty.push(Row::Intent(id.clone()));
        id
    }

    fn tell(&mut self, kind: &str, object: Value, now_ms: u64, how: Delivery) {
        let id = self.id("evt");
        if how.dropped {
            return;
        }
        let body = json!({
            "id": id, "object": "event", "type": kind, "created": now_ms / 1_000, "livemode": false,
            "data": { "object": object },
        });
        for copy in 0..how.copies.max(1) {
            self.next_event += 1;
            let due_ms = now_ms + how.delay_ms * u64::from(copy + 1);
            let event = Event {
                id: id.clone(),
                body: body.to_string(),
                forged: how.forged,
                due_ms,
                first_ms: now_ms,
                attempts: 0,
                sending: false,
            };
            self.events.insert(self.next_event, event);
            self.dirty.push(Row::Event(self.next_event));
        }
    }

    fn intent(&mut self, id: &str) -> Result<&mut Intent, Refused> {
        self.intents.get_mut(id).ok_or_else(|| refused(404, "resource_missing", "No such payment intent"))
    }

    pub(crate) fn capture(&mut self, id: &str, amount: Option<i64>) -> Result<Value, Refused> {
        let intent = self.intent(id)?;
        if intent.status != "requires_capture" {
            let message = format!("This payment cannot be captured: it is {}", intent.status);
            return Err(refused(400, "payment_intent_unexpected_state", message));
        }
        let amount = amount.unwrap_or(intent.amount);
        if amount != intent.amount {
            return Err(refused(400, "amount_invalid", "Only the whole amount can be captured here"));
        }
        intent.status = "succeeded".into();
        intent.received = amount;
        self.dirty.push(Row::Intent(id.to_owned()));
        Ok(self.intent_json(id).unwrap_or_default())
    }

    pub(crate) fn cancel(&mut self, id: &str) -> Result<Value, Refused> {
        let intent = self.intent(id)?;
        if !matches!(intent.status.as_str(), "requires_capture" | "requires_payment_method") {
            let message = format!("This payment cannot be cancelled: it is {}", intent.status);
            return Err(refused(400, "payment_intent_unexpected_state", message));
        }
        intent.status = "canceled".into();
        self.dirty.push(Row::Intent(id.to_owned()));
        Ok(self.intent_json(id).unwrap_or_default())
    }

    pub(crate) fn refund(&mut self, id: &str, amount: Option<i64>) -> Result<Value, Refused> {
        let intent = self.intent(id)?;
        let left = intent.received - intent.refunded;
        let amount = amount.unwrap_or(left);
        if left == 0 {
            return Err(refused(400, "charge_already_refunded", "There is nothing left to refund"));
        }
        if amount <= 0 || amount > left {
            return Err(refused(400, "amount_too_large", "More than what is left to refund"));
        }
        intent.refunded += amount;
        let currency = intent.currency.clone();
        self.dirty.push(Row::Intent(id.to_owned()));
        let refund = self.id("re");
        Ok(json!({
            "id": refund, "object": "refund", "amount": amount, "currency": currency, "payment_intent": id,
            "status": "succeeded",
        }))
    }

    /// The ledger of money, minor units.
    pub(crate) fn ledger(&self) -> Value {
        let mut sessions: BTreeMap<&str, u64> = [("open", 0), ("complete", 0), ("expired", 0)].into();
        for session in self.sessions.values() {
            *sessions.entry(session.status.as_str()).or_default() += 1;
        }
        let mut currencies: BTreeMap<&str, [i64; 4]> = BTreeMap::new();
        for intent in self.intents.values() {
            let sums = currencies.entry(intent.currency.as_str()).or_default();
            match intent.status.as_str() {
                "requires_capture" => sums[0] += intent.amount,
                "canceled" => sums[3] += intent.amount,
                _ => {}
            }
            sums[1] += intent.received;
            sums[2] += intent.refunded;
        }
        let currencies: BTreeMap<String, Value> = currencies
            .into_iter()
            .map(|(currency, [authorised, captured, refunded, voided])| {
                let sums = json!({ "authorised": authorised, "captured": captured, "refunded": refunded, "voided": voided });
                (currency.to_uppercase(), sums)
            })
            .collect();
        json!({ "sessions": sessions, "currencies": currencies, "events_waiting": self.events.len() })
    }
}
