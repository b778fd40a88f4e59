//! The listener over real connections: what clients send, in the forms in which they send it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use gateway::listener::{Gauges, Limits, Listener};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ports::clock::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
    gauges: Arc<Gauges>,
}

async fn echo(request: Request) -> Result<Response, String> {
    let body = request.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Response::new(Body::from(body)))
}

async fn stream() -> Response {
    let parts = tokio_stream::iter(["one", "", "two"]).map(|part| Ok::<_, Infallible>(Bytes::from(part)));
    Response::new(Body::from_stream(parts.throttle(Duration::from_millis(5))))
}

async fn endless() -> Response {
    Response::new(Body::from_stream(tokio_stream::pending::<Result<Bytes, Infallible>>()))
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(300)).await;
    "slow"
}

impl Server {
    fn start() -> Self {
        let limits = Limits {
            header_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(5),
            max_connections: 100,
            max_connections_per_address: 0,
            trusted: Arc::new(|_| false),
            header_bytes: 1_024,
            header_count: 40,
            drain_timeout: Duration::from_secs(5),
            lists: Arc::default(),
        };
        let router = Router::new()
            .route("/echo", post(echo))
            .route("/ignore", post(|| async { "ignored" }))
            .route("/hello", get(|| async { "hello" }))
            .route("/stream", get(stream))
            .route("/endless", get(endless))
            .route("/slow", get(slow))
            .route("/same", get(|| async { http::StatusCode::NOT_MODIFIED }))
            .route("/none", get(|| async { http::StatusCode::NO_CONTENT }))
            .route("/large", get(|| async { "x".repeat(5_000_000) }));
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let (address, stop, tasks) = (listener.address(), CancellationToken::new(), TaskTracker::new());
        let gauges = Arc::new(Gauges::default());
        let clock = Arc::new(SystemClock::start());
        tasks.spawn(listener.serve(limits, router, Arc::clone(&gauges), clock, stop.clone()));
        Self { address, stop, tasks, gauges }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    /// Sends `text` in parts of `size` bytes and reads until the connection ends.
    async fn parts(&self, text: &str, size: usize) -> String {
        let (mut read, mut write) = self.connect().await.into_split();
        let sending = async {
            for part in text.as_bytes().chunks(size) {
                write.write_all(part).await.expect("sent");
                tokio::task::yield_now().await;
            }
        };
        let mut answer = String::new();
        let (read, ()) = tokio::join!(read.read_to_string(&mut answer), sending);
        read.expect("an answer, and then the end");
        answer
    }

    async fn ask(&self, text: &str) -> String {
        self.parts(text, text.len()).await
    }
}

/// Statuses and the text after the last head.
fn told(answer: &str) -> (Vec<&str>, &str) {
    let statuses = answer.split("HTTP/1.1 ").skip(1).map(|rest| &rest[..3]).collect();
    (statuses, answer.rsplit_once("\r\n\r\n").map_or("", |(_, body)| body))
}

#[tokio::test]
async fn bodies_arrive_by_length_and_in_chunks_whole_and_in_drops() {
    let server = Server::start();
    let chunked = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nt: v\r\n\r\n";
    let length = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nabcde";
    for text in [chunked, length] {
        for size in [1, 2, 3, 7, text.len()] {
            assert_eq!(told(&server.parts(text, size).await), (vec!["200"], "abcde"), "{size}");
        }
    }
    let large = "y".repeat(300_000);
    let text = format!(
        "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{large}",
        large.len()
    );
    assert_eq!(told(&server.ask(&text).await), (vec!["200"], large.as_str()));
}

#[tokio::test]
async fn requests_follow_each_other_on_one_connection() {
    let server = Server::start();
    let text = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\nhost: x\r\n\r\n\
        POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\nGET /none HTTP/1.1\r\nhost: x\r\n\r\n\
        GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\nGET /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    for size in [1, 50, text.len()] {
        let answer = server.parts(text, size).await;
        assert_eq!(
            told(&answer),
            (vec!["200", "200", "200", "204", "404", "200"], "hello"),
            "{size}: {answer}"
        );
    }
    assert_eq!(server.gauges.cut.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn heads_without_bodies_streams_and_old_clients_are_delimited_as_they_must_be() {
    let server = Server::start();
    let head = server.ask("HEAD /hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(head.contains("content-length: 5\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let same = server.ask("GET /same HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(same.starts_with("HTTP/1.1 304") && !same.contains("content-length"), "{same}");
    let none = server.ask("GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(!none.contains("content-length") && none.ends_with("\r\n\r\n"), "{none}");
    let stream = server.ask("GET /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(stream.contains("transfer-encoding: chunked\r\n"), "{stream}");
    assert!(stream.ends_with("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"), "{stream}");
    let old = server.ask("GET /stream HTTP/1.0\r\n\r\n").await;
    assert!(!old.contains("chunked") && old.ends_with("\r\n\r\nonetwo"), "{old}");
    let kept =
        server.ask("GET /hello HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n").await;
    assert_eq!(told(&kept).0, ["200", "200"]);
    assert!(kept.contains("connection: keep-alive\r\n") && kept.contains("connection: close\r\n"), "{kept}");
    assert_eq!(
        told(&server.ask("GET /large HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await).1.len(),
        5_000_000
    );
}

#[tokio::test]
async fn a_body_that_nobody_reads_never_passes_for_a_request() {
    let server = Server::start();
    // It does not come at all: the connection ends with the answer.
    let missing = "POST /ignore HTTP/1.1\r\nhost: x\r\ncontent-length: 500000\r\n\r\n";
    let answer = server.ask(missing).await;
    assert!(
        answer.contains("connection: close\r\n") && told(&answer) == (vec!["200"], "ignored"),
        "{answer}"
    );
    let smuggled = "POST /ignore HTTP/1.1\r\nhost: x\r\ncontent-length: 35\r\n\r\nGET /hello HTTP/1.1\r\nhost: x\r\nx: \r\n\r\n";
    let answer =
        server.ask(&format!("{smuggled}GET /none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
    assert_eq!(told(&answer).0, ["200", "204"], "{answer}");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_a_problem_and_the_end() {
    let server = Server::start();
    let lines = "a: b\r\n".repeat(41);
    let long = format!("a: {}\r\n", "b".repeat(1_100));
    for (text, status, code) in [
        ("\u{16}\u{3}\u{1}".to_owned(), "400", "invalid-request"),
        ("GET / HTTP/9\r\n\r\n".to_owned(), "400", "invalid-request"),
        (
            "GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
            "400",
            "invalid-request",
        ),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{lines}\r\n"), "431", "headers-too-large"),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{long}\r\n"), "431", "headers-too-large"),
        (format!("GET / HTTP/1.1\r\n{long}x: "), "431", "headers-too-large"),
    ] {
        let answer = server.ask(&format!("{text}GET /hello HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert_eq!(told(&answer).0, [status], "{answer}");
        assert!(answer.contains("application/problem+json") && answer.contains(code), "{answer}");
    }
    let broken = "POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nGET /hello HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = server.ask(broken).await;
    assert!(told(&answer).0.len() == 1 && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn a_head_without_an_end_is_refused_once_it_is_too_long() {
    let server = Server::start();
    let mut stream = server.connect().await;
    let mut sent = 0;
    stream.write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\nx: ").await.expect("sent");
    // It is told while it still sends, and can send no more than a part of this: the connection is over.
    while sent < 64 << 20 && stream.write_all(&[b'a'; 4_096]).await.is_ok() {
        sent += 4_096;
    }
    assert!(sent < 64 << 20, "{sent} bytes of one head were taken");
    let mut stream = server.connect().await;
    stream
        .write_all(format!("GET /hello HTTP/1.1\r\nx: {}", "a".repeat(1_500)).as_bytes())
        .await
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer, and the end");
    assert_eq!(told(&answer).0, ["431"], "{answer}");
}

#[tokio::test]
async fn a_body_in_drops_is_due_as_a_whole() {
    let server = Server::start();
    let mut stream = server.connect().await;
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n").await.expect("sent");
    let clock = SystemClock::start();
    while stream.write_all(b"a").await.is_ok() && clock.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    assert!(clock.elapsed() < Duration::from_secs(15), "the drops were taken for {:?}", clock.elapsed());
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let server = Server::start();
    let mut stream = server.connect().await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.expect("told");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("answered");
    assert_eq!(told(&answer), (vec!["200"], "abc"));
}

#[tokio::test]
async fn http2_is_spoken_on_the_same_port_however_its_preface_arrives() {
    let server = Server::start();
    let stream = server.connect().await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    server.tasks.spawn(async { drop(connection.await) });
    let request =
        http::Request::post("http://x/echo").body(Full::new(Bytes::from("abc"))).expect("a request");
    let answer = sender.send_request(request).await.expect("an answer");
    assert_eq!(answer.into_body().collect().await.expect("a body").to_bytes(), "abc");
    for path in ["/same", "/none"] {
        let request = http::Request::get(format!("http://x{path}")).body(Full::default()).expect("a request");
        let answer = sender.send_request(request).await.expect("an answer");
        assert_eq!(answer.headers().get("content-length"), None, "{path}: {}", answer.status());
    }
    // The preface in drops: the server's settings come back, not a problem.
    let mut stream = server.connect().await;
    for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00" {
        stream.write_all(&[*byte]).await.expect("sent");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[3], 4, "SETTINGS");
}

#[tokio::test]
async fn at_the_end_idle_connections_close_and_requests_under_way_finish() {
    let server = Server::start();
    let mut idle = server.connect().await;
    idle.write_all(b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut first = [0; 8];
    idle.read_exact(&mut first).await.expect("answered");
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    let ending = async {
        let mut rest = String::new();
        idle.read_to_string(&mut rest).await.expect("the end");
        let mut answer = String::new();
        busy.read_to_string(&mut answer).await.expect("the answer, and the end");
        assert!(answer.contains("connection: close") && answer.ends_with("slow"), "{answer}");
        server.tasks.close();
        server.tasks.wait().await;
    };
    tokio::time::timeout(Duration::from_secs(4), ending).await.expect("all ends by itself");
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_its_connection() {
    let server = Server::start();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut reader = socket.connect(server.address).await.expect("a connection");
    let asked = "GET /large HTTP/1.1\r\nhost: x\r\n\r\n".repeat(8);
    reader.write_all(asked.as_bytes()).await.expect("sent");
    let mut head = [0; 12];
    reader.read_exact(&mut head).await.expect("it begins");
    let gauge = |gauge: &std::sync::atomic::AtomicU64| gauge.load(std::sync::atomic::Ordering::Relaxed);
    let clock = SystemClock::start();
    while gauge(&server.gauges.open) > 0 && clock.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((gauge(&server.gauges.open), gauge(&server.gauges.cut)), (0, 1), "{:?}", clock.elapsed());
    drop(reader);
}

#[tokio::test]
async fn a_stream_whose_reader_is_gone_ends() {
    let server = Server::start();
    let mut reader = server.connect().await;
    reader.write_all(b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut head = [0; 12];
    reader.read_exact(&mut head).await.expect("the head comes before any part");
    let open = || server.gauges.open.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(open(), 1);
    drop(reader);
    for _ in 0..200 {
        if open() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the stream still waits for its reader");
}
