//! The adapter against the sandbox provider, over HTTP: every promise of the payments port.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_payments::{Options, StripeForm};
use domain::money::Money;
use domain::payment::PaymentStage;
use domain::time::Timestamp;
use ports::payments::{
    CaptureOutcome, DoorClosing, PaymentFault, Payments, SessionRequest, WebhookNews, WebhookRefusal,
};
use sandbox::{Faults, Sandbox};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const SECRET: &str = "whsec_test";

/// Webhooks as they came in: signature and body.
type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

struct World {
    payments: StripeForm,
    sandbox: Sandbox,
    received: Received,
    _tasks: JoinSet<()>,
    _dir: tempfile::TempDir,
}

async fn listener() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn world(faults: Faults) -> World {
    world_of("sk_test", faults).await
}

/// One that is called with `key`, and knows `sk_test`.
async fn world_of(key: &str, faults: Faults) -> World {
    let dir = tempfile::tempdir().unwrap();
    let (hooks, hooks_url) = listener().await;
    let (api, url) = listener().await;
    let options = sandbox::Options {
        file: dir.path().join("sandbox.db"),
        secret_key: "sk_test".into(),
        webhook_secret: SECRET.into(),
        webhook_url: format!("{hooks_url}/hook"),
        public_url: url.clone(),
        faults,
    };
    let sandbox = Sandbox::open(options).unwrap();
    let received: Received = Arc::default();
    let taking = Arc::clone(&received);
    let hook = axum::Router::new().route(
        "/hook",
        axum::routing::post(move |headers: axum::http::HeaderMap, body: axum::body::Bytes| async move {
            let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
            taking.lock().unwrap().push((signature, body.to_vec()));
        }),
    );
    let router = sandbox.api().merge(sandbox.pages());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { drop(axum::serve(hooks, hook).await) });
    tasks.spawn(async move { drop(axum::serve(api, router).await) });
    let delivering = sandbox.clone();
    tasks.spawn(async move { delivering.deliver(CancellationToken::new()).await });
    let options = Options {
        provider: "sandbox",
        base_url: url,
        secret_key: key.into(),
        webhook_secrets: vec!["whsec_new".into(), SECRET.into()],
        timeout_ms: 500,
    };
    World { payments: StripeForm::new(options).unwrap(), sandbox, received, _tasks: tasks, _dir: dir }
}

#[expect(clippy::disallowed_methods, reason = "the provider has the machine's clock")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis() as i64)
}

fn request(key: &str) -> SessionRequest {
    SessionRequest {
        idempotency_key: key.into(),
        reference: "00ff".into(),
        description: "Runner <One>".into(),
        unit_price: Money::parse("49.90", "EUR").unwrap(),
        quantity: 2,
        return_url: "http://shop/return?ticket=t".into(),
        closes_at: now().plus_millis(7_200_000),
    }
}

async fn act(url: &str, action: &str) -> u16 {
    let http = http_client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    http.post(url).form(&[("action", action)]).send().await.unwrap().status().as_u16()
}

