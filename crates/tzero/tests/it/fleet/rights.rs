//! A fleet whose processes have users of least right in every store, made as `docs/fleet.md` says, sells and is operated.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{Fleet, TOKEN, local};
use crate::harness::{Answer, PATIENCE, program, read};
use crate::stores;
use crate::system::port;

const DOCUMENT: &str = include_str!("../../../../../docs/fleet.md");
/// What stands for `…` there.
const PASSWORD: &str = "of-a-test";

/// The blocks of code of a language in the document's section.
fn blocks(language: &str) -> Vec<&'static str> {
    let (_, section) = DOCUMENT.split_once("## Users of least right\n").expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    section
        .split(&format!("```{language}\n"))
        .skip(1)
        .map(|rest| rest.split("```").next().expect("an end"))
        .collect()
}

/// A Redis server of this test's own, since its functions are flushed.
struct Redis {
    child: Child,
    address: String,
    _dir: tempfile::TempDir,
}

impl Redis {
    fn start() -> Self {
        let (dir, port) = (tempfile::tempdir().expect("a folder"), port());
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
        command.args(["--maxmemory-policy", "noeviction", "--dir"]).arg(dir.path()).stdout(Stdio::null());
        let child = command.spawn().expect("redis-server is on the path");
        let server = Self { child, address: local(port), _dir: dir };
        for _ in 0..500 {
            if server.ask(&["PING"]).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not answer");
    }

    fn ask(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        let client = redis::Client::open(format!("redis://{}", self.address))?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut client.get_connection()?)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The stores with the users of the document; the sale's name there is another one in each test.
struct Stores {
    redis: Redis,
    /// The server of PostgreSQL, as `host:port`, and what is in the place of `sale`.
    server: String,
    name: String,
    superuser: String,
}

impl Stores {
    async fn make() -> Self {
        let url = stores::fleet()["postgres"]["url"].as_str().expect("an address").to_owned();
        let (who, server) = url.rsplit_once('@').expect("a user");
        let password = who.rsplit(':').next().expect("a password");
        let server = server.split('/').next().expect("an address").to_owned();
        let superuser = format!("postgres://postgres:{password}@{server}/postgres");
        let made =
            Self { redis: Redis::start(), server, name: format!("least{}", std::process::id()), superuser };
        let [first, then] = blocks("sql")[..] else { panic!("two blocks of SQL") };
        made.sql(first).await;
        for line in blocks("redis").into_iter().flat_map(str::lines) {
            let words: Vec<String> =
                line.split_whitespace().map(|word| word.replace('…', PASSWORD)).collect();
            made.redis.ask(&words.iter().map(String::as_str).collect::<Vec<_>>()).expect(line);
        }
        let migrated = made.run(&["migrate"], "owner", "sale_setup");
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        made.sql(then).await;
        made
    }

    async fn sql(&self, block: &str) {
        let config = self.superuser.clone();
        let (client, connection) =
            tokio_postgres::connect(&config, tokio_postgres::NoTls).await.expect("PostgreSQL answers");
        let asked = async {
            for statement in block.split_inclusive(";\n") {
                let statement = statement.replace("sale", &self.name).replace('…', PASSWORD);
                client.batch_execute(&statement).await.expect(&statement);
            }
        };
        tokio::select! {
            () = asked => {}
            _ = connection => panic!("the connection ended"),
        }
    }

    /// What a process is told so that it is these users.
    fn users(&self, ledger: &str, inventory: &str) -> Vec<String> {
        let Self { name, server, .. } = self;
        vec![
            format!("postgres.url=postgres://{name}_{ledger}:{PASSWORD}@{server}/{name}"),
            format!("redis.nodes={}", self.redis.address),
            format!("redis.user={inventory}"),
            format!("redis.password={PASSWORD}"),
        ]
    }

    /// Runs the program to its end as these users.
    fn run(&self, words: &[&str], ledger: &str, inventory: &str) -> Output {
        let dir = tempfile::tempdir().expect("a folder");
        let mut command = program();
        command.args(words).args(stores::flags(dir.path()));
        for setting in self.users(ledger, inventory) {
            command.args(["--set", &setting]);
        }
        if words.contains(&"serve") {
            command.arg("--data").arg(dir.path());
            for setting in ["payments.base_url=http://127.0.0.1:9", "payments.webhook_secret=whsec_for_tests"]
            {
                command.args(["--set", setting]);
            }
        }
        command.stdin(Stdio::null()).output().expect("it runs")
    }

    fn fleet(&self) -> Fleet {
        Fleet::of_users(&["expiration.grace_ms=1000"], |role| {
            self.users(role, if role == "reconciler" { "sale_reconciler" } else { "sale" })
        })
    }
}

impl Fleet {
    async fn operate(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/admin/v1/{path}", self.gateways[0]);
        let asked =
            self.http.request(method, url).bearer_auth(TOKEN).header("idempotency-key", "k").json(&body);
        let answer = read(asked).await;
        assert!([200, 201].contains(&answer.status), "{path}: {}", answer.text);
        answer
    }

    /// Buys one for a new buyer; gives the ticket.
    async fn ticket(&self, sale: &str) -> String {
        let session = read(self.http.post(format!("{}/v1/sessions", self.gateways[0]))).await.json();
        let token = session["session_token"].as_str().expect("a token");
        let body = json!({ "user_id": session["user_id"], "product_id": "p", "idempotency_key": "k" });
        let url = format!("{}/v1/sales/{sale}/checkout", self.gateways[0]);
        let bought = async {
            loop {
                let answer = read(self.http.post(&url).bearer_auth(token).json(&body)).await;
                if answer.status == 202 {
                    return answer.ticket();
                }
                assert_eq!(answer.status, 503, "{}", answer.text);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, bought).await.expect("somebody sells")
    }

    async fn until(&self, ticket: &str, status: &str) -> Value {
        let reached = async {
            loop {
                let url = format!("{}/v1/orders/status/{ticket}", self.gateways[0]);
                let now = read(self.http.get(url)).await.json();
                if now["status"] == status {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        reached.unwrap_or_else(|_| panic!("{ticket} never became {status}"))
    }

    async fn pay(&self, ticket: &str) {
        let payable = self.until(ticket, "awaiting_payment").await;
        let url = payable["checkout_url"].as_str().expect("an address");
        read(self.http.post(url).form(&[("action", "pay")])).await;
        self.until(ticket, "confirmed").await;
    }

    async fn give_up(&self, ticket: &str) {
        let answer = read(self.http.delete(format!("{}/v1/orders/{ticket}", self.gateways[0]))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.until(ticket, "cancelled").await;
    }
}

/// Everything that a sale is, from its making to its books; gives the ticket of an order that is paid.
async fn sell(fleet: &Fleet) -> String {
    fleet.sale("s", 2, 300_000).await;
    fleet.operate(Method::POST, "sales/s/pause", json!({})).await;
    fleet.operate(Method::POST, "sales/s/resume", json!({})).await;
    fleet.operate(Method::PATCH, "sales/s", json!({ "name": "Another" })).await;
    fleet.operate(Method::POST, "sales/s/message", json!({ "message": "Soon" })).await;
    fleet.operate(Method::POST, "sales/s/restock", json!({ "product_id": "p", "units": 3 })).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (paid, given_up) = (fleet.ticket("s").await, fleet.ticket("s").await);
    fleet.pay(&paid).await;
    fleet.until(&given_up, "awaiting_payment").await;
    let extend = format!("{}/v1/orders/{given_up}/extend", fleet.gateways[0]);
    assert_eq!(read(fleet.http.post(extend)).await.status, 409, "the sale has no extension");
    fleet.give_up(&given_up).await;
    let returned = fleet.ticket("s").await;
    fleet.pay(&returned).await;
    fleet.operate(Method::POST, &format!("orders/{returned}/refund"), json!({ "return_units": true })).await;
    fleet.until(&returned, "refunded").await;
    fleet.sale("short", 1, 1_000).await;
    let lapsed = fleet.ticket("short").await;
    fleet.until(&lapsed, "expired").await;
    paid
}

/// A sale that is not live yet gets other products: its shard is loaded anew.
async fn redefine(fleet: &Fleet) {
    let product = |id: &str| json!({ "product_id": id, "name": "P", "price": { "amount": "1.00", "currency": "EUR" }, "stock": 4 });
    let sale = json!({
        "sale_id": "later", "name": "Later", "starts_at": "2090-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z",
        "products": [product("a"), product("b")],
    });
    fleet.operate(Method::POST, "sales", sale).await;
    fleet.operate(Method::PATCH, "sales/later", json!({ "products": [product("c")] })).await;
}

async fn read_books(fleet: &Fleet, paid: &str) {
    for sale in ["s", "short", "later"] {
        let audit = fleet.audit(1, sale).await;
        assert_eq!(audit["ok"], true, "{audit}");
    }
    let csv =
        read(fleet.http.get(format!("{}/admin/v1/sales/s/orders.csv", fleet.gateways[0])).bearer_auth(TOKEN));
    assert_eq!(csv.await.text.lines().count(), 5, "a head and four orders");
    for path in ["sales/s/orders", "sales/s", "actions", "shards", &format!("orders/{paid}")] {
        fleet.ask(0, path).await;
    }
    for page in ["console", "metrics"] {
        let asked = read(fleet.http.get(format!("{}/{page}", fleet.gateways[0])).bearer_auth(TOKEN)).await;
        assert_eq!(asked.status, 200, "{page}");
    }
    let ready = read(fleet.http.get(format!("{}/readyz", fleet.gateways[0]))).await;
    assert_eq!(ready.status, 200, "{}", ready.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_of_users_of_least_right_does_all_that_a_sale_does() {
    let stores = Stores::make().await;
    let fleet = stores.fleet();
    let paid = sell(&fleet).await;
    redefine(&fleet).await;
    let epoch = async |fleet: &Fleet| fleet.ask(0, "shards").await["shards"].clone();
    let before = epoch(&fleet).await;
    stores.redis.ask(&["FUNCTION", "FLUSH"]).expect("flushed");
    let renewed = async {
        loop {
            let now = epoch(&fleet).await;
            let open =
                |shards: &Value| shards.as_array().expect("shards").iter().all(|shard| shard["open"] == true);
            if now != before && open(&now) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, renewed).await.expect("every shard is renewed");
    let after = fleet.ticket("s").await;
    fleet.pay(&after).await;
    read_books(&fleet, &paid).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (role, log) in fleet.logs() {
        for refusal in ["permission denied", "NOPERM", "42501", "no permissions"] {
            assert!(!log.contains(refusal), "{role}: {log}");
        }
    }
    for (ledger, inventory, said) in [
        ("relay", "sale", "has not the rights of tzero_gateway, which this process needs"),
        ("gateway", "sale", "has not the rights of tzero_orders, which this process needs"),
    ] {
        let ended = stores.run(&["serve", "--role", "gateway", "--listen", "127.0.0.1:0"], ledger, inventory);
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(!ended.status.success() && told.contains(said), "{ledger}: {told}");
    }
}
