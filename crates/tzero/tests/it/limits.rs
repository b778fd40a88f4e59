//! Limits per network, per sale and of connections, as clients meet them; and what they try so as not to be limited.

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Answer, Buyer, PATIENCE, Server, read};

const PROXY: &str = "server.trusted_proxies=127.0.0.1/32";
/// Three requests of one network at once, and hardly more in the time of a test.
const THREE: [&str; 3] = ["limits.network_per_s=0.01", "limits.network_burst=3", "limits.user_per_s=0"];

/// A checkout of a new buyer, with what a proxy passes on as `X-Forwarded-For`.
async fn from(server: &Server, sale: &str, forwarded: &[u8]) -> Answer {
    let buyer = server.buyer().await;
    let value = HeaderValue::from_bytes(forwarded).expect("a header's value");
    read(server.checkout(sale, &buyer, "k", 1).header("X-Forwarded-For", value)).await
}

fn is_limited(answer: &Answer, policy: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "rate-limited"), "{}", answer.text);
    assert!(answer.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok_and(|wait| wait > 0)));
    let told = answer.header("ratelimit-policy").expect("a policy");
    assert!(told.starts_with(&format!("\"{policy}\";")), "{told}");
}

#[tokio::test]
async fn a_network_is_an_ipv4_address_or_an_ipv6_64_however_many_users_and_addresses_it_has() {
    let server = Server::start(&[PROXY, THREE[0], THREE[1], THREE[2]]);
    server.sale("s", 100, json!({})).await;
    let networks = [
        ["2001:db8::1", "2001:db8::2", "2001:db8::ffff:ffff", "2001:db8:0:0:8000::1"],
        ["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1::3", "2001:db8:0:1::4"],
        ["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7:5555", "[::ffff:203.0.113.7]:80"],
        ["203.0.113.8"; 4],
    ];
    for addresses in networks {
        for address in &addresses[..3] {
            let answer = from(&server, "s", address.as_bytes()).await;
            assert_eq!(answer.status, 202, "{address}: {}", answer.text);
        }
        is_limited(&from(&server, "s", addresses[3].as_bytes()).await, "network");
    }
    // New sessions count as well: nobody gets around the limit per user by having many.
    let guest = || server.request(Method::POST, "/v1/sessions").header("X-Forwarded-For", "203.0.113.9");
    for _ in 0..3 {
        assert_eq!(read(guest()).await.status, 201);
    }
    is_limited(&read(guest()).await, "network");
    is_limited(&from(&server, "s", b"203.0.113.9").await, "network");
    assert_eq!(server.clean_audit("s").await["held"], 12);
}

#[tokio::test]
async fn what_a_client_writes_before_its_address_makes_it_nobody_else() {
    let server = Server::start(&[PROXY, THREE[0], THREE[1], THREE[2]]);
    server.sale("s", 100, json!({})).await;
    let forged: [&[u8]; 9] = [
        b"203.0.113.1",
        b"127.0.0.1",
        b"::1",
        b"unknown",
        b"\xff\xfe",
        b"\xc3\xa9",
        b"203.0.113.2, 127.0.0.1, 10.0.0.1",
        b",,,",
        b"for=203.0.113.3;by=127.0.0.1",
    ];
    let mut statuses = Vec::new();
    for sent in forged {
        statuses.push(from(&server, "s", &[sent, b", 198.51.100.7"].concat()).await.status);
    }
    assert_eq!(statuses, [202, 202, 202, 429, 429, 429, 429, 429, 429]);
    // In lines of their own, which proxies pass on before the one that they add.
    let buyer = server.buyer().await;
    let request = server.checkout("s", &buyer, "k", 1).header("X-Forwarded-For", "127.0.0.1");
    is_limited(&read(request.header("X-Forwarded-For", "198.51.100.7")).await, "network");
}

/// Statuses of checkouts of as many buyers, each with these lines of a header.
async fn statuses(server: &Server, name: &str, requests: &[&[&[u8]]]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for lines in requests {
        let buyer = server.buyer().await;
        let value = |line| HeaderValue::from_bytes(line).expect("a header's value");
        let asked = server.checkout("s", &buyer, "k", 1);
        let asked = lines.iter().fold(asked, |asked, line| asked.header(name, value(line)));
        statuses.push(read(asked).await.status);
    }
    statuses
}

