//! What a command needs from the machine, and how it gets there.
//!
//! On Debian and its relatives, as root, a missing package is installed with apt-get, and every such
//! call is announced. Everywhere else the error says exactly what to install. Nothing is ever removed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::call;
use crate::workspace::Outcome;

/// Something that must be on the machine.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// What a person calls it.
    pub name: &'static str,
    /// How its presence is found out.
    pub proof: Proof,
    /// The Debian packages that bring it; empty where apt-get is not the way.
    pub packages: &'static [&'static str],
    /// What a person does where apt-get is not there, or is not the way.
    pub otherwise: &'static str,
}

/// How the presence of a need is found out.
#[derive(Clone, Copy, Debug)]
pub enum Proof {
    /// One of these programs is on the path.
    OneOf(&'static [&'static str]),
    /// This command succeeds.
    Succeeds(&'static [&'static str]),
}

/// A C compiler: the bundled SQLite and the TLS library are built from source.
pub const C_COMPILER: Need = Need {
    name: "a C compiler",
    proof: Proof::OneOf(&["cc", "gcc", "clang"]),
    packages: &["build-essential"],
    otherwise: "install gcc or clang, so that `cc` is on the path",
};

/// bash: the Kafka client library's own configuration is a script for it.
pub const BASH: Need = Need {
    name: "bash",
    proof: Proof::OneOf(&["bash"]),
    packages: &["bash"],
    otherwise: "install bash, so that `bash` is on the path",
};

/// make: it builds the Kafka client library from source.
pub const MAKE: Need = Need {
    name: "make",
    proof: Proof::OneOf(&["make"]),
    packages: &["make"],
    otherwise: "install GNU make, so that `make` is on the path",
};

/// The formatter.
pub const RUSTFMT: Need = Need {
    name: "rustfmt",
    proof: Proof::Succeeds(&["cargo", "fmt", "--version"]),
    packages: &[],
    otherwise: "run `rustup component add rustfmt`",
};

/// The linter.
pub const CLIPPY: Need = Need {
    name: "clippy",
    proof: Proof::Succeeds(&["cargo", "clippy", "--version"]),
    packages: &[],
    otherwise: "run `rustup component add clippy`",
};

/// Python with the parts that make a virtual environment with pip in it.
pub const PYTHON_VENV: Need = Need {
    name: "Python 3 with venv and ensurepip",
    proof: Proof::Succeeds(&["python3", "-c", "import venv, ensurepip"]),
    packages: &["python3", "python3-venv"],
    otherwise: "install Python 3.11 or later with its venv module (Debian and Ubuntu: apt-get install python3-venv)",
};

/// A browser, for the suite of the pages.
pub const CHROMIUM: Need = Need {
    name: "Chromium",
    proof: Proof::OneOf(&["chromium", "chromium-browser", "google-chrome"]),
    packages: &["chromium"],
    otherwise: "install Chromium or Chrome, so that `chromium`, `chromium-browser` or `google-chrome` is on the path",
};

/// Node, for suites that take something from npm: any, since it brings a newer one where it is too old.
pub const NODE: Need = Need {
    name: "Node",
    proof: Proof::Succeeds(&["node", "--version"]),
    packages: &["nodejs"],
    otherwise: "install Node, so that `node` is on the path",
};

/// npm, for the same.
pub const NPM: Need = Need {
    name: "npm",
    proof: Proof::Succeeds(&["npm", "--version"]),
    packages: &["npm"],
    otherwise: "install npm, so that `npm` is on the path",
};

/// Redis: tests of its adapter start servers of their own, on free ports.
pub const REDIS: Need = Need {
    name: "redis-server",
    proof: Proof::OneOf(&["redis-server"]),
    packages: &["redis-server"],
    otherwise: "install Redis 7.0 or later, so that `redis-server` is on the path",
};

/// What the Kafka client takes TLS and SASL from.
pub const OPENSSL_HEADERS: Need = Need {
    name: "OpenSSL's headers",
    proof: Proof::Succeeds(&["pkg-config", "--exists", "openssl"]),
    packages: &["libssl-dev", "pkg-config"],
    otherwise: "install OpenSSL 3 with its headers, and pkg-config, so that `pkg-config --exists openssl` succeeds",
};

/// Varnish, as a cache in front of the program.
pub const VARNISH: Need = Need {
    name: "varnishd",
    proof: Proof::OneOf(&["varnishd", "/usr/sbin/varnishd"]),
    packages: &["varnish"],
    otherwise: "install Varnish 7.1 or later, so that `varnishd` is on the path",
};

/// nginx, the anchor of the HTTP measurements, and a cache in front of the program.
pub const NGINX: Need = Need {
    name: "nginx",
    proof: Proof::OneOf(&["nginx", "/usr/sbin/nginx"]),
    packages: &["nginx-light"],
    otherwise: "install nginx, so that `nginx` is on the path",
};

