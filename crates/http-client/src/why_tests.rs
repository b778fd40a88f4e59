//! Each cause by an address that has it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug)]
struct Cause(&'static str, Option<Box<Self>>);

impl std::fmt::Display for Cause {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.0)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

async fn said(url: String, served: impl Future<Output = ()>) -> String {
    let client = crate::builder().timeout(PATIENCE).build().unwrap();
    let ask = async {
        let answer = client.get(url).send().await?;
        answer.bytes().await
    };
    let mut ask = std::pin::pin!(ask);
    let error: reqwest::Error = tokio::select! {
        answer = &mut ask => answer,
        () = served => ask.await,
    }
    .unwrap_err();
    why(&error, PATIENCE)
}

async fn answers(text: &'static str, waits: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let served = async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1_024];
        let _ = stream.read(&mut request).await;
        stream.write_all(text.as_bytes()).await.unwrap();
        if waits {
            std::future::pending::<()>().await;
        }
    };
    said(url, served).await
}

#[tokio::test]
async fn each_cause_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = said(format!("http://{nobody}/"), std::future::pending()).await;
    assert!(refused.contains("refused"), "{refused}");
    let silent = answers("", true).await;
    assert!(silent.contains("within 0.5 s"), "{silent}");
    let cut = answers("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", false).await;
    assert!(cut.contains("cut short"), "{cut}");
    let nothing = answers("", false).await;
    assert!(nothing.contains("cut short"), "{nothing}");
    let slow = answers("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", true).await;
    assert!(slow.contains("within 0.5 s"), "{slow}");
}

#[test]
fn the_innermost_cause_that_says_something_counts() {
    let of = |texts: &[&'static str]| {
        texts.iter().rev().fold(None, |inner, text| Some(Box::new(Cause(text, inner)))).unwrap()
    };
    let untrusted = of(&["error sending request", "client error", "invalid peer certificate: UnknownIssuer"]);
    assert_eq!(
        named(&*untrusted, true),
        "its TLS certificate is not trusted (invalid peer certificate: UnknownIssuer)"
    );
    let unknown =
        of(&["error sending request", "dns error", "failed to lookup address information: no such name"]);
    assert!(named(&*unknown, true).starts_with("its name is not known"));
    let other = of(&["error sending request", "client error", "no route to host"]);
    assert_eq!(named(&*other, true), "cannot connect: no route to host");
}
