//! The operator's lists of networks and of revoked sessions, changed while the program runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Buyer, Server, program, read};

/// A list in a folder of its own.
struct List {
    _dir: tempfile::TempDir,
    file: PathBuf,
}

impl List {
    fn new(text: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("list");
        let list = Self { _dir: dir, file };
        list.write(text);
        list
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.file, text).expect("written");
    }

    fn setting(&self, key: &str) -> String {
        format!("{key}={}", self.file.display())
    }
}

/// A checkout that a proxy passes on for a client.
async fn from(server: &Server, client: &str, buyer: &Buyer, key: &str) -> Answer {
    read(server.checkout("s", buyer, key, 1).header("X-Forwarded-For", client)).await
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..100 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what}: not after 10 s");
}

#[tokio::test]
async fn a_denied_network_is_turned_away_until_it_is_taken_off_the_list() {
    let list = List::new("deny 203.0.113.0/24\n");
    let proxies = "server.trusted_proxies=127.0.0.1/32";
    let server = Server::start(&[proxies, &list.setting("limits.networks_file")]);
    server.sale("s", 5, json!({})).await;
    let buyers = server.buyers(3).await;
    let denied = from(&server, "203.0.113.9", &buyers[0], "k").await;
    assert_eq!((denied.status, denied.code().as_str()), (429, "rate-limited"));
    let wait: u64 = denied.header("retry-after").expect("a wait").parse().expect("seconds");
    assert!((30..=120).contains(&wait), "{wait}");
    assert_eq!(denied.header("ratelimit-policy"), Some("\"network\";q=0;w=60"));
    server.available("s", 5).await;
    let guest = server.request(Method::POST, "/v1/sessions").header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(read(guest).await.status, 429, "no session either");
    assert_eq!(from(&server, "198.51.100.1", &buyers[1], "k").await.status, 202);
    // What was accepted can be followed from anywhere.
    let ticket = from(&server, "198.51.100.1", &buyers[1], "k").await.ticket();
    let path = format!("/v1/orders/status/{ticket}");
    let status = server.request(Method::GET, &path).header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(read(status).await.status, 200);
    let metrics = server.get("/metrics").await.text;
    assert!(metrics.contains("tzero_dropped_total{reason=\"denied-network-request\"} 2"), "{metrics}");

    list.write("deny 203.0.113.0/24\nnonsense\n");
    until("the mistake is counted", async || {
        server.get("/metrics").await.text.contains("tzero_lists_failures_total 1")
    })
    .await;
    assert_eq!(from(&server, "203.0.113.9", &buyers[0], "k").await.status, 429, "the list stays");
    list.write("# nobody\n");
    until("taken off", async || from(&server, "203.0.113.9", &buyers[0], "k").await.status == 202).await;
    std::fs::remove_file(&list.file).expect("removed");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(from(&server, "203.0.113.9", &buyers[2], "k").await.status, 202);
    server.clean_audit("s").await;
}

#[tokio::test]
async fn no_limit_per_network_is_counted_against_an_allowed_one() {
    let list = List::new("allow 198.51.100.0/24\n");
    let settings =
        ["server.trusted_proxies=127.0.0.1/32", "limits.network_per_s=0.1", "limits.network_burst=2"];
    let server =
        Server::start(&[settings[0], settings[1], settings[2], &list.setting("limits.networks_file")]);
    server.sale("s", 20, json!({})).await;
    for number in 0..6 {
        let buyer = server.buyer().await;
        assert_eq!(from(&server, "198.51.100.7", &buyer, "k").await.status, 202, "{number}");
    }
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(from(&server, "203.0.113.7", &server.buyer().await, "k").await.status);
    }
    assert_eq!(statuses, [202, 202, 429]);
}