/// wrk, the load of the HTTP measurements.
pub const WRK: Need = Need {
    name: "wrk",
    proof: Proof::OneOf(&["wrk"]),
    packages: &["wrk"],
    otherwise: "install wrk, so that `wrk` is on the path",
};

/// nft, by which the network between nodes is cut.
pub const NFTABLES: Need = Need {
    name: "nft",
    proof: Proof::OneOf(&["nft", "/usr/sbin/nft"]),
    packages: &["nftables"],
    otherwise: "install nftables, so that `nft` is on the path",
};

/// libfaketime, by which the clocks of processes are made wrong.
pub const FAKETIME: Need = Need {
    name: "libfaketime",
    proof: Proof::OneOf(&["faketime"]),
    packages: &["faketime"],
    otherwise: "install libfaketime with its program, so that `faketime` is on the path",
};

/// The programs of a PostgreSQL server: tests start one of their own, and never use one that runs already.
pub const POSTGRES: Need = Need {
    name: "PostgreSQL 15 or later",
    proof: Proof::OneOf(&[
        "initdb",
        "/usr/lib/postgresql/15/bin/initdb",
        "/usr/lib/postgresql/16/bin/initdb",
        "/usr/lib/postgresql/17/bin/initdb",
        "/usr/lib/postgresql/18/bin/initdb",
    ]),
    packages: &["postgresql"],
    otherwise: "install the server of PostgreSQL 15 or later, so that `initdb` is on the path",
};

/// pgbench, the load of the hot row: part of PostgreSQL's own packages.
pub const PGBENCH: Need = Need {
    name: "pgbench",
    proof: Proof::OneOf(&[
        "/usr/lib/postgresql/18/bin/pgbench",
        "/usr/lib/postgresql/17/bin/pgbench",
        "/usr/lib/postgresql/16/bin/pgbench",
        "/usr/lib/postgresql/15/bin/pgbench",
        "pgbench",
    ]),
    packages: &["postgresql", "postgresql-contrib"],
    otherwise: "install PostgreSQL's contributed programs, so that `pgbench` is on the path",
};

/// What this machine lets us do about a missing need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installer {
    /// apt-get is there and may be used.
    AptGet,
    /// apt-get is there, but only root may use it.
    AptGetNotRoot,
    /// No apt-get.
    None,
}

impl Need {
    /// Whether it is there.
    pub fn is_met(&self) -> bool {
        match self.proof {
            Proof::OneOf(programs) => programs.iter().any(|program| find(program).is_some()),
            Proof::Succeeds(words) => succeeds(words),
        }
    }

    /// The program that meets it, for needs that are programs.
    pub fn program(&self) -> Option<PathBuf> {
        match self.proof {
            Proof::OneOf(programs) => programs.iter().find_map(|program| find(program)),
            Proof::Succeeds(words) => words.first().and_then(|program| find(program)),
        }
    }

    /// What a person must do, for a machine on which we cannot do it.
    pub fn instruction(&self, installer: Installer) -> String {
        let name = self.name;
        match installer {
            Installer::AptGetNotRoot if !self.packages.is_empty() => {
                format!(
                    "{name} is missing: run `sudo apt-get install {}`, then this again",
                    self.packages.join(" ")
                )
            }
            Installer::AptGet | Installer::AptGetNotRoot | Installer::None => {
                format!("{name} is missing: {}, then run this again", self.otherwise)
            }
        }
    }
}

/// Sees to every need: what is missing is installed where that is possible, else all are named at once.
pub fn provide(needs: &[Need]) -> Outcome {
    let missing: Vec<&Need> = needs.iter().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let installer = installer();
    if installer == Installer::AptGet {
        install(&missing)?;
    }
    let lacking: Vec<String> =
        missing.iter().filter(|need| !need.is_met()).map(|need| need.instruction(installer)).collect();
    if lacking.is_empty() { Ok(()) } else { Err(lacking.join("\n       ")) }
}

fn install(missing: &[&Need]) -> Outcome {
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    if packages.is_empty() {
        return Ok(());
    }
    println!("installing with apt-get, as root: {}", packages.join(" "));
    call(&mut apt_get(&["update", "--quiet"]))?;
    let arguments: Vec<&str> = ["install", "--yes", "--quiet", "--no-install-recommends"].into();
    call(&mut apt_get(&[arguments, packages].concat()))
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn installer() -> Installer {
    if find("apt-get").is_none() {
        return Installer::None;
    }
    let user = Command::new("id").arg("-u").output().map(|output| output.stdout).unwrap_or_default();
    if user.trim_ascii() == b"0" { Installer::AptGet } else { Installer::AptGetNotRoot }
}

fn succeeds(words: &[&str]) -> bool {
    let Some((program, arguments)) = words.split_first() else { return false };
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn find(program: &str) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.is_absolute() {
        return path.is_file().then(|| path.to_path_buf());
    }
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;
