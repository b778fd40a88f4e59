//! Tests.

use super::*;
use crate::encoding::Coding;

const HOSTILE: &str = "<script>alert('x')</script>\"&";

fn hostile_sale() -> SaleView {
    let text = || HOSTILE.to_owned();
    SaleView {
        sale_id: text(),
        name: text(),
        description: text(),
        message: text(),
        state: "live",
        starts_at: text(),
        ends_at: text(),
        server_time: text(),
        extension_ms: 0,
        tag: text(),
        products: vec![ProductView {
            product_id: text(),
            name: text(),
            description: text(),
            image_url: Some(text()),
            amount: text(),
            currency: text(),
            compare_at: Some(text()),
            availability: "low",
            max_per_user: 3,
        }],
    }
}

fn order_view(status: &str, reason: Option<&str>) -> OrderView {
    OrderView {
        ticket: HOSTILE.to_owned(),
        status: status.to_owned(),
        phase: HOSTILE.to_owned(),
        reason: reason.map(str::to_owned),
        sale_id: HOSTILE.to_owned(),
        product: Some(HOSTILE.to_owned()),
        quantity: 1,
        total: Some(HOSTILE.to_owned()),
        units: vec![7],
        checkout_url: Some(HOSTILE.to_owned()),
        hold_expires_at: Some(HOSTILE.to_owned()),
        version: 7,
        terminal: false,
        poll_after_ms: 500,
    }
}

fn every_page() -> Vec<String> {
    let line = SaleLine {
        sale_id: HOSTILE.to_owned(),
        name: HOSTILE.to_owned(),
        state: "live".to_owned(),
        starts_at: HOSTILE.to_owned(),
        ends_at: HOSTILE.to_owned(),
        server_time: HOSTILE.to_owned(),
    };
    vec![
        sale(&hostile_sale()),
        sales(&[line]),
        sales(&[]),
        order(&order_view("queued", None)),
        order_unknown(),
        order_later(),
        not_found(HOSTILE, true),
        not_found(HOSTILE, false),
        console(),
        problems(),
        problem("sold-out").unwrap(),
    ]
}

#[test]
fn what_people_wrote_is_escaped_everywhere() {
    for page in every_page() {
        for raw in ["<script>alert", "<script&", "script>alert", "'x'", "</script>&", "\"&<"] {
            assert!(!page.contains(raw), "{raw}: {page}");
        }
    }
}

#[test]
fn no_page_has_inline_scripts_or_styles() {
    for page in every_page() {
        assert!(!page.contains("<style"), "{page}");
        assert!(!page.contains(" style="), "{page}");
        assert!(!page.contains(" onclick="), "{page}");
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script type=\"module\" src=\"/assets/").count()
        );
    }
}

#[test]
fn every_asset_of_a_page_is_served_under_its_name() {
    for page in every_page() {
        let names = page.split("\"/assets/").skip(1).map(|rest| rest.split('"').next().unwrap());
        let names: Vec<_> = names.collect();
        assert!(!names.is_empty());
        for name in names {
            assert!(asset(name).is_some(), "{name}");
        }
    }
    assert!(asset("buy.js").is_none(), "only names with a hash are kept for ever");
}

#[test]
fn scripts_name_only_what_their_page_has() {
    fn quoted<'a>(script: &'a str, before: &'a str) -> Vec<&'a str> {
        script.split(before).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
    }
    let by_id = [
        (include_str!("assets/buy.js"), sale(&hostile_sale())),
        (include_str!("assets/order.js"), order(&order_view("awaiting_payment", None))),
        (include_str!("assets/console.js"), console()),
    ];
    for (script, page) in by_id {
        let ids = quoted(script, "$(\"");
        assert!(ids.len() > 2);
        for id in ids {
            assert!(page.contains(&format!("id=\"{id}\"")), "a script looks for {id}");
        }
    }
    let page = sale(&hostile_sale());
    for script in [
        include_str!("assets/product.js"),
        include_str!("assets/order-box.js"),
        include_str!("assets/challenge.js"),
    ] {
        let parts = quoted(script, "part(\"");
        assert!(parts.len() > 4);
        for part in parts {
            let found =
                page.contains(&format!("class=\"{part}\"")) || page.contains(&format!("class=\"{part} "));
            assert!(found, "a script looks for {part}");
        }
    }
}

#[test]
fn modules_are_imported_under_the_names_that_are_served() {
    let page = sale(&hostile_sale());
    let served = |address: &str| asset(address.strip_prefix("/assets/").unwrap()).unwrap();
    let mut imports = 0;
    for address in page.split('"').filter(|part| part.starts_with("/assets/")) {
        let body = String::from_utf8(served(address).forms.get(Coding::Identity).1.to_vec()).unwrap();
        for import in body.split(" from \"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let import = import.strip_prefix("./").unwrap();
            assert!(asset(import).is_some(), "{address} imports {import}");
            assert!(page.contains(&format!("<link rel=\"modulepreload\" href=\"/assets/{import}\">")));
            imports += 1;
        }
    }
    assert!(imports > 10);
}

