//! The rehearsal finds nothing wrong, and can find something.

use serde_json::{Value, json};

use crate::harness::{Server, program};

fn rehearse(server: &Server, flags: &[&str]) -> (bool, Value, String) {
    let file = server.dir.path().join("report.json");
    // Who attacks does so with nothing between that would defend.
    let url =
        if flags.iter().any(|flag| flag.starts_with("--hostile")) { &server.gateway } else { &server.url };
    let output = server
        .herd(url, server.dir.path())
        .args(["--report".as_ref(), file.as_os_str()])
        .args(flags)
        .output()
        .expect("it runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let report = std::fs::read_to_string(file).unwrap_or_default();
    (output.status.success(), serde_json::from_str(&report).unwrap_or(Value::Null), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_herd_leaves_nothing_wrong_behind() {
    let server = Server::start(&["expiration.grace_ms=1000"]);
    let (right, report, text) = rehearse(&server, &["--preset", "quick", "--stock", "40", "--buyers", "600"]);
    assert!(right, "{text}");
    assert_eq!((&report["sold"], &report["violations"]), (&json!(40), &json!([])));
    assert!(report["answers"]["count"].as_u64().is_some_and(|count| count >= 600));
    assert!(report["audit"]["ok"] == true && text.contains("no violation"));
    assert!(text.contains(" s: ") && text.contains("; answered "), "progress is told: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unit_goes_to_exactly_one_of_many() {
    let server = Server::start(&["expiration.grace_ms=1000"]);
    let (right, report, text) =
        rehearse(&server, &["--preset", "last-unit", "--buyers", "300", "--abandon", "0.3"]);
    assert!(right, "{text}");
    assert_eq!(report["sold"], 1);
    assert!(report["outcomes"]["409 all-units-held"].as_u64().is_some_and(|count| count > 0), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_in_which_nothing_was_sold_is_no_success() {
    let server = Server::start(&[]);
    server.sale("over", 5, json!({ "ends_at": "2021-01-01T00:00:00Z" })).await;
    let (right, _, text) = rehearse(&server, &["--sale", "over", "--buyers", "5"]);
    assert!(!right && text.contains("nobody was accepted"), "{text}");
    let (right, _, text) = rehearse(&server, &["--decline", "0.9", "--abandon", "0.9"]);
    assert!(!right && text.contains("must not be more than 1"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_that_still_run_at_the_limit_are_still_open_and_the_limit_is_kept() {
    let server = Server::start(&[]);
    let flags =
        ["--stock", "10", "--buyers", "10", "--hold-ms", "300000", "--limit-ms", "3000", "--no-persist"];
    let acts = ["--abandon", "0.5", "--late", "0.5", "--decline", "0", "--cancel", "0"];
    let (right, report, text) = rehearse(&server, &[&flags[..], &acts].concat());
    assert!(right && text.contains("still open: 10 tickets"), "{text}");
    assert_eq!((&report["still_open"], &report["violations"]), (&json!(10), &json!([])));
    assert!(report["seconds"].as_f64().is_some_and(|seconds| seconds < 60.0), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_without_an_audit_says_so() {
    let server = Server::start(&[]);
    server.sale("open", 5, json!({})).await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join("report.json");
    let mut command = server.herd(&server.url, elsewhere.path());
    command.args(["--sale", "open", "--buyers", "5", "--abandon", "0", "--late", "0", "--report"]).arg(&file);
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("NO AUDIT WAS MADE") && !text.ends_with("no violation\n"), "{text}");
    let report: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("a report")).expect("JSON");
    assert!(report.get("audit").is_some_and(Value::is_null), "{report}");
}

#[test]
fn a_rehearsal_over_tls_names_the_way_around() {
    let output = program().args(["rehearse", "--url", "https://shop.example"]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("does not speak TLS"), "{said}");
}

/// The eight kinds of hostile buyers, each with the answers that it must have got.
const KINDS: [(&str, &[&str]); 8] = [
    ("one-network", &[]),
    ("replayed-session", &[]),
    ("forged-session", &["401 invalid-session"]),
    ("unsolved-challenge", &[]),
    ("hammering", &[]),
    ("slow-body", &["408 request-timeout"]),
    ("oversized-headers", &[]),
    ("connection-flood", &["closed without an answer"]),
];

fn besieged(challenge: &str) -> Value {
    let server = Server::start(&[
        "expiration.grace_ms=1000",
        "server.header_timeout_ms=500",
        "server.body_timeout_ms=500",
        "challenge.difficulty_min=50",
        "challenge.difficulty_max=100",
    ]);
    let flags = ["--stock=30", "--buyers=96", "--hostile=0.34", "--challenge", challenge, "--ramp-ms=3000"];
    let (right, report, text) = rehearse(&server, &flags);
    assert!(right && text.contains("no violation"), "{text}");
    assert!(text.contains("hostile: 32 buyers (33.3 %)"), "{text}");
    assert_eq!((&report["audit"]["ok"], &report["sold"]), (&json!(true), &json!(30)), "{text}");
    let hostile = &report["hostile"];
    assert_eq!(hostile["buyers"], 32);
    assert!(hostile["units"].as_u64() <= hostile["units_explained"].as_u64(), "{text}");
    for (name, answers) in KINDS {
        let kind = &hostile["kinds"][name];
        assert!(kind["buyers"] == 4 && text.contains(&format!("  {name}: 4 buyers")), "{name}: {text}");
        let outcomes = kind["outcomes"].as_object().expect("counts by answer");
        assert!(!outcomes.is_empty(), "{name}: {text}");
        assert!(answers.iter().all(|answer| outcomes.contains_key(*answer)), "{name}: {text}");
        let raw = ["slow-body", "oversized-headers", "connection-flood"].contains(&name);
        assert_eq!(kind["connections_cut"].as_u64().is_some_and(|cut| cut > 0), raw, "{name}: {text}");
    }
    let forged = hostile["kinds"]["forged-session"]["outcomes"].as_object().expect("counts by answer");
    assert!(!forged.contains_key("202 accepted"), "{text}");
    assert!(
        report["answers"]["count"].as_u64().is_some_and(|count| count >= 64),
        "honest ones apart: {text}"
    );
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_of_the_herd_is_hostile_and_every_kind_is_counted() {
    let report = besieged("never");
    let kinds = &report["hostile"]["kinds"];
    assert!(kinds["hammering"]["outcomes"].get("429 rate-limited").is_some(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_challenge_is_asked_who_solves_none_gets_nothing() {
    let report = besieged("always");
    for name in ["replayed-session", "forged-session", "unsolved-challenge", "hammering"] {
        let kind = &report["hostile"]["kinds"][name];
        assert_eq!((&kind["tickets"], &kind["units"]), (&json!(0), &json!(0)), "{name}: {report}");
    }
    let unsolved = &report["hostile"]["kinds"]["unsolved-challenge"]["outcomes"];
    assert!(unsolved.get("403 challenge-required").is_some(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_hostile_unless_asked_for_and_no_share_is_taken_that_has_no_meaning() {
    let server = Server::start(&["expiration.grace_ms=1000"]);
    let (right, report, text) = rehearse(&server, &["--stock=5", "--buyers=20", "--abandon=0", "--late=0"]);
    assert!(right && report["hostile"].is_null() && !text.contains("hostile"), "{text}");
    let (right, _, text) = rehearse(&server, &["--hostile=0.95"]);
    assert!(!right && text.contains("hostile must be a share from 0 to 0.9"), "{text}");
}
