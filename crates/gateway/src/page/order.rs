//! The page of an order, where a buyer comes back to after paying. It works without JavaScript.

use super::{Frame, escape, time, words};

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
    /// What they cost together, with the currency.
    pub total: Option<String>,
    /// Which units are theirs.
    pub units: Vec<u32>,
    /// Where to pay.
    pub checkout_url: Option<String>,
    /// When the hold ends.
    pub hold_expires_at: Option<String>,
    /// Only grows.
    pub version: u32,
    /// Nothing more happens by itself.
    pub terminal: bool,
    /// When to look again, milliseconds.
    pub poll_after_ms: u64,
}

/// The page of an order.
#[must_use]
pub fn order(view: &OrderView) -> String {
    let (happened, _) = words::order(&view.status, view.reason.as_deref());
    let main = format!(
        "<h1 id=\"order-title\" tabindex=\"-1\">Your order</h1><section id=\"order\" aria-labelledby=\"order-title\" \
         data-ticket=\"{ticket}\" data-status=\"{status}\" data-phase=\"{phase}\" data-version=\"{version}\" \
         data-terminal=\"{terminal}\" data-poll=\"{poll}\"><p role=\"status\"><strong id=\"order-text\">{happened}</strong></p>\
         <div id=\"order-rest\">{rest}</div><p id=\"order-trouble\" role=\"status\"></p></section>\
         <p><a href=\"/s/{sale}\">Back to the sale</a></p>",
        ticket = escape(&view.ticket),
        status = escape(&view.status),
        phase = escape(&view.phase),
        version = view.version,
        terminal = view.terminal,
        poll = view.poll_after_ms,
        rest = rest(view),
        sale = escape(&view.sale_id),
    );
    let seconds = view.poll_after_ms.div_ceil(1_000).max(2);
    let refresh = format!("<noscript><meta http-equiv=\"refresh\" content=\"{seconds}\"></noscript>");
    let head = if view.terminal { "" } else { refresh.as_str() };
    Frame { title: "Your order", head, main: &main, script: Some("order.js") }.html()
}

/// What changes with the order's state: the script puts a newer one in its place.
fn rest(view: &OrderView) -> String {
    let (_, hint) = words::order(&view.status, view.reason.as_deref());
    let mut rest = format!("<p>{hint}</p>");
    if let Some(name) = &view.product {
        let total = view.total.as_deref().map(|total| format!(": {}", escape(total)));
        rest += &format!("<p>{} × {}{}</p>", view.quantity, escape(name), total.unwrap_or_default());
    }
    if !view.units.is_empty() {
        let numbers: Vec<String> = view.units.iter().map(u32::to_string).collect();
        rest += &format!("<p>Your unit numbers: {}</p>", numbers.join(", "));
    }
    if let Some(at) = &view.hold_expires_at {
        rest += &format!("<p>The hold ends at {}.</p>", time(at, ""));
    }
    if let Some(url) = &view.checkout_url {
        let looking = "<p id=\"looking\" class=\"busy\" hidden>Looking whether a payment has arrived …</p>";
        let pay = format!("<p><a class=\"button\" id=\"pay\" href=\"{}\">Pay now</a></p>", escape(url));
        rest += &format!("{looking}{pay}");
    }
    rest
}

/// Nobody can tell just now where an order stands.
#[must_use]
pub fn order_later() -> String {
    let main = "<h1>Your order</h1><p role=\"status\"><strong>We cannot look up your order just now; it is safe.</strong></p>\
                <p>This page asks again by itself. There is nothing to do.</p>";
    let head = "<meta http-equiv=\"refresh\" content=\"3\">";
    Frame { title: "Your order", head, main, script: None }.html()
}

/// No order has this ticket.
#[must_use]
pub fn order_unknown() -> String {
    let main = "<h1>No such order</h1><p>This address carries no ticket of ours, or not all of it.</p>\
                <p>Open the address that you were given once more, whole. <a href=\"/\">To the sales</a></p>";
    Frame { title: "No such order", head: "", main, script: None }.html()
}
