//! Tests.

use super::*;

#[test]
fn names_are_distinct_and_found() {
    for fault in FAULTS {
        assert_eq!(named(fault.name).unwrap(), fault);
    }
    let mut names: Vec<&str> = FAULTS.iter().map(|fault| fault.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), FAULTS.len());
    assert!(named("kraken").unwrap_err().contains("kafka-down"));
}

#[test]
fn every_fault_stands_in_the_document() {
    let document = include_str!("../../../docs/chaos.md");
    for fault in FAULTS {
        assert!(document.contains(&format!("`{}`", fault.name)), "{} is missing", fault.name);
    }
}
