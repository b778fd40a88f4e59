//! A fleet: each role a process of its own, two of each, on the real stores; killed by pid.

mod challenges;
mod facts;
mod faults;
mod hangs;
mod letters;
mod refusals;
mod rights;
mod roles;
mod tls;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{PATIENCE, PATIENT, program, read};
use crate::stores;
use crate::system::port;

/// Roles of which two processes run.
const ROLES: [&str; 7] = ["gateway", "orders", "allocator", "processor", "expiration", "relay", "reconciler"];
const TOKEN: &str = "the operator of the fleet under test";

/// One process of a role.
struct Member {
    role: &'static str,
    number: usize,
    flags: Vec<String>,
    child: Child,
}

/// Every role, twice; and the provider.
pub struct Fleet {
    dir: TempDir,
    members: Vec<Member>,
    /// Where the gateways are.
    gateways: Vec<String>,
    http: reqwest::Client,
}

fn local(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

fn launch(flags: &[String], log: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(log).expect("a log");
    let mut child = program()
        .arg("serve")
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let first = BufReader::new(child.stdout.take().expect("standard output")).lines().next();
    let first = first.expect("a first line on standard output").expect("text");
    assert!(first.starts_with("listening on "), "{first}");
    child
}

impl Fleet {
    /// Starts all of them.
    pub fn start(settings: &[&str]) -> Self {
        Self::of_users(settings, |_| Vec::new())
    }

    /// The same; `own` says what a process of each role is told besides, such as which user it is.
    pub fn of_users(settings: &[&str], own: impl Fn(&str) -> Vec<String>) -> Self {
        stores::fleet();
        let dir = tempfile::tempdir().expect("a folder");
        let (gateways, orders, provider) = ([port(), port()], [port(), port()], port());
        let orders_nodes = orders.map(local).join(",");
        let shared = [
            format!("data.secret={}", "7f".repeat(32)),
            format!("admin.token={TOKEN}"),
            format!("payments.base_url=http://{}", local(provider)),
            "payments.secret_key=sk_sandbox_for_tests".to_owned(),
            "payments.webhook_secret=whsec_for_tests".to_owned(),
            format!("sandbox.webhook_url=http://{}/v1/payments/webhooks/sandbox", local(gateways[0])),
            format!("fleet.orders_nodes={orders_nodes}"),
            "postgres.connections=4".to_owned(),
            "limits.user_per_s=0".to_owned(),
            "limits.network_per_s=0".to_owned(),
            PATIENT.to_owned(),
        ];
        let mut common = stores::flags(dir.path());
        for setting in shared.iter().map(String::as_str).chain(settings.iter().copied()) {
            common.extend(["--set".to_owned(), setting.to_owned()]);
        }
        let mut fleet = Self {
            dir,
            members: Vec::new(),
            gateways: gateways.map(|port| format!("http://{}", local(port))).into(),
            http: http_client::builder().timeout(PATIENCE).build().expect("a client"),
        };
        fleet.add("sandbox", 0, &common, provider, &[]);
        // Where buyers return from the provider; its own pages are at its own address.
        common.extend(["--set".to_owned(), format!("server.public_url=http://{}", local(gateways[0]))]);
        for number in 0..2 {
            for role in ROLES {
                let listen = if role == "gateway" { gateways[number] } else { port() };
                let mut own = own(role);
                if role == "orders" {
                    own.push(format!("fleet.orders_listen={}", local(orders[number])));
                }
                let own = own.into_iter().flat_map(|setting| ["--set".to_owned(), setting]);
                fleet.add(role, number, &common, listen, &own.collect::<Vec<_>>());
            }
        }
        fleet
    }

    fn add(&mut self, role: &'static str, number: usize, common: &[String], listen: u16, own: &[String]) {
        let data = self.dir.path().join(format!("{role}-{number}"));
        let mut flags = vec!["--role".to_owned(), role.to_owned(), "--listen".to_owned(), local(listen)];
        flags.extend(["--data".to_owned(), data.display().to_string()]);
        flags.extend(common.iter().chain(own).cloned());
        let child = launch(&flags, &self.log_of(role, number));
        self.members.push(Member { role, number, flags, child });
    }

    fn log_of(&self, role: &str, number: usize) -> PathBuf {
        self.dir.path().join(format!("{role}-{number}.log"))
    }

    /// What each process has logged, by its role.
    pub fn logs(&self) -> Vec<(&'static str, String)> {
        let log = |member: &Member| {
            let text = std::fs::read_to_string(self.log_of(member.role, member.number)).expect("a log");
            (member.role, text)
        };
        self.members.iter().map(log).collect()
    }

    fn member(&mut self, role: &str, number: usize) -> &mut Member {
        let found = self.members.iter_mut().find(|member| member.role == role && member.number == number);
        found.expect("a member of the fleet")
    }

    /// `kill -9`.
    pub fn kill(&mut self, role: &str, number: usize) {
        let member = self.member(role, number);
        member.child.kill().expect("it can be killed");
        member.child.wait().expect("it ends");
    }

    /// Ends a member in good order.
    pub fn end(&mut self, role: &str, number: usize) {
        let member = self.member(role, number);
        let sent = Command::new("kill").args(["-TERM", &member.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        assert!(member.child.wait().expect("it ends").success());
    }

    /// Starts one that was killed, or has ended.
    pub fn restart(&mut self, role: &str, number: usize) {
        let log = self.log_of(role, number);
        let member = self.member(role, number);
        member.child = launch(&member.flags, &log);
    }

    /// A question of the operator's to a gateway; its answer is JSON.
    pub async fn ask(&self, gateway: usize, path: &str) -> Value {
        let url = format!("{}/admin/v1/{path}", self.gateways[gateway]);
        let answer = read(self.http.get(&url).bearer_auth(TOKEN)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// A sale that is open and known to both gateways.
    pub async fn sale(&self, id: &str, stock: u32, hold_ms: u64) {
        let body = json!({
            "sale_id": id, "name": "Test", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
            "hold_ms": hold_ms,
            "products": [{ "product_id": "p", "name": "P", "price": { "amount": "10.00", "currency": "EUR" }, "stock": stock }],
        });
        self.sale_of(&body).await;
    }

    /// Makes a sale, at the first gateway.
    pub async fn sale_of(&self, body: &Value) {
        let url = format!("{}/admin/v1/sales", self.gateways[0]);
        let created = read(self.http.post(&url).bearer_auth(TOKEN).json(body)).await;
        assert_eq!(created.status, 201, "{}", created.text);
        let said = created.json();
        let [product, asked] = [&said["products"][0], &body["products"][0]];
        assert_eq!(product["available"], asked["stock"], "its units are counted: {said}");
    }

    /// The audit of a gateway once nothing moves any more.
    pub async fn audit(&self, gateway: usize, sale: &str) -> Value {
        let settled = async {
            loop {
                let report = self.ask(gateway, &format!("sales/{sale}/audit")).await;
                if report["settling"] == false {
                    return report;
                }
            }
        };
        tokio::time::timeout(2 * PATIENCE, settled).await.expect("a quiet cut")
    }

    /// A herd against a gateway, as a process of its own.
    fn herd(&self, gateway: usize, flags: &[&str]) -> (Child, PathBuf) {
        let report = self.dir.path().join("report.json");
        let mut command = program();
        command.args(["rehearse", "--url", &self.gateways[gateway], "--report"]).arg(&report).args(flags);
        command.env("TZERO_ADMIN_TOKEN", TOKEN).stdout(Stdio::piped()).stderr(Stdio::null());
        (command.spawn().expect("the herd starts"), report)
    }

    /// What the provider's own books say.
    async fn provider_ledger(&mut self) -> Value {
        let sandbox = self.member("sandbox", 0);
        let listen = sandbox.flags.iter().position(|flag| flag == "--listen").map(|at| at + 1);
        let address = listen.and_then(|at| sandbox.flags.get(at)).cloned().expect("an address");
        let asked = self.http.get(format!("http://{address}/ledger")).bearer_auth("sk_sandbox_for_tests");
        read(asked).await.json()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for member in &mut self.members {
            drop(member.child.kill());
        }
        for member in &mut self.members {
            drop(member.child.wait());
        }
    }
}
