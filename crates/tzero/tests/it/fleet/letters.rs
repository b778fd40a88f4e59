//! Dead letters, as an operator lists them.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};

use crate::harness::{PATIENCE, Server, program};
use crate::stores;

/// Puts records into the topic of a sale's claims that are none.
fn append(topic: &str, records: &[(&str, &str)]) {
    let none = OwnedHeaders::new();
    append_with(&none, topic, records);
}

fn append_with(headers: &OwnedHeaders, topic: &str, records: &[(&str, &str)]) {
    let brokers: Vec<String> =
        serde_json::from_value(stores::fleet()["kafka"]["brokers"].clone()).expect("addresses");
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", brokers.join(","));
    let producer: BaseProducer = client.create().expect("a producer");
    for (key, value) in records {
        let record = BaseRecord::to(topic).partition(0).key(*key).payload(*value).headers(headers.clone());
        producer.send(record).expect("there is room");
    }
    producer.flush(PATIENCE).expect("they are in the log");
}

fn listed(server: &Server, flags: &[&str]) -> (Option<i32>, String) {
    let file = server.dir.path().join("stores.toml");
    let done =
        program().arg("dead-letters").arg("--config").arg(file).args(flags).output().expect("it starts");
    let said = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_claim_is_listed_with_where_it_lay_and_why() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let none = listed(&server, &[]);
    assert!(none.0 == Some(0) && none.1.starts_with("There are no dead letters in tzero."), "{none:?}");
    server.ticket("s").await;
    let topic = format!("tzero.{}.claims.s", server.name());
    append(&topic, &[("a", "no claim"), ("b\u{7}", "{}"), ("c", "another")]);
    let put_aside = async {
        while !server.get("/metrics").await.text.contains("tzero_dead_letters_total 3\n") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, put_aside).await.expect("they are put aside");
    let (code, said) = listed(&server, &["--json"]);
    assert_eq!(code, Some(0), "{said}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&said["total"], &said["topic"]),
        (&3.into(), &format!("tzero.{}.dead-letters", server.name()).into())
    );
    let letters = said["dead_letters"].as_array().expect("a list");
    let told: Vec<_> = letters
        .iter()
        .map(|each| [&each["position"], &each["offset"], &each["bytes"], &each["key"]])
        .collect();
    let (one, bell) = (json!("a"), json!("\\x62\\x07"));
    assert_eq!(told[0], [&json!(0), &json!(1), &json!(8), &one], "{said}");
    assert_eq!((told[1][3], told.len()), (&bell, 3), "{said}");
    for letter in letters {
        assert_eq!((&letter["topic"], &letter["partition"]), (&topic.clone().into(), &0.into()), "{letter}");
        assert!(letter["reason"].as_str().is_some_and(|why| !why.is_empty()), "{letter}");
        assert!(letter["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{letter}");
    }
    let (code, words) = listed(&server, &["--limit", "1"]);
    assert_eq!(code, Some(0), "{words}");
    let lines: Vec<_> = words.lines().collect();
    assert!(lines[0].ends_with("of which these are the newest 1:") && lines.len() == 2, "{words}");
    assert!(lines[1].contains("  key c  "), "{words}");
    let (code, said) = listed(&server, &["--set", "kafka.brokers=127.0.0.1:9"]);
    assert!(code == Some(1) && said.contains("no Kafka broker of 127.0.0.1:9 has answered"), "{said}");
}

/// Records that have a claim's form, and of which nothing can be decided: somebody else wrote them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_nothing_of_no_product_or_of_a_unit_twice_stops_nobody() {
    let server = Server::start(&[]);
    server.sale("s", 2, json!({})).await;
    let ticket = server.ticket("s").await;
    let topic = format!("tzero.{}.claims.s", server.name());
    let headers = [("ce_specversion", "1.0"), ("ce_type", "tzero.claim.v1")]
        .into_iter()
        .fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(value) }));
    let claim = |ticket: char, product: u16, quantity: u8, units: &[u32]| {
        let (ticket, user) = (ticket.to_string().repeat(32), "ab".repeat(16));
        json!({
            "ticket": ticket, "sale": "s", "shard": 0, "epoch": 1, "issued_at": "2026-11-25T10:00:00.000Z",
            "user": user, "user_id": "mallory", "product": product, "quantity": quantity, "units": units,
        })
        .to_string()
    };
    let (nothing, no_product) = (claim('1', 0, 0, &[]), claim('2', 7, 1, &[]));
    // One unit twice, which is free; and one that another buyer has.
    let (twice, taken) = (claim('3', 0, 2, &[1, 1]), claim('4', 0, 1, &[0]));
    append_with(&headers, &topic, &[("1", &nothing), ("2", &no_product), ("3", &twice), ("4", &taken)]);
    // Behind them others buy, and pay.
    let behind = server.ticket("s").await;
    for ticket in [&ticket, &behind] {
        let payable = server.payable(ticket).await;
        server.pay(&payable, "pay").await;
        server.until(ticket, "confirmed").await;
    }
    let (code, said) = listed(&server, &["--json"]);
    assert_eq!(code, Some(0), "{said}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let reasons: Vec<_> =
        said["dead_letters"].as_array().expect("a list").iter().map(|each| &each["reason"]).collect();
    let why_not = [
        "its member `quantity` is not what a claim has there",
        "its member `units` is not what a claim has there",
        "its member `product` is none of the sale's",
    ];
    // The product is looked at once the ledger has refused the batch.
    assert!(why_not.iter().all(|why| reasons.iter().any(|reason| reason.as_str() == Some(why))), "{said}");
    assert_eq!(server.clean_audit("s").await["sold"], 2);
}
