//! A service that keeps Turnstile's documented rules: a token is good once and for 300 seconds; the same question under the
//! same idempotency key has the same answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use domain::time::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinSet;

pub const SECRET: &str = "1x0000000000000000000000000000000AA";

#[expect(clippy::disallowed_methods, reason = "the service has the machine's clock")]
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis() as i64)
}

struct Token {
    cdata: String,
    old: bool,
    /// The idempotency key of the question that used it.
    used: Option<String>,
}

#[derive(Default)]
pub struct Books {
    tokens: HashMap<String, Token>,
    /// Questions that came.
    pub asked: usize,
    /// What is answered instead of anything else.
    pub instead: Option<(u16, String)>,
    /// How long every answer takes, milliseconds.
    pub slow_ms: u64,
}

impl Books {
    /// The token that a widget gives to a page that hands it `cdata`.
    pub fn give(&mut self, cdata: &str) -> String {
        let token = format!("0.token-{}", self.tokens.len());
        self.tokens.insert(token.clone(), Token { cdata: cdata.to_owned(), old: false, used: None });
        token
    }

    pub fn age(&mut self, token: &str) {
        self.tokens.get_mut(token).unwrap().old = true;
    }

    fn answer(&mut self, question: &Value) -> Value {
        let text = |name: &str| question[name].as_str().unwrap_or_default().to_owned();
        let no = |code: &str| json!({ "success": false, "error-codes": [code] });
        if text("secret") != SECRET {
            return no("invalid-input-secret");
        }
        let Some(token) = self.tokens.get_mut(&text("response")) else {
            return no("invalid-input-response");
        };
        let key = text("idempotency_key");
        assert_eq!(key.len(), 36, "a UUID");
        if token.old || token.used.as_ref().is_some_and(|used| *used != key) {
            return no("timeout-or-duplicate");
        }
        token.used = Some(key);
        json!({ "success": true, "hostname": "shop.example", "action": "", "cdata": token.cdata, "error-codes": [] })
    }
}

type Shared = Arc<Mutex<Books>>;

pub struct Service {
    pub url: String,
    pub books: Shared,
    _tasks: JoinSet<()>,
}

async fn siteverify(State(books): State<Shared>, Json(question): Json<Value>) -> Response {
    let (answer, slow_ms) = {
        let mut books = books.lock().unwrap();
        books.asked += 1;
        let answer = match &books.instead {
            Some((status, body)) => (StatusCode::from_u16(*status).unwrap(), body.clone()).into_response(),
            None => Json(books.answer(&question)).into_response(),
        };
        (answer, books.slow_ms)
    };
    tokio::time::sleep(std::time::Duration::from_millis(slow_ms)).await;
    answer
}

impl Service {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/turnstile/v0/siteverify", listener.local_addr().unwrap());
        let books = Shared::default();
        let router = Router::new().route("/turnstile/v0/siteverify", post(siteverify));
        let router = router.with_state(Arc::clone(&books));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { drop(axum::serve(listener, router).await) });
        Self { url, books, _tasks: tasks }
    }
}
