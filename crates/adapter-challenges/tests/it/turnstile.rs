//! Turnstile keeps the port's promises, over HTTP; and what becomes of them when the service does not keep its own.

use std::sync::Arc;

use adapter_challenges::Turnstile;
use adapter_challenges::turnstile::{AWAY_AFTER, LIFE_MS, LONGEST, Options};
use async_trait::async_trait;
use domain::id::{IdempotencyKey, SaleId, UserId};
use domain::time::Timestamp;
use ports::challenges::{Asked, Challenges, Verdict};
use ports::contract::Contender;

use crate::service::{SECRET, Service, now};

struct Widget {
    service: Service,
    turnstile: Arc<Turnstile>,
}

fn options(url: &str, secret: &str) -> Options {
    Options {
        site_key: "1x00000000000000000000AA".into(),
        secret: secret.into(),
        verify_url: url.into(),
        timeout_ms: 400,
    }
}

#[async_trait]
impl Contender for Widget {
    fn challenges(&self) -> Arc<dyn Challenges> {
        self.turnstile.clone()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    async fn solve(&self, document: &str) -> String {
        let document: serde_json::Value = serde_json::from_str(document).unwrap();
        assert_eq!(document["provider"], "turnstile");
        assert_eq!(document["site_key"], "1x00000000000000000000AA");
        let cdata = document["cdata"].as_str().unwrap();
        assert!(cdata.len() <= 255 && !cdata.contains("ann"), "{cdata}");
        self.service.books.lock().unwrap().give(cdata)
    }

    async fn age(&self, solution: &str) -> Timestamp {
        self.service.books.lock().unwrap().age(solution);
        now().plus_millis(LIFE_MS + 1)
    }
}

async fn contender() -> Widget {
    let service = Service::start().await;
    let turnstile = Turnstile::new(options(&service.url, SECRET), [3; 32]).unwrap();
    Widget { service, turnstile: Arc::new(turnstile) }
}

ports::challenges_suite!(contender);

async fn verdict(turnstile: &Turnstile, token: &str, key: &str, now: Timestamp) -> Verdict {
    let (sale, user) = (SaleId::parse("drop").unwrap(), UserId::parse("ann").unwrap());
    let asked = Asked { sale: &sale, user: &user };
    turnstile.verify(token, asked, &IdempotencyKey::parse(key).unwrap(), now).await
}

async fn token(widget: &Widget) -> String {
    let (sale, user) = (SaleId::parse("drop").unwrap(), UserId::parse("ann").unwrap());
    let asked = Asked { sale: &sale, user: &user };
    let document = widget.turnstile.issue(asked, 1, [0; 16], now()).unwrap();
    widget.solve(&document).await
}

#[tokio::test]
async fn what_cannot_be_a_token_is_wrong_without_asking_anybody() {
    let widget = contender().await;
    for nonsense in [String::new(), "a b".to_owned(), "\u{e9}".to_owned(), "a".repeat(LONGEST + 1)] {
        assert_eq!(verdict(&widget.turnstile, &nonsense, "k", now()).await, Verdict::Wrong);
    }
    assert_eq!(widget.service.books.lock().unwrap().asked, 0);
    assert_eq!(verdict(&widget.turnstile, &"a".repeat(LONGEST), "k", now()).await, Verdict::Wrong);
    assert_eq!(widget.service.books.lock().unwrap().asked, 1);
}

#[tokio::test]
async fn a_checkout_that_is_repeated_does_not_ask_again() {
    let widget = contender().await;
    let token = token(&widget).await;
    for _ in 0..3 {
        assert_eq!(verdict(&widget.turnstile, &token, "k", now()).await, Verdict::Passed);
    }
    assert_eq!(widget.service.books.lock().unwrap().asked, 1);
    // Another gateway knows nothing of it; to the same question the service gives the same answer.
    let other = Turnstile::new(options(&widget.service.url, SECRET), [3; 32]).unwrap();
    assert_eq!(verdict(&other, &token, "k", now()).await, Verdict::Passed);
    assert_eq!(verdict(&other, &token, "k2", now()).await, Verdict::Spent);
    let third = Turnstile::new(options(&widget.service.url, SECRET), [3; 32]).unwrap();
    assert_eq!(verdict(&third, &token, "k2", now()).await, Verdict::Expired);
}

#[tokio::test]
async fn a_service_that_is_away_lets_buyers_by_and_is_left_alone_for_a_moment() {
    let widget = contender().await;
    let token = token(&widget).await;
    let at = now();
    for (status, body) in [
        (500, "{}"),
        (200, "no JSON"),
        (429, "{}"),
        (302, "{\"success\":true}"),
        (403, "{\"success\":true}"),
        (200, "{\"success\":false,\"error-codes\":[\"internal-error\"]}"),
    ] {
        let service = Service::start().await;
        let turnstile = Turnstile::new(options(&service.url, SECRET), [3; 32]).unwrap();
        service.books.lock().unwrap().instead = Some((status, body.to_owned()));
        for _ in 0..AWAY_AFTER {
            assert_eq!((turnstile.trouble(at), turnstile.is_away(at)), (None, false));
            assert_eq!(verdict(&turnstile, &token, "k", at).await, Verdict::Unavailable, "{status} {body}");
        }
        assert!(turnstile.is_away(at.plus_millis(1_999)) && !turnstile.is_away(at.plus_millis(2_000)));
        assert!(turnstile.trouble(at).is_some_and(|trouble| trouble.contains("without one")));
        assert_eq!(verdict(&turnstile, &token, "k", at.plus_millis(1_999)).await, Verdict::Unavailable);
        assert_eq!(service.books.lock().unwrap().asked, AWAY_AFTER as usize, "it was left alone");
        assert_eq!(turnstile.trouble(at.plus_millis(62_000)), None, "nobody has asked it for a minute");
        service.books.lock().unwrap().instead = None;
        assert_eq!(verdict(&turnstile, "unknown", "k", at.plus_millis(2_000)).await, Verdict::Wrong);
        assert_eq!(turnstile.trouble(at), None, "it answers");
    }
}

#[tokio::test]
async fn a_question_that_is_lost_now_and_then_lets_nobody_else_by() {
    let widget = contender().await;
    let at = now();
    for _ in 0..10 {
        for _ in 1..AWAY_AFTER {
            widget.service.books.lock().unwrap().instead = Some((500, "{}".to_owned()));
            assert_eq!(verdict(&widget.turnstile, "unknown", "k", at).await, Verdict::Unavailable);
        }
        widget.service.books.lock().unwrap().instead = None;
        assert_eq!(verdict(&widget.turnstile, "unknown", "k", at).await, Verdict::Wrong);
        assert_eq!((widget.turnstile.trouble(at), widget.turnstile.is_away(at)), (None, false));
    }
}

#[tokio::test]
async fn after_a_pause_one_asks_and_the_others_do_not_wait_for_it() {
    let widget = contender().await;
    let (turnstile, at) = (&widget.turnstile, now());
    widget.service.books.lock().unwrap().instead = Some((500, "{}".to_owned()));
    for _ in 0..AWAY_AFTER {
        verdict(turnstile, "token", "k", at).await;
    }
    widget.service.books.lock().unwrap().slow_ms = 5_000;
    let later = at.plus_millis(2_000);
    let others = async {
        for key in ["a", "b", "c", "d"] {
            let bound = std::time::Duration::from_millis(200);
            let other = tokio::time::timeout(bound, verdict(turnstile, "token", key, later)).await;
            assert_eq!(other, Ok(Verdict::Unavailable), "{key}");
        }
    };
    let (first, ()) = tokio::join!(verdict(turnstile, "token", "k", later), others);
    assert_eq!(first, Verdict::Unavailable);
    assert_eq!(widget.service.books.lock().unwrap().asked, AWAY_AFTER as usize + 1);
}

#[tokio::test]
async fn a_service_that_says_too_much_is_not_believed_and_not_quoted() {
    let widget = contender().await;
    let long = format!("{{\"success\":true,\"cdata\":\"{}\"}}", "a".repeat(100_000));
    let codes = format!("{{\"success\":false,\"error-codes\":[\"<b>\\n{}\"]}}", "a".repeat(1_000));
    for (body, said) in [(long, "more than"), (codes, "says baaa")] {
        widget.service.books.lock().unwrap().instead = Some((200, body));
        for _ in 0..AWAY_AFTER {
            assert_eq!(verdict(&widget.turnstile, "token", "k", now()).await, Verdict::Unavailable);
        }
        let trouble = widget.turnstile.trouble(now()).unwrap();
        assert!(trouble.contains(said) && trouble.len() < 200 && !trouble.contains('\n'), "{trouble}");
        widget.service.books.lock().unwrap().instead = None;
        let later = now().plus_millis(2_000);
        assert_eq!(verdict(&widget.turnstile, "unknown", "k", later).await, Verdict::Wrong);
    }
}

#[tokio::test]
async fn a_service_that_hangs_or_is_not_there_costs_no_more_than_the_time_limit() {
    let widget = contender().await;
    widget.service.books.lock().unwrap().slow_ms = 5_000;
    let bound = std::time::Duration::from_secs(3);
    let slow = verdict(&widget.turnstile, "token", "k", now());
    assert_eq!(tokio::time::timeout(bound, slow).await, Ok(Verdict::Unavailable));
    let nobody = Turnstile::new(options("http://127.0.0.1:9/", SECRET), [3; 32]).unwrap();
    let none = verdict(&nobody, "token", "k", now());
    assert_eq!(tokio::time::timeout(bound, none).await, Ok(Verdict::Unavailable));
}

#[tokio::test]
async fn a_secret_that_is_not_the_sites_is_no_buyers_fault() {
    let service = Service::start().await;
    let turnstile = Turnstile::new(options(&service.url, "other"), [3; 32]).unwrap();
    for _ in 0..AWAY_AFTER {
        assert_eq!(verdict(&turnstile, "token", "k", now()).await, Verdict::Unavailable);
    }
    let trouble = turnstile.trouble(now()).unwrap();
    assert!(trouble.contains("invalid-input-secret") && !trouble.contains("other"), "{trouble}");
}
