//! A real Kafka broker for the tests of this program, and claim logs on it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use adapter_kafka::{Kafka, Options};
use ports::clock::SystemClock;

const MISSING: &str = "a Kafka broker is needed: run `cargo xtask test`, which fetches its jars with Maven into \
                       target/services/kafka/lib, or name their folder in TZERO_KAFKA_JARS; and install Java 17 or later (Debian \
                       and Ubuntu: apt-get install default-jre-headless)";

/// Below those that the system gives to outgoing connections: a client that knocks where nobody listens any longer must
/// not be given that very port, and so end up talking to itself.
const FIRST_PORT: u64 = 20_000;
const PORTS: u64 = 12_000;

/// A broker; it goes when its input ends, and so with the program that started it, however that ends.
pub struct Broker {
    shell: Mutex<(Child, ChildStdin, BufReader<ChildStdout>)>,
    port: u16,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn jars() -> PathBuf {
    let named = std::env::var_os("TZERO_KAFKA_JARS").map(PathBuf::from);
    let usual = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("../services/kafka/lib");
    let folder = named.unwrap_or_else(usual);
    let found = std::fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some());
    assert!(found, "{} holds no jars: {MISSING}", folder.display());
    folder
}

/// Two ports that nobody listens at, beginning where it depends on the process.
fn ports() -> [u16; 2] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let begin = u64::from(std::process::id()) * 61;
    let mut free =
        std::iter::repeat_with(|| FIRST_PORT + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS)
            .take(PORTS as usize)
            .filter_map(|port| u16::try_from(port).ok())
            .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let mut next = || free.next().expect("of so many ports some are free");
    [next(), next()]
}

impl Broker {
    /// Starts one, and waits until it answers.
    pub fn start() -> Self {
        let [port, controller] = ports();
        let mut command = Command::new("sh");
        command.args(["-c", include_str!("broker.sh"), "broker"]).arg(jars());
        command.arg(root().join("deploy/kafka.properties"));
        command.arg(root().join("xtask/services/kafka/log4j2.properties"));
        command.args([port.to_string(), controller.to_string()]);
        let mut shell =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("there is a shell");
        let (input, output) = shell.stdin.take().zip(shell.stdout.take()).expect("both are piped");
        let broker = Self { shell: Mutex::new((shell, input, BufReader::new(output))), port };
        broker.restart();
        broker
    }

    /// Kills it, as SIGKILL does.
    pub fn kill(&self) {
        self.say("kill\n");
    }

    /// Starts it anew on what it left, and waits until it answers.
    pub fn restart(&self) {
        self.say("start\n");
        for _ in 0..600 {
            if answers(self.port) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the broker does not answer: {MISSING}");
    }

    fn say(&self, word: &str) {
        let mut shell = self.shell.lock().expect("no other test of this broker has panicked");
        let said = shell.1.write_all(word.as_bytes());
        let mut line = String::new();
        let heard = said.and_then(|()| shell.2.read_line(&mut line));
        assert!(
            heard.is_ok() && !line.trim().is_empty(),
            "the broker did not start; its reason stands above. {MISSING}"
        );
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How the tests reach it; topics begin with `prefix`.
    pub fn options(&self, prefix: &str) -> Options {
        let mut options = Options::of(vec![self.address()], Arc::new(SystemClock::start()));
        options.prefix = prefix.to_owned();
        options
    }

    /// A claim log of one's own.
    pub async fn log(&self) -> Kafka {
        Kafka::connect(self.options("test.")).await.expect("connected")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Ok(shell) = self.shell.get_mut() {
            drop(shell.0.stdin.take());
            drop(shell.1.write_all(b"kill\n"));
            drop(shell.0.kill());
            drop(shell.0.wait());
        }
    }
}

/// Whether a broker answers a question for the versions it speaks: `ApiVersions`, version 0.
fn answers(port: u16) -> bool {
    use std::io::Read;
    let ask = || -> std::io::Result<bool> {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"\0\0\0\x0c\0\x12\0\0\0\0\0\x07\0\x02it")?;
        let mut answer = [0; 10];
        stream.read_exact(&mut answer)?;
        Ok(answer[4..] == *b"\0\0\0\x07\0\0")
    };
    ask().unwrap_or(false)
}

/// The broker that most tests share.
pub static SHARED: LazyLock<Broker> = LazyLock::new(Broker::start);
