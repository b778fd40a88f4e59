//! Sessions that a shop signs.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Buyer, Server, program, read};

const SECRET: &str = "a-shared-secret-of-at-least-thirty-two-bytes";

fn token(claims: &Value, secret: &str) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("signed")
}

#[tokio::test]
async fn a_shop_signs_sessions_and_nothing_else_is_believed() {
    let keys = tempfile::tempdir().expect("a folder");
    let file = keys.path().join("key");
    std::fs::write(&file, SECRET).expect("written");
    let key = format!("sessions.jwt_key_file={}", file.display());
    let server = Server::start(&[
        "sessions.issuer=jwt",
        "sessions.jwt_algorithm=HS256",
        "sessions.jwt_audience=drops",
        "sessions.jwt_leeway_ms=0",
        &key,
    ]);
    server.sale("s", 5, json!({})).await;
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({ "sub": "ann@example.com", "exp": now + 60, "aud": "drops" });
    let ann = |token: String| Buyer { user: "ann@example.com".into(), token };
    assert_eq!(server.buy("s", &ann(token(&claims, SECRET)), "k").await.status, 202);
    let refused = [
        token(&claims, "another-secret-of-at-least-thirty-two-bytes"),
        token(&json!({ "sub": "ann@example.com", "exp": now - 1, "aud": "drops" }), SECRET),
        token(&json!({ "sub": "ann@example.com", "exp": now + 60, "nbf": now + 30, "aud": "drops" }), SECRET),
        token(&json!({ "sub": "ann@example.com", "exp": now + 60, "aud": "another" }), SECRET),
        token(&json!({ "sub": "ann@example.com", "exp": now + 60 }), SECRET),
        token(&json!({ "sub": "no spaces allowed", "exp": now + 60, "aud": "drops" }), SECRET),
        token(&json!({ "exp": now + 60, "aud": "drops" }), SECRET),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5AZXhhbXBsZS5jb20iLCJleHAiOjk5OTk5OTk5OTl9.".to_owned(),
    ];
    for wrong in refused {
        let answer = server.buy("s", &ann(wrong.clone()), "k2").await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "invalid-session"), "{wrong}");
    }
    let none = read(server.request(Method::POST, "/v1/sessions")).await;
    assert_eq!(none.status, 404, "the built-in issuer is off");
}

/// The pair whose public part [`document`] publishes.
const PRIVATE: &str = include_str!("../../../gateway/src/session/jwt_test_private.pem");

/// The same key under another name, which is what a rotation looks like from outside.
fn document(name: &str) -> String {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": name,
        "x": "C1lKgOUXMFwzHfRX5Mc2bDE6VZTvN7MioQMvV_XOiBQ" });
    json!({ "keys": [key] }).to_string()
}

/// Ann's session, signed by the key that the shop calls `name`.
fn ann(name: &str) -> Buyer {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(name.to_owned());
    let claims = json!({ "sub": "ann", "exp": jiff::Timestamp::now().as_second() + 600 });
    let key = EncodingKey::from_ed_pem(PRIVATE.as_bytes()).expect("a key");
    Buyer { user: "ann".into(), token: encode(&header, &claims, &key).expect("signed") }
}

/// A shop that publishes its keys.
struct Shop {
    document: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
    url: String,
    serving: tokio::task::JoinSet<()>,
}

impl Shop {
    async fn open() -> Self {
        let (document, asked) = (Arc::new(Mutex::new(document("old"))), Arc::new(AtomicUsize::new(0)));
        let answer = {
            let (document, asked) = (Arc::clone(&document), Arc::clone(&asked));
            move || {
                asked.fetch_add(1, Ordering::Relaxed);
                let document = document.lock().expect("not poisoned").clone();
                async move { document }
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let router = Router::new().route("/keys", axum::routing::get(answer));
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.expect("serves") });
        Self { document, asked, url, serving }
    }

    fn publish(&self, text: String) {
        *self.document.lock().expect("not poisoned") = text;
    }
}

async fn until_let_in(server: &Server, buyer: &Buyer) {
    for _ in 0..300 {
        if server.buy("s", buyer, "k").await.status == 202 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody is let in by the new key after 30 s");
}

// The shop answers while the program's start is waited for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_at_an_address_are_followed_and_outlive_its_absence() {
    let mut shop = Shop::open().await;
    let url = format!("sessions.jwt_keys_url={}", shop.url);
    let mut server = Server::start(&["sessions.issuer=jwt", "limits.network_per_s=0", &url]);
    server.sale("s", 5, json!({})).await;
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 202);
    assert_eq!(shop.asked.load(Ordering::Relaxed), 1, "at the start");
    shop.publish(document("new"));
    for guess in 0..200 {
        assert_eq!(server.buy("s", &ann(&format!("guess-{guess}")), "k").await.status, 401);
    }
    assert!(shop.asked.load(Ordering::Relaxed) <= 2, "whoever invents names does not make us ask");
    until_let_in(&server, &ann("new")).await;
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 401, "its key is gone");
    assert!(shop.asked.load(Ordering::Relaxed) <= 5);
    // Nonsense, and then nothing: the keys stay.
    shop.publish("{ \"keys\": [] }".to_owned());
    assert_eq!(server.buy("s", &ann("yet-another"), "k").await.status, 401);
    let asked = shop.asked.load(Ordering::Relaxed);
    for _ in 0..300 {
        if shop.asked.load(Ordering::Relaxed) > asked {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(server.buy("s", &ann("new"), "k").await.status, 202);
    let metrics = server.get("/metrics").await;
    assert!(metrics.text.contains("tzero_session_keys_failures_total 1"), "{}", metrics.text);
    shop.serving.shutdown().await;
    assert_eq!(server.terminate(), Some(0));
    server.restart();
    assert_eq!(server.buy("s", &ann("new"), "k").await.status, 202, "by the copy of the last run");
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 401);
}

