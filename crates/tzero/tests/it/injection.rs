//! Texts that mean something to a store, a script, a log or a spreadsheet mean nothing here.

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Buyer, Server, read};

const SECRET: &str = "a-shared-secret-of-at-least-thirty-two-bytes";

/// Keys of the form that the contract allows, and what somebody could mean by them.
const MEANT: [&str; 20] = [
    "{s}",
    "}{",
    "{}:{}",
    "fs:{0}:available",
    "';DROP/**/TABLE/**/orders;--",
    "'OR'1'='1",
    "\"",
    "\\",
    "\\\"",
    "$1",
    "%s%n%p",
    "%00%0d%0a",
    "${jndi:ldap://x/y}",
    "KEYS[1]",
    "redis.call('FLUSHALL')",
    "*",
    "../../../etc/passwd",
    "<script>alert(1)</script>",
    "=HYPERLINK(\"x\")",
    "!",
];

/// A server whose shop signs sessions, and the folder of its key.
fn of_a_shop(settings: &[&str]) -> (Server, tempfile::TempDir) {
    let keys = tempfile::tempdir().expect("a folder");
    let file = keys.path().join("key");
    std::fs::write(&file, SECRET).expect("written");
    let key = format!("sessions.jwt_key_file={}", file.display());
    let own = ["sessions.issuer=jwt", "sessions.jwt_algorithm=HS256", &key];
    (Server::start(&[&own[..], settings].concat()), keys)
}

fn signed(user: &str) -> Buyer {
    let claims = json!({ "sub": user, "exp": jiff::Timestamp::now().as_second() + 600 });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    Buyer { user: user.to_owned(), token: encode(&Header::default(), &claims, &key).expect("signed") }
}

#[tokio::test]
async fn keys_with_braces_quotes_and_scripts_are_keys_and_each_is_its_own() {
    let server = Server::start(&["limits.user_per_s=0"]);
    server.sale("s", 200, json!({ "max_per_user": 100 })).await;
    let buyer = server.buyer().await;
    let longest = "}".repeat(255);
    let keys: Vec<&str> = MEANT.iter().copied().chain([longest.as_str()]).collect();
    let mut tickets = Vec::new();
    for key in &keys {
        let answer = server.buy("s", &buyer, key).await;
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (202, None), "{key}");
        tickets.push(answer.ticket());
    }
    for (key, ticket) in keys.iter().zip(&tickets) {
        let again = server.buy("s", &buyer, key).await;
        assert_eq!(
            (again.status, again.ticket(), again.header("idempotent-replayed")),
            (202, ticket.clone(), Some("true")),
            "{key}"
        );
    }
    tickets.sort_unstable();
    tickets.dedup();
    assert_eq!(tickets.len(), keys.len());
    for wrong in
        ["", "a\0b", "\0", "a\nb", "a\r\nX: y", "a b", "\u{1b}[31m", "é", "\u{202e}", &"k".repeat(256)]
    {
        let answer = server.buy("s", &buyer, wrong).await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-request"), "{wrong:?}");
    }
    assert_eq!(server.clean_audit("s").await["held"], keys.len());
}

#[tokio::test]
async fn users_and_sales_of_another_form_are_nobody_and_nowhere() {
    let (server, _keys) = of_a_shop(&["limits.user_per_s=0"]);
    server.sale("s", 20, json!({})).await;
    let long = "u".repeat(129);
    let nobody = [
        "a{s}",
        "{",
        "a'--",
        "a\"",
        "a b",
        "a\0",
        "a\nb",
        "a\u{1b}[0m",
        "a/../b",
        "a*",
        "a%00",
        "a$1",
        "é",
        "",
        &long,
    ];
    for user in nobody {
        let answer = server.buy("s", &signed(user), "k").await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "invalid-session"), "{user:?}");
    }
    // What the contract allows is somebody, and nobody else.
    let somebody =
        ["a", "a:b", "a:", ":", "::", ".", "..", "-", "-1", "@SUM", "a@b", "A", "a.", &long[..128]];
    for user in somebody {
        let (first, again) =
            (server.buy("s", &signed(user), "k").await, server.buy("s", &signed(user), "2").await);
        assert_eq!((first.status, again.code().as_str()), (202, "limit-reached"), "{user:?}: {}", first.text);
        assert_eq!(first.ticket(), again.ticket(), "{user:?}: their own");
        server.payable(&first.ticket()).await;
    }
    let csv = server.admin(Method::GET, "sales/s/orders.csv", None).await.text;
    for (user, written) in [("-1", ",'-1,"), ("@SUM", ",'@SUM,"), ("-", ",'-,")] {
        assert!(csv.contains(written) && !csv.contains(&format!(",{user},")), "{user}: {csv}");
    }
    let ann = signed("ann");
    for sale in ["%7Bs%7D", "s%00", "s%27--", "S", "s%2f..%2fs", "*", "s%0d%0aX-Injected:%201", "%ff", "s%20"]
    {
        for answer in [server.buy(sale, &ann, "k").await, server.get(&format!("/v1/sales/{sale}")).await] {
            assert_eq!((answer.status, answer.code().as_str()), (404, "unknown-sale"), "{sale}");
            assert_eq!(answer.header("x-injected"), None);
        }
    }
    assert_eq!(server.clean_audit("s").await["held"], somebody.len());
}