impl World {
    async fn webhook(&self) -> (String, Vec<u8>) {
        let waiting = async {
            loop {
                let first = self.received.lock().unwrap().pop();
                if let Some(first) = first {
                    return first;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap()
    }
}

#[tokio::test]
async fn a_payment_from_session_to_refund() {
    let world = world(Faults::default()).await;
    let first = request("key-1");
    let session = world.payments.create_session(first.clone()).await.unwrap();
    assert_eq!(
        world.payments.create_session(first).await.unwrap(),
        session,
        "the same key, the same session"
    );
    let page =
        http_client::builder().build().unwrap().get(&session.url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("99.80 EUR") && page.contains("Runner &lt;One&gt;"), "{page}");
    assert!(world.payments.fetch(&session.session).await.unwrap().open);
    assert_eq!(act(&session.url, "steal").await, 400);
    assert_eq!(act(&session.url, "pay").await, 303);
    assert_eq!(act(&session.url, "pay").await, 410);
    let (signature, body) = world.webhook().await;
    let event = world.payments.read_webhook(Some(&signature), &body, now()).unwrap();
    assert_eq!(event.reference.as_deref(), Some("00ff"));
    let WebhookNews::Paid(payment) = event.news else { panic!("{:?}", event.news) };
    assert_eq!((payment.amount.to_string().as_str(), payment.stage), ("99.80 EUR", PaymentStage::Authorised));
    assert_eq!(
        world.payments.close_session(&session.session).await.unwrap(),
        DoorClosing::Paid(payment.clone())
    );
    for _ in 0..2 {
        let captured = world.payments.capture(&payment.payment, &payment.amount, "capture").await;
        assert_eq!(captured.unwrap(), CaptureOutcome::Captured);
    }
    assert_eq!(
        world.payments.capture(&payment.payment, &payment.amount, "another").await.unwrap(),
        CaptureOutcome::Captured
    );
    assert!(
        world.payments.void(&payment.payment, "void").await.is_err(),
        "captured money is refunded, not voided"
    );
    world.payments.refund(&payment.payment, &payment.amount, "refund").await.unwrap();
    world.payments.refund(&payment.payment, &payment.amount, "refund").await.unwrap();
    world.payments.refund(&payment.payment, &payment.amount, "another refund").await.unwrap();
    world.sandbox.close().await;
}

#[tokio::test]
async fn a_closed_door_stays_closed_and_a_voided_payment_is_gone() {
    let world = world(Faults::default()).await;
    let session = world.payments.create_session(request("key-1")).await.unwrap();
    assert_eq!(world.payments.close_session(&session.session).await.unwrap(), DoorClosing::Closed);
    assert_eq!(world.payments.close_session(&session.session).await.unwrap(), DoorClosing::Closed);
    assert_eq!(act(&session.url, "pay").await, 410);
    let other = world.payments.create_session(request("key-2")).await.unwrap();
    assert_eq!(act(&other.url, "decline").await, 303);
    let (signature, body) = world.webhook().await;
    let declined = world.payments.read_webhook(Some(&signature), &body, now()).unwrap();
    assert_eq!((declined.news, declined.reference.as_deref()), (WebhookNews::Declined, Some("00ff")));
    assert_eq!(act(&other.url, "pay").await, 303, "a decline leaves the door open");
    let payment = world.payments.fetch(&other.session).await.unwrap().payment.unwrap();
    world.payments.void(&payment.payment, "void").await.unwrap();
    world.payments.void(&payment.payment, "void again").await.unwrap();
    let captured = world.payments.capture(&payment.payment, &payment.amount, "capture").await;
    assert_eq!(captured.unwrap(), CaptureOutcome::Gone);
}

#[tokio::test]
async fn only_what_the_provider_signed_lately_is_believed() {
    let world = world(Faults::default()).await;
    let session = world.payments.create_session(request("key-1")).await.unwrap();
    act(&session.url, "pay").await;
    let (signature, body) = world.webhook().await;
    let read = |signature: Option<&str>, body: &[u8], at| world.payments.read_webhook(signature, body, at);
    assert!(read(Some(&signature), &body, now()).is_ok());
    assert_eq!(read(None, &body, now()), Err(WebhookRefusal::Malformed));
    assert_eq!(read(Some("t=1"), &body, now()), Err(WebhookRefusal::Malformed));
    let mut changed = body.clone();
    changed[10] ^= 1;
    assert_eq!(read(Some(&signature), &changed, now()), Err(WebhookRefusal::Forged));
    assert_eq!(read(Some(&signature.replace("v1=", "v0=")), &body, now()), Err(WebhookRefusal::Malformed));
    assert_eq!(read(Some(&signature), &body, now().plus_millis(301_000)), Err(WebhookRefusal::Stale));
    assert_eq!(read(Some(&signature), &body, Timestamp::EPOCH), Err(WebhookRefusal::Stale));
}

#[tokio::test]
async fn faults_of_the_provider_are_unknown_or_limits_and_never_an_outcome() {
    let failing = world(Faults { error_rate: 1.0, ..Faults::default() }).await;
    assert!(matches!(failing.payments.create_session(request("k")).await, Err(PaymentFault::Unknown(_))));
    let limited = world(Faults { rate_limit_per_s: 0.5, ..Faults::default() }).await;
    let said = limited.payments.create_session(request("k")).await;
    assert_eq!(said, Err(PaymentFault::RateLimited { retry_after_ms: 1_000 }));
    let silent = world(Faults { timeout_rate: 1.0, ..Faults::default() }).await;
    assert!(matches!(silent.payments.create_session(request("k")).await, Err(PaymentFault::Unknown(_))));
    let wrong = world(Faults::default()).await;
    let path = wrong.payments.fetch("../../v1/refunds").await;
    assert!(matches!(path, Err(PaymentFault::Refused(_))), "no foreign text in a path");
}

#[tokio::test]
async fn a_key_that_is_refused_is_told_of_and_other_failures_are_no_word_about_it() {
    let wrong = world_of("sk_other", Faults::default()).await;
    assert_eq!(wrong.payments.trouble(), None, "nothing was asked");
    wrong.payments.knock().await;
    let words = "it refuses our key (401 Unauthorized: Invalid API key); check payments.secret_key";
    assert_eq!(wrong.payments.trouble().as_deref(), Some(words));
    let right = world(Faults::default()).await;
    right.payments.knock().await;
    assert_eq!(right.payments.trouble(), None);
    let called = world_of("sk_other", Faults::default()).await;
    assert!(called.payments.create_session(request("key-1")).await.is_err());
    assert_eq!(called.payments.trouble().as_deref(), Some(words), "any call tells");
    for faults in [
        Faults { error_rate: 1.0, ..Faults::default() },
        Faults { rate_limit_per_s: 0.0001, ..Faults::default() },
        Faults { timeout_rate: 1.0, ..Faults::default() },
    ] {
        let failing = world(faults).await;
        failing.payments.knock().await;
        failing.payments.knock().await;
        assert_eq!(failing.payments.trouble(), None);
    }
}
