//! Tests.

use super::*;

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
        units: vec![7],
        checkout_url: Some(HOSTILE.to_owned()),
        hold_expires_at: Some(HOSTILE.to_owned()),
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
    };
    vec![
        sale(&hostile_sale()),
        sales(&[line]),
        sales(&[]),
        order(&order_view("queued", None)),
        order_unknown(),
        not_found(HOSTILE),
        console(),
        problems(),
        problem("sold-out").unwrap(),
    ]
}

#[test]
fn what_people_wrote_is_escaped_everywhere() {
    for page in every_page() {
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains("'x'"), "{page}");
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
    let pages = [("buy.js", sale(&hostile_sale())), ("console.js", console())];
    for (name, page) in pages {
        let script = match name {
            "buy.js" => include_str!("assets/buy.js"),
            _ => include_str!("assets/console.js"),
        };
        let ids: Vec<_> = script.split("$(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(ids.len() > 5);
        for id in ids {
            assert!(page.contains(&format!("id=\"{id}\"")), "{name} looks for {id}");
        }
    }
}

#[test]
fn every_status_says_what_happened_and_each_reason_its_own() {
    use domain::status::Status;
    let fallback = order::words("nonsense", None);
    for status in Status::ALL {
        assert_ne!(order::words(status.as_str(), None), fallback, "{status:?}");
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
        assert_ne!(order::words(status, Some(reason)), order::words(status, None), "{status} {reason}");
    }
}

#[test]
fn an_order_refreshes_by_itself_without_scripts_until_it_has_ended() {
    assert!(order(&order_view("queued", None)).contains("http-equiv=\"refresh\""));
    let ended = OrderView { terminal: true, ..order_view("confirmed", None) };
    assert!(!order(&ended).contains("http-equiv=\"refresh\""));
}
