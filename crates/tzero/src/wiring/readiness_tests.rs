//! What shows that a provider is there.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::provider;

/// What is said of a provider whose answer has this first line.
async fn said_of(line: &str) -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 1_024];
        let _length = connection.read(&mut request).await.unwrap();
        let answer = format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        connection.write_all(answer.as_bytes()).await.unwrap();
    };
    let client = http_client::builder().build().unwrap();
    tokio::join!(answering, provider(Some(client), &url)).1
}

#[tokio::test]
async fn whoever_answers_is_there_unless_it_says_that_the_server_failed() {
    assert_eq!(said_of("200 OK").await, None);
    assert_eq!(said_of("404 Not Found").await, None);
    assert_eq!(said_of("401 Unauthorized").await, None);
    assert_eq!(said_of("502 Bad Gateway").await.as_deref(), Some("it answers 502 Bad Gateway"));
    assert!(provider(None, "http://127.0.0.1:9").await.is_some());
}
