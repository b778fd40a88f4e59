//! Sales that ask for challenges: who is asked, what passes, and what nobody can make of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use altcha::{Challenge, Payload, SolveChallengeOptions, solve_challenge};
use axum::{Json, Router, routing::post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Buyer, PATIENCE, Server, read};

const EASY: [&str; 3] = ["challenge.difficulty_min=20", "challenge.difficulty_max=20", "limits.user_per_s=0"];

pub fn sent(challenge: &Challenge) -> String {
    let solution = solve_challenge(SolveChallengeOptions::new(challenge)).expect("solvable").expect("solved");
    let payload = Payload { challenge: challenge.clone(), solution };
    STANDARD.encode(serde_json::to_vec(&payload).expect("JSON"))
}

fn decoded(solution: &str) -> Payload {
    serde_json::from_slice(&STANDARD.decode(solution).expect("base64")).expect("a payload")
}

impl Server {
    async fn challenge(&self, sale: &str, buyer: &Buyer) -> Challenge {
        let path = format!("/v1/challenge?sale_id={sale}");
        let answer = read(self.request(Method::GET, &path).bearer_auth(&buyer.token)).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (200, Some("no-store")),
            "{}",
            answer.text
        );
        serde_json::from_str(&answer.text).expect("a challenge in the ALTCHA form")
    }

    async fn solution(&self, sale: &str, buyer: &Buyer) -> String {
        sent(&self.challenge(sale, buyer).await)
    }

    async fn buy_with(&self, sale: &str, buyer: &Buyer, key: &str, solution: &str) -> Answer {
        read(self.checkout(sale, buyer, key, 1).header("challenge-solution", solution)).await
    }

    /// A metric's value.
    pub async fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").await.text;
        let line =
            text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).expect("a series");
        line.parse().expect("a number")
    }
}

fn is_asked(answer: &Answer, detail: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (403, "challenge-required"), "{}", answer.text);
    let said = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(said.contains(detail), "{said}");
    assert_eq!(answer.header("retry-after"), None);
}

#[tokio::test]
async fn a_sale_that_asks_gives_units_to_who_has_solved_and_a_replay_asks_nobody() {
    let server = Server::start(&EASY);
    server.sale("s", 5, json!({ "challenge": "always", "max_per_user": 3 })).await;
    let buyer = server.buyer().await;
    let refused = server.buy("s", &buyer, "k").await;
    is_asked(&refused, "get one at challenge_url");
    assert_eq!(refused.json()["challenge_url"], "/v1/challenge?sale_id=s");
    assert_eq!(server.get("/problems/challenge-required").await.status, 200);
    assert_eq!(server.clean_audit("s").await["held"], 0);
    let solution = server.solution("s", &buyer).await;
    let taken = server.buy_with("s", &buyer, "k", &solution).await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    // Row 10 comes before row 14: with the same solution, with none, with a wrong one.
    for again in [
        server.buy_with("s", &buyer, "k", &solution).await,
        server.buy("s", &buyer, "k").await,
        server.buy_with("s", &buyer, "k", "nonsense").await,
    ] {
        assert_eq!((again.status, again.ticket()), (202, taken.ticket()), "{}", again.text);
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
    }
    // What they hold is theirs: following, paying and giving up ask nobody.
    let url = server.payable(&taken.ticket()).await;
    assert_eq!(server.pay(&url, "decline").await.status, 303);
    let given_up = read(server.request(Method::DELETE, &format!("/v1/orders/{}", taken.ticket()))).await;
    assert!([200, 202].contains(&given_up.status), "{}", given_up.text);
    is_asked(&server.buy_with("s", &buyer, "k2", &solution).await, "was used for another checkout");
    let another = server.solution("s", &buyer).await;
    assert_eq!(server.buy_with("s", &buyer, "k2", &another).await.status, 202);
}

