//! The processes of one fleet: each role twice, each a process of its own, found and killed by pid.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rehearsal::Gauge;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::clock::Environment;

/// Roles of which two processes run.
pub const ROLES: [&str; 7] =
    ["gateway", "orders", "allocator", "processor", "expiration", "relay", "reconciler"];
/// The operator's token.
pub const TOKEN: &str = "the operator of the fleet under chaos";
/// The key of the provider's API.
pub const KEY: &str = "sk_sandbox_for_chaos";
/// How long a process may take until it listens, and until it has ended in good order.
const PATIENCE: Duration = Duration::from_secs(40);

/// One process.
struct Member {
    role: &'static str,
    number: usize,
    program: PathBuf,
    flags: Vec<String>,
    environment: Environment,
    child: Child,
    log: PathBuf,
}

/// When a process was away, on the gauge's clock.
#[derive(Clone, Debug)]
pub struct Away {
    /// Host and port.
    pub address: String,
    /// From when on.
    pub from: Duration,
    /// Until when; nothing while it is.
    pub until: Option<Duration>,
}

/// What a fleet is started with.
pub struct Setting<'a> {
    /// `tzero`, as all processes start.
    pub program: &'a Path,
    /// Where its folders and logs go.
    pub folder: &'a Path,
    /// The file with the addresses of its stores, and its name.
    pub stores: &'a Path,
    /// Keys that differ from the defaults.
    pub keys: &'a [String],
}

/// Every role, twice; and the provider.
pub struct Fleet {
    common: Vec<String>,
    members: Vec<Member>,
    gauge: Arc<Gauge>,
    /// Where the gateways are: `http://…`.
    pub gateways: Vec<String>,
    /// Where the provider is: `http://…`.
    pub provider: String,
    /// When gateways were away.
    pub away: Vec<Away>,
}

/// A port that nobody has, below those that the system gives to outgoing connections.
fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + (std::process::id() % 400) as u16 * 20;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

impl Fleet {
    /// The role of the provider.
    pub const PROVIDER: &'static str = "sandbox";

    /// Starts all of them.
    pub async fn start(setting: &Setting<'_>, gauge: Arc<Gauge>) -> Result<Self, String> {
        let (gateways, orders, provider) = ([port(), port()], [port(), port()], port());
        let shared = [
            format!("data.secret={}", "7f".repeat(32)),
            format!("admin.token={TOKEN}"),
            format!("payments.base_url=http://{}", local(provider)),
            format!("payments.secret_key={KEY}"),
            "payments.webhook_secret=whsec_for_chaos".to_owned(),
            format!("sandbox.webhook_url=http://{}/v1/payments/webhooks/sandbox", local(gateways[0])),
            format!("fleet.orders_nodes={}", orders.map(local).join(",")),
        ];
        let mut common = vec!["--config".to_owned(), setting.stores.display().to_string()];
        for key in shared.iter().chain(setting.keys) {
            common.extend(["--set".to_owned(), key.clone()]);
        }
        let mut fleet = Self {
            common: Vec::new(),
            members: Vec::new(),
            gauge,
            gateways: gateways.map(|port| format!("http://{}", local(port))).into(),
            provider: format!("http://{}", local(provider)),
            away: Vec::new(),
        };
        fleet.add(Self::PROVIDER, 0, &common, (provider, None), setting).await?;
        // To where buyers return from the provider; its own pages are at its own address.
        common.extend(["--set".to_owned(), format!("server.public_url={}", fleet.gateways[0])]);
        for number in 0..2 {
            for role in ROLES {
                let listen = if role == "gateway" { gateways[number] } else { port() };
                let own =
                    (role == "orders").then(|| format!("fleet.orders_listen={}", local(orders[number])));
                fleet.add(role, number, &common, (listen, own), setting).await?;
            }
        }
        fleet.common = common;
        Ok(fleet)
    }

    async fn add(
        &mut self,
        role: &'static str,
        number: usize,
        common: &[String],
        (listen, own): (u16, Option<String>),
        setting: &Setting<'_>,
    ) -> Result<(), String> {
        let data = setting.folder.join(format!("{role}-{number}"));
        let log = setting.folder.join(format!("{role}-{number}.log"));
        let mut flags = vec!["--role".to_owned(), role.to_owned(), "--listen".to_owned(), local(listen)];
        flags.extend(["--data".to_owned(), data.display().to_string()]);
        flags.extend(common.iter().cloned());
        flags.extend(own.into_iter().flat_map(|own| ["--set".to_owned(), own]));
        let program = setting.program.to_path_buf();
        let environment = Vec::new();
        let child = launch(&program, (&flags, &environment), &log).await?;
        self.members.push(Member { role, number, program, flags, environment, child, log });
        Ok(())
    }

    /// `tzero migrate` of a program, on the stores of this fleet; what it says.
    pub async fn migrate(&self, program: &Path) -> Result<String, String> {
        let done = Command::new(program).arg("migrate").args(&self.common).output().await;
        let done = done.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        Err(format!("migrate: {}", String::from_utf8_lossy(&done.stderr).trim()))
    }

