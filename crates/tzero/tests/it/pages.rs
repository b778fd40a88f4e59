//! Pages, documents and machine's endpoints.

use serde_json::json;

use crate::harness::{PATIENCE, Server, program, read};

#[tokio::test]
async fn every_page_is_there_and_keeps_to_its_policy() {
    let server = Server::start(&[]);
    assert!(server.get("/").await.text.contains("There is no sale yet"));
    server.sale("s", 5, json!({ "name": "A <b>sale</b>" })).await;
    let ticket = server.ticket("s").await;
    let paths =
        ["/", "/s/s", &format!("/return?ticket={ticket}"), "/console", "/problems", "/problems/sold-out"];
    for path in paths {
        let page = server.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(page.header("content-security-policy").expect("a policy").contains("default-src 'self'"));
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert!(!path.contains(&ticket) || page.header("cache-control") == Some("no-store"), "{path}");
        assert!(!page.text.contains("<b>sale"), "escaped");
        for asset in page.text.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let asset = server.get(&format!("/assets/{asset}")).await;
            assert_eq!(asset.status, 200);
            assert!(asset.header("cache-control").expect("a policy").contains("immutable"));
        }
    }
    assert!(server.get(&format!("/return?ticket={ticket}")).await.text.contains("held for you"));
    assert_eq!(server.get("/return?ticket=nonsense").await.status, 404);
    assert_eq!(server.get("/s/nowhere").await.status, 404);
    for path in ["/s/", "/nope", "/s/unknown-sale", "/nope?x=1"] {
        let asked = server.request(reqwest::Method::GET, path);
        let page = read(asked.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (404, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(page.header("content-security-policy").is_some() && !page.text.contains("<script"), "{path}");
        assert!(page.text.contains("<a href=\"/\">"), "{path}: the way back");
    }
    assert_eq!(server.get("/nope").await.code(), "not-found", "who asks for no page gets a problem");
}

#[tokio::test]
async fn with_a_listener_of_their_own_operators_have_the_console_there_and_only_there() {
    let server = Server::start(&["server.admin_listen=127.0.0.1:0"]);
    let operators = server.operators_listener().await;
    let console = server.get(&format!("{operators}/console")).await;
    assert_eq!(console.status, 200);
    for asset in console.text.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert_eq!(server.get(&format!("{operators}/assets/{asset}")).await.status, 200, "{asset}");
    }
    // What is not served is not there at all, and not only there with another method.
    for path in ["/console", "/admin/v1/sales"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for path in ["/v1/time", "/v1/sessions", "/s/nowhere"] {
        assert_eq!(server.get(&format!("{operators}{path}")).await.status, 404, "{path}");
    }
    // What the links of problems point to is on the listener that gave them, and so are the exact counts.
    let kind = server.get(&format!("{operators}/admin/v1/nothing")).await.json()["type"].clone();
    let page = server.get(&format!("{operators}{}", kind.as_str().expect("a type"))).await;
    assert_eq!(page.status, 200, "{kind}");
    assert!(server.get(&format!("{operators}/metrics")).await.text.contains("# HELP tzero_units"));
    let nowhere = server.request(reqwest::Method::GET, &format!("{operators}/nope"));
    let nowhere = read(nowhere.header("accept", "text/html")).await;
    assert!(nowhere.status == 404 && nowhere.text.contains("href=\"/console\""), "{}", nowhere.text);
    let wrong = server.request(reqwest::Method::DELETE, &format!("{operators}/admin/v1/sales"));
    assert_eq!(read(wrong).await.status, 405);
}

#[tokio::test]
async fn machines_read_health_readiness_metrics_and_the_document() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    server.ticket("s").await;
    assert_eq!(server.get("/healthz").await.status, 200);
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let body = ready.json();
    assert_eq!(body["degraded"], false, "{body}");
    for name in ["store", "clock", "inventory", "payments"] {
        assert_eq!(body["dependencies"][name]["ready"], true, "{body}");
    }
    let public = server.get("/metrics").await.text;
    assert!(!public.contains("tzero_units"), "exact counts are never public");
    let scrape = async || {
        let asked = server.request(reqwest::Method::GET, "/metrics").bearer_auth(server.token());
        read(asked).await.text
    };
    // A gateway asks the nodes that have the stock, and counts as they said last.
    let counted = async {
        while !scrape().await.contains("tzero_units{sale=\"s\",product=\"p\",place=\"held\"} 1\n") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, counted).await.expect("units are counted");
    let (metrics, orders) = (scrape().await, server.orders_metrics().await);
    for (series, metrics) in [
        ("tzero_http_requests_total{route=\"checkout\",status=\"202\"} 1", &metrics),
        ("tzero_http_request_duration_seconds_bucket{route=\"checkout\",le=\"+Inf\"} 1", &metrics),
        ("tzero_progress_stalled_seconds{kind=\"hold\"} 0", &orders),
        ("tzero_progress_total{kind=\"hold\"} 1", &orders),
    ] {
        assert!(metrics.contains(series), "{series}\n{metrics}");
    }
    let document = server.get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["paths"]["/v1/sales/{sale_id}/checkout"]["post"]["responses"]["422"].is_object());
    let time = server.get("/v1/time").await;
    assert_eq!(time.header("cache-control"), Some("no-store"));
    assert!(time.json()["server_time"].as_str().expect("a time").ends_with('Z'));
}