#[tokio::test]
async fn what_somebody_makes_up_passes_nowhere() {
    let server = Server::start(&EASY);
    server.sale("s", 5, json!({ "challenge": "always" })).await;
    server.sale("other", 5, json!({ "challenge": "always" })).await;
    let (ann, bob) = (server.buyer().await, server.buyer().await);
    let honest = server.solution("s", &ann).await;
    let forged = |change: &dyn Fn(&mut Payload)| {
        let mut payload = decoded(&honest);
        change(&mut payload);
        STANDARD.encode(serde_json::to_vec(&payload).expect("JSON"))
    };
    let mut own = decoded(&honest).challenge;
    own.parameters.key_prefix = "00".into();
    let attempts = [
        ("a forged signature", forged(&|payload| payload.challenge.signature = Some("0".repeat(64)))),
        ("no signature", forged(&|payload| payload.challenge.signature = None)),
        ("less work", sent(&own)),
        ("another end", forged(&|payload| payload.challenge.parameters.expires_at = Some(4_000_000_000))),
        ("no work", forged(&|payload| payload.solution.derived_key = "00".repeat(32))),
        ("another's", server.solution("s", &bob).await),
        ("another sale's", server.solution("other", &ann).await),
        ("nothing", String::new()),
        ("too long", "A".repeat(5_000)),
        ("no base64", "%%%".to_owned()),
    ];
    for (what, solution) in attempts {
        let answer = server.buy_with("s", &ann, "k", &solution).await;
        assert_eq!(answer.status, 403, "{what}");
        is_asked(&answer, "is wrong, or belongs to another buyer or sale");
    }
    let checkout = format!("{}/v1/sales/s/checkout", server.gateway);
    let huge = server.request(Method::POST, &checkout).bearer_auth(&ann.token);
    let huge = read(huge.header("challenge-solution", "A".repeat(20_000))).await;
    assert_eq!((huge.status, huge.code().as_str()), (431, "headers-too-large"), "{}", huge.text);
    assert_eq!(server.clean_audit("s").await["held"], 0);
    assert_eq!(server.buy_with("s", &ann, "k", &honest).await.status, 202, "the honest one still passes");
    assert!(server.metric("tzero_challenges_total{outcome=\"wrong\"}").await >= 9.0);
}

#[tokio::test]
async fn of_many_keys_at_once_one_has_the_solution() {
    let server = Server::start(&EASY);
    server.sale("s", 20, json!({ "challenge": "always", "max_per_user": 20 })).await;
    let buyer = server.buyer().await;
    let solution = server.solution("s", &buyer).await;
    let keys: Vec<String> = (0..10).map(|number| format!("k{number}")).collect();
    let all = keys.iter().map(|key| server.buy_with("s", &buyer, key, &solution));
    let answers = futures::future::join_all(all).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    let spent = answers.iter().filter(|answer| answer.code() == "challenge-required").count();
    assert_eq!((taken, spent), (1, 9));
    assert_eq!(server.clean_audit("s").await["held"], 1);
}