    fn member(&mut self, role: &str, number: usize) -> Result<&mut Member, String> {
        let found = self.members.iter_mut().find(|member| member.role == role && member.number == number);
        found.ok_or_else(|| format!("there is no {role}-{number}"))
    }

    /// Sends a signal to a process of a role.
    pub fn signal(&mut self, role: &str, number: usize, signal: Signal) -> Result<(), String> {
        let member = self.member(role, number)?;
        let pid = member.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid = pid.ok_or_else(|| format!("{role}-{number} does not run"))?;
        kill_process(pid, signal).map_err(|error| format!("cannot signal {role}-{number}: {error}"))
    }

    /// `kill -9`, and waits for its end.
    pub async fn kill(&mut self, role: &str, number: usize) -> Result<(), String> {
        self.leaves(role, number);
        self.signal(role, number, Signal::KILL)?;
        self.ended(role, number).await
    }

    /// Asks it to end, waits until it has, and starts it again.
    pub async fn roll(&mut self, role: &str, number: usize) -> Result<(), String> {
        self.leaves(role, number);
        self.signal(role, number, Signal::TERM)?;
        self.ended(role, number).await?;
        self.restart(role, number).await
    }

    /// The same with another program, from now on.
    pub async fn replace(&mut self, role: &str, number: usize, program: &Path) -> Result<(), String> {
        self.member(role, number)?.program = program.to_path_buf();
        self.roll(role, number).await
    }

    /// The same in another environment, from now on.
    pub async fn roll_in(
        &mut self,
        role: &str,
        number: usize,
        environment: Environment,
    ) -> Result<(), String> {
        self.member(role, number)?.environment = environment;
        self.roll(role, number).await
    }

    async fn ended(&mut self, role: &str, number: usize) -> Result<(), String> {
        let member = self.member(role, number)?;
        match tokio::time::timeout(PATIENCE, member.child.wait()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!("{role}-{number}: {error}")),
            Err(_) => Err(format!("{role}-{number} has not ended in {} s", PATIENCE.as_secs())),
        }
    }

    /// Starts one that has ended.
    pub async fn restart(&mut self, role: &str, number: usize) -> Result<(), String> {
        let member = self.member(role, number)?;
        member.child = launch(&member.program, (&member.flags, &member.environment), &member.log).await?;
        if role == "gateway" {
            let now = self.gauge.elapsed();
            let gone = self.away.iter_mut().rev().find(|away| away.until.is_none());
            if let Some(away) = gone {
                away.until = Some(now);
            }
        }
        Ok(())
    }

    /// From now on a gateway may give no answer.
    fn leaves(&mut self, role: &str, number: usize) {
        let Some(gateway) = self.gateways.get(number).filter(|_| role == "gateway") else { return };
        let address = gateway.trim_start_matches("http://").to_owned();
        self.away.push(Away { address, from: self.gauge.elapsed(), until: None });
    }

    /// Every process with its number, the provider last.
    pub fn all(&self) -> Vec<(&'static str, usize)> {
        let mut all: Vec<_> = self.members.iter().map(|member| (member.role, member.number)).collect();
        all.rotate_left(1);
        all
    }

    /// Whether it does not run.
    pub fn has_ended(&mut self, role: &str, number: usize) -> bool {
        self.member(role, number).is_ok_and(|member| matches!(member.child.try_wait(), Ok(Some(_))))
    }

    /// Those that are not there although nobody ended them.
    pub fn missing(&mut self) -> Vec<String> {
        let gone = |member: &mut Member| {
            let ended = member.child.try_wait().ok().flatten()?;
            Some(format!(
                "{}-{} has ended by itself: {ended} ({})",
                member.role,
                member.number,
                member.log.display()
            ))
        };
        self.members.iter_mut().filter_map(gone).collect()
    }

    /// Ends all of them at once.
    pub async fn stop(mut self) {
        for member in &mut self.members {
            // Whoever has ended needs no signal.
            drop(member.child.start_kill());
        }
        for member in &mut self.members {
            drop(member.child.wait().await);
        }
    }
}

async fn launch(
    program: &Path,
    (flags, environment): (&[String], &Environment),
    log: &Path,
) -> Result<Child, String> {
    let said = |error: std::io::Error| format!("{}: {error}", log.display());
    let errors = std::fs::File::options().create(true).append(true).open(log).map_err(said)?;
    let mut child = Command::new(program)
        .arg("serve")
        .args(flags)
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let out = child.stdout.take().ok_or("no standard output")?;
    let mut lines = BufReader::new(out).lines();
    let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    match first {
        Ok(Ok(Some(line))) if line.starts_with("listening on ") => Ok(child),
        Ok(Ok(line)) => Err(format!("it said {line:?} and does not listen; see {}", log.display())),
        Ok(Err(error)) => Err(said(error)),
        Err(_) => Err(format!("it does not listen after {} s; see {}", PATIENCE.as_secs(), log.display())),
    }
}
