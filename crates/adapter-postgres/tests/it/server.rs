//! A real PostgreSQL for the tests of this program, and a database for each of them.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use adapter_postgres::{Limits, Options, Postgres};
use deadpool_postgres::{Client, Manager, Pool};
use ports::clock::SystemClock;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;

const MISSING: &str = "PostgreSQL 15 or later is missing: install its server (Debian and Ubuntu: apt-get install postgresql), \
                       so that `initdb` is on the path or in a folder of /usr/lib/postgresql";

/// A server; it goes when its input ends, and so with the program that started it, however that ends.
pub struct Server {
    child: Mutex<(Child, ChildStdin, BufReader<ChildStdout>)>,
    dir: String,
}

/// The folder of the server's programs, of the newest version there is.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let version = |folder: &PathBuf| -> u32 {
        folder.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or_default()
    };
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|folders| folders.filter_map(|folder| Some(folder.ok()?.path())).collect())
        .unwrap_or_default();
    debian.sort_by_key(version);
    let debian = debian.into_iter().rev().map(|folder| folder.join("bin"));
    std::env::split_paths(&path)
        .chain(debian)
        .find(|folder| folder.join("initdb").is_file())
        .unwrap_or_else(|| panic!("{MISSING}"))
}

/// The server refuses to run as root: root lends it the user that its package made.
fn command() -> Command {
    let id = Command::new("id").arg("-u").output().expect("`id` says who runs the tests");
    if id.stdout.trim_ascii() != b"0" {
        return Command::new("sh");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "sh"]);
    command
}

impl Server {
    /// Starts one.
    pub fn start() -> Self {
        let mut command = command();
        command.args(["-c", include_str!("server.sh"), "server"]).arg(programs());
        command.env_remove("TMPDIR").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{MISSING} ({error})"));
        let (input, output) = child.stdin.take().zip(child.stdout.take()).expect("both are piped");
        let mut output = BufReader::new(output);
        let dir = line(&mut output);
        Self { child: Mutex::new((child, input, output)), dir }
    }

    /// Kills the server, as SIGKILL does, and starts it anew on what it left.
    pub fn kill(&self) {
        let mut child = self.child.lock().expect("no other test of this server has panicked");
        child.1.write_all(b"again\n").expect("the server's shell listens");
        line(&mut child.2);
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=tzero password=not-to-be-seen dbname={database}", self.dir)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            drop(child.1.write_all(b"stop\n"));
            drop(child.0.wait());
        }
    }
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("the server's shell answers");
    assert!(!line.trim().is_empty(), "the server did not start; its reason stands above. {MISSING}");
    line.trim().to_owned()
}

/// The server that most tests share.
static SHARED: LazyLock<Server> = LazyLock::new(Server::start);
static TEMPLATE: OnceCell<()> = OnceCell::const_new();
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// How the tests reach a database.
pub fn options(url: String) -> Options {
    Options {
        url,
        tls: None,
        connections: 16,
        clock: Arc::new(SystemClock::start()),
        address_deadline_ms: 60_000,
        limits: Limits::default(),
    }
}

/// A connection for SQL by hand.
pub async fn by_hand(url: &str) -> Client {
    let manager = Manager::new(url.parse().expect("an address"), NoTls);
    let pool = Pool::builder(manager).max_size(1).build().expect("a pool");
    pool.get().await.expect("a connection")
}

/// A database of one's own on `server`, migrated.
pub async fn migrated(server: &Server) -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("own{number}");
    by_hand(&server.url("postgres"))
        .await
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await
        .expect("made");
    Postgres::migrate(&options(server.url(&name))).await.expect("migrated");
    server.url(&name)
}

/// The address of a database of one's own on the shared server.
pub async fn database() -> String {
    let make = async {
        by_hand(&SHARED.url("postgres")).await.batch_execute("CREATE DATABASE migrated").await.expect("made");
        Postgres::migrate(&options(SHARED.url("migrated"))).await.expect("migrated");
    };
    TEMPLATE.get_or_init(|| make).await;
    let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let copy = format!("CREATE DATABASE {name} TEMPLATE migrated");
    by_hand(&SHARED.url("postgres")).await.batch_execute(&copy).await.expect("copied");
    SHARED.url(&name)
}

/// The address of a database without a schema on the shared server.
pub async fn empty() -> String {
    let name = format!("empty{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let make = format!("CREATE DATABASE {name}");
    by_hand(&SHARED.url("postgres")).await.batch_execute(&make).await.expect("made");
    SHARED.url(&name)
}

/// A ledger of one's own, with its address.
pub async fn store() -> (Arc<Postgres>, String) {
    let url = database().await;
    let store = Postgres::connect(options(url.clone())).await.expect("connected");
    (Arc::new(store), url)
}
