//! What everybody reads comes compressed to whoever wishes that, and nothing else does.

use std::io::Read as _;

use reqwest::Method;
use serde_json::json;

use crate::harness::Server;
use crate::system::behind_varnish;

/// A body, its coding, its tag, and what it depends on.
struct Got {
    coding: String,
    tag: String,
    vary: String,
    bytes: Vec<u8>,
}

async fn get(server: &Server, path: &str, wished: &str) -> Got {
    let request = server.request(Method::GET, path).header("accept-encoding", wished);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let header = |name: &str| {
        let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (coding, tag, vary) = (header("content-encoding"), header("etag"), header("vary"));
    Got { coding, tag, vary, bytes: answer.bytes().await.expect("a body").to_vec() }
}

fn unpacked(got: &Got) -> Vec<u8> {
    let mut plain = Vec::new();
    match got.coding.as_str() {
        "gzip" => flate2::read::GzDecoder::new(&got.bytes[..]).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(&got.bytes[..], 4_096).read_to_end(&mut plain),
        other => panic!("an unknown coding {other:?}"),
    }
    .expect("it is whole");
    plain
}

#[tokio::test]
async fn what_everybody_reads_is_compressed_for_whoever_wishes_it() {
    let server = Server::start(&[]);
    // A document that nothing changes, with a text that is worth it.
    let product = json!({"product_id": "p1", "name": "Shoe", "description": "A shoe like no other. ".repeat(20),
        "price": {"amount": "120.00", "currency": "EUR"}, "stock": 3, "max_per_user": 1});
    server.sale("s", 3, json!({"starts_at": "2096-01-01T00:00:00Z", "products": [product]})).await;
    let page = get(&server, "/s/s", "identity").await;
    let text = String::from_utf8(page.bytes).expect("text");
    let script = text.split('"').find(|part| part.starts_with("/assets/buy.")).expect("the page's script");
    for path in ["/v1/sales/s", "/s/s", script, "/openapi.json"] {
        let plain = get(&server, path, "identity").await;
        assert_eq!((plain.coding.as_str(), plain.vary.as_str()), ("", "Accept-Encoding"), "{path}");
        for (wished, coding) in [("gzip, deflate", "gzip"), ("br;q=1.0, gzip;q=0.8", "br")] {
            let got = get(&server, path, wished).await;
            assert_eq!(got.vary, "Accept-Encoding", "{path}");
            assert!(got.bytes.len() < plain.bytes.len() * 3 / 4, "{path}: {} bytes", got.bytes.len());
            // The page says when it was made.
            if path != "/s/s" {
                assert_eq!(unpacked(&got), plain.bytes, "{path}");
            }
            // A proxy has the forms that its configuration keeps.
            if !behind_varnish() {
                assert_eq!(got.coding, coding, "{path}");
                assert!(plain.tag.is_empty() || got.tag != plain.tag, "{path}: two forms, two tags");
            }
        }
        let refused = get(&server, path, "br;q=0, gzip;q=0").await;
        assert_eq!(refused.coding, "", "{path}");
    }
    for path in ["/healthz", "/v1/time"] {
        assert_eq!(get(&server, path, "gzip, br").await.coding, "", "{path}");
    }
}

#[tokio::test]
async fn a_tag_is_that_of_one_form() {
    let server = Server::start(&[]);
    server.sale("s", 3, json!({"starts_at": "2096-01-01T00:00:00Z"})).await;
    for wished in ["identity", "gzip", "br"] {
        let tag = get(&server, "/v1/sales/s", wished).await.tag;
        let request = server.request(Method::GET, "/v1/sales/s").header("accept-encoding", wished);
        let again = request.header("if-none-match", &tag).send().await.expect("an answer");
        assert_eq!(again.status().as_u16(), 304, "{wished}");
        assert_eq!(again.headers()["vary"], "Accept-Encoding");
    }
}
