//! A log of claims that is lost: deleted by hand, and made anew by whoever needs it next.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use serde_json::json;

use super::{sells_through, some_tickets};
use crate::harness::{PATIENCE, Server};
use crate::stores;

async fn delete(topic: &str) {
    let brokers: Vec<String> =
        serde_json::from_value(stores::fleet()["kafka"]["brokers"].clone()).expect("addresses");
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers.join(",")).create().expect("a client");
    let patience = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    let deleted = admin.delete_topics(&[topic], &patience).await.expect("the broker answers");
    assert_eq!(deleted, [Ok(topic.to_owned())]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_claims_that_is_deleted_is_made_up_for_and_the_sale_goes_on() {
    let server = Server::start(&["limits.user_per_s=0", "limits.network_per_s=0"]);
    server.sale("s", 70, json!({})).await;
    // So many that what is published again does not soon make the new log as long as the old one was.
    let mut tickets = some_tickets(&server, 60).await;
    for (_, ticket) in &tickets {
        server.payable(ticket).await;
    }
    // One that the ledger may not have read yet, too.
    tickets.extend(some_tickets(&server, 1).await);
    delete(&format!("tzero.{}.claims.s", server.name())).await;
    let others = tokio::time::timeout(PATIENCE, some_tickets(&server, 2)).await;
    tickets.extend(others.expect("others buy"));
    sells_through(&server, &tickets, 70).await;
}
