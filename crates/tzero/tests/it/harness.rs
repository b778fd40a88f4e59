//! Starts the program and speaks to it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::sockets::listening;
use crate::system::{PROVIDER_KEY, SPREADS, System, behind_varnish};

/// How long something may take that should be there in moments, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A running system: where buyers and operators come, and what they find.
pub struct Server {
    // It ends before its folder is removed.
    system: System,
    /// Where buyers come.
    pub url: String,
    /// Where the gateway itself listens: for operators, and for those who attack it with no proxy between.
    pub gateway: String,
    pub dir: TempDir,
    http: reqwest::Client,
}

/// A buyer with a session.
#[derive(Clone, Debug)]
pub struct Buyer {
    pub user: String,
    pub token: String,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn ticket(&self) -> String {
        self.json()["queue_ticket_id"].as_str().expect("an answer with a ticket").to_owned()
    }
}

/// The program, with the environment of a test: nothing of ours leaks in.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tzero"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TZERO_")) {
        command.env_remove(name);
    }
    command
}

/// A debug build on a busy machine is slower than a buyer should wait: who is sent away for that is tested where it is set.
pub const PATIENT: &str = "limits.checkout_wait_ms=5000";

/// What operators and machines ask for.
const OPERATORS: [&str; 5] = ["/admin", "/console", "/metrics", "/readyz", "/healthz"];

/// What is the same for everybody and kept by caches.
const CACHED: [&str; 2] = ["/v1/sales/", "/s/"];

fn client() -> reqwest::Client {
    let http = http_client::builder().redirect(reqwest::redirect::Policy::none());
    http.timeout(PATIENCE).build().expect("a client")
}

impl Server {
    /// Starts on a fresh data folder; each flag is `key=value` of the configuration.
    pub fn start(settings: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let flags = settings.iter().flat_map(|each| ["--set".to_owned(), (*each).to_owned()]).collect();
        Self::on(dir, flags)
    }

    /// Starts on a fresh data folder with these flags besides.
    pub fn with(flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self::on(dir, flags.iter().map(|flag| (*flag).to_owned()).collect())
    }

    fn on(dir: TempDir, mut flags: Vec<String>) -> Self {
        flags.extend(crate::stores::flags(dir.path()));
        let system = System::start(dir.path(), &flags);
        Self { url: system.url(), gateway: system.gateway(), system, dir, http: client() }
    }

    /// What the system is called on servers that it shares.
    pub fn name(&self) -> String {
        let file = self.dir.path().join("stores.toml");
        let stores: toml::Table =
            std::fs::read_to_string(file).expect("the servers' addresses").parse().expect("TOML");
        stores["fleet"]["name"].as_str().expect("a name").to_owned()
    }

    /// The processes of the program, the gateway's first.
    pub fn pids(&self) -> Vec<u32> {
        self.system.pids()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.system.kill();
    }

