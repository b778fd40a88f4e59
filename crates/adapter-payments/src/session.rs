//! Sessions and payments as the provider's objects have them.

use domain::payment::{Payment, PaymentStage};
use ports::payments::{PaymentFault, SessionRequest};
use serde_json::Value;

use crate::payment;

/// The parameters of a new session.
pub(crate) fn session_form(request: &SessionRequest) -> Vec<(String, String)> {
    let price = "line_items[0][price_data]";
    let pairs = [
        ("mode".to_owned(), "payment".to_owned()),
        ("client_reference_id".to_owned(), request.reference.clone()),
        (format!("{price}[currency]"), request.unit_price.currency.code().to_lowercase()),
        (format!("{price}[unit_amount]"), request.unit_price.minor.to_string()),
        (format!("{price}[product_data][name]"), request.description.clone()),
        ("line_items[0][quantity]".to_owned(), request.quantity.to_string()),
        ("payment_method_types[0]".to_owned(), "card".to_owned()),
        ("payment_intent_data[capture_method]".to_owned(), "manual".to_owned()),
        ("payment_intent_data[metadata][reference]".to_owned(), request.reference.clone()),
        ("success_url".to_owned(), request.return_url.clone()),
        ("cancel_url".to_owned(), request.return_url.clone()),
        ("expires_at".to_owned(), (request.closes_at.as_millis() / 1_000).to_string()),
    ];
    pairs.into()
}

/// The parts of a session that matter.
pub(crate) struct SessionObject {
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) url: Option<String>,
    pub(crate) payment: Option<Payment>,
}

impl SessionObject {
    pub(crate) fn read(value: &Value) -> Result<Self, PaymentFault> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let strange = || PaymentFault::Unknown("the provider's session has no id or status".into());
        Ok(Self {
            id: text("id").ok_or_else(strange)?,
            status: text("status").ok_or_else(strange)?,
            url: text("url"),
            payment: intent(&value["payment_intent"]),
        })
    }
}

/// How far a payment has come.
pub(crate) fn stage(status: &str) -> Option<PaymentStage> {
    match status {
        "requires_capture" => Some(PaymentStage::Authorised),
        "succeeded" => Some(PaymentStage::Captured),
        "canceled" => Some(PaymentStage::Voided),
        _ => None,
    }
}

/// The payment of an object; `None` where nobody has paid.
fn intent(value: &Value) -> Option<Payment> {
    let stage = stage(value["status"].as_str()?)?;
    payment(value["id"].as_str()?, value["amount"].as_i64()?, value["currency"].as_str()?, stage)
}
