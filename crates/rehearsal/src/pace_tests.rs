//! The pace: when an answer is whole, and from when its latency counts.

use super::*;

#[test]
fn an_answer_is_whole_with_its_body_only() {
    let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}";
    for end in 0..answer.len() {
        assert_eq!(whole(&answer[..end]), Ok(None), "{end} bytes");
    }
    assert_eq!(whole(answer), Ok(Some("202".to_owned())));
    assert!(whole(b"HTTP/1.1 202 Accepted\r\n\r\n").is_err(), "a length is needed to know the end");
}

#[tokio::test]
async fn latency_counts_from_the_instant_at_which_a_request_was_due() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // A server that needs 20 ms for each answer, asked every 10 ms over one connection: the last of 20 waits 200 ms.
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        for _ in 0..20 {
            assert!(stream.read(&mut buffer).await.unwrap() > 0);
            tokio::time::sleep(Duration::from_millis(20)).await;
            stream.write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    };
    let slow = Pace {
        address,
        rate_per_s: 100.0,
        lasts: Duration::from_millis(200),
        connections: 1,
        crowd: Crowd::Waits,
    };
    let request = |_| Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
    let (paced, ()) = tokio::join!(pace(slow, request), server);
    let paced = paced.unwrap();
    assert_eq!(paced.statuses.get("204"), Some(&20));
    assert!(paced.latency.max_ms >= 200.0, "{:?}", paced.latency);
    assert!(paced.latency.p50_ms >= 100.0, "{:?}", paced.latency);
}

#[tokio::test]
async fn a_crowd_that_leaves_is_counted_and_waits_for_nobody() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // A server that needs 100 ms for each of its two answers, asked 20 times in 200 ms over one connection.
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 64];
        while stream.read(&mut buffer).await.unwrap() > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        }
    };
    let lasts = Duration::from_millis(200);
    let slow = Pace { address, rate_per_s: 100.0, lasts, connections: 1, crowd: Crowd::Leaves };
    let request = |_| Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
    let (paced, ()) = tokio::join!(pace(slow, request), server);
    let paced = paced.unwrap();
    let sent = paced.accepted.count;
    assert!((1..=2).contains(&sent), "{paced:?}");
    assert_eq!(sent + paced.left, 20);
    assert_eq!(paced.statuses.get("202"), Some(&sent));
    assert!(paced.accepted.p50_ms < 200.0, "{paced:?}");
}