#[tokio::test]
async fn what_operators_ask_for_is_looked_up_as_it_is_written() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    for (query, status) in [
        ("user_id=%27%20OR%20%271%27=%271", 400),
        ("user_id=a%00", 400),
        ("user_id=%25", 400),
        ("user_id=nobody", 200),
        ("status=queued%27--", 400),
        ("cursor=0;DROP%20TABLE%20orders", 400),
        ("cursor=-1", 400),
        ("cursor=99999999999999999999999", 400),
        ("ticket=%27%20OR%201=1", 200),
        ("ticket=%00", 200),
    ] {
        let answer = server.admin(Method::GET, &format!("sales/s/orders?{query}"), None).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.text);
        if status == 200 {
            assert_eq!(answer.json()["orders"], json!([]), "{query}");
        }
    }
    let orders = server.admin(Method::GET, "sales/s/orders", None).await.json();
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1), "all is still there");
}

/// Sends bytes as they are, and reads what comes back.
async fn raw(server: &Server, bytes: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let address = server.gateway.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
    stream.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    drop(tokio::time::timeout(crate::harness::PATIENCE, read).await);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_log_has_neither_what_opens_a_door_nor_what_clients_wrote() {
    let key = "whisper-this-to-nobody";
    let provider = "payments.webhook_secret=whsec_tell_nobody";
    let server = Server::start(&["log.level=trace", "log.format=json", provider, "limits.user_per_s=0"]);
    server.sale("s", 5, json!({ "max_per_user": 5 })).await;
    let buyer = server.buyer().await;
    let paid = server.buy("s", &buyer, key).await.ticket();
    let url = server.payable(&paid).await;
    assert!(server.pay(&url, "pay").await.status < 400);
    server.until(&paid, "confirmed").await;
    let given_up = server.buy("s", &buyer, "another-whisper").await.ticket();
    let given_up_path = format!("/v1/orders/{given_up}");
    assert!(read(server.request(Method::DELETE, &given_up_path)).await.status < 400);
    let hostile = "line\nERROR forged\u{1b}[2J\u{0}";
    assert_eq!(server.buy("s", &buyer, hostile).await.status, 400);
    let wrong = Buyer { token: "a-token-that-is-forged".to_owned(), ..buyer.clone() };
    assert_eq!(server.buy("s", &wrong, key).await.status, 401);
    let guess = read(server.request(Method::GET, "/admin/v1/sales").bearer_auth("a-guessed-token")).await;
    assert_eq!(guess.status, 401);
    let webhook = server.request(Method::POST, "/v1/payments/webhooks/sandbox").body("forged by somebody");
    assert_eq!(read(webhook.header("stripe-signature", "t=1,v1=forged")).await.status, 400);
    for bytes in [
        &b"GET /v1/\x1b[31mred HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"[..],
        b"GET /%1b%5b31mred%0d%0aforged HTTP/1.1\r\nhost: x\r\nuser-agent: forged-agent\r\nconnection: close\r\n\r\n",
        b"GET /v1/time HTTP/1.1\r\nhost: x\r\nx: a\x1b[31mforged\r\nconnection: close\r\n\r\n",
        b"\x1b[2Jforged\r\n\r\n",
    ] {
        assert!(raw(&server, bytes).await.starts_with("HTTP/1.1 4"));
    }
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.starts_with('{')).collect();
    assert!(!lines.is_empty(), "{log}");
    for line in lines {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["level"].is_string() && event["target"].is_string(), "{line}");
    }
    assert!(!log.contains('\u{1b}'), "no control characters of a terminal");
    let session = url.rsplit('/').next().expect("a session");
    let doors = [
        paid.as_str(),
        &given_up,
        &buyer.token,
        &server.token(),
        "whsec_tell_nobody",
        "sk_sandbox_for_tests",
        session,
        "a-token-that-is-forged",
        "a-guessed-token",
    ];
    for text in doors.iter().chain(&[buyer.user.as_str(), key, "another-whisper", "forged"]) {
        let at = log.lines().find(|line| line.contains(text));
        assert_eq!(at, None, "{text}");
    }
}
