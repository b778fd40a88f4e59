//! External suites: tests that are not cargo's, each with a name, what it needs, and a command.
//!
//! To add one, add a row to `SUITES`. A suite finds the built program and a folder of its own in
//! `Surroundings`; its Python requirements are installed once into a virtual environment under
//! `target/suites/<name>/venv` and again when they change. It fails by ending with anything but 0.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::needs::{self, Need};
use crate::services;
use crate::steps::call;
use crate::workspace::{self, Outcome};

/// One external suite.
pub struct Suite {
    /// Its name on the command line and in the summary.
    pub name: &'static str,
    /// What it proves, in a line.
    pub proves: &'static str,
    /// What must be on the machine.
    pub needs: &'static [Need],
    /// Exact Python requirements, a `name==version` a line; where there are any, `PYTHON_VENV` is needed as well.
    pub python: &'static str,
    /// What to run.
    pub command: fn(&Surroundings) -> Command,
}

/// What a suite's command may refer to.
#[derive(Debug)]
pub struct Surroundings {
    /// The checkout.
    pub root: PathBuf,
    /// The suite's own folder, `target/suites/<name>`.
    pub folder: PathBuf,
    /// The built program, `target/debug/tzero`; commands also find it as `TZERO_BIN`, and this one as `XTASK`.
    pub program: PathBuf,
}

impl Surroundings {
    /// For the suite of this name.
    pub fn of(root: &Path, suite: &Suite) -> Self {
        let target = workspace::target(root);
        Self {
            root: root.to_path_buf(),
            folder: target.join("suites").join(suite.name),
            program: target.join("debug/tzero"),
        }
    }

    /// A program inside the suite's virtual environment, such as `python` or `schemathesis`.
    pub fn in_venv(&self, program: &str) -> PathBuf {
        self.folder.join("venv/bin").join(program)
    }
}

/// Every external suite, in the order in which they run.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "openapi",
        proves: "schemathesis finds no answer that /openapi.json does not document",
        needs: &[],
        python: include_str!("../suites/openapi/requirements.txt"),
        command: |surroundings| {
            let mut command = Command::new(surroundings.in_venv("python"));
            command.arg(surroundings.root.join("xtask/suites/openapi/run.py"));
            command
        },
    },
    Suite {
        name: "services",
        proves: "the real stores come up, survive kills, fail over and stop by `cargo xtask services`",
        needs: &[],
        python: "",
        command: |surroundings| {
            let mut command = Command::new("bash");
            command.arg(surroundings.root.join("xtask/suites/services/run.sh"));
            command.arg(surroundings.folder.join("stores")).arg(services::kafka_jars(&surroundings.root));
            command
        },
    },
];

impl Suite {
    /// Provides what it needs and runs it.
    pub fn run(&self, root: &Path) -> Outcome {
        println!("{}", self.proves);
        needs::provide(self.needs)?;
        let surroundings = Surroundings::of(root, self);
        std::fs::create_dir_all(&surroundings.folder)
            .map_err(|error| format!("cannot make {}: {error}", surroundings.folder.display()))?;
        if !self.python.is_empty() {
            needs::provide(&[needs::PYTHON_VENV])?;
            virtual_environment(&surroundings, self.python)?;
        }
        let this = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
        let mut command = (self.command)(&surroundings);
        command.env("TZERO_BIN", &surroundings.program).env("XTASK", this);
        call(command.current_dir(&surroundings.root))
    }
}

/// Makes the virtual environment, unless one with these very requirements is there.
fn virtual_environment(surroundings: &Surroundings, requirements: &str) -> Outcome {
    let stamp = surroundings.folder.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(());
    }
    // Half an environment must not pass for a whole one, should this be interrupted.
    drop(std::fs::remove_file(&stamp));
    let venv = surroundings.folder.join("venv");
    call(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let mut pip = Command::new(surroundings.in_venv("python"));
    call(
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(requirements.lines()),
    )?;
    std::fs::write(&stamp, requirements).map_err(|error| format!("cannot write {}: {error}", stamp.display()))
}

#[cfg(test)]
#[path = "suites_tests.rs"]
mod tests;
