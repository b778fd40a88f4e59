//! What a process of a fleet refuses to start without.

use std::net::TcpListener;
use std::process::Stdio;

use crate::harness::{Server, program};
use crate::stores;

#[test]
fn a_processor_that_is_no_gateway_must_know_where_buyers_return() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = program();
    command.args(["serve", "--role", "processor", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    command.args(["--set", "payments.base_url=http://127.0.0.1:9"]);
    command.args(["--set", "payments.webhook_secret=whsec_for_tests"]);
    let ended = command.args(stores::flags(dir.path())).stdin(Stdio::null()).output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{said}");
    assert!(said.contains("server.public_url: must say"), "{said}");
}

/// What gateways know an orders node by is its address, so that two of one name cannot be: the second refuses to start.
#[test]
fn a_second_node_at_the_address_of_the_first_refuses_to_start() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = taken.local_addr().expect("an address");
    for key in ["fleet.orders_listen", "server.listen"] {
        let dir = tempfile::tempdir().expect("a folder");
        let mut command = program();
        command.args(["serve", "--role", "orders", "--data"]).arg(dir.path());
        for free in ["fleet.orders_listen", "server.listen"].iter().filter(|other| **other != key) {
            command.args(["--set", &format!("{free}=127.0.0.1:0")]);
        }
        command.args(["--set", &format!("{key}={address}")]);
        for setting in ["payments.base_url=http://127.0.0.1:9", "payments.webhook_secret=whsec_for_tests"] {
            command.args(["--set", setting]);
        }
        let ended = command.args(stores::flags(dir.path())).stdin(Stdio::null()).output().expect("it runs");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success(), "{said}");
        assert!(said.contains(&format!("{key}: cannot listen on {address}")), "{said}");
    }
}

#[tokio::test]
async fn who_wants_more_copies_than_kafka_has_brokers_is_warned_at_the_start() {
    let server = Server::start(&["kafka.replication=3"]);
    let said = server.log();
    assert!(said.contains("kafka.replication: 3 copies need as many brokers, and Kafka has 1 now"), "{said}");
}
