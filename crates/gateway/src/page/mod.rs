//! The pages: functions from plain views to HTML. No I/O, no framework, no build step; scripts and styles are compiled
//! in and served under names that carry their hash.
//!
//! Everything that a person wrote goes through [`escape`].

mod assets;
mod order;
mod problem;
mod sale;
mod words;

pub use assets::{Asset, asset};
pub use order::{OrderView, order, order_later, order_unknown};
pub use problem::{problem, problems};
pub use sale::{ProductView, SaleLine, SaleView, sale, sale_later, sales};

/// Only our own scripts and styles; pictures also from elsewhere, since shops keep them there.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' https: data:; base-uri 'none'; \
                                           form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/// The same for a page that shows a widget from `origin` besides: its script, and what the script puts into a frame.
#[must_use]
pub fn content_security_policy_with(origin: &str) -> String {
    format!("{CONTENT_SECURITY_POLICY}; script-src 'self' {origin}; frame-src {origin}")
}

/// Text as it may stand in HTML, also inside a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// An instant as an element: for people as it is, and for scripts to write it in the reader's own way.
fn time(at: &str, id: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!(" id=\"{id}\"") };
    format!("<time datetime=\"{}\"{id}>{}</time>", escape(at), escape(&words::instant(at)))
}

/// What stands around every page.
struct Frame<'a> {
    title: &'a str,
    head: &'a str,
    main: &'a str,
    script: Option<&'static str>,
}

impl Frame<'_> {
    fn html(&self) -> String {
        let style = assets::address("style.css");
        let script = self.script.map(assets::module);
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{}</title>\
             <link rel=\"stylesheet\" href=\"{style}\">{}{}</head>\
             <body><a class=\"skip\" href=\"#main\">Skip to content</a><main id=\"main\">{}</main></body></html>",
            escape(self.title),
            self.head,
            script.unwrap_or_default(),
            self.main
        )
    }
}

/// There is nothing at this address; the way back is to the sales, on a listener that has them.
#[must_use]
pub fn not_found(path: &str, for_buyers: bool) -> String {
    let back =
        if for_buyers { "<a href=\"/\">To the sales</a>" } else { "<a href=\"/console\">To the console</a>" };
    let path = escape(path);
    let main = format!("<h1>Nothing here</h1><p>There is no page at <code>{path}</code>.</p><p>{back}</p>");
    Frame { title: "Nothing here", head: "", main: &main, script: None }.html()
}

/// The operator's page; its script fills it.
#[must_use]
pub fn console() -> String {
    let main = include_str!("assets/console.html");
    Frame {
        title: "Console",
        head: "<meta name=\"robots\" content=\"noindex\">",
        main,
        script: Some("console.js"),
    }
    .html()
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