#[tokio::test]
async fn a_solution_that_comes_too_late_has_expired() {
    let server = Server::start(&[&EASY[..], &["challenge.ttl_ms=1000"]].concat());
    server.sale("s", 5, json!({ "challenge": "always" })).await;
    let buyer = server.buyer().await;
    let solution = server.solution("s", &buyer).await;
    let until = decoded(&solution).challenge.parameters.expires_at.expect("an end");
    let over = async {
        while jiff::Timestamp::now().as_second() <= until {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.expect("time goes on");
    is_asked(&server.buy_with("s", &buyer, "k", &solution).await, "has expired");
    assert_eq!(server.clean_audit("s").await["held"], 0);
}

#[tokio::test]
async fn the_checks_before_it_answer_first() {
    let server = Server::start(&EASY);
    server.sale("s", 1, json!({ "challenge": "always", "starts_at": "2098-01-01T00:00:00Z" })).await;
    let buyer = server.buyer().await;
    assert_eq!(server.buy("s", &buyer, "k").await.code(), "sale-not-started");
    let opened =
        server.admin(Method::PATCH, "sales/s", Some(json!({ "starts_at": "2020-01-01T00:00:00Z" }))).await;
    assert_eq!(opened.status, 200, "{}", opened.text);
    server.admin(Method::POST, "sales/s/pause", None).await;
    assert_eq!(server.buy("s", &buyer, "k").await.code(), "paused");
    server.admin(Method::POST, "sales/s/resume", None).await;
    is_asked(&server.buy("s", &buyer, "k").await, "");
    // A solution that was sent too early is not lost: it is good for its key.
    let solution = server.solution("s", &buyer).await;
    server.admin(Method::POST, "sales/s/pause", None).await;
    assert_eq!(server.buy_with("s", &buyer, "k", &solution).await.code(), "paused");
    server.admin(Method::POST, "sales/s/resume", None).await;
    assert_eq!(server.buy_with("s", &buyer, "k", &solution).await.status, 202);
    let late = server.buyer().await;
    let solution = server.solution("s", &late).await;
    assert_eq!(server.buy_with("s", &late, "k", &solution).await.code(), "all-units-held");
    server.admin(Method::POST, "sales/s/end", None).await;
    assert_eq!(server.buy("s", &late, "k").await.code(), "sale-ended");
}

#[tokio::test]
async fn whom_a_sale_asks_is_kept_shown_and_changed_before_it_is_live() {
    let mut server = Server::start(&EASY);
    server.sale("plain", 1, json!({})).await;
    server.sale("s", 1, json!({ "challenge": "suspects", "starts_at": "2098-01-01T00:00:00Z" })).await;
    let told = |server: &Server, id: &'static str| {
        let asked = server.request(Method::GET, &format!("/admin/v1/sales/{id}")).bearer_auth(server.token());
        async move { read(asked).await.json()["challenge"].clone() }
    };
    assert_eq!((told(&server, "plain").await, told(&server, "s").await), (json!("never"), json!("suspects")));
    let changed = server.admin(Method::PATCH, "sales/s", Some(json!({ "challenge": "always" }))).await;
    assert_eq!((changed.status, &changed.json()["challenge"]), (200, &json!("always")), "{}", changed.text);
    let late = server.admin(Method::PATCH, "sales/plain", Some(json!({ "challenge": "always" }))).await;
    assert_eq!((late.status, late.code().as_str()), (409, "already-live"), "{}", late.text);
    let wrong =
        server.admin(Method::PATCH, "sales/s", Some(json!({ "challenge": "maybe", "hold_ms": 1 }))).await;
    let fields: Vec<String> = wrong.json()["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| Some(error["field"].as_str()?.to_owned()))
        .collect();
    assert_eq!((wrong.status, fields.as_slice()), (400, &["hold_ms".to_owned(), "challenge".to_owned()][..]));
    assert!(
        !server.get("/v1/sales/s").await.text.contains("challenge"),
        "the public document is what it was"
    );
    server.kill();
    server.restart();
    assert_eq!((told(&server, "plain").await, told(&server, "s").await), (json!("never"), json!("always")));
    let buyer = server.buyer().await;
    assert_eq!(server.buy("plain", &buyer, "k").await.status, 202);
}

#[tokio::test]
async fn a_sale_that_asks_nobody_looks_at_no_solution() {
    let server = Server::start(&EASY);
    server.sale("s", 5, json!({})).await;
    server.sale("asks", 5, json!({ "challenge": "always" })).await;
    let buyer = server.buyer().await;
    assert_eq!(server.buy_with("s", &buyer, "k", "nonsense").await.status, 202);
    assert_eq!(server.metric("tzero_challenges_total{outcome=\"wrong\"}").await, 0.0);
}

#[tokio::test]
async fn challenges_are_for_buyers_with_a_session_at_a_sale_that_exists() {
    let server = Server::start(&["limits.user_per_s=1", "limits.user_burst=5"]);
    server.sale("s", 5, json!({ "challenge": "always" })).await;
    assert_eq!(server.get("/v1/challenge?sale_id=s").await.status, 401);
    let buyer = server.buyer().await;
    let ask = async |path: &str| read(server.request(Method::GET, path).bearer_auth(&buyer.token)).await;
    for (path, status, code) in [
        ("/v1/challenge", 400, "invalid-request"),
        ("/v1/challenge?sale_id=S!", 400, "invalid-request"),
        ("/v1/challenge?sale_id=none&sale_id=s", 400, "invalid-request"),
        ("/v1/challenge?sale_id=none", 404, "unknown-sale"),
        ("/v1/challenge?sale_id=s", 200, ""),
    ] {
        let answer = ask(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}: {}", answer.text);
    }
    let mut last = ask("/v1/challenge?sale_id=s").await;
    for _ in 0..20 {
        if last.status == 429 {
            break;
        }
        last = ask("/v1/challenge?sale_id=s").await;
    }
    assert_eq!((last.status, last.code().as_str()), (429, "rate-limited"), "each costs the server some work");
    let cors = read(server.request(Method::OPTIONS, "/v1/sales/s/checkout")).await;
    assert!(
        cors.header("access-control-allow-headers").is_some_and(|names| names.contains("Challenge-Solution"))
    );
}

#[tokio::test]
async fn who_is_suspected_is_asked_and_keeps_what_they_have() {
    let server = Server::start(&EASY);
    server.sale("s", 9, json!({ "challenge": "suspects", "max_per_user": 5 })).await;
    let (ann, bob) = (server.buyer().await, server.buyer().await);
    let first = server.buy("s", &ann, "k1").await;
    assert_eq!(first.status, 202, "nothing was noticed: {}", first.text);
    let as_bob = Buyer { user: bob.user.clone(), token: ann.token.clone() };
    for _ in 0..2 {
        assert_eq!(server.buy("s", &as_bob, "k").await.code(), "user-mismatch");
    }
    is_asked(&server.buy("s", &ann, "k2").await, "get one at challenge_url");
    assert_eq!(server.buy("s", &ann, "k1").await.ticket(), first.ticket(), "what they have is theirs");
    let url = server.payable(&first.ticket()).await;
    assert_eq!(server.pay(&url, "pay").await.status, 303);
    server.until(&first.ticket(), "confirmed").await;
    let solution = server.solution("s", &ann).await;
    assert_eq!(server.buy_with("s", &ann, "k2", &solution).await.status, 202);
    assert_eq!(server.buy("s", &bob, "k").await.status, 202, "in whose name it was tried is not suspected");
    assert_eq!(server.metric("tzero_signals_total{kind=\"mismatched\"}").await, 2.0);
}

#[tokio::test]
async fn a_crowd_behind_one_network_is_asked_and_its_neighbours_are_not() {
    let server = Server::start(&EASY);
    server.sale("s", 200, json!({ "challenge": "suspects" })).await;
    let from = async |address: String| {
        let buyer = server.buyer().await;
        let answer = read(server.checkout("s", &buyer, "k", 1).header("x-forwarded-for", address)).await;
        assert!(answer.status == 202 || answer.code() == "challenge-required", "{}", answer.text);
        answer.status
    };
    let mut crowd = Vec::new();
    for _ in 0..80 {
        crowd.push(from("203.0.113.7".to_owned()).await);
    }
    assert!(crowd[..10].iter().all(|status| *status == 202), "a household is no crowd: {crowd:?}");
    assert!(crowd[60..].iter().all(|status| *status == 403), "{crowd:?}");
    for number in 0..30 {
        assert_eq!(from(format!("198.51.100.{number}")).await, 202);
    }
    let (one, other) = (from("2001:db8::1".to_owned()).await, from("2001:db8::2".to_owned()).await);
    assert_eq!((one, other), (202, 202));
    assert!(server.metric("tzero_signals_total{kind=\"crowded-network\"}").await >= 20.0);
}

#[tokio::test]
async fn whom_the_shop_vouches_for_is_not_asked() {
    let keys = tempfile::tempdir().expect("a folder");
    let file = keys.path().join("secret");
    let secret = "a-shared-secret-of-at-least-thirty-two-bytes";
    std::fs::write(&file, secret).expect("written");
    let named = format!("sessions.jwt_key_file={}", file.display());
    let server = Server::start(&["sessions.issuer=jwt", "sessions.jwt_algorithm=HS256", &named]);
    server.sale("s", 9, json!({ "challenge": "always" })).await;
    let buyer = |user: &str, vouched: Value| {
        let claims = json!({ "sub": user, "exp": 4_000_000_000_u64, "vouched": vouched });
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes()));
        Buyer { user: user.to_owned(), token: token.expect("signed") }
    };
    assert_eq!(server.buy("s", &buyer("ann", json!(true)), "k").await.status, 202);
    for (number, other) in [json!(false), json!("true"), json!(1), Value::Null].into_iter().enumerate() {
        is_asked(&server.buy("s", &buyer(&format!("bob{number}"), other), "k").await, "");
    }
    assert_eq!(server.metric("tzero_challenges_total{outcome=\"vouched\"}").await, 1.0);
}

