//! Pages that say what an error means and what to do: `docs/problems/*.md`, compiled in.

use super::{Frame, escape};

const PAGES: &[(&str, &str)] = &[
    ("all-units-held", include_str!("../../../../docs/problems/all-units-held.md")),
    ("already-confirmed", include_str!("../../../../docs/problems/already-confirmed.md")),
    ("already-live", include_str!("../../../../docs/problems/already-live.md")),
    ("body-too-large", include_str!("../../../../docs/problems/body-too-large.md")),
    ("challenge-required", include_str!("../../../../docs/problems/challenge-required.md")),
    ("headers-too-large", include_str!("../../../../docs/problems/headers-too-large.md")),
    ("idempotency-key-reused", include_str!("../../../../docs/problems/idempotency-key-reused.md")),
    ("invalid-request", include_str!("../../../../docs/problems/invalid-request.md")),
    ("invalid-session", include_str!("../../../../docs/problems/invalid-session.md")),
    ("invalid-webhook", include_str!("../../../../docs/problems/invalid-webhook.md")),
    ("limit-reached", include_str!("../../../../docs/problems/limit-reached.md")),
    ("method-not-allowed", include_str!("../../../../docs/problems/method-not-allowed.md")),
    ("no-extension", include_str!("../../../../docs/problems/no-extension.md")),
    ("not-authorised", include_str!("../../../../docs/problems/not-authorised.md")),
    ("not-enough-units", include_str!("../../../../docs/problems/not-enough-units.md")),
    ("not-found", include_str!("../../../../docs/problems/not-found.md")),
    ("not-refundable", include_str!("../../../../docs/problems/not-refundable.md")),
    ("overloaded", include_str!("../../../../docs/problems/overloaded.md")),
    ("paused", include_str!("../../../../docs/problems/paused.md")),
    ("rate-limited", include_str!("../../../../docs/problems/rate-limited.md")),
    ("request-timeout", include_str!("../../../../docs/problems/request-timeout.md")),
    ("sale-ended", include_str!("../../../../docs/problems/sale-ended.md")),
    ("sale-exists", include_str!("../../../../docs/problems/sale-exists.md")),
    ("sale-not-started", include_str!("../../../../docs/problems/sale-not-started.md")),
    ("sold-out", include_str!("../../../../docs/problems/sold-out.md")),
    ("unavailable", include_str!("../../../../docs/problems/unavailable.md")),
    ("unknown-product", include_str!("../../../../docs/problems/unknown-product.md")),
    ("unknown-sale", include_str!("../../../../docs/problems/unknown-sale.md")),
    ("unknown-ticket", include_str!("../../../../docs/problems/unknown-ticket.md")),
    ("unsupported-media-type", include_str!("../../../../docs/problems/unsupported-media-type.md")),
    ("user-mismatch", include_str!("../../../../docs/problems/user-mismatch.md")),
];

/// The page of a code.
#[must_use]
pub fn problem(code: &str) -> Option<String> {
    let (_, text) = PAGES.iter().find(|(known, _)| *known == code)?;
    let main = format!("{}<p><a href=\"/problems\">All of them</a></p>", render(text));
    Some(Frame { title: title(text), head: "", main: &main, script: None }.html())
}

/// The list of all codes.
#[must_use]
pub fn problems() -> String {
    let line = |(code, text): &(&str, &str)| {
        format!("<li><a href=\"/problems/{code}\"><code>{code}</code></a> {}</li>", escape(title(text)))
    };
    let lines: String = PAGES.iter().map(line).collect();
    let main = format!("<h1>What errors mean</h1><ul>{lines}</ul>");
    Frame { title: "What errors mean", head: "", main: &main, script: None }.html()
}

fn title(text: &str) -> &str {
    text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default()
}

/// The few forms of Markdown that these pages use: headings, paragraphs, lists, code.
fn render(text: &str) -> String {
    let mut html = String::new();
    for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
        if let Some(heading) = block.strip_prefix("# ") {
            html.push_str(&format!("<h1>{}</h1>", inline(heading)));
        } else if let Some(heading) = block.strip_prefix("## ") {
            html.push_str(&format!("<h2>{}</h2>", inline(heading)));
        } else if block.starts_with("- ") {
            let points = block.lines().map(|line| line.trim_start_matches("- "));
            let points: String = points.map(|point| format!("<li>{}</li>", inline(point))).collect();
            html.push_str(&format!("<ul>{points}</ul>"));
        } else {
            html.push_str(&format!("<p>{}</p>", inline(block)));
        }
    }
    html
}

fn inline(text: &str) -> String {
    let part = |(at, part): (usize, &str)| {
        if at % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) }
    };
    text.split('`').enumerate().map(part).collect()
}
