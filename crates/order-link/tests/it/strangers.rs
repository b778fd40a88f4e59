//! Who does not have the key, or does not speak as we do.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::id::SaleId;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::TokioIo;
use order_link::Limits;
use ports::Fault;
use ports::orders::Orders;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::stage::{KEY, Node, Scripted, answered_by, checkout, client, client_with, options, soon, until};

/// Runs what the HTTP library starts.
#[derive(Clone, Default)]
struct Tasks(TaskTracker);

impl<F: Future<Output: Send + 'static> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, future: F) {
        self.0.spawn(future);
    }
}

/// What the key of the tests derives to: as much a part of the wire as the messages are.
fn bearer() -> String {
    let derived = blake3::derive_key("tzero order link, bearer of a request, version 1", &KEY);
    format!("Bearer {}", URL_SAFE_NO_PAD.encode(derived))
}

async fn connect(address: &str) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(address).await.unwrap();
    let tasks = Tasks::default();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(tasks.clone(), TokioIo::new(stream)).await.unwrap();
    tasks.0.spawn(connection);
    sender
}

async fn post(address: &str, path: &str, bearer: &str, body: impl Into<Bytes>) -> (StatusCode, Bytes) {
    let request = Request::builder().method(Method::POST).uri(format!("http://orders{path}"));
    let request = request.header("authorization", bearer).body(Full::new(body.into())).unwrap();
    let answer = soon(connect(address).await.send_request(request)).await.unwrap();
    let status = answer.status();
    (status, answer.into_body().collect().await.unwrap().to_bytes())
}

#[tokio::test]
async fn another_key_is_a_fault_that_says_so_and_nothing_reaches_the_node() {
    let one = Node::start(Scripted::new(1));
    let client = client_with(options(&[&one]), [8; 32]);
    until("it is refused", || client.nodes()[0].trouble.is_some()).await;
    let Err(Fault::Unavailable { detail, .. }) = client.checkout(checkout(0)).await else { panic!() };
    assert!(detail.contains("refuses the key"), "{detail}");
    assert!(!detail.contains("Bearer"), "{detail}");
    assert_eq!(format!("{:?}", order_link::LinkKey::new(KEY)), "LinkKey(…)");
    for wrong in ["", "Bearer", "Bearer AAAA", &bearer()[..20], &bearer().to_lowercase()] {
        let (status, body) = post(&one.address, "/checkout", wrong, "").await;
        assert_eq!((status, body.as_ref()), (StatusCode::UNAUTHORIZED, &b""[..]), "{wrong}");
    }
    assert_eq!(one.orders.asked(), 0);
}

