//! The processes of a system under test: one that has every role, or, where `TZERO_TEST_FRONT` says `varnish`, Varnish with
//! the file of `deploy/` before a gateway, and orders, the provider and everything else in processes of their own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use crate::harness::{PATIENCE, PATIENT, program};
use crate::sockets::listening;

/// The key of the provider in every test.
pub const PROVIDER_KEY: &str = "sk_sandbox_for_tests";
/// What the operator says at a gateway that is not alone.
const TOKEN: &str = "the operator of the system under test";
/// What a process says on standard error, in its data folder.
const LOG: &str = "standard-error.log";
/// Roles that neither buyers nor operators speak to.
const BEHIND: [&str; 5] = ["allocator", "processor", "expiration", "relay", "reconciler"];

/// Whether systems are started behind Varnish, each role that is spoken to as a process of its own.
pub fn behind_varnish() -> bool {
    let Some(front) = std::env::var_os("TZERO_TEST_FRONT") else { return false };
    assert_eq!(front, "varnish", "TZERO_TEST_FRONT may be varnish");
    true
}

/// How long it takes until every process knows of a change of a sale: each looks once a second.
pub const SPREADS: Duration = Duration::from_millis(1_500);

/// A port that nobody has, below those that the system gives to outgoing connections.
pub fn port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + (std::process::id() % 400) as u16 * 20;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A process of the program.
struct Process {
    data: PathBuf,
    flags: Vec<String>,
    child: Child,
    url: String,
}

impl Process {
    fn start(data: PathBuf, flags: Vec<String>) -> Self {
        std::fs::create_dir_all(&data).expect("a folder");
        let (child, url) = launch(&data, &flags);
        Self { data, flags, child, url }
    }

    fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    fn terminate(&mut self) -> Option<i32> {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        self.child.wait().expect("it ends").code()
    }

    fn restart(&mut self) {
        (self.child, self.url) = launch(&self.data, &self.flags);
    }
}

/// Starts the program; gives where it listens.
fn launch(data: &Path, flags: &[String]) -> (Child, String) {
    let mut command = program();
    command.args(["serve", "--data"]).arg(data).args(["--set", PATIENT]).args(flags);
    command.args(["--set", &format!("payments.secret_key={PROVIDER_KEY}")]);
    let log = std::fs::File::options().create(true).append(true).open(data.join(LOG)).expect("a log");
    let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("standard output")).lines();
    let first = lines.next().expect("a first line on standard output").expect("text");
    let url = first.strip_prefix("listening on ").expect("the first line says where").to_owned();
    (child, url)
}

/// Varnish, with the file of `deploy/`.
struct Varnish {
    child: Child,
    url: String,
}

impl Varnish {
    fn start(dir: &Path, port: u16, gateway: u16) -> Self {
        let own = dir.join("varnish");
        std::fs::create_dir_all(&own).expect("a folder");
        let complete = include_str!("../../../../deploy/varnish.vcl");
        let told = complete.replace(".port = \"8080\"", &format!(".port = \"{gateway}\""));
        assert_ne!(complete, told, "deploy/varnish.vcl says where the gateways are");
        let file = dir.join("varnish.vcl");
        std::fs::write(&file, told).expect("the folder can be written");
        // Where Debian puts it is not on everybody's path.
        let debians = Path::new("/usr/sbin/varnishd");
        let mut command = Command::new(if debians.exists() { debians } else { Path::new("varnishd") });
        command.args(["-F", "-j", "none", "-s", "malloc,32m", "-n"]).arg(&own).arg("-f").arg(&file);
        command.args(["-a", &format!("127.0.0.1:{port}")]);
        command.args(["-p", "http_req_size=15k", "-p", "http_req_hdr_len=7k"]);
        let log = std::fs::File::create(dir.join("varnish.log")).expect("a log");
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        let child = child.expect("varnishd starts: `cargo xtask test` installs it");
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    /// Waits until it passes requests on: its probe has found the gateway.
    fn until_it_passes(&self) {
        let address = self.url.trim_start_matches("http://");
        for _ in 0..PATIENCE.as_millis() / 50 {
            if passes(address).unwrap_or(false) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("Varnish does not reach the gateway");
    }
}

/// Whether something that is never cached is answered by the gateway.
fn passes(address: &str) -> std::io::Result<bool> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(b"GET /v1/orders/status/none HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 404"))
}

/// Everything that runs.
pub struct System {
    /// What buyers and operators speak to comes first.
    processes: Vec<Process>,
    /// Where the provider is, if it is a process of its own.
    provider: Option<u16>,
    varnish: Option<Varnish>,
}

impl System {
    /// Starts it in `dir`, with these flags for every process.
    pub fn start(dir: &Path, flags: &[String]) -> Self {
        let own_roles = flags.iter().any(|flag| flag == "--role");
        if behind_varnish() && !own_roles { Self::apart(dir, flags) } else { Self::alone(dir, flags) }
    }

