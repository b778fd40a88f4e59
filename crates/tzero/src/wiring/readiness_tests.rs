//! What shows that a provider is there.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use domain::id::SaleId;
use ports::Fault;
use purchase::selling::Selling;

use super::{provider, trouble};

/// What is said of a provider whose answer has this first line.
async fn said_of(line: &str) -> Option<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = async {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 1_024];
        assert!(connection.read(&mut request).await.unwrap() > 0);
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

fn sale(name: &str, open: Result<bool, Fault>) -> Selling {
    Selling { sale: SaleId::parse(name).unwrap(), open }
}

#[test]
fn every_sale_counts_and_those_with_which_something_is_wrong_are_named() {
    assert_eq!(trouble(&[]), None);
    assert_eq!(trouble(&[sale("a", Ok(true)), sale("b", Ok(true))]), None);
    let closed = trouble(&[sale("a", Ok(true)), sale("b", Ok(false)), sale("c", Ok(false))]);
    assert_eq!(closed.as_deref(), Some("the stock is being made ready: b, c"));
    let away = || Err(Fault::unavailable("the inventory", "no answer in 1500 ms"));
    let mut sales = vec![sale("a", Ok(true)), sale("b", Ok(false))];
    sales.extend((0..7).map(|number| sale(&format!("s{number}"), away())));
    let said = "the inventory is unavailable: no answer in 1500 ms (asked for s0, s1, s2, s3, s4, 2 more); the stock is being \
                made ready: b";
    assert_eq!(trouble(&sales).as_deref(), Some(said));
}
