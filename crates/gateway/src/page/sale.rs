//! The page of a sale, and the list of sales.

use super::{Frame, escape};

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
}

/// What a state means to a buyer.
fn state_words(state: &str) -> &'static str {
    match state {
        "scheduled" => "Not open yet.",
        "live" => "Open now.",
        "paused" => "Paused: nothing can be bought for the moment. Orders that are under way go on.",
        "sold_out" => "Sold out: every unit is paid for.",
        _ => "Over: nothing can be bought any more. Orders that are under way go on.",
    }
}

/// What an availability means to a buyer.
fn availability_words(availability: &str) -> &'static str {
    match availability {
        "in_stock" => "In stock",
        "low" => "Only a few left",
        "all_held" => "All units are held by other buyers; some may come back",
        _ => "Sold out",
    }
}

/// The page of a sale.
#[must_use]
pub fn sale(view: &SaleView) -> String {
    let message = if view.message.is_empty() { "" } else { view.message.as_str() };
    let products: String = view.products.iter().map(product).collect();
    let main = format!(
        "<article id=\"sale\" data-sale=\"{id}\" data-state=\"{state}\" data-starts=\"{starts}\" data-ends=\"{ends}\" \
         data-server-time=\"{now}\"><h1>{name}</h1><p id=\"description\">{description}</p>\
         <p id=\"message\" class=\"message\" role=\"status\">{message}</p>\
         <p><span id=\"state\">{words}</span> Opens <time datetime=\"{starts}\" id=\"starts\">{starts}</time>, \
         closes <time datetime=\"{ends}\" id=\"ends\">{ends}</time>.</p>\
         <p id=\"countdown\" class=\"countdown\" role=\"timer\" aria-live=\"off\"></p>\
         <p class=\"note\">The server opens the sale, not this clock.</p>{products}\
         <noscript><p class=\"message\">Buying needs JavaScript here, because a purchase is decided within \
         milliseconds and your order must survive a lost answer. Nothing has been ordered. Please allow \
         JavaScript for this page, or use another browser; a ticket you already have can be followed at \
         <code>/return?ticket=…</code> without it.</p></noscript>\
         <section id=\"order\" class=\"order\" aria-label=\"Your order\" hidden><h2>Your order</h2>\
         <p id=\"order-text\" role=\"status\" aria-live=\"polite\"></p><p id=\"order-hint\"></p>\
         <p class=\"buttons\"><a id=\"pay\" class=\"button\" hidden>Pay now</a>\
         <button id=\"extend\" type=\"button\" hidden>More time</button>\
         <button id=\"cancel\" type=\"button\" hidden>Give up</button></p></section></article>",
        id = escape(&view.sale_id),
        state = view.state,
        starts = escape(&view.starts_at),
        ends = escape(&view.ends_at),
        now = escape(&view.server_time),
        name = escape(&view.name),
        description = escape(&view.description),
        message = escape(message),
        words = state_words(view.state),
    );
    Frame { title: &view.name, head: "", main: &main, script: Some("buy.js") }.html()
}

fn product(view: &ProductView) -> String {
    let id = escape(&view.product_id);
    let picture = view.image_url.as_deref().map(|url| format!("<img src=\"{}\" alt=\"\">", escape(url)));
    let compare = view.compare_at.as_deref().map(|amount| {
        format!(" <s><span class=\"sr\">before </span>{} {}</s>", escape(amount), escape(&view.currency))
    });
    let quantity = if view.max_per_user > 1 {
        let options: String = (1..=view.max_per_user).map(|n| format!("<option>{n}</option>")).collect();
        format!("<label>How many <select class=\"quantity\">{options}</select></label> ")
    } else {
        String::new()
    };
    format!(
        "<section class=\"product\" data-product=\"{id}\" data-availability=\"{availability}\">{picture}<h2>{name}</h2>\
         <p>{description}</p><p class=\"price\"><strong>{amount} {currency}</strong>{compare}</p>\
         <p class=\"availability\">{words}</p><form class=\"buy\">{quantity}\
         <button type=\"submit\" disabled>Buy</button> \
         <label class=\"keep\"><input type=\"checkbox\" class=\"again\" checked> keep trying if all units are held</label>\
         </form><p class=\"feedback\" role=\"status\" aria-live=\"assertive\"></p></section>",
        availability = view.availability,
        picture = picture.unwrap_or_default(),
        name = escape(&view.name),
        description = escape(&view.description),
        amount = escape(&view.amount),
        currency = escape(&view.currency),
        compare = compare.unwrap_or_default(),
        words = availability_words(view.availability),
    )
}

/// The list of sales.
#[must_use]
pub fn sales(lines: &[SaleLine]) -> String {
    let rows: String = lines
        .iter()
        .map(|line| {
            format!(
                "<li><a href=\"/s/{id}\">{name}</a> <span class=\"note\">{words} Opens <time datetime=\"{at}\">{at}</time></span></li>",
                id = escape(&line.sale_id),
                name = escape(&line.name),
                words = state_words(&line.state),
                at = escape(&line.starts_at),
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
    Frame { title: "Sales", head: "", main: &main, script: None }.html()
}