#[tokio::test]
async fn the_element_that_a_proxy_appends_to_forwarded_counts_whatever_a_client_wrote_before_it() {
    let header = "server.client_address_header=forwarded";
    let server = Server::start(&[PROXY, header, THREE[0], THREE[1], THREE[2]]);
    server.sale("s", 100, json!({})).await;
    let one_client: [&[&[u8]]; 9] = [
        &[b"for=198.51.100.7"],
        &[b"proto=https;FOR=\"198.51.100.7:443\";by=_us, for=127.0.0.1"],
        &[b"for=203.0.113.1, for=198.51.100.7"],
        &[b"for=\"203.0.113.2, for=198.51.100.7"],
        &[b"for=\"203.0.113.3\\, for=\"198.51.100.7\";host=\"a, for=203.0.113.4\""],
        &[b"for=203.0.113.5;x=\"", b"for=198.51.100.7"],
        &[b"for=203.0.113.6", b"for=198.51.100.7;proto=http"],
        &[b"\xff\", for=198.51.100.7"],
        &[b"for=203.0.113.7,for=_hidden, for=198.51.100.7"],
    ];
    let counted = statuses(&server, "Forwarded", &one_client).await;
    assert_eq!(counted, [202, 202, 202, 429, 429, 429, 429, 429, 429]);
    let others: [&[&[u8]]; 2] = [&[b"for=198.51.100.8"], &[b"for=\"[2001:db8::1]:443\", for=\"[::1]\""]];
    assert_eq!(statuses(&server, "forwarded", &others).await, [202, 202]);
}

#[tokio::test]
async fn of_the_two_headers_only_the_one_that_is_configured_counts() {
    // Nobody names a client in the one that counts: all are the proxy, which is this machine, and have no limit.
    for (counts, other) in [("forwarded", "X-Forwarded-For"), ("x-forwarded-for", "Forwarded")] {
        let header = format!("server.client_address_header={counts}");
        let server = Server::start(&[PROXY, &header, THREE[0], THREE[1], THREE[2]]);
        server.sale("s", 100, json!({})).await;
        // In either form: that of its own, and that of the one that counts.
        for told in ["198.51.100.7", "for=198.51.100.7"] {
            let sent: &[&[u8]] = &[told.as_bytes()];
            assert_eq!(statuses(&server, other, &[sent; 4]).await, [202; 4], "{other}: {told}");
        }
    }
}

#[tokio::test]
async fn a_sale_has_a_limit_that_no_other_sale_and_no_made_up_name_uses_up() {
    let server = Server::start(&["limits.sale_per_s=0.05"]);
    for sale in ["a", "b"] {
        server.sale(sale, 10, json!({})).await;
    }
    let (ann, bob) = (server.buyer().await, server.buyer().await);
    assert_eq!(server.buy("a", &ann, "k").await.status, 202);
    is_limited(&server.buy("a", &bob, "k").await, "sale");
    assert_eq!(server.buy("nowhere", &ann, "k").await.status, 404);
    is_limited(&server.buy("nowhere", &bob, "k").await, "sale");
    assert_eq!(server.buy("b", &bob, "k").await.status, 202);
}

#[tokio::test]
async fn challenges_have_a_limit_of_their_own_and_leave_checkouts_theirs() {
    let server = Server::start(&["limits.user_per_s=1000", "limits.user_burst=1000"]);
    server.sale("s", 10, json!({ "challenge": "always" })).await;
    let buyer = server.buyer().await;
    let ask = || read(server.request(Method::GET, "/v1/challenge?sale_id=s").bearer_auth(&buyer.token));
    let mut issued = 0;
    let limited = loop {
        let answer = ask().await;
        if answer.status != 200 {
            break answer;
        }
        issued += 1;
    };
    is_limited(&limited, "user");
    assert!((5..=7).contains(&issued), "{issued}");
    // A challenge is asked for, and not a pause.
    assert_eq!(server.buy("s", &buyer, "k").await.code(), "challenge-required");
}

#[tokio::test]
async fn challenges_use_up_no_checkouts_and_checkouts_no_challenges() {
    let server = Server::start(&["limits.user_per_s=0.01", "limits.user_burst=4"]);
    server.sale("s", 10, json!({ "challenge": "always" })).await;
    let ask = async |buyer: &Buyer| {
        read(server.request(Method::GET, "/v1/challenge?sale_id=s").bearer_auth(&buyer.token)).await
    };
    // More challenges than there may be checkouts, and some that are one too many.
    let ann = server.buyer().await;
    for _ in 0..5 {
        assert_eq!(ask(&ann).await.status, 200);
    }
    is_limited(&ask(&ann).await, "user");
    for number in 0..4 {
        let answer = server.buy("s", &ann, &format!("k{number}")).await;
        assert_eq!(answer.code(), "challenge-required", "{}", answer.text);
    }
    is_limited(&server.buy("s", &ann, "k4").await, "user");
    let bob = server.buyer().await;
    for number in 0..4 {
        assert_eq!(server.buy("s", &bob, &format!("k{number}")).await.code(), "challenge-required");
    }
    is_limited(&server.buy("s", &bob, "k4").await, "user");
    assert_eq!(ask(&bob).await.status, 200, "none had been taken");
}