/// A server with an open sale that reads its keys from a file with the old key; its folder and the file.
async fn with_key_file() -> (Server, tempfile::TempDir, std::path::PathBuf) {
    let keys = tempfile::tempdir().expect("a folder");
    let file = keys.path().join("keys.json");
    std::fs::write(&file, document("old")).expect("written");
    let key = format!("sessions.jwt_key_file={}", file.display());
    let server = Server::start(&["sessions.issuer=jwt", &key]);
    server.sale("s", 5, json!({})).await;
    (server, keys, file)
}

#[tokio::test]
async fn a_key_file_that_is_written_anew_counts() {
    let (server, _keys, file) = with_key_file().await;
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 202);
    std::fs::write(&file, document("new")).expect("written");
    until_let_in(&server, &ann("new")).await;
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 401);
    std::fs::remove_file(&file).expect("removed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(server.buy("s", &ann("new"), "k").await.status, 202, "the key stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_keys_has_its_age_and_is_of_its_address() {
    let mut shop = Shop::open().await;
    let url = format!("sessions.jwt_keys_url={}", shop.url);
    let mut server = Server::start(&["sessions.issuer=jwt", &url]);
    let copy = server.dir.path().join("shop-keys.json");
    assert!(std::fs::read_to_string(&copy).expect("a copy").contains(&shop.url));
    // A broken copy hinders no start where the address answers.
    server.kill();
    std::fs::write(&copy, "broken").expect("written");
    server.restart();
    let kept: Value = serde_json::from_slice(&std::fs::read(&copy).expect("a copy")).expect("JSON");
    let read_at = kept["read_at_ms"].as_i64().expect("an instant");
    shop.serving.shutdown().await;
    server.kill();
    let mut older = kept.clone();
    older["read_at_ms"] = (read_at - 3_600_000).into();
    std::fs::write(&copy, older.to_string()).expect("written");
    server.restart();
    let metrics = server.get("/metrics").await.text;
    let age = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tzero_session_keys_age_seconds "))
        .expect("an age");
    assert!(age.parse::<f64>().expect("a number") >= 3_600.0, "{age}");
    server.kill();
    for (text, said) in [
        (
            kept.to_string().replace(&shop.url, "https://other.example/keys"),
            "is from https://other.example/keys",
        ),
        ("broken".to_owned(), "is broken"),
        (document("old"), "does not say which address it is from"),
    ] {
        std::fs::write(&copy, text).expect("written");
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(server.dir.path());
        let output = command.args(["--set", "sessions.issuer=jwt", "--set", &url]).output().expect("it runs");
        let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && wrong.contains("shop-keys.json") && wrong.contains(said),
            "{wrong}"
        );
        assert!(wrong.contains("the connection is refused"), "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_proxy_of_the_environment_is_asked_for_keys_on_this_machine() {
    let shop = Shop::open().await;
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = program();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    let url = format!("sessions.jwt_keys_url={}", shop.url);
    command
        .args(["--set", "sessions.issuer=jwt", "--set", &url])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let mut first = String::new();
    let mut said = BufReader::new(child.stdout.take().expect("standard output"));
    said.read_line(&mut first).expect("a line");
    child.kill().expect("it ends");
    child.wait().expect("it ends");
    assert!(first.starts_with("listening on "), "{first}");
    assert_eq!(shop.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_key_that_can_never_verify_changes_nothing_and_is_counted() {
    let (server, _keys, file) = with_key_file().await;
    let short = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "new", "x": "AAAA" });
    std::fs::write(&file, json!({ "keys": [short] }).to_string()).expect("written");
    for _ in 0..100 {
        if !server.get("/metrics").await.text.contains("tzero_session_keys_failures_total 0\n") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        !server.get("/metrics").await.text.contains("tzero_session_keys_failures_total 0\n"),
        "it is counted"
    );
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 202, "the keys stay");
}

#[tokio::test]
async fn a_key_that_can_never_verify_keeps_no_good_one_out_and_is_named_once() {
    let (server, _keys, file) = with_key_file().await;
    let mut set: Value = serde_json::from_str(&document("new")).expect("JSON");
    let short = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "short", "x": "AAAA" });
    let later = json!({ "kty": "AKP", "kid": "later", "pub": "AAAA" });
    set["keys"].as_array_mut().expect("keys").extend([short, later]);
    std::fs::write(&file, set.to_string()).expect("written");
    until_let_in(&server, &ann("new")).await;
    assert_eq!(server.buy("s", &ann("old"), "k").await.status, 401, "the old key is gone");
    // It is read every two seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let log = server.log();
    for name in ["short", "later"] {
        let lines: Vec<_> =
            log.lines().filter(|line| line.contains("left out") && line.contains(name)).collect();
        assert_eq!(lines.len(), 1, "{name}: {log}");
    }
}
