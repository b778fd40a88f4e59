//! A failing step neither hides the next nor the fact that it failed.

use std::process::Command;

use super::{Steps, answer, call};

#[test]
fn every_step_runs_and_the_failed_ones_are_named() {
    let mut steps = Steps::default();
    let mut reached = false;
    steps.run("first", || Err("it broke".to_owned()));
    steps.run("second", || {
        reached = true;
        Ok(())
    });
    steps.note("external suites were skipped");
    assert!(reached, "the second step ran although the first failed");
    let summary = steps.summary().join("\n");
    assert!(summary.contains("FAILED  first"), "{summary}");
    assert!(summary.contains("ok      second"), "{summary}");
    assert!(summary.contains("external suites were skipped"), "{summary}");
    assert_eq!(steps.close(), Err("1 of 2 steps failed: first".to_owned()));
}

#[test]
fn a_run_without_failures_ends_well() {
    let mut steps = Steps::default();
    steps.run("only", || Ok(()));
    assert_eq!(steps.close(), Ok(()));
}

#[test]
fn a_command_that_fails_is_named_with_its_arguments() {
    let refusal = call(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
    assert!(refusal.contains("sh -c exit 3") && refusal.contains('3'), "{refusal}");
    let missing = call(&mut Command::new("no-such-program-here")).unwrap_err();
    assert!(missing.starts_with("cannot start `no-such-program-here`"), "{missing}");
}

#[test]
fn an_answer_is_what_the_command_printed_or_what_it_complained_of() {
    assert_eq!(answer(Command::new("sh").args(["-c", "echo 42"])), Ok("42\n".to_owned()));
    let complaint = answer(Command::new("sh").args(["-c", "echo why >&2; exit 1"])).unwrap_err();
    assert!(complaint.ends_with(": why"), "{complaint}");
}
