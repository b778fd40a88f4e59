//! The page of a sale, and the list of sales.

use super::{Frame, escape, time, words};

/// A page without scripts follows what happens all the same.
const LOOK_AGAIN: &str = "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>";

/// A sale as the page shows it.
pub struct SaleView {
    /// Identifier.
    pub sale_id: String,
    /// Name.
    pub name: String,
    /// Description; may be empty.
    pub description: String,
    /// The operator's message; may be empty.
    pub message: String,
    /// The contract's word for its state.
    pub state: &'static str,
    /// T-zero.
    pub starts_at: String,
    /// Its end.
    pub ends_at: String,
    /// The server's clock.
    pub server_time: String,
    /// By how much a buyer may extend a hold once, milliseconds; 0 where not at all.
    pub extension_ms: u64,
    /// The tag of the sale's document that says the same.
    pub tag: String,
    /// What is sold.
    pub products: Vec<ProductView>,
}

/// A product as the page shows it.
pub struct ProductView {
    /// Identifier.
    pub product_id: String,
    /// Name.
    pub name: String,
    /// Description; may be empty.
    pub description: String,
    /// A picture.
    pub image_url: Option<String>,
    /// Decimal string.
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
    /// A former price.
    pub compare_at: Option<String>,
    /// The contract's word.
    pub availability: &'static str,
    /// Units that one buyer may have.
    pub max_per_user: u8,
}

/// A line of the list of sales.
pub struct SaleLine {
    /// Identifier.
    pub sale_id: String,
    /// Name.
    pub name: String,
    /// The contract's word.
    pub state: String,
    /// T-zero.
    pub starts_at: String,
    /// Its end.
    pub ends_at: String,
    /// The server's clock.
    pub server_time: String,
}

/// The page of a sale.
#[must_use]
pub fn sale(view: &SaleView) -> String {
    let products: String = view.products.iter().map(product).collect();
    // Both are the server's own instants, of one form and one length: their order is the order of their texts.
    let (begun, over) = (view.starts_at <= view.server_time, view.state == "ended");
    let main = format!(
        "<article id=\"sale\" data-sale=\"{id}\" data-state=\"{state}\" data-starts=\"{starts}\" data-ends=\"{ends}\" \
         data-server-time=\"{now}\" data-extension-ms=\"{extension}\" data-tag=\"{tag}\"><h1 id=\"name\">{name}</h1>\
         <p id=\"description\">{description}</p><p id=\"message\" class=\"message\" role=\"status\">{message}</p>\
         <p><span id=\"state\">{words}</span> <span id=\"opens\">{opens_word}</span> {opens}, \
         <span id=\"closes\">{closes_word}</span> {closes}.</p>\
         <p id=\"countdown\" class=\"countdown\" role=\"timer\" aria-live=\"off\"></p>\
         <p class=\"note\">The server opens the sale, not this clock.</p>\
         <noscript><p class=\"message\">Buying needs JavaScript here, because a purchase is decided within \
         milliseconds and your order must survive a lost answer. Nothing has been ordered. Please allow \
         JavaScript for this page, or use another browser; a ticket you already have can be followed at \
         <code>/return?ticket=…</code> without it. This page shows how the sale stands, and looks again every half \
         minute.</p></noscript>{products}</article>",
        id = escape(&view.sale_id),
        state = view.state,
        starts = escape(&view.starts_at),
        ends = escape(&view.ends_at),
        now = escape(&view.server_time),
        extension = view.extension_ms,
        tag = escape(&view.tag),
        name = escape(&view.name),
        description = escape(&view.description),
        message = escape(&view.message),
        words = words::state(view.state),
        opens_word = match (begun, over) {
            (true, _) => "Opened",
            (false, true) => "Was to open",
            (false, false) => "Opens",
        },
        closes_word = if over { "closed" } else { "closes" },
        opens = time(&view.starts_at, "starts"),
        closes = time(&view.ends_at, "ends"),
    );
    Frame { title: &view.name, head: LOOK_AGAIN, main: &main, script: Some("buy.js") }.html()
}

/// A product: what it is, the way to buy it, and the box of this buyer's order. Whatever only scripts can do is hidden
/// until they show it.
fn product(view: &ProductView) -> String {
    let picture = view.image_url.as_deref().map(|url| format!("<img src=\"{}\" alt=\"\">", escape(url)));
    let before =
        view.compare_at.as_deref().map(|amount| format!("{} {}", escape(amount), escape(&view.currency)));
    format!(
        "<section class=\"product\" data-product=\"{id}\" data-name=\"{name}\" data-amount=\"{amount}\" \
         data-currency=\"{currency}\" data-max=\"{max}\" data-availability=\"{availability}\">{picture}<h2>{name}</h2>\
         <p class=\"about\">{description}</p><p class=\"price\"><strong class=\"now\">{amount} {currency}</strong> \
         <s class=\"before\"{no_before}><span class=\"sr\">before </span><span>{before}</span></s></p>\
         <p class=\"availability\">{words}</p>{form}{order}</section>",
        id = escape(&view.product_id),
        max = view.max_per_user,
        availability = view.availability,
        picture = picture.unwrap_or_default(),
        name = escape(&view.name),
        description = escape(&view.description),
        amount = escape(&view.amount),
        currency = escape(&view.currency),
        no_before = hidden(before.is_none()),
        before = before.unwrap_or_default(),
        words = words::availability(view.availability),
        form = form(view.max_per_user),
        order = order_box(&view.name),
    )
}

