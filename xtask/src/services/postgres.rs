//! PostgreSQL, as an ordinary user, since the server refuses to run as root.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::place::{Place, make_folder, write_private};
use super::process::Process;
use super::service::Service;
use super::tls::Certificates;
use super::wait;
use crate::needs::{Need, Proof};
use crate::steps::answer;
use crate::workspace::Outcome;

/// A server that was killed answers again within this: it goes through what tests left in hundreds of databases.
const RECOVERY: Duration = Duration::from_secs(180);

const SERVER: Need = Need {
    name: "PostgreSQL's server",
    proof: Proof::Succeeds(&["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb || command -v initdb"]),
    packages: &["postgresql", "postgresql-contrib"],
    otherwise: "install PostgreSQL 15 or later with its contributed modules, so that `initdb` is on the path",
};

/// psql.
const CLIENT: Need = Need {
    name: "PostgreSQL's client",
    proof: Proof::OneOf(&["psql"]),
    packages: &["postgresql-client"],
    otherwise: "install PostgreSQL's client, so that `psql` is on the path",
};

/// The server as a service.
pub const SERVICE: Service = Service {
    name: "postgres",
    needs: &[SERVER, CLIENT],
    check_needs: &[CLIENT],
    processes: |place| vec![process(place, &User::of_server().unwrap_or_default())],
    prepare,
    settle,
    answers: |place| check(&url(place, "tzero", "tzero")),
};

/// Whom the server runs as.
#[derive(Clone, Debug, Default)]
struct User {
    /// The words that go before a command to run it as that user; none where that is who we are.
    prefix: Vec<String>,
    /// Numbers of the user and the group, where they are not ours.
    owner: Option<(u32, u32)>,
}

impl User {
    /// We ourselves; for root, the first of `postgres` and `nobody` that there is.
    fn of_server() -> Result<Self, String> {
        if number(&["-u"])? != 0 {
            return Ok(Self::default());
        }
        let known = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| number(&["-u", name]).and_then(|user| Ok((user, number(&["-g", name])?))).ok());
        let (user, group) = known.ok_or("PostgreSQL does not run as root: make a user `postgres`")?;
        let prefix = ["setpriv".to_owned(), format!("--reuid={user}"), format!("--regid={group}")];
        let prefix = prefix.into_iter().chain(["--clear-groups".to_owned()]).collect();
        Ok(Self { prefix, owner: Some((user, group)) })
    }

    /// The same, and able to pass through folders that only root may enter, where `folder` lies in one.
    fn within(mut self, folder: &Path) -> Self {
        let reaches =
            self.command("test").arg("-x").arg(folder).status().is_ok_and(|status| status.success());
        if !reaches && self.owner.is_some() {
            self.prefix
                .extend(["--inh-caps", "--ambient-caps"].map(|kind| format!("{kind}=+dac_read_search")));
        }
        self
    }

    fn command(&self, program: &str) -> Command {
        let mut words = self.prefix.iter().map(String::as_str).chain([program]);
        let mut command = Command::new(words.next().unwrap_or(program));
        command.args(words);
        command
    }

    fn own(&self, path: &Path) -> Outcome {
        let Some((user, group)) = self.owner else { return Ok(()) };
        chown(path, Some(user), Some(group))
            .map_err(|error| format!("cannot give {} to the server's user: {error}", path.display()))
    }
}

fn number(arguments: &[&str]) -> Result<u32, String> {
    let said = answer(Command::new("id").args(arguments))?;
    said.trim().parse().map_err(|error| format!("`id` does not answer with a number: {error}"))
}

/// The folder of the newest server's programs; empty where they are on the path.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let complete = versions.map(|entry| entry.path()).filter(|path| path.join("bin/initdb").is_file());
    complete.max_by_key(version).map(|path| path.join("bin")).unwrap_or_default()
}

fn program(name: &str) -> String {
    programs().join(name).to_string_lossy().into_owned()
}

fn data(place: &Place) -> PathBuf {
    place.folder.join("postgres/data")
}

fn process(place: &Place, user: &User) -> Process {
    let data = data(place);
    let mark = data.to_string_lossy().into_owned();
    let mut words = user.clone().within(&place.folder).prefix;
    words.extend([program("postgres"), "-D".to_owned(), mark.clone()]);
    Process {
        name: "postgres".to_owned(),
        port: place.kept.postgres,
        folder: place.folder.join("postgres"),
        data,
        words,
        mark,
        // Clients are not waited for; what they have committed stays.
        stop: "INT",
    }
}

/// Makes the folder where it is new, writes the settings, and lets what a killed server left behind end.
fn prepare(place: &Place) -> Outcome {
    let user = User::of_server()?.within(&place.folder);
    make_folder(&place.folder.join("postgres"))?;
    if !data(place).is_dir() {
        initialise(place, &user)?;
    }
    let own = format!(
        "\n# This server's own.\nlisten_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n\
         # Tests leave hundreds of databases behind: after a kill they are brought to the disk in one go, not file by file.\n\
         recovery_init_sync_method = syncfs\n",
        place.kept.postgres
    );
    let own = own + over_tls(place, &user)?;
    let file = data(place).join("postgresql.conf");
    std::fs::write(&file, place.settings("postgresql.conf")? + &own)
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let server = process(place, &user);
    if server.running().is_some() {
        return Ok(());
    }
    wait::until(Duration::from_secs(30), || match server.family().as_slice() {
        [] => Ok(()),
        left => {
            Err(wait::Unready::NotYet(format!("postgres: processes {left:?} of the killed server go on")))
        }
    })?;
    forget_the_killed(&data(place).join("postmaster.pid"))
}