#[tokio::test]
async fn connections_that_say_nothing_give_their_places_back() {
    let server = Server::start(&["server.max_connections=32", "server.header_timeout_ms=500"]);
    let address = server.gateway.trim_start_matches("http://").to_owned();
    let over = std::sync::atomic::AtomicBool::new(false);
    let silent = |number: usize| {
        let (address, over) = (&address, &over);
        async move {
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                let mut stream = TcpStream::connect(address).await.expect("a connection");
                // Some begin a request that they never end.
                if number.is_multiple_of(2) {
                    drop(stream.write_all(b"GET /v1/time HTTP/1.1\r\nx: ").await);
                }
                let mut answer = Vec::new();
                let ended = stream.read_to_end(&mut answer);
                // They have more patience than whoever waits for their place.
                drop(tokio::time::timeout(PATIENCE * 2, ended).await);
            }
        }
    };
    let flood = futures::future::join_all((0..64).map(silent));
    let honest = async {
        for _ in 0..5 {
            let asked = server.request(Method::GET, "/v1/time").header("connection", "close");
            let answer = tokio::time::timeout(PATIENCE, read(asked)).await.expect("a place in time");
            assert_eq!(answer.status, 200);
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    tokio::join!(flood, honest);
    let metrics = server.get("/metrics").await.text;
    let cut = metrics.lines().find(|line| line.starts_with("tzero_dropped_total{reason=\"slow-or-idle\"}"));
    assert!(cut.is_some_and(|line| !line.ends_with(" 0")), "{metrics}");
}

/// Requests that cannot be read whole, each with the first line of its answer and the reason that counts it.
fn unreadable() -> Vec<(Vec<u8>, &'static str, &'static str)> {
    let lines: String = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect();
    let checkout = "POST /v1/sales/s/checkout HTTP/1.1\r\nhost: x\r\n";
    let requests = [
        (format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n", "a".repeat(40_000)), "431", "head-too-large"),
        (format!("GET / HTTP/1.1\r\nhost: x\r\n{lines}\r\n"), "431", "head-too-large"),
        (
            format!("{checkout}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"),
            "400",
            "malformed-request",
        ),
        ("GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n".to_owned(), "400", "malformed-request"),
        ("\u{16}\u{3}\u{1} nonsense\r\n\r\n".to_owned(), "400", "malformed-request"),
        (format!("{checkout}content-length: 999999\r\n\r\n"), "413", "body-too-large"),
        (format!("{checkout}content-length: 100\r\n\r\n{{"), "408", "body-too-slow"),
    ];
    requests.map(|(text, status, reason)| (text.into_bytes(), status, reason)).into()
}

/// The same over HTTP/2: `GET / ` with these headers besides, in one frame.
fn over_http2(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut block = b"\x82\x86\x84\x01\x01x".to_vec();
    for (name, value) in headers {
        for text in [name, value] {
            // A literal that is not indexed, both parts in bytes (RFC 7541, section 6.2.2).
            block.extend((text == name).then_some(0));
            block.push(text.len() as u8);
            block.extend(text.as_bytes());
        }
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    bytes.extend(&(block.len() as u32).to_be_bytes()[1..]);
    bytes.extend(b"\x01\x05\0\0\0\x01".iter().chain(&block));
    bytes
}

#[tokio::test]
async fn every_request_that_cannot_be_read_is_counted_once() {
    let server = Server::start(&["server.body_timeout_ms=300"]);
    let reasons = ["head-too-large", "malformed-request", "body-too-large", "body-too-slow"];
    let mut expected = reasons.map(|_| 0.0);
    let address = server.gateway.trim_start_matches("http://");
    for (bytes, status, reason) in unreadable() {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(&bytes).await.expect("sent");
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        drop(ended.expect("the server ends the connection"));
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{reason}: {answer}");
        expected[reasons.iter().position(|known| *known == reason).expect("known")] += 1.0;
        assert_eq!(counts(&server, &reasons).await, expected, "{reason}: {answer}");
    }
    let many: Vec<(String, String)> = (0..70).map(|number| (format!("x-{number}"), "a".to_owned())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (headers, at) in [(many.as_slice(), 0), (&[("host", "y")], 1)] {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(&over_http2(headers)).await.expect("sent");
        expected[at] += 1.0;
        let counted = async {
            while counts(&server, &reasons).await != expected {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, counted).await.expect("it is counted");
    }
}

async fn counts(server: &Server, reasons: &[&str; 4]) -> Vec<f64> {
    let mut counts = Vec::new();
    for reason in reasons {
        counts.push(server.metric(&format!("tzero_dropped_total{{reason=\"{reason}\"}}")).await);
    }
    counts
}
