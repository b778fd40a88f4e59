//! How the command line becomes calls.

use std::process::Command;

use super::{Options, chosen, test_arguments};
use crate::suites::Suite;

fn suite(name: &'static str) -> Suite {
    Suite { name, proves: "nothing", needs: &[], python: "", npm: None, command: |_| Command::new("sh") }
}

fn options(filter: Option<&str>, passed_on: &[&str]) -> Options {
    Options {
        fast: false,
        filter: filter.map(str::to_owned),
        passed_on: passed_on.iter().map(|&word| word.to_owned()).collect(),
    }
}

#[test]
fn the_filter_and_the_arguments_of_the_test_programs_are_passed_on() {
    let skipped = &["--skip", "a::"];
    assert_eq!(test_arguments(&options(None, &[]), skipped), ["--", "--skip", "a::"]);
    assert_eq!(test_arguments(&options(Some("hold"), &[]), skipped), ["hold", "--", "--skip", "a::"]);
    let passing_on = options(Some("hold"), &["--nocapture"]);
    assert_eq!(test_arguments(&passing_on, skipped), ["hold", "--", "--skip", "a::", "--nocapture"]);
}

#[test]
fn a_filter_chooses_among_the_suites_too() {
    let suites = [suite("contract"), suite("browser")];
    let names = |filter| -> Vec<&str> {
        chosen(&suites, &options(filter, &[])).into_iter().map(|suite| suite.name).collect()
    };
    assert_eq!(names(None), ["contract", "browser"]);
    assert_eq!(names(Some("brow")), ["browser"]);
    assert_eq!(names(Some("inventory")), Vec::<&str>::new());
}