    /// SIGTERM; gives the exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.system.terminate()
    }

    /// Starts again on the same folder.
    pub fn restart(&mut self) {
        self.system.restart();
        (self.url, self.gateway) = (self.system.url(), self.system.gateway());
        // Connections to the one before are no use.
        self.http = client();
    }

    /// What the program has logged.
    pub fn log(&self) -> String {
        self.system.log()
    }

    /// Operators and machines have a way of their own to the gateway, past whatever is before it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else if OPERATORS.iter().any(|own| path.starts_with(own)) {
            format!("{}{path}", self.gateway)
        } else {
            format!("{}{path}", self.url)
        };
        self.http.request(method, url)
    }

    pub async fn get(&self, path: &str) -> Answer {
        if CACHED.iter().any(|cached| path.starts_with(cached)) {
            self.forgotten(path).await;
        }
        read(self.request(Method::GET, path)).await
    }

    /// Waits until what a cache before the gateway has of this address is made anew: as a shop does that purges after a change.
    pub async fn forgotten(&self, path: &str) {
        if behind_varnish() {
            tokio::time::sleep(SPREADS).await;
            let purge = Method::from_bytes(b"PURGE").expect("a method");
            assert_eq!(read(self.request(purge, path)).await.status, 200, "{path}");
        }
    }

    /// A herd that comes to `url`, and finds the operator's token in `data` if it is there.
    pub fn herd(&self, url: &str, data: &Path) -> Command {
        let mut command = program();
        command.args(["rehearse", "--url", url, "--admin-url", &self.gateway, "--data"]).arg(data);
        command
    }

    pub fn token(&self) -> String {
        let file = self.dir.path().join("admin-token");
        std::fs::read_to_string(file).expect("the operator's token").trim().to_owned()
    }

    pub async fn admin(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let changes = method != Method::GET;
        let mut request = self.request(method, &format!("/admin/v1/{path}")).bearer_auth(self.token());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = read(request).await;
        if changes && behind_varnish() {
            tokio::time::sleep(SPREADS).await;
        }
        answer
    }

    /// A sale of one product that is open already; `more` overrides its members.
    pub async fn sale(&self, id: &str, stock: u32, more: Value) {
        let mut body = json!({
            "sale_id": id, "name": "Test", "starts_at": "2020-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
            "products": [{ "product_id": "p", "name": "P", "price": { "amount": "10.00", "currency": "EUR" }, "stock": stock }],
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            match name.as_str() {
                "max_per_user" => body["products"][0]["max_per_user"] = value.clone(),
                _ => body[name] = value.clone(),
            }
        }
        let created = self.admin(Method::POST, "sales", Some(body)).await;
        assert_eq!(created.status, 201, "{}", created.text);
    }

    pub async fn buyer(&self) -> Buyer {
        let session = read(self.request(Method::POST, "/v1/sessions")).await;
        assert_eq!(session.status, 201, "{}", session.text);
        let text = |name: &str| session.json()[name].as_str().expect("a text").to_owned();
        Buyer { user: text("user_id"), token: text("session_token") }
    }

    pub async fn buyers(&self, count: usize) -> Vec<Buyer> {
        let mut buyers = Vec::with_capacity(count);
        for _ in 0..count {
            buyers.push(self.buyer().await);
        }
        buyers
    }

    pub fn checkout(&self, sale: &str, buyer: &Buyer, key: &str, quantity: u32) -> RequestBuilder {
        let body =
            json!({ "user_id": buyer.user, "product_id": "p", "idempotency_key": key, "quantity": quantity });
        let path = format!("/v1/sales/{sale}/checkout");
        self.request(Method::POST, &path).bearer_auth(&buyer.token).json(&body)
    }

    pub async fn buy(&self, sale: &str, buyer: &Buyer, key: &str) -> Answer {
        read(self.checkout(sale, buyer, key, 1)).await
    }

    /// A ticket for a new buyer.
    pub async fn ticket(&self, sale: &str) -> String {
        let buyer = self.buyer().await;
        let answer = self.buy(sale, &buyer, "k").await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.ticket()
    }

    pub async fn status(&self, ticket: &str) -> Value {
        let answer = self.get(&format!("/v1/orders/status/{ticket}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Waits until the status says so.
    pub async fn until(&self, ticket: &str, status: &str) -> Value {
        let reached = async {
            loop {
                let now = self.status(ticket).await;
                if now["status"] == status {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("{ticket} never became {status}"))
    }

    /// Waits for the payment address.
    pub async fn payable(&self, ticket: &str) -> String {
        let status = self.until(ticket, "awaiting_payment").await;
        status["checkout_url"].as_str().expect("an address").to_owned()
    }

    pub async fn pay(&self, url: &str, action: &str) -> Answer {
        read(self.request(Method::POST, url).form(&[("action", action)])).await
    }

    /// The metrics of whoever serves orders, with the operator's token.
    pub async fn orders_metrics(&self) -> String {
        let url = format!("{}/metrics", self.system.orders());
        read(self.request(Method::GET, &url).bearer_auth(self.token())).await.text
    }

    /// The provider's own API, as whoever runs it sees it. Its key is configured, its address asked from the process.
    async fn provider(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("http://127.0.0.1:{}{path}", self.system.provider_port());
        let mut request = self.http.request(method, url).bearer_auth(PROVIDER_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = read(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    /// Where the operator's own listener is, for a server that was started with one.
    pub async fn operators_listener(&self) -> String {
        for port in self.pids().first().copied().map(listening).expect("a process") {
            let url = format!("http://127.0.0.1:{port}");
            if url != self.gateway && self.get(&format!("{url}/metrics")).await.status == 200 {
                return url;
            }
        }
        panic!("no port but the public one answers /metrics");
    }

    /// Sets the provider's faults while it runs.
    pub async fn provider_faults(&self, faults: Value) {
        self.provider(Method::PUT, "/faults", Some(faults)).await;
    }

    /// The provider's own ledger of money.
    pub async fn provider_ledger(&self) -> Value {
        self.provider(Method::GET, "/ledger", None).await
    }

    /// The audit once nothing moves any more: neither units, nor money.
    pub async fn audit(&self, sale: &str) -> Value {
        let settled = async {
            loop {
                let report = self.admin(Method::GET, &format!("sales/{sale}/audit"), None).await.json();
                if report["settling"] == false && (report["ok"] == false || money_agrees(&report)) {
                    return report;
                }
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("a quiet cut")
    }

    /// The audit, which must be right; gives the product's line.
    pub async fn clean_audit(&self, sale: &str) -> Value {
        let report = self.audit(sale).await;
        assert_eq!(report["ok"], true, "{report}");
        let product = &report["products"][0];
        let part = |name: &str| product[name].as_i64().expect("a number");
        assert_eq!(
            part("available") + part("held") + part("sold") + part("in_transfer"),
            part("stock"),
            "{report}"
        );
        assert_eq!(part("oversold"), 0);
        assert!(money_agrees(&report), "{report}");
        product.clone()
    }

    /// Waits until so many units are available.
    pub async fn available(&self, sale: &str, units: i64) {
        let freed = async {
            while self.audit(sale).await["products"][0]["available"] != units {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, freed).await.expect("units come back");
    }
}

/// Whether captured less refunded is the revenue, to the cent, in every currency.
fn money_agrees(report: &Value) -> bool {
    report["money"].as_array().expect("money").iter().all(|money| {
        let cents =
            |name: &str| money[name].as_str().expect("money").replace('.', "").parse::<i64>().expect("cents");
        cents("captured") - cents("refunded") == cents("revenue")
    })
}

/// Sends a request and reads the answer.
pub async fn read(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, text: answer.text().await.expect("a body") }
}