#[test]
fn what_a_challenge_needs_is_loaded_only_by_who_is_asked() {
    let page = sale(&hostile_sale());
    assert!(!page.contains("altcha"), "neither fetched nor preloaded with the page");
    let script = page.split('"').find(|part| part.starts_with("/assets/challenge.")).unwrap();
    let script = asset(script.strip_prefix("/assets/").unwrap()).unwrap();
    let body = String::from_utf8(script.forms.get(Coding::Identity).1.to_vec()).unwrap();
    let later: Vec<&str> =
        body.split("\"./altcha").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(later.len(), 4, "licence, style, widget, worker: {later:?}");
    for name in later {
        assert!(
            asset(&format!("altcha{name}"))
                .is_some_and(|asset| asset.forms.get(Coding::Identity).1.len() > 1_000),
            "altcha{name}"
        );
    }
}

#[test]
fn only_a_widget_of_another_origin_widens_what_a_page_may_load() {
    assert!(!CONTENT_SECURITY_POLICY.contains("script-src") && !CONTENT_SECURITY_POLICY.contains("unsafe"));
    let wider = content_security_policy_with("https://widget.example");
    let added = wider.strip_prefix(CONTENT_SECURITY_POLICY).unwrap();
    assert_eq!(added, "; script-src 'self' https://widget.example; frame-src https://widget.example");
}

#[test]
fn what_needs_scripts_is_hidden_until_they_run() {
    let page = sale(&hostile_sale());
    assert!(page.contains("<form class=\"buy\" hidden>"));
    assert!(page.contains("<section class=\"order\"") && page.contains("hidden><h3"));
    assert!(page.find("<noscript><p").unwrap() < page.find("class=\"product\"").unwrap());
    assert!(console().contains("<form id=\"enter\" class=\"panel\" hidden>"));
    for page in [page, sales(&[])] {
        assert!(page.contains("<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>"));
    }
}

#[test]
fn instants_are_written_for_people() {
    assert_eq!(words::instant("2026-11-25T15:31:00.000Z"), "25 November 2026, 15:31 UTC");
    assert_eq!(words::instant("2026-01-05T00:00:07.250Z"), "5 January 2026, 00:00:07 UTC");
    for other in ["", "2026", "2026-13-05T00:00:00Z", "2026-01-05T<b>:00Z", HOSTILE] {
        assert_eq!(words::instant(other), other);
    }
}

#[test]
fn every_status_says_what_happened_and_each_reason_its_own() {
    use domain::status::Status;
    for state in ["scheduled", "live", "paused", "sold_out", "ended"] {
        assert_ne!(words::state(state), "");
    }
    for stock in ["in_stock", "low", "all_held", "sold_out"] {
        assert_ne!(words::availability(stock), "");
    }
    let fallback = words::order("nonsense", None);
    for status in Status::ALL {
        assert_ne!(words::order(status.as_str(), None), fallback, "{status:?}");
    }
    let reasons = [
        ("awaiting_payment", "payment-declined"),
        ("awaiting_payment", "cancelling"),
        ("awaiting_payment", "expiring"),
        ("confirmed", "late-payment"),
        ("expired", "no-payment-address"),
        ("cancelled", "by-operator"),
        ("cancelled", "store-failover"),
        ("cancelled", "limit-reached"),
        ("refunded", "refunding"),
    ];
    for (status, reason) in reasons {
        assert_ne!(words::order(status, Some(reason)), words::order(status, None), "{status} {reason}");
    }
}

#[test]
fn an_order_refreshes_by_itself_without_scripts_until_it_has_ended() {
    assert!(order(&order_view("queued", None)).contains("http-equiv=\"refresh\""));
    assert!(order_later().contains("<meta http-equiv=\"refresh\" content=\"3\">"));
    let ended = OrderView { terminal: true, ..order_view("confirmed", None) };
    assert!(!order(&ended).contains("http-equiv=\"refresh\""));
}

#[test]
fn opening_and_end_are_told_as_past_or_to_come() {
    let at = |hour: u8| format!("2026-11-26T{hour:02}:00:00.000Z");
    let cases = [
        ("scheduled", 9, ">Opens<", ">closes<", "Opens <time"),
        ("live", 11, ">Opened<", ">closes<", "Opened <time"),
        ("paused", 9, ">Opens<", ">closes<", "Opens <time"),
        ("paused", 11, ">Opened<", ">closes<", "Opened <time"),
        ("sold_out", 11, ">Opened<", ">closes<", "Opened <time"),
        ("ended", 13, ">Opened<", ">closed<", "Closed <time"),
        ("ended", 9, ">Was to open<", ">closed<", "Closed <time"),
    ];
    for (state, now, opens, closes, listed) in cases {
        let times = || (at(10), at(12), at(now));
        let (starts_at, ends_at, server_time) = times();
        let page = sale(&SaleView { state, starts_at, ends_at, server_time, ..hostile_sale() });
        assert!(page.contains(opens) && page.contains(closes), "{state} at {now}");
        let (starts_at, ends_at, server_time) = times();
        let (sale_id, name) = ("s".to_owned(), "S".to_owned());
        let list =
            sales(&[SaleLine { sale_id, name, state: state.to_owned(), starts_at, ends_at, server_time }]);
        assert!(list.contains(listed), "{state} at {now}");
    }
}