/// The attribute of what is there and not shown.
const fn hidden(hidden: bool) -> &'static str {
    if hidden { " hidden" } else { "" }
}

fn form(max_per_user: u8) -> String {
    let options: String = (1..=max_per_user).map(|n| format!("<option>{n}</option>")).collect();
    let only_one = hidden(max_per_user == 1);
    format!(
        "<form class=\"buy\" hidden><label class=\"many\"{only_one}>How many \
         <select class=\"quantity\" autocomplete=\"off\">{options}</select></label> <button type=\"submit\" class=\"go\" disabled>Buy</button> \
         <button type=\"button\" class=\"stop quiet\" hidden>Stop</button> \
         <label class=\"keep\"><input type=\"checkbox\" class=\"again\" checked autocomplete=\"off\"> keep trying by \
         itself where waiting may help</label></form><p class=\"why note\"></p>\
         <p class=\"feedback\" role=\"status\"></p><p class=\"next note\"></p>{CHALLENGE}"
    )
}

/// Where a challenge is shown, if the sale asks for one.
const CHALLENGE: &str = "<section class=\"challenge\" aria-label=\"A challenge before you buy\" hidden>\
     <h3 class=\"challenge-title\" tabindex=\"-1\">One moment: are you a person?</h3><p class=\"challenge-why\" role=\"status\"></p>\
     <p class=\"challenge-what\">This sale asks for a little work of your browser, so that programs do not buy everything. \
     Tick the box and wait a moment; there is nothing to read or to recognise. Your request is then sent again by itself.</p>\
     <div class=\"challenge-place\"></div><p class=\"challenge-said\" role=\"status\"></p>\
     <button class=\"challenge-leave quiet\" type=\"button\">Not now</button></section>";

fn order_box(product: &str) -> String {
    format!(
        "<section class=\"order\" aria-label=\"Your order of {product}\" hidden>\
         <h3 class=\"order-title\" tabindex=\"-1\">Your order</h3><p class=\"order-what\"></p>\
         <p role=\"status\"><strong class=\"order-text\"></strong></p><p class=\"order-hint\"></p>\
         <p class=\"order-until\"></p><p class=\"order-trouble\" role=\"status\"></p>\
         <p class=\"order-said\" role=\"status\"></p><p class=\"buttons\"><a class=\"pay button\" hidden>Pay now</a>\
         <button class=\"extend\" type=\"button\" hidden>More time</button>\
         <button class=\"cancel quiet\" type=\"button\" hidden>Give up</button></p></section>\
         <ul class=\"earlier\" hidden></ul>",
        product = escape(product),
    )
}

/// Nobody can tell just now whether there is such a sale.
#[must_use]
pub fn sale_later() -> String {
    let main = "<h1>Sale</h1><p role=\"status\"><strong>We cannot look up this sale just now.</strong></p>\
                <p>This page asks again by itself. There is nothing to do.</p>";
    let head = "<meta http-equiv=\"refresh\" content=\"3\">";
    Frame { title: "Sale", head, main, script: None }.html()
}

/// The list of sales.
#[must_use]
pub fn sales(lines: &[SaleLine]) -> String {
    let rows: String = lines
        .iter()
        .map(|line| {
            let (word, at) = match line.state.as_str() {
                "ended" => ("Closed", &line.ends_at),
                _ if line.starts_at <= line.server_time => ("Opened", &line.starts_at),
                _ => ("Opens", &line.starts_at),
            };
            format!(
                "<li><a href=\"/s/{id}\">{name}</a> <span class=\"note\">{words} {word} {at}</span></li>",
                id = escape(&line.sale_id),
                name = escape(&line.name),
                words = words::state(&line.state),
                at = time(at, ""),
            )
        })
        .collect();
    let main = if lines.is_empty() {
        "<h1>Sales</h1><p>There is no sale yet.</p><p class=\"note\">If you run this shop: \
         <code>tzero sale create sales/demo.toml</code> makes one.</p>"
            .to_owned()
    } else {
        format!("<h1>Sales</h1><ul>{rows}</ul>")
    };
    Frame { title: "Sales", head: LOOK_AGAIN, main: &main, script: None }.html()
}
