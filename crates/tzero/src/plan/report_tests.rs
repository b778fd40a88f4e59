//! Numbers as they are written, and a verdict that follows from the findings.

use super::{Report, number};
use crate::plan::address::Bound;
use crate::plan::costs::{Cost, Costs};
use crate::plan::judge::{Finding, Weight};
use crate::plan::needs::{Needs, Row};

fn report(findings: Vec<Finding>) -> Report {
    let row =
        |name, value| Row { group: "G", name, words: "a figure", value, unit: "MiB", source: "S".into() };
    let needs = Needs {
        cpu_s: None,
        cores: None,
        connections: 1,
        processes: 1,
        rate: (1.0, Bound::Configured),
        last_wait_s: 1.0,
        in_time: 1,
        paid: 1.0,
        last_claim_s: None,
        sold_after_s: None,
        rows: vec![row("known", Some(12_345.6)), row("unknown", None)],
    };
    let mut costs = Costs::default();
    costs.set(Cost::PollCpu, 6.85, "measured somewhere");
    Report { sale: "s".into(), costs, needs, findings }
}

fn finding(weight: Weight) -> Finding {
    Finding { weight, name: "n", says: "why".into() }
}

#[test]
fn numbers_have_three_digits_and_thousands_apart() {
    for (value, written) in [
        (0.0, "0"),
        (1_234_567.0, "1,234,567"),
        (999.6, "1,000"),
        (123.0, "123"),
        (45.67, "45.7"),
        (1.234, "1.23"),
        (0.1234, "0.123"),
        (0.001_234, "0.00123"),
    ] {
        assert_eq!(number(value), written);
    }
}

#[test]
fn figures_findings_and_verdict_are_told() {
    let possible = report(vec![finding(Weight::Warning)]);
    let text = possible.text();
    for part in ["12,346 MiB", "– MiB", "measured somewhere", "warning: n: why", "Possible, with warnings."]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(report(Vec::new()).text().ends_with("nothing is wrong as far as the figures tell."));
    let wrong = report(vec![finding(Weight::Impossible)]);
    assert!(!wrong.is_possible() && wrong.text().contains("IMPOSSIBLE: n: why"), "{}", wrong.text());
}

#[test]
fn json_has_every_figure_with_unit_and_source() {
    let told = report(vec![finding(Weight::Impossible)]).to_json();
    assert_eq!(told["possible"], false);
    assert_eq!(told["figures"][0]["value"], 12_345.6);
    assert!(told["figures"][1]["value"].is_null() && told["figures"][1]["unit"] == "MiB");
    assert_eq!(told["costs"][0]["name"], "poll_cpu");
    assert_eq!(told["costs"][0]["source"], "measured somewhere");
    assert_eq!(told["findings"][0]["weight"], "impossible");
}
