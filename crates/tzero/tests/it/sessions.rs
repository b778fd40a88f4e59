//! Sessions that a shop signs.

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Buyer, Server, read};

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