#[tokio::test]
async fn a_revoked_session_is_refused_and_its_tickets_live_on() {
    let list = List::new("");
    let server = Server::start(&[&list.setting("sessions.revoked_file")]);
    server.sale("s", 5, json!({})).await;
    let (ann, bob) = (server.buyer().await, server.buyer().await);
    let ticket = server.buy("s", &ann, "k").await.ticket();
    list.write(&format!("user {}   # asked for by the shop\n", ann.user));
    until("revoked", async || server.buy("s", &ann, "k").await.status == 401).await;
    let refused = server.buy("s", &ann, "k2").await;
    assert_eq!((refused.status, refused.code().as_str()), (401, "invalid-session"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(server.buy("s", &bob, "k").await.status, 202);
    assert!(server.status(&ticket).await["status"].is_string(), "the ticket is the capability");
    // Whoever signs in again after the instant is welcome.
    let now = jiff::Timestamp::now();
    let before = |instant: jiff::Timestamp| format!("user {} {instant}\n", ann.user);
    list.write(&before(now - jiff::SignedDuration::from_hours(1)));
    until("not revoked any more", async || server.buy("s", &ann, "k").await.status == 202).await;
    list.write(&before(now + jiff::SignedDuration::from_hours(1)));
    until("revoked again", async || server.buy("s", &ann, "k").await.status == 401).await;
}

#[test]
fn a_list_with_a_mistake_does_not_start() {
    let networks = List::new("deny 10.0.0.0/8\nallow everybody\n");
    let proxy = List::new("deny 10.0.0.0/8\n");
    let revoked = List::new("user ann yesterday\n");
    let check = |settings: &[&str]| {
        let flags = settings.iter().flat_map(|setting| ["--set", setting]);
        let output = program().args(["config", "check"]).args(flags).output().expect("it runs");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = check(&[&networks.setting("limits.networks_file")]);
    assert!(
        said.contains("limits.networks_file: ") && said.contains("line 2: \"allow everybody\""),
        "{said}"
    );
    let said = check(&["server.trusted_proxies=10.1.0.0/16", &proxy.setting("limits.networks_file")]);
    assert!(said.contains("denies 10.0.0.0/8, and server.trusted_proxies has 10.1.0.0/16"), "{said}");
    let said = check(&[&revoked.setting("sessions.revoked_file")]);
    assert!(said.contains("sessions.revoked_file: ") && said.contains("line 1: "), "{said}");
    let gone = Path::new("/nowhere/list").display().to_string();
    let said = check(&[&format!("limits.networks_file={gone}")]);
    assert!(said.contains("limits.networks_file: /nowhere/list cannot be read"), "{said}");
}

#[test]
fn every_wrong_file_is_named_at_once() {
    let networks = List::new("block 1.2.3.4\nallow everybody\n");
    let revoked = List::new("user a#b\nnonsense\n");
    let key = List::new("no key\n");
    let flags = [
        networks.setting("limits.networks_file"),
        revoked.setting("sessions.revoked_file"),
        key.setting("sessions.jwt_key_file"),
        "sessions.issuer=jwt".to_owned(),
    ];
    let flags = flags.iter().flat_map(|setting| ["--set", setting]);
    let output = program().args(["config", "check"]).args(flags).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in [
        "limits.networks_file: ",
        "line 1: \"block 1.2.3.4\"",
        "line 2: \"allow everybody\"",
        "sessions.revoked_file: ",
        "line 1: \"a#b\" is nobody's user_id",
        "line 2: \"nonsense\"",
        "sessions.jwt_key_file: ",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn what_is_no_regular_file_does_not_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let fifo = dir.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().expect("it runs").success());
    for (path, kind) in
        [(fifo.as_path(), "a FIFO"), (Path::new("/dev/zero"), "a device"), (dir.path(), "a folder")]
    {
        for key in ["limits.networks_file", "sessions.revoked_file"] {
            let setting = format!("{key}={}", path.display());
            let output = program().args(["config", "check", "--set", &setting]).output().expect("it runs");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let right = format!("is {kind}, and must be a regular file");
            assert!(!output.status.success() && said.contains(key) && said.contains(&right), "{said}");
        }
    }
}

#[tokio::test]
async fn a_list_that_becomes_a_fifo_holds_up_neither_the_other_list_nor_the_end() {
    let (networks, revoked) = (List::new("# nobody\n"), List::new("# nobody\n"));
    let settings = [networks.setting("limits.networks_file"), revoked.setting("sessions.revoked_file")];
    let mut server = Server::start(&[&settings[0], &settings[1]]);
    server.sale("s", 5, json!({})).await;
    let buyer = server.buyer().await;
    std::fs::remove_file(&networks.file).expect("removed");
    let made = std::process::Command::new("mkfifo").arg(&networks.file).status().expect("it runs");
    assert!(made.success());
    until("the FIFO is counted", async || {
        !server.get("/metrics").await.text.contains("tzero_lists_failures_total 0\n")
    })
    .await;
    revoked.write(&format!("user {}\n", buyer.user));
    until("the other list is read", async || server.buy("s", &buyer, "k").await.status == 401).await;
    assert_eq!(server.terminate(), Some(0));
}

#[tokio::test]
async fn a_list_of_the_same_length_and_time_of_writing_is_read() {
    let list = List::new("# nobody\n");
    let written = list.file.metadata().expect("it is there").modified().expect("a time");
    let server = Server::start(&[&list.setting("sessions.revoked_file")]);
    server.sale("s", 5, json!({})).await;
    let ann = server.buyer().await;
    // Another file under its name: as long, and as old.
    let line = format!("user {}\n", ann.user);
    let new = list.file.with_extension("new");
    for (name, text) in [(&list.file, format!("user {}\n", "x".repeat(ann.user.len()))), (&new, line)] {
        std::fs::write(name, text).expect("written");
        let handle = std::fs::File::options().write(true).open(name).expect("it opens");
        handle.set_modified(written).expect("its time is set");
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(server.buy("s", &ann, "k").await.status, 202);
    std::fs::rename(&new, &list.file).expect("renamed");
    until("revoked", async || server.buy("s", &ann, "k").await.status == 401).await;
}
