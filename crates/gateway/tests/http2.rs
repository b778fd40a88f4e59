//! HTTP/2 as nobody's client speaks it: frames by hand, sent without waiting for what the other end says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gateway::listener::{Gauges, Limits, Listener};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ports::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The preface, and settings of which none is another than the default.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// Types and flags of frames (RFC 9113, section 6).
const HEADERS: u8 = 1;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `GET /slow` over http (RFC 7541, appendix A).
const SLOW: &[u8] = b"\x82\x86\x04\x05/slow\x01\x01x";

struct Server {
    address: SocketAddr,
    gauges: Arc<Gauges>,
    /// Requests that are being answered, and the most there were at once.
    under_way: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
    tasks: TaskTracker,
    _stop: tokio_util::sync::DropGuard,
}

/// A request that is being answered, also where nobody waits for the answer any more.
struct Answering(Arc<AtomicU64>);

impl Answering {
    fn begin(counted: Arc<AtomicU64>, highest: &AtomicU64) -> Self {
        highest.fetch_max(counted.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        Self(counted)
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Server {
    fn start() -> Self {
        let limits = Limits {
            header_timeout: Duration::from_secs(2),
            body_timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(2),
            max_connections: 100,
            max_connections_per_address: 0,
            trusted: Arc::new(|_| false),
            header_bytes: 1_024,
            header_count: 40,
            drain_timeout: Duration::from_secs(1),
            lists: Arc::default(),
        };
        let (under_way, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (counted, highest) = (Arc::clone(&under_way), Arc::clone(&most));
        let slow = move || {
            let (counted, highest) = (Arc::clone(&counted), Arc::clone(&highest));
            async move {
                let _answering = Answering::begin(counted, &highest);
                tokio::time::sleep(Duration::from_millis(500)).await;
                "slow"
            }
        };
        let router = Router::new().route("/slow", get(slow)).route("/hello", get(|| async { "hello" }));
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let (address, stop, tasks) = (listener.address(), CancellationToken::new(), TaskTracker::new());
        let gauges = Arc::new(Gauges::default());
        let clock = Arc::new(SystemClock::start());
        tasks.spawn(listener.serve(limits, router, Arc::clone(&gauges), clock, stop.clone()));
        Self { address, gauges, under_way, most, tasks, _stop: stop.drop_guard() }
    }

    async fn connect(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.expect("a connection");
        stream.write_all(PREFACE).await.expect("sent");
        stream
    }

    /// Waits until no connection is open.
    async fn all_over(&self) -> bool {
        let clock = SystemClock::start();
        while self.gauges.open.load(Ordering::Relaxed) > 0 {
            if clock.elapsed() > Duration::from_secs(15) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        true
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn a_head_that_goes_on_in_frame_after_frame_ends_its_connection() {
    let server = Server::start();
    let (mut read, mut write) = server.connect().await.into_split();
    let mut begun = frame(HEADERS, END_STREAM, 1, SLOW);
    // A field of 8 KiB that is not to be kept, again and again; the head has no end.
    let field = [&b"\0\x01a\x7f\x81\x3f"[..], &[b'b'; 8_192]].concat();
    let mut sent = 0;
    while sent < 64 << 20 && write.write_all(&begun).await.is_ok() {
        sent += begun.len();
        begun = frame(CONTINUATION, 0, 1, &field);
    }
    assert!(sent < 16 << 20, "{sent} bytes of one head were taken");
    drop(read.read_to_end(&mut Vec::new()).await);
    assert!(server.all_over().await);
    assert_eq!(server.most.load(Ordering::Relaxed), 0, "nobody answered it");
}

#[tokio::test]
async fn who_begins_streams_beyond_the_limit_has_no_more_answered_at_once() {
    let server = Server::start();
    let mut stream = server.connect().await;
    for number in 0..400_u32 {
        let begun = frame(HEADERS, END_STREAM | END_HEADERS, number * 2 + 1, SLOW);
        if stream.write_all(&begun).await.is_err() {
            break;
        }
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let most = server.most.load(Ordering::Relaxed);
    assert!((1..=64).contains(&most), "{most} requests of one connection at once");
    drop(stream);
    assert!(server.all_over().await);
    assert_eq!(server.under_way.load(Ordering::Relaxed), 0, "whoever is gone is not answered any more");
}

#[tokio::test]
async fn a_connection_without_a_request_is_cut_whatever_else_moves_on_it() {
    let server = Server::start();
    let silent = server.connect().await;
    let (mut read, mut write) = server.connect().await.into_split();
    let clock = SystemClock::start();
    let pinging = async {
        while write.write_all(&frame(PING, 0, 0, &[7; 8])).await.is_ok() {
            assert!(clock.elapsed() < Duration::from_secs(15), "it may ping for ever");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let mut heard = Vec::new();
    let (ended, ()) = tokio::join!(read.read_to_end(&mut heard), pinging);
    assert!(ended.is_err() || !heard.is_empty(), "it was answered before");
    assert!(server.all_over().await, "also the one that says nothing");
    assert_eq!(server.gauges.cut.load(Ordering::Relaxed), 2);
    drop(silent);
}

/// What is answered to requests on one connection: statuses and bodies.
async fn answers(server: &Server, requests: Vec<http::request::Builder>) -> Vec<(u16, String)> {
    let stream = TcpStream::connect(server.address).await.expect("a connection");
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    server.tasks.spawn(async { drop(connection.await) });
    let mut answers = Vec::new();
    for request in requests {
        let request = request.body(Empty::<bytes::Bytes>::new()).expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        answers.push((status, String::from_utf8_lossy(&body).into_owned()));
    }
    answers
}

#[tokio::test]
async fn heads_have_the_limits_of_http_1() {
    let server = Server::start();
    let long = |length: usize| http::Request::get("http://x/hello").header("x-long", "a".repeat(length));
    let lines = |count: usize| {
        (0..count).fold(http::Request::get("http://x/hello"), |request, number| {
            request.header(format!("x-{number}"), "a")
        })
    };
    let answers = answers(&server, vec![long(900), long(1_200), lines(38), lines(41)]).await;
    for ((status, body), right) in answers.into_iter().zip([200, 431, 200, 431]) {
        assert_eq!(status, right, "{body}");
        assert!(right == 200 || body.contains("headers-too-large"), "{body}");
    }
}

#[tokio::test]
async fn a_request_that_names_two_servers_is_refused() {
    let server = Server::start();
    let named = |address: &str, hosts: &[&str]| {
        hosts.iter().fold(http::Request::get(address), |request, host| request.header("host", *host))
    };
    let right = vec![
        named("http://shop.example/hello", &[]),
        named("http://shop.example/hello", &["shop.example"]),
        named("http://shop.example/hello", &["SHOP.example:80"]),
        named("https://shop.example:443/hello", &["shop.example"]),
        named("http://[::1]:8080/hello", &["[::1]:8080"]),
    ];
    for (status, body) in answers(&server, right).await {
        assert_eq!(status, 200, "{body}");
    }
    let wrong = vec![
        named("http://shop.example/hello", &["evil.example"]),
        named("http://shop.example/hello", &["shop.example:81"]),
        named("http://shop.example:443/hello", &["shop.example"]),
        named("http://shop.example/hello", &[""]),
        named("http://shop.example/hello", &["shop.example", "evil.example"]),
        named("http://me@shop.example/hello", &[]),
        named("ftp://shop.example/hello", &[]),
    ];
    for (number, (status, body)) in answers(&server, wrong).await.into_iter().enumerate() {
        assert_eq!(status, 400, "{number}: {body}");
        assert!(body.contains("invalid-request"), "{body}");
    }
}