#[tokio::test]
async fn a_challenge_is_more_work_while_many_are_asked() {
    let server = Server::start(&[
        "challenge.difficulty_min=20",
        "challenge.difficulty_max=1000",
        "challenge.full_per_s=20",
        "limits.user_per_s=0",
    ]);
    server.sale("s", 5, json!({ "challenge": "always" })).await;
    let buyer = server.buyer().await;
    let counter = |challenge: &Challenge| decoded(&sent(challenge)).solution.counter;
    let quiet = counter(&server.challenge("s", &buyer).await);
    // Below twice the difficulty; one challenge more in the same second adds a twentieth of the rest.
    assert!(quiet < 200, "{quiet}");
    let pressed = async {
        loop {
            futures::future::join_all((0..40).map(|_| server.challenge("s", &buyer))).await;
            // In this second or the one before there were enough; what is issued now shows it.
            let counter = counter(&server.challenge("s", &buyer).await);
            assert!(counter < 2_000, "never twice the most: {counter}");
            if counter >= 500 {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, pressed).await.expect("forty a second are more than full pressure");
    let relaxed = async {
        while server.metric("tzero_challenge_guesses").await > 20.0 {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, relaxed).await.expect("and it eases again");
}

#[tokio::test]
async fn who_asks_for_many_is_told_to_wait_and_makes_nobody_elses_harder() {
    let server = Server::start(&["challenge.difficulty_min=20", "challenge.full_per_s=20"]);
    server.sale("s", 5, json!({ "challenge": "always" })).await;
    server.sale("plain", 5, json!({})).await;
    let buyer = server.buyer().await;
    let ask = async |buyer: &Buyer, sale: &str| {
        let path = format!("/v1/challenge?sale_id={sale}");
        read(server.request(Method::GET, &path).bearer_auth(&buyer.token)).await
    };
    let answers = futures::future::join_all((0..15).map(|_| ask(&buyer, "s"))).await;
    let given = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..=6).contains(&given), "{given}");
    let refused = answers.iter().find(|answer| answer.status == 429).expect("too many");
    assert_eq!(refused.code(), "rate-limited");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"user\";q=5;w=10"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(
        server.buy("s", &buyer, "k").await.code(),
        "challenge-required",
        "checkouts have a limit of their own"
    );
    // Of a sale that asks nobody, of one that has not begun and of one that is over, they are no pressure.
    server.sale("later", 5, json!({ "challenge": "always", "starts_at": "2098-01-01T00:00:00Z" })).await;
    server.sale("over", 5, json!({ "challenge": "always" })).await;
    server.admin(Method::POST, "sales/over/end", None).await;
    let before = server.metric("tzero_challenge_guesses").await;
    for sale in ["plain", "later", "over"] {
        for _ in 0..20 {
            assert_eq!(ask(&server.buyer().await, sale).await.status, 200);
        }
    }
    let after = server.metric("tzero_challenge_guesses").await;
    assert!(after <= before, "{before} guesses, then {after}");
}

#[tokio::test]
async fn challenges_leave_room_for_what_buyers_do_with_theirs() {
    let server = Server::start(&[&EASY[..], &["challenge.most_per_s=1"]].concat());
    server.sale("s", 5, json!({ "challenge": "always" })).await;
    let (ann, bob) = (server.buyer().await, server.buyer().await);
    let solution = server.solution("s", &ann).await;
    let shed = async {
        loop {
            let asked = server.request(Method::GET, "/v1/challenge?sale_id=s").bearer_auth(&bob.token);
            let answer = read(asked).await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let shed = tokio::time::timeout(PATIENCE, shed).await.expect("more than one a second");
    assert_eq!((shed.status, shed.code().as_str()), (503, "overloaded"), "{}", shed.text);
    assert!(shed.header("retry-after").is_some());
    assert_eq!(server.buy_with("s", &ann, "k", &solution).await.status, 202);
}

#[tokio::test]
async fn nobody_lays_in_for_little_what_the_herd_pays_dear() {
    let server = Server::start(&[
        "challenge.difficulty_min=20",
        "challenge.difficulty_max=1000",
        "challenge.full_per_s=100000",
        "limits.user_per_s=0",
    ]);
    server.sale("now", 5, json!({ "challenge": "always" })).await;
    server.sale("later", 5, json!({ "challenge": "always", "starts_at": "2098-01-01T00:00:00Z" })).await;
    let buyer = server.buyer().await;
    let work = async |sale: &str| decoded(&server.solution(sale, &buyer).await).solution.counter;
    assert!(work("now").await < 50);
    let dear = async { while work("later").await < 50 {} };
    tokio::time::timeout(PATIENCE, dear).await.expect("before it begins it is the most work");
}

/// Turnstile's service: tokens by `cdata`, each good for one question; `away` makes it answer 500.
#[derive(Default)]
struct Judge {
    tokens: HashMap<String, (String, Option<String>)>,
    away: bool,
}

async fn judge(books: Arc<Mutex<Judge>>) -> (String, tokio::task::JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/siteverify", listener.local_addr().expect("an address"));
    let answer = move |Json(question): Json<Value>| {
        let mut books = books.lock().expect("the books");
        let text = |name: &str| question[name].as_str().unwrap_or_default().to_owned();
        let (token, key) = (text("response"), text("idempotency_key"));
        let away = books.away || text("secret") != "the-sites-secret";
        let body = match books.tokens.get_mut(&token) {
            None => json!({ "success": false, "error-codes": ["invalid-input-response"] }),
            Some((_, Some(used))) if *used != key => {
                json!({ "success": false, "error-codes": ["timeout-or-duplicate"] })
            }
            Some((cdata, used)) => {
                *used = Some(key);
                json!({ "success": true, "cdata": cdata })
            }
        };
        let status =
            if away { axum::http::StatusCode::INTERNAL_SERVER_ERROR } else { axum::http::StatusCode::OK };
        async move { (status, Json(body)) }
    };
    let router = Router::new().route("/siteverify", post(answer));
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { drop(axum::serve(listener, router).await) });
    (url, tasks)
}

#[tokio::test]
async fn turnstile_judges_and_where_it_is_away_buyers_get_by() {
    let books = Arc::new(Mutex::new(Judge::default()));
    let (url, _tasks) = judge(Arc::clone(&books)).await;
    let named = format!("challenge.turnstile_verify_url={url}");
    let server = Server::start(&[
        "challenge.provider=turnstile",
        "challenge.turnstile_site_key=the-sites-key",
        "challenge.turnstile_secret=the-sites-secret",
        &named,
    ]);
    server.sale("s", 9, json!({ "challenge": "always", "max_per_user": 3 })).await;
    let page = server.get("/s/s").await;
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("script-src 'self' https://challenges.cloudflare.com"), "{policy}");
    let ann = server.buyer().await;
    is_asked(&server.buy("s", &ann, "k").await, "get one");
    let asked = server.request(Method::GET, "/v1/challenge?sale_id=s").bearer_auth(&ann.token);
    let told = read(asked).await.json();
    assert_eq!(
        (&told["provider"], &told["site_key"]),
        (&json!("turnstile"), &json!("the-sites-key")),
        "{told}"
    );
    let cdata = told["cdata"].as_str().expect("a text").to_owned();
    books.lock().expect("the books").tokens.insert("token-1".into(), (cdata, None));
    books.lock().expect("the books").tokens.insert("token-2".into(), ("somebody else's".into(), None));
    is_asked(&server.buy_with("s", &ann, "k", "token-0").await, "is wrong");
    is_asked(&server.buy_with("s", &ann, "k", "token-2").await, "belongs to another");
    let taken = server.buy_with("s", &ann, "k", "token-1").await;
    assert_eq!(taken.status, 202, "{}", taken.text);
    is_asked(&server.buy_with("s", &ann, "k2", "token-1").await, "was used");
    assert_eq!(server.get("/readyz").await.json()["dependencies"]["challenges"]["ready"], true);
    books.lock().expect("the books").away = true;
    let bob = server.buyer().await;
    assert_eq!(server.buy_with("s", &bob, "k", "token-3").await.status, 202, "limits fail open");
    // One question that was lost is no reason to ask nobody; several in a row are, and then nobody needs a token either.
    is_asked(&server.buy("s", &server.buyer().await, "k").await, "get one");
    for token in ["token-4", "token-5"] {
        assert_eq!(server.buy_with("s", &server.buyer().await, "k", token).await.status, 202);
    }
    assert_eq!(server.buy("s", &server.buyer().await, "k").await.status, 202, "who can give tokens now?");
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["degraded"]), (200, &json!(true)), "{}", ready.text);
    assert_eq!(ready.json()["dependencies"]["challenges"]["ready"], false);
    assert_eq!(server.metric("tzero_challenges_total{outcome=\"unavailable\"}").await, 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_solves_what_it_is_asked_and_says_what_that_cost() {
    let server = Server::start(&["challenge.difficulty_min=50", "challenge.difficulty_max=100"]);
    let file = server.dir.path().join("report.json");
    let rehearse = |sale: &[&str]| {
        let mut command = server.herd(&server.url, server.dir.path());
        command.args([
            "--buyers",
            "20",
            "--double-click=0.5",
            "--abandon=0",
            "--late=0",
            "--cancel=0",
            "--decline=0",
        ]);
        let output = command.args(sale).arg("--report").arg(&file).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("no violation"), "{output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let report = std::fs::read_to_string(&file).expect("a report");
        (text, told, serde_json::from_str::<Value>(&report).expect("JSON"))
    };
    server.sale("s", 5, json!({ "challenge": "always", "hold_ms": 1_000 })).await;
    for sale in [&["--sale", "s"][..], &["--challenge=always", "--stock=5", "--hold-ms=1000"]] {
        let (text, told, report) = rehearse(sale);
        assert!(text.contains("challenges solved (work)"), "{text}");
        let foretold =
            "challenges: 20 buyers solve theirs on this machine, up to 100 guesses each on average at ";
        assert!(told.contains(foretold), "{told}");
        let asked = report["outcomes"]["403 challenge-required"].as_u64().unwrap_or_default();
        assert!((20..=40).contains(&asked), "everybody once, and who clicks twice twice: {report}");
        assert_eq!((&report["challenges"]["count"], &report["sold"]), (&json!(20), &json!(5)), "{report}");
    }
    let (text, told, report) = rehearse(&["--stock=5", "--hold-ms=1000"]);
    assert!(!told.contains("challenges:"), "{told}");
    assert!(!text.contains("challenges solved"), "nobody was asked: {text}");
    assert_eq!(report["challenges"]["count"], 0);
}