#[tokio::test]
async fn orders_are_listed_filtered_and_exported() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    let ticket = server.buy("s", &buyer, "k").await.ticket();
    server.payable(&ticket).await;
    server.ticket("s").await;
    let get = async |path: &str| server.admin(reqwest::Method::GET, path, None).await;
    assert_eq!(get("sales/s/orders").await.json()["orders"].as_array().map(Vec::len), Some(2));
    let mine = get(&format!("sales/s/orders?user_id={}", buyer.user)).await.json();
    assert_eq!(mine["orders"][0]["queue_ticket_id"], ticket.as_str());
    assert_eq!(mine["orders"].as_array().map(Vec::len), Some(1));
    assert_eq!(get("sales/s/orders?status=confirmed").await.json()["orders"], json!([]));
    assert_eq!(get("sales/s/orders?status=nonsense").await.status, 400);
    let one = format!("sales/s/orders?ticket={ticket}&status=");
    assert_eq!(get(&format!("{one}awaiting_payment")).await.json()["orders"][0]["queue_ticket_id"], *ticket);
    assert_eq!(get(&format!("{one}cancelled")).await.json()["orders"], json!([]), "every filter counts");
    let csv = get("sales/s/orders.csv").await;
    assert_eq!(csv.text.lines().count(), 3);
    assert!(csv.text.starts_with("queue_ticket_id,product_id,user_id"));
    let actions = get("actions").await.json();
    assert_eq!(actions["actions"][0]["action"], "create");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_makes_a_sale_that_is_over_is_told() {
    let server = Server::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, starts_at, over) in
        [("past", "2020-01-01T00:00:00Z", true), ("later", "2090-01-01T00:00:00Z", false)]
    {
        let file = folder.path().join(format!("{name}.toml"));
        let text = format!(
            "sale_id = \"{name}\"\nname = \"Sale\"\nstarts_at = \"{starts_at}\"\n[[products]]\nproduct_id = \"p\"\nname = \"P\"\n\
             price = {{ amount = \"1.00\", currency = \"EUR\" }}\nstock = 1\n"
        );
        std::fs::write(&file, text).expect("written");
        let mut command = program();
        command
            .args(["sale", "create", "--url", &server.gateway])
            .arg(&file)
            .env("TZERO_ADMIN_TOKEN", server.token());
        let output = command.output().expect("it runs");
        let [said, warned] =
            [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(output.status.success() && said.starts_with(&format!("Created. {name}")), "{said}{warned}");
        assert_eq!(
            warned.contains("the sale is over already: it ended at 2020-01-02T"),
            over,
            "{name}: {warned}"
        );
    }
}
