//! Stores that speak TLS alone and ask who comes, as managed ones do: a sale is sold through all three, and whatever is not as
//! it must be is refused at the start, with the key to change.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::mpsc::RecvTimeoutError;

use serde_json::{Value, json};

use crate::harness::{Server, program};
use crate::sockets::connected_to;
use crate::stores;

/// Whether this program can speak TLS to Kafka.
const WITH_KAFKA: bool = cfg!(feature = "kafka-tls");
/// What one that cannot says.
const BUILT_WITHOUT: &str = "cargo build --release --features kafka-tls";

/// A file of the servers' certificates.
fn file(name: &str) -> String {
    let authority = PathBuf::from(stores::over_tls()["redis"]["tls_ca_file"].as_str().expect("a file"));
    authority.with_file_name(name).display().to_string()
}

/// Where a store answers.
fn addresses(section: &str) -> Vec<String> {
    let (servers, list) = (stores::over_tls(), if section == "redis" { "nodes" } else { "brokers" });
    let all = servers[section][list].as_array().expect("a list");
    all.iter().map(|address| address.as_str().expect("an address").to_owned()).collect()
}

fn ports(section: &str) -> BTreeSet<u16> {
    let port = |address: &String| address.rsplit_once(':')?.1.parse().ok();
    addresses(section).iter().filter_map(port).collect()
}

fn postgres_port() -> u16 {
    let servers = stores::over_tls();
    let url = servers["postgres"]["url"].as_str().expect("an address");
    let after = url.rsplit_once(':').expect("a port").1;
    after.split('/').next().and_then(|port| port.parse().ok()).expect("a port")
}

/// What a program says that does not start with these settings.
fn refused(settings: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    command.args(stores::flags(dir.path()));
    for (key, value) in settings {
        command.args(["--set", &format!("{key}={value}")]);
    }
    // One that starts after all ends with its standard input's reader, and the test with it.
    let limited = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = limited.spawn().expect("it runs");
    let pid = child.id().to_string();
    let (over, waiting) = std::sync::mpsc::sync_channel::<()>(1);
    let watch = std::thread::spawn(move || {
        if waiting.recv_timeout(crate::harness::PATIENCE) == Err(RecvTimeoutError::Timeout) {
            drop(std::process::Command::new("kill").args(["-KILL", &pid]).status());
        }
    });
    let said = std::io::read_to_string(child.stderr.take().expect("standard error")).expect("text");
    let ended = child.wait().expect("it ends");
    drop(over);
    watch.join().expect("the watch ends");
    assert_eq!(ended.code(), Some(1), "{settings:?}: {said}");
    said
}

/// The refusal of a program that finds everything right but this.
fn refused_with(settings: &[(&str, &str)], expected: &str) {
    let of_kafka = settings.iter().any(|(key, _)| key.starts_with("kafka."));
    let expected = if of_kafka && !WITH_KAFKA { BUILT_WITHOUT } else { expected };
    let said = refused(settings);
    assert!(said.contains(expected), "{settings:?}: {said}");
}