/// TLS on the same port. Its own role comes without only where it makes databases: whatever is in one of those is reached over
/// TLS, with a certificate and the password.
fn over_tls(place: &Place, user: &User) -> Result<&'static str, String> {
    if place.kept.tls.is_none() {
        return Ok("");
    }
    let certificates = Certificates::of(place);
    for name in ["ca.pem", "server.pem", "server.key"] {
        let copy = data(place).join(name);
        write_private(&copy, &certificates.text(name)?)?;
        user.own(&copy)?;
    }
    let rules = "host all postgres 127.0.0.1/32 scram-sha-256\nhost tzero tzero 127.0.0.1/32 scram-sha-256\n\
                 hostssl all tzero 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n";
    let file = data(place).join("pg_hba.conf");
    std::fs::write(&file, rules).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok("ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\nssl_ca_file = 'ca.pem'\n")
}

/// Removes the note of a server that was killed. Nobody works in the folder any longer, but as long as the system has not
/// buried the dead process, the next server would take it for a living one.
fn forget_the_killed(note: &Path) -> Outcome {
    match std::fs::remove_file(note) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", note.display()))
        }
        _ => Ok(()),
    }
}

/// `initdb` into a folder beside, which gets its name when it is complete.
fn initialise(place: &Place, user: &User) -> Outcome {
    let (part, password) = (place.folder.join("postgres/part"), place.folder.join("postgres/password"));
    if part.is_dir() {
        std::fs::remove_dir_all(&part)
            .map_err(|error| format!("cannot empty {}: {error}", part.display()))?;
    }
    make_folder(&part)?;
    write_private(&password, &place.kept.password)?;
    user.own(&part)?;
    user.own(&password)?;
    let mut command = user.command(&program("initdb"));
    command.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]);
    command.arg("--data-checksums").arg(format!("--pwfile={}", password.display()));
    let made = answer(command.arg("-D").arg(&part).current_dir("/")).map(drop);
    drop(std::fs::remove_file(&password));
    made?;
    std::fs::rename(&part, data(place)).map_err(|error| format!("cannot name {}: {error}", part.display()))
}

/// Waits for the server, then makes the role and the database where they are missing.
fn settle(place: &Place) -> Outcome {
    let server = process(place, &User::of_server()?);
    let superuser = url(place, "postgres", "postgres");
    server.ready(RECOVERY, || check(&superuser))?;
    // Tests make roles and databases of their own.
    let role = format!("CREATE ROLE tzero LOGIN CREATEDB CREATEROLE PASSWORD '{}'", place.kept.password);
    if query(&superuser, "SELECT 1 FROM pg_roles WHERE rolname = 'tzero'")?.is_empty() {
        query(&superuser, &role)?;
    }
    if query(&superuser, "SELECT 1 FROM pg_database WHERE datname = 'tzero'")?.is_empty() {
        query(&superuser, "CREATE DATABASE tzero OWNER tzero")?;
    }
    if query(&superuser, "SELECT 1 FROM pg_available_extensions WHERE name = 'btree_gist'")?.is_empty() {
        return Err("PostgreSQL lacks the extension btree_gist: install its contributed modules".to_owned());
    }
    check(&url(place, "tzero", "tzero"))
}

fn url(place: &Place, database: &str, user: &str) -> String {
    let (password, port) = (&place.kept.password, place.kept.postgres);
    format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
}

/// Whether a server answers `SELECT 1`.
pub fn check(url: &str) -> Outcome {
    let said = query(url, "SELECT 1")?;
    if said.trim() == "1" { Ok(()) } else { Err(format!("PostgreSQL answers SELECT 1 with: {said}")) }
}

/// What psql prints; an error never shows the password, which goes by the environment.
fn query(url: &str, statement: &str) -> Result<String, String> {
    let (url, password) = without_password(url);
    let mut command = Command::new("psql");
    command.args([
        "--no-psqlrc",
        "--no-password",
        "--quiet",
        "--tuples-only",
        "--no-align",
        "--dbname",
        &url,
    ]);
    command.env("PGCONNECT_TIMEOUT", "3").env("PGOPTIONS", "-c statement_timeout=20000");
    command.envs(password.map(|password| ("PGPASSWORD", password))).args(["--command", statement]);
    let said = command.output().map_err(|error| format!("cannot start psql: {error}"))?;
    if said.status.success() {
        return Ok(String::from_utf8_lossy(&said.stdout).into_owned());
    }
    Err(format!("{url} does not answer: {}", String::from_utf8_lossy(&said.stderr).trim()))
}

/// The address without its password, and the password; one with escapes stays where it is.
pub fn without_password(url: &str) -> (String, Option<String>) {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (who, place) = rest.split_once('@')?;
        let (user, password) = who.split_once(':')?;
        (!password.contains('%')).then(|| (format!("{scheme}://{user}@{place}"), Some(password.to_owned())))
    };
    parts().unwrap_or_else(|| (url.to_owned(), None))
}

#[cfg(test)]
#[path = "postgres_tests.rs"]
mod tests;
