//! Steps: each is announced, timed, and reported at the end, whether or not an earlier one failed.
//!
//! A failing step does not hide the next: one run shows everything that is wrong.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::workspace::Outcome;

/// One step that has run.
struct Done {
    name: String,
    took: Duration,
    failure: Option<String>,
}

/// The steps of one run, in order.
#[derive(Default)]
pub struct Steps {
    done: Vec<Done>,
    notes: Vec<String>,
}

impl Steps {
    /// Announces `name`, runs `work`, and keeps how it went.
    pub fn run(&mut self, name: &str, work: impl FnOnce() -> Outcome) {
        println!("\n── {name}");
        let began = now();
        let failure = work().err();
        if let Some(reason) = &failure {
            eprintln!("failed: {name}: {reason}");
        }
        self.done.push(Done { name: name.to_owned(), took: began.elapsed(), failure });
    }

    /// Something the reader must not overlook; printed in the closing summary.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Prints what ran, how long it took and how it ended; an error when any step failed.
    pub fn close(self) -> Outcome {
        println!("\n── summary");
        for line in self.summary() {
            println!("{line}");
        }
        let failed: Vec<&str> =
            self.done.iter().filter(|step| step.failure.is_some()).map(|step| step.name.as_str()).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(format!("{} of {} steps failed: {}", failed.len(), self.done.len(), failed.join(", ")))
    }

    fn summary(&self) -> Vec<String> {
        let rows = self.done.iter().map(|step| {
            let verdict = if step.failure.is_some() { "FAILED" } else { "ok" };
            format!("{:>8.1} s  {verdict:<6}  {}", step.took.as_secs_f64(), step.name)
        });
        rows.chain(self.notes.iter().map(|note| format!("  NOTE  {note}"))).collect()
    }
}

/// Runs `command` with its output on this terminal; anything but success is an error that names it.
pub fn call(command: &mut Command) -> Outcome {
    let shown = shown(command);
    println!("$ {shown}");
    let status = command.status().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// Runs `command` silently; its standard output where it succeeds.
pub fn answer(command: &mut Command) -> Result<String, String> {
    let shown = shown(command);
    let output = command.output().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{shown}` ended with {}: {}", output.status, said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// This instant, for how long something took or may yet take.
#[expect(clippy::disallowed_methods, reason = "the repository's commands run on a person's clock")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