/// How many connections to a database there are, and how many of them anybody could read.
async fn connections(database: &str) -> (i64, i64) {
    let servers = stores::over_tls();
    let url = servers["postgres"]["url"].as_str().expect("an address");
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("it answers");
    let statement = "SELECT count(*), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl \
                     JOIN pg_stat_activity USING (pid) WHERE datname = $1";
    let given: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&database];
    tokio::select! {
        row = client.query_one(statement, &given) => { let row = row.expect("a row"); (row.get(0), row.get(1)) }
        _ = connection => panic!("the connection ended"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_is_sold_through_all_three_and_nothing_leaves_in_the_clear() {
    if !WITH_KAFKA {
        return refused_with(&[("kafka.tls", "verify-full")], BUILT_WITHOUT);
    }
    let server = Server::start(&[]);
    server.sale("s", 3, json!({})).await;
    let buyer = server.buyer().await;
    let bought = server.buy("s", &buyer, "k").await;
    assert_eq!(bought.status, 202, "{}", bought.text);
    let ticket = bought.ticket();
    server.pay(&server.payable(&ticket).await, "pay").await;
    server.until(&ticket, "confirmed").await;
    assert_eq!(server.clean_audit("s").await["sold"], 1);

    let known: BTreeSet<u16> =
        ports("redis").into_iter().chain(ports("kafka")).chain([postgres_port()]).collect();
    let there: BTreeSet<u16> = server.pids().into_iter().flat_map(connected_to).collect();
    assert!(there.is_subset(&known), "{there:?} and not only {known:?}");
    assert!(there.intersection(&ports("redis")).count() >= 3, "every primary: {there:?}");
    assert!(there.is_superset(&ports("kafka")) && there.contains(&postgres_port()), "{there:?}");
    let (all, readable) = connections(&server.name().replace('-', "_")).await;
    assert!(all > 0 && readable == 0, "{readable} of {all}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mechanism_of_sasl_is_spoken() {
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let setting = [("kafka.sasl_mechanism", mechanism)];
        if !WITH_KAFKA {
            refused_with(&setting, BUILT_WITHOUT);
            continue;
        }
        let server = Server::start(&[&format!("kafka.sasl_mechanism={mechanism}")]);
        server.sale("s", 1, json!({})).await;
        let ticket = server.ticket("s").await;
        server.payable(&ticket).await;
    }
}

#[test]
fn an_authority_that_did_not_issue_the_servers_certificate_is_refused() {
    let stranger = file("stranger.pem");
    for section in ["postgres", "redis", "kafka"] {
        let key = format!("{section}.tls_ca_file");
        refused_with(&[(&key, &stranger)], &format!("{key} must name the PEM file"));
    }
}

#[test]
fn another_host_than_the_certificates_is_refused() {
    let url = stores::over_tls()["postgres"]["url"].as_str().expect("an address").to_owned();
    let elsewhere = |section| addresses(section).join(",").replace("127.0.0.1", "localhost");
    let of_another = "its certificate is for another host";
    refused_with(&[("postgres.url", &url.replace("127.0.0.1", "localhost"))], of_another);
    refused_with(&[("redis.nodes", &elsewhere("redis"))], of_another);
    // Kafka's client does not tell this from an unknown authority.
    refused_with(&[("kafka.brokers", &elsewhere("kafka"))], "or is for another host");
}

#[test]
fn servers_that_ask_for_a_certificate_are_told_from_others() {
    for section in ["postgres", "redis", "kafka"] {
        let keys = ["tls_certificate_file", "tls_key_file"].map(|key| format!("{section}.{key}"));
        refused_with(
            &[(&keys[0], ""), (&keys[1], "")],
            &format!("{section}.tls_certificate_file and {section}.tls_key_file must name one"),
        );
    }
}

#[test]
fn stores_that_want_tls_are_not_spoken_to_without() {
    for section in ["postgres", "redis", "kafka"] {
        let keys = ["tls", "tls_ca_file", "tls_certificate_file", "tls_key_file"];
        let keys = keys.map(|key| format!("{section}.{key}"));
        let settings = [(&*keys[0], "disable"), (&*keys[1], ""), (&*keys[2], ""), (&*keys[3], "")];
        refused_with(&settings, &format!("{section}.tls"));
    }
}

#[test]
fn a_password_that_is_wrong_is_refused_at_once() {
    refused_with(&[("kafka.sasl_password", "wrong")], "Kafka refuses this user: check kafka.sasl_mechanism");
}

#[test]
fn files_are_read_before_anything_is_connected_to() {
    let (authority, key) = (file("ca.pem"), file("server.key"));
    let said = refused(&[
        ("postgres.tls_ca_file", "/nowhere/ca.pem"),
        ("redis.tls_ca_file", &key),
        ("kafka.tls_key_file", &key),
        ("postgres.url", "postgres://127.0.0.1:9/tzero"),
    ]);
    for expected in [
        "postgres.tls_ca_file: /nowhere/ca.pem cannot be read".to_owned(),
        format!("redis.tls_ca_file: {key} is PEM of another kind"),
        format!("kafka.tls_key_file: {key} is not the key of the certificate"),
    ] {
        assert!(said.contains(&expected), "{expected}: {said}");
    }
    let said = refused(&[("redis.tls_certificate_file", &authority), ("redis.tls_key_file", "")]);
    assert!(said.contains("redis.tls_key_file: must name the private key of"), "{said}");
}

#[test]
fn what_is_in_effect_is_shown_without_the_password() {
    let dir = tempfile::tempdir().expect("a folder");
    let printed = program().args(["config", "print"]).args(stores::flags(dir.path())).output();
    let printed = String::from_utf8(printed.expect("it runs").stdout).expect("text");
    let servers: Value = stores::over_tls();
    let password = servers["kafka"]["sasl_password"].as_str().expect("a password");
    assert!(printed.contains("sasl_mechanism = \"SCRAM-SHA-512\""), "{printed}");
    assert!(!printed.contains(password), "a password is shown");
}