#[tokio::test]
async fn another_version_and_garbage_are_refused_by_name_and_the_node_goes_on() {
    let limits = Limits { body_bytes: 10_000, ..Limits::default() };
    let one = Node::start_at("127.0.0.1:0", Scripted::new(1), limits);
    for path in ["/checkout", "/status", "/wait", "/cancel", "/extend", "/views"] {
        let (status, body) = post(&one.address, path, &bearer(), vec![2, 0, 0]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("version 2") && text.contains("speaks version 1"), "{text}");
        for garbage in [vec![], vec![1], vec![1; 200], vec![0xff; 200], b"{\"json\":1}".to_vec()] {
            let (status, _) = post(&one.address, path, &bearer(), garbage.clone()).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {garbage:?}");
        }
        let (status, _) = post(&one.address, path, &bearer(), vec![1; 10_001]).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    // A bundle of two: a good checkout, and one of no units.
    let mut good = vec![4];
    good.extend(b"drop\x03ann\x03p-1\x02k1\x01");
    let mut two = vec![1, 2, good.len() as u8];
    two.extend(&good);
    *good.last_mut().unwrap() = 0;
    two.push(good.len() as u8);
    two.extend(&good);
    let (status, body) = post(&one.address, "/checkout", &bearer(), two).await;
    let text = String::from_utf8_lossy(&body).into_owned();
    assert!(status == StatusCode::OK && text.contains("a quantity is not what was written"), "{text}");
    assert_eq!(one.orders.checkouts.lock().unwrap().drain(..).count(), 1);
    let (status, _) = post(&one.address, "/nowhere", &bearer(), "").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(one.orders.asked(), 0);
    let client = client(options(&[&one])).await;
    assert_eq!(answered_by(&client.checkout(checkout(0)).await), 1);
}

/// A body that does not go on.
struct Endless;

impl hyper::body::Body for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_off_at_its_limit() {
    let limits = Limits { body_limit: Duration::from_millis(100), ..Limits::default() };
    let one = Node::start_at("127.0.0.1:0", Scripted::new(1), limits);
    let stream = TcpStream::connect(&one.address).await.unwrap();
    let tasks = Tasks::default();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(tasks.clone(), TokioIo::new(stream)).await.unwrap();
    tasks.0.spawn(connection);
    let request = Request::post("http://orders/checkout").header("authorization", bearer());
    let request = request.body(Endless).unwrap();
    let answer = soon(sender.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_connection_that_does_not_show_the_key_is_ended() {
    let limits = Limits { greeting_limit: Duration::from_millis(100), ..Limits::default() };
    let one = Node::start_at("127.0.0.1:0", Scripted::new(1), limits);
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(&one.address).await.unwrap();
        stream.write_all(said).await.unwrap();
        let mut heard = Vec::new();
        // A reset is an end as well.
        drop(soon(stream.read_to_end(&mut heard)).await);
    }
    let mut sender = connect(&one.address).await;
    let request = Request::get("http://orders/health").body(Full::default()).unwrap();
    assert_eq!(soon(sender.send_request(request)).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    until("it is ended", || sender.is_closed()).await;
}

/// A node of another release: it answers everything with these bytes, and `health` when it is asked for that.
async fn strange_node(health: &'static [u8], answer: &'static [u8]) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = hyper::service::service_fn(move |request: Request<Incoming>| async move {
                let bytes = if request.uri().path() == "/health" { health } else { answer };
                Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::from_static(bytes))))
            });
            let serving = hyper::server::conn::http2::Builder::new(Tasks::default())
                .serve_connection(TokioIo::new(stream), service);
            connections.spawn(async move { serving.await.unwrap_or_default() });
        }
    });
    (address, tasks)
}

#[tokio::test]
async fn a_node_of_another_release_is_left_aside_by_name() {
    let (address, _node) = strange_node(&[2, 3], &[2]).await;
    let client = client_with(order_link::Options { nodes: vec![address], ..options(&[]) }, KEY);
    until("it is refused", || client.nodes()[0].trouble.is_some()).await;
    let Err(Fault::Unavailable { detail, .. }) = client.checkout(checkout(0)).await else { panic!() };
    assert!(detail.contains("versions [2, 3]") && detail.contains("version 1"), "{detail}");
}

#[tokio::test]
async fn answers_of_another_version_are_asked_for_elsewhere_and_garbage_is_damage() {
    let two = Node::start(Scripted::new(2));
    let (newer, _newer) = strange_node(&[1], &[2, 0]).await;
    let both = order_link::Options { nodes: vec![newer.clone(), two.address.clone()], ..options(&[]) };
    let asking = client(both).await;
    for shard in 0..20 {
        assert_eq!(answered_by(&asking.checkout(checkout(shard)).await), 2);
    }
    let alone = client(order_link::Options { nodes: vec![newer], ..options(&[]) }).await;
    let Err(Fault::Unavailable { detail, .. }) = alone.checkout(checkout(0)).await else { panic!() };
    assert!(detail.contains("version 2"), "{detail}");
    let (broken, _broken) = strange_node(&[1], &[1, 0, 1, 77]).await;
    let broken = client(order_link::Options { nodes: vec![broken], ..options(&[]) }).await;
    assert!(matches!(broken.checkout(checkout(0)).await, Err(Fault::Damaged { .. })));
    assert_eq!(broken.view(&SaleId::parse("drop").unwrap(), &checkout(0).product), None);
}
