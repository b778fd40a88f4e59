//! The planner, as an operator meets it.

use std::path::Path;

use serde_json::Value;

use crate::harness::program;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sales/demo.toml");

/// Exit code, standard output and standard error.
fn plan(arguments: &[&str]) -> (i32, String, String) {
    let output = program().arg("plan").args(arguments).output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("an exit code"), text(&output.stdout), text(&output.stderr))
}

/// A sale of `stock` units with five minutes to pay, in a file.
fn drop_of(dir: &Path, stock: u32) -> String {
    let file = dir.join(format!("drop-{stock}.toml"));
    let text = format!(
        "sale_id = \"drop\"\nname = \"Drop\"\nstarts_at = \"2027-01-01T20:00:00Z\"\nhold_ms = 300000\n[[products]]\n\
         product_id = \"p\"\nname = \"P\"\nprice = {{ amount = \"10.00\", currency = \"EUR\" }}\nstock = {stock}\nmax_per_user = 1\n"
    );
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

fn figure(plan: &Value, list: &str, name: &str) -> Value {
    let named = plan[list].as_array().expect("a list").iter().find(|each| each["name"] == name);
    named.unwrap_or_else(|| panic!("no {name} in {plan}")).clone()
}

/// A cost that comes with the program, µs.
fn shipped(name: &str) -> f64 {
    let costs: toml::Table = include_str!("../../../src/plan/costs.toml").parse().expect("TOML");
    let figures = costs["figures"].as_array().expect("figures");
    let named = figures.iter().find(|figure| figure["name"].as_str() == Some(name));
    named.and_then(|figure| figure["value"].as_float()).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_small_drop_is_possible_and_every_figure_says_where_it_is_from() {
    let (code, told, said) = plan(&[DEMO, "--buyers", "1000", "--no-measure"]);
    assert_eq!((code, said.as_str()), (0, ""), "{told}");
    let poll = format!("{:.2} µs", shipped("poll_cpu"));
    for part in [
        "3,000 requests/s",
        "open connections",
        &poll,
        "BENCHMARKS.md, \"Side by side\": status poll",
        "Possible:",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let (code, told, _) = plan(&[DEMO, "--buyers", "1000", "--no-measure", "--json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["possible"], &told["findings"]), (0, &true.into(), &Value::Array(Vec::new())));
    assert_eq!(figure(&told, "figures", "orders")["value"], 100.0);
    // 100 orders, 2,900 refusals, and what 100 ticket holders look at.
    let least = (100.0 * shipped("granted_cpu") + 2_900.0 * shipped("refused_cpu")) / 1e6;
    let cpu = figure(&told, "figures", "cpu")["value"].as_f64().expect("a number");
    assert!((least..least * 1.1).contains(&cpu), "{cpu}, and at least {least}");
    assert!(figure(&told, "figures", "network_out")["value"].is_null(), "bytes were not measured");
}

#[test]
fn ten_thousand_winners_at_twenty_five_sessions_a_second_are_warned_of_or_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let sale = drop_of(dir.path(), 10_000);
    let with = |more: &[&str]| {
        let mut all = vec![sale.as_str(), "--buyers", "14000", "--no-measure"];
        all.extend(more);
        plan(&all)
    };
    let (code, told, _) = with(&["--set", "processor.rate_per_s=25"]);
    assert!(code == 0 && told.contains("warning: address-after-hold: the last winner waits 400 s"), "{told}");
    let late = ["--set", "processor.rate_per_s=25", "--set", "processor.payment_address_deadline_ms=300000"];
    let (code, told, said) = with(&late);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("IMPOSSIBLE: address-deadline: 10000 winners at 25 payment addresses"), "{told}");
    assert!(told.contains("Only 7500 can have an address in time"), "{told}");
    assert!(said.contains("this sale cannot go well as it is set up"), "{said}");
    // The provider's own limit counts as the configured one does, and a file as flags do.
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[processor]\npayment_address_deadline_ms = 300000\n").expect("written");
    let file = file.display().to_string();
    let (code, told, _) = with(&["--config", &file, "--provider-rate", "25"]);
    assert!(code == 2 && told.contains("the provider bounds it"), "{told}");
    let (code, told, _) =
        with(&["--config", &file, "--provider-rate", "34", "--set", "processor.rate_per_s=34"]);
    assert!(code == 0 && !told.contains("IMPOSSIBLE"), "{told}");
}

#[test]
fn one_process_cannot_have_connections_without_end() {
    let (code, told, _) =
        plan(&[DEMO, "--buyers", "20000", "--no-measure", "--set", "server.max_connections=100"]);
    assert!(code == 2 && told.contains("IMPOSSIBLE: connections: 20000 open connections"), "{told}");
    let shared = ["--connections-per-buyer", "0.005", "--set", "server.max_connections=100"];
    let (code, told, _) = plan(&[&[DEMO, "--buyers", "20000", "--no-measure"], &shared[..]].concat());
    assert_eq!(code, 0, "{told}");
}

#[test]
fn costs_of_this_machine_are_measured_when_they_are_asked_for() {
    let (code, told, said) = plan(&[DEMO, "--buyers", "1000", "--json"]);
    assert_eq!(code, 0, "{said}");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    for name in ["granted_cpu", "refused_cpu", "poll_cpu", "checkout_in", "poll_out", "order_disk"] {
        let cost = figure(&told, "costs", name);
        let source = cost["source"].as_str().expect("a source");
        assert!(source.starts_with("measured now on this machine"), "{cost}");
        assert!(cost["value"].as_f64().is_some_and(|value| value > 1.0), "{cost}");
    }
    let memory = figure(&told, "costs", "connection_memory");
    assert!(memory["source"].as_str().is_some_and(|source| source.starts_with("BENCHMARKS.md")), "{memory}");
    assert!(figure(&told, "figures", "network_out")["value"].as_f64().is_some_and(|value| value > 1.0));
}

#[test]
fn costs_of_a_file_count_first() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("costs.toml");
    let text = "machine = \"ours\"\n[[figures]]\nname = \"poll_cpu\"\nvalue = 5.5\nunit = \"µs\"\nsource = \"a try\"\n";
    std::fs::write(&file, text).expect("written");
    let file = file.display().to_string();
    let (code, told, _) = plan(&[DEMO, "--buyers", "1000", "--no-measure", "--costs", &file, "--json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let cost = figure(&told, "costs", "poll_cpu");
    assert_eq!((code, &cost["value"], &cost["source"]), (0, &5.5.into(), &"a try, on ours".into()));
    std::fs::write(&file, text.replace("poll_cpu", "poll")).expect("written");
    let (code, _, said) = plan(&[DEMO, "--buyers", "1000", "--no-measure", "--costs", &file]);
    assert!(code == 1 && said.contains("--costs: ") && said.contains("\"poll\" is no cost"), "{said}");
}

#[test]
fn mistakes_are_named_with_what_would_be_right() {
    let dir = tempfile::tempdir().expect("a folder");
    let nothing = drop_of(dir.path(), 0);
    let gone = dir.path().join("gone.toml").display().to_string();
    let usual = [DEMO, "--buyers", "1000", "--no-measure"];
    let with = |more: &[&'static str]| [&usual[..], more].concat();
    for (arguments, code, said) in [
        (vec![DEMO, "--no-measure"], 2, "--buyers"),
        (vec![DEMO, "--buyers", "0"], 2, "--buyers"),
        (vec![DEMO, "--buyers", "-1"], 2, "invalid value '-1' for '--buyers <BUYERS>'"),
        (with(&["--costs", "/dev/zero"]), 1, "--costs: /dev/zero is a device"),
        (vec!["/dev/zero", "--buyers", "1000", "--no-measure"], 1, "/dev/zero is a device"),
        (with(&["--presses", "0.5"]), 2, "must be a number from 1 to 10000"),
        (with(&["--pay-share", "0"]), 2, "must be a number from 0.01 to 1"),
        (with(&["--busy", "nan"]), 2, "must be a number from 0.01 to 1"),
        (
            with(&["--units", "2"]),
            1,
            "--units: must be at most 1, the max_per_user of the product sneaker-01",
        ),
        (with(&["--processors", "2"]), 1, "--processors: must be 1"),
        (with(&["--set", "processor.rate_per_s=often"]), 1, "processor.rate_per_s"),
        (vec![&nothing, "--buyers", "1000", "--no-measure"], 1, "there is nothing to sell"),
        (vec![&gone, "--buyers", "1000", "--no-measure"], 1, "cannot be read"),
    ] {
        let (ended, _, told) = plan(&arguments);
        assert!(ended == code && told.contains(said), "{arguments:?}: {ended} {told}");
    }
}

#[test]
fn signed_sessions_are_in_the_plan_also_where_nothing_measured_them() {
    let flags = ["--set", "sessions.issuer=jwt", "--set", "sessions.jwt_keys_url=https://shop.example/keys"];
    let (_, told, said) = plan(&[&[DEMO, "--buyers", "1000", "--no-measure"][..], &flags].concat());
    let row = told.lines().find(|line| line.contains("sessions that are seen first"));
    let row = row.unwrap_or_else(|| panic!("no row in {told}{said}"));
    assert!(row.contains('–') && row.contains("not measured: session_cpu"), "{row}");
}