    fn alone(dir: &Path, flags: &[String]) -> Self {
        let flags = ["--listen", "127.0.0.1:0"].map(str::to_owned).into_iter().chain(flags.iter().cloned());
        let processes = vec![Process::start(dir.to_path_buf(), flags.collect())];
        Self { processes, provider: None, varnish: None }
    }

    fn apart(dir: &Path, flags: &[String]) -> Self {
        let [front, gateway, orders, provider] = std::array::from_fn(|_| port());
        std::fs::write(dir.join("admin-token"), TOKEN).expect("the folder can be written");
        let shared = [
            // Each system has its own.
            format!("data.secret={}", format!("{:04x}{front:04x}", std::process::id() & 0xffff).repeat(8)),
            format!("admin.token={TOKEN}"),
            format!("payments.base_url=http://127.0.0.1:{provider}"),
            "payments.webhook_secret=whsec_for_tests".to_owned(),
            format!("sandbox.webhook_url=http://127.0.0.1:{gateway}/v1/payments/webhooks/sandbox"),
            format!("fleet.orders_nodes=127.0.0.1:{orders}"),
            format!("fleet.orders_listen=127.0.0.1:{orders}"),
            "postgres.connections=4".to_owned(),
        ];
        // Where buyers return from the provider; its own pages are at its own address.
        let back = [format!("server.public_url=http://127.0.0.1:{front}")];
        let set = |setting: &String| ["--set".to_owned(), setting.clone()];
        let start = |roles: &[&str], listen: u16, data: PathBuf| {
            let named = roles.iter().flat_map(|role| ["--role".to_owned(), (*role).to_owned()]);
            let listen = ["--listen".to_owned(), format!("127.0.0.1:{listen}")];
            // What a test wants for itself comes last, and wins.
            let back = back.iter().filter(|_| roles != ["sandbox"]);
            let settings = shared.iter().chain(back).flat_map(set).chain(flags.iter().cloned());
            Process::start(data, named.chain(listen).chain(settings).collect())
        };
        let sandbox = start(&["sandbox"], provider, dir.join("sandbox"));
        let orders = start(&["orders"], port(), dir.join("orders"));
        let behind = start(&BEHIND, port(), dir.join("behind"));
        let gateway_process = start(&["gateway"], gateway, dir.to_path_buf());
        let varnish = Varnish::start(dir, front, gateway);
        varnish.until_it_passes();
        let processes = vec![gateway_process, orders, behind, sandbox];
        Self { processes, provider: Some(provider), varnish: Some(varnish) }
    }

    fn first(&self) -> &Process {
        self.processes.first().expect("a process")
    }

    /// Where buyers come.
    pub fn url(&self) -> String {
        self.varnish.as_ref().map_or_else(|| self.gateway(), |varnish| varnish.url.clone())
    }

    /// Where the gateway itself listens.
    pub fn gateway(&self) -> String {
        self.first().url.clone()
    }

    /// Where the process that serves orders is asked for its metrics: the second of those that run apart.
    pub fn orders(&self) -> String {
        self.processes.get(1).unwrap_or_else(|| self.first()).url.clone()
    }

    /// The processes of the program, the gateway's first.
    pub fn pids(&self) -> Vec<u32> {
        self.processes.iter().map(|process| process.child.id()).collect()
    }

    /// `kill -9` for all of the program; Varnish stays.
    pub fn kill(&mut self) {
        self.processes.iter_mut().for_each(Process::kill);
    }

    /// SIGTERM for all of the program; gives the gateway's exit code, or another's that is not 0.
    pub fn terminate(&mut self) -> Option<i32> {
        let codes: Vec<_> = self.processes.iter_mut().map(Process::terminate).collect();
        codes.into_iter().find(|code| *code != Some(0)).unwrap_or(Some(0))
    }

    /// Starts again on the same folders, in the order of the first start.
    pub fn restart(&mut self) {
        self.processes.iter_mut().rev().for_each(Process::restart);
        if let Some(varnish) = &self.varnish {
            varnish.until_it_passes();
        }
    }

    /// What the program has logged.
    pub fn log(&self) -> String {
        let logs = self.processes.iter().map(|process| {
            let log = std::fs::read(process.data.join(LOG)).expect("a log");
            String::from_utf8_lossy(&log).into_owned()
        });
        logs.collect()
    }

    /// The port of the provider's own API.
    pub fn provider_port(&self) -> u16 {
        let process = self.first();
        let public: Option<u16> = process.url.rsplit(':').next().and_then(|port| port.parse().ok());
        let of_this = || listening(process.child.id()).into_iter().find(|port| Some(*port) != public);
        self.provider.or_else(of_this).expect("the provider listens")
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let varnish = self.varnish.iter_mut().map(|varnish| &mut varnish.child);
        let mut all: Vec<_> =
            self.processes.iter_mut().map(|process| &mut process.child).chain(varnish).collect();
        all.iter_mut().for_each(|child| drop(child.kill()));
        all.iter_mut().for_each(|child| drop(child.wait()));
    }
}
