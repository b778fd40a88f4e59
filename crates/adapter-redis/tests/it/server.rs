//! A Redis server of the test's own: a free port, a folder of its own, gone with the test.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use adapter_redis::{Address, Options, Redis, SealKey, probe};
use ports::clock::SystemClock;
use ports::contract::Backend;

/// A running server.
pub struct Server {
    child: Child,
    pub port: u16,
    dir: tempfile::TempDir,
}

impl Server {
    /// Starts one, with further arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // A port may be taken between the moment that it was found free and the server's start.
        for _ in 0..20 {
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            if let Some(child) = Self::launch(port, dir.path(), arguments) {
                return Self { child, port, dir };
            }
        }
        panic!("redis-server does not start on any port");
    }

    fn launch(port: u16, dir: &std::path::Path, arguments: &[&str]) -> Option<Child> {
        let mut command = Command::new("redis-server");
        command.args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        command.arg("--dir").arg(dir).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect(
            "redis-server 7.0 or later is not on the path: install it (Debian and Ubuntu: apt-get install redis-server)",
        );
        for _ in 0..400 {
            if child.try_wait().unwrap().is_some() {
                return None;
            }
            let answers = redis::Client::open(format!("redis://127.0.0.1:{port}"))
                .and_then(|client| client.get_connection_with_timeout(std::time::Duration::from_secs(1)))
                .and_then(|mut connection| redis::cmd("PING").query::<String>(&mut connection));
            if answers.is_ok() {
                return Some(child);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    /// Ends the server and starts it anew on the same port and folder.
    pub fn restart(&mut self, arguments: &[&str]) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::launch(self.port, self.dir.path(), arguments).unwrap();
    }

    /// One command over a connection of its own.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let (command, arguments) = words.split_first().unwrap();
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        redis::cmd(command).arg(arguments).query(&mut client.get_connection()?)
    }

    pub fn keys(&self) -> Vec<String> {
        self.ask(&["KEYS", "*"]).unwrap()
    }

    pub fn address(&self) -> Address {
        Address::of(vec![format!("redis://127.0.0.1:{}", self.port)])
    }

    pub fn options(&self) -> Options {
        Options { address: self.address(), seal: SealKey::new([3; 32]), name: String::new() }
    }

    /// An installed library, and a connection of the adapter.
    pub async fn store(&self) -> Redis {
        probe::install(&self.address()).await.unwrap();
        Redis::connect(self.options()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Inventory, rebuild and board on Redis; every other port of the embedded store.
pub async fn backend() -> (Backend, (Server, tempfile::TempDir)) {
    let server = Server::start(&[]);
    let store = Arc::new(server.store().await);
    let dir = tempfile::tempdir().unwrap();
    let options = adapter_embedded::Options {
        dir: dir.path().to_path_buf(),
        clock: Arc::new(SystemClock::start()),
        address_deadline_ms: 60_000,
        secret: None,
    };
    let rest = Arc::new(adapter_embedded::Embedded::open(options).unwrap());
    let backend = Backend {
        inventory: store.clone(),
        rebuild: store.clone(),
        board: store,
        claims: rest.clone(),
        allocations: rest.clone(),
        ledger: rest.clone(),
        effects: rest.clone(),
        terms: rest.clone(),
        books: rest.clone(),
        sales: rest,
    };
    (backend, (server, dir))
}
