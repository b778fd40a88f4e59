//! The runner of external suites, with small suites of its own.

use std::collections::BTreeSet;
use std::process::Command;

use super::{SUITES, Suite, Surroundings};
use crate::needs::{Need, Proof};
use crate::workspace;

const GREETING: Suite = Suite {
    name: "selftest-greeting",
    proves: "a suite finds its folder and the program's place",
    needs: &[],
    python: "",
    npm: None,
    command: |surroundings| {
        let mut shell = Command::new("sh");
        let script = "test -d \"$0\" && test \"${TZERO_BIN##*/}\" = tzero";
        shell.args(["-c", script]).arg(&surroundings.folder);
        shell
    },
};

#[test]
fn a_suite_finds_its_folder_and_the_program() {
    let root = workspace::root().unwrap();
    assert_eq!(GREETING.run(&root), Ok(()));
}

#[test]
fn a_failing_suite_fails() {
    let root = workspace::root().unwrap();
    let failing = Suite {
        name: "selftest-failing",
        command: |_| {
            let mut shell = Command::new("sh");
            shell.args(["-c", "exit 7"]);
            shell
        },
        ..GREETING
    };
    let refusal = failing.run(&root).unwrap_err();
    assert!(refusal.contains('7'), "{refusal}");
}

#[test]
fn a_suite_that_lacks_something_says_what() {
    let root = workspace::root().unwrap();
    let wanting = Suite {
        name: "selftest-wanting",
        needs: &[Need {
            name: "a thing",
            proof: Proof::OneOf(&["no-such-program-here"]),
            packages: &[],
            otherwise: "build it",
        }],
        ..GREETING
    };
    let refusal = wanting.run(&root).unwrap_err();
    assert!(refusal.contains("a thing is missing: build it"), "{refusal}");
}

#[test]
fn every_declared_suite_has_a_name_of_its_own_and_pins_its_requirements() {
    let names: BTreeSet<&str> = SUITES.iter().map(|suite| suite.name).collect();
    assert_eq!(names.len(), SUITES.len());
    for suite in SUITES {
        for requirement in suite.python.lines() {
            assert!(requirement.contains("=="), "{}: {requirement} names no exact version", suite.name);
        }
        let Some(npm) = &suite.npm else { continue };
        let package: serde_json::Value = serde_json::from_str(npm.package).unwrap();
        for (name, version) in package["dependencies"].as_object().unwrap() {
            let version = version.as_str().unwrap();
            assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{name} {version} is a range");
            assert!(npm.lock.contains(&format!("\"node_modules/{name}\"")), "{name} is not in the lock");
        }
    }
}

#[test]
fn a_program_of_the_virtual_environment_is_under_the_suites_folder() {
    let surroundings = Surroundings::of(&workspace::root().unwrap(), &GREETING);
    assert!(surroundings.in_venv("python").ends_with("suites/selftest-greeting/venv/bin/python"));
}
