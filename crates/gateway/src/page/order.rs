//! The page of an order, where a buyer comes back to after paying. It works without JavaScript.

use super::{Frame, escape};

/// An order as its page shows it.
pub struct OrderView {
    /// The ticket.
    pub ticket: String,
    /// The contract's word.
    pub status: String,
    /// The contract's word.
    pub phase: String,
    /// The contract's word.
    pub reason: Option<String>,
    /// The sale.
    pub sale_id: String,
    /// The product's name.
    pub product: Option<String>,
    /// How many.
    pub quantity: u8,
    /// Which units are theirs.
    pub units: Vec<u32>,
    /// Where to pay.
    pub checkout_url: Option<String>,
    /// When the hold ends.
    pub hold_expires_at: Option<String>,
    /// Nothing more happens by itself.
    pub terminal: bool,
    /// When to look again, milliseconds.
    pub poll_after_ms: u64,
}

/// What happened, and what to do.
#[must_use]
pub fn words(status: &str, reason: Option<&str>) -> (&'static str, &'static str) {
    match (status, reason) {
        ("queued", _) => (
            "Your order is in the queue.",
            "A unit is held for you. The payment page is being made; stay here.",
        ),
        ("awaiting_payment", Some("payment-declined")) => (
            "Your payment was declined.",
            "The unit is still held for you: try again, or with another card, until the hold ends.",
        ),
        ("awaiting_payment", Some("cancelling")) => {
            ("Your order is being cancelled.", "There is nothing to do.")
        }
        ("awaiting_payment", Some("expiring")) => (
            "Your time to pay is over.",
            "If you have paid just now, your payment still counts; stay here for a moment.",
        ),
        ("awaiting_payment", _) => (
            "A unit is held for you.",
            "Pay before the hold ends, and it is yours. If you have just paid, stay here for a moment.",
        ),
        ("confirmed", Some("late-payment")) => {
            ("It is yours.", "Your payment came after the hold had ended, but a unit was still free.")
        }
        ("confirmed", _) => {
            ("It is yours.", "Your payment was received. The shop will be in touch about delivery.")
        }
        ("payment_failed", _) => (
            "Your payment was refused.",
            "Nothing was charged. The unit went back; you may buy again while there is stock.",
        ),
        ("expired", Some("no-payment-address")) => (
            "We could not make a payment page for you in time.",
            "This was our fault. Nothing was charged; you may buy again while there is stock.",
        ),
        ("expired", _) => (
            "Your hold has ended.",
            "No payment came in time and nothing was charged. You may buy again while there is stock.",
        ),
        ("cancelled", Some("by-operator")) => ("The shop has cancelled your order.", "Nothing was charged."),
        ("cancelled", Some("store-failover")) => (
            "A machine failed while your order was on its way.",
            "Nothing was charged. You may buy again while there is stock.",
        ),
        ("cancelled", Some("limit-reached")) => {
            ("You have what one buyer may have.", "Nothing was charged for this order.")
        }
        ("cancelled", _) => ("You have cancelled your order.", "Nothing was charged."),
        ("sold_out", _) => ("Sold out.", "Your order came when no unit was left. Nothing was charged."),
        ("refunded", Some("refunding")) => {
            ("Your money is on its way back.", "There is nothing to do. Banks may need some days to show it.")
        }
        ("refunded", _) => ("Your money was given back.", "Banks may need some days to show it."),
        _ => ("Your order is being looked at.", "Stay here for a moment."),
    }
}

/// The page of an order.
#[must_use]
pub fn order(view: &OrderView) -> String {
    let (happened, hint) = words(&view.status, view.reason.as_deref());
    let pay = view
        .checkout_url
        .as_deref()
        .map(|url| format!("<p><a class=\"button\" id=\"pay\" href=\"{}\">Pay now</a></p>", escape(url)));
    let until = view
        .hold_expires_at
        .as_deref()
        .map(|at| format!("<p>The hold ends at <time datetime=\"{at}\">{at}</time>.</p>", at = escape(at)));
    let numbers: Vec<String> = view.units.iter().map(u32::to_string).collect();
    let units = if numbers.is_empty() {
        String::new()
    } else {
        format!("<p>Your unit numbers: {}</p>", numbers.join(", "))
    };
    let product = view.product.as_deref().map(|name| format!("<p>{} × {}</p>", view.quantity, escape(name)));
    let main = format!(
        "<h1>Your order</h1><section id=\"order\" data-ticket=\"{ticket}\" data-status=\"{status}\" data-phase=\"{phase}\" \
         data-terminal=\"{terminal}\" data-poll=\"{poll}\"><p role=\"status\" aria-live=\"polite\"><strong>{happened}</strong></p>\
         <p>{hint}</p>{product}{units}{until}{pay}</section><p><a href=\"/s/{sale}\">Back to the sale</a></p>",
        ticket = escape(&view.ticket),
        status = escape(&view.status),
        phase = escape(&view.phase),
        terminal = view.terminal,
        poll = view.poll_after_ms,
        sale = escape(&view.sale_id),
        product = product.unwrap_or_default(),
        until = until.unwrap_or_default(),
        pay = pay.unwrap_or_default(),
    );
    let seconds = view.poll_after_ms.div_ceil(1_000).max(2);
    let refresh = format!("<noscript><meta http-equiv=\"refresh\" content=\"{seconds}\"></noscript>");
    let head = if view.terminal { "" } else { refresh.as_str() };
    Frame { title: "Your order", head, main: &main, script: Some("order.js") }.html()
}

/// No order has this ticket.
#[must_use]
pub fn order_unknown() -> String {
    let main = "<h1>No such order</h1><p>This address carries no ticket of ours, or not all of it.</p>\
                <p>Open the address that you were given once more, whole. <a href=\"/\">To the sales</a></p>";
    Frame { title: "No such order", head: "", main, script: None }.html()
}
