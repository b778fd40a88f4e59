//! On which stores the tests run: the embedded ones, or those that the file in `TZERO_TEST_STORES` names.
//!
//! Every system under test has its own database, its own keys and its own topics on shared servers.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The servers, as `cargo xtask services up` wrote them down; `None` for the embedded stores.
pub fn servers() -> Option<Value> {
    let file = std::env::var_os("TZERO_TEST_STORES")?;
    let text = std::fs::read_to_string(&file).expect("TZERO_TEST_STORES names a file that can be read");
    let parsed: toml::Table = text.parse().expect("TZERO_TEST_STORES names a file that is TOML");
    Some(serde_json::to_value(parsed).expect("TOML is JSON"))
}

/// The servers, for tests of what only a fleet has.
pub fn fleet() -> Value {
    servers().expect(
        "TZERO_TEST_STORES must name the file of `cargo xtask services up`: `cargo xtask test` does both",
    )
}

/// The same, for tests of TLS: stores that want it, and ask who comes.
pub fn over_tls() -> Value {
    let servers = fleet();
    assert_eq!(
        servers["redis"]["tls"], "verify-full",
        "TZERO_TEST_STORES must name the file of `cargo xtask services up --tls`: `cargo xtask test` does both"
    );
    servers
}

/// What a new system in `dir` is started with so that it uses the stores of this run.
pub fn flags(dir: &Path) -> Vec<String> {
    let Some(mut servers) = servers() else { return Vec::new() };
    let name = format!("t{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let url = servers["postgres"]["url"].as_str().expect("an address").to_owned();
    let own = database(&url, &name.replace('-', "_"));
    servers["postgres"]["url"] = own.into();
    servers["postgres"]["connections"] = 8.into();
    servers["fleet"] = serde_json::json!({ "name": name });
    let file = dir.join("stores.toml");
    let text = toml::to_string(&servers).expect("what was TOML can be written as such");
    std::fs::write(&file, text).expect("the folder can be written");
    vec!["--config".to_owned(), file.display().to_string()]
}

/// Makes a database; gives its address.
fn database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("an address with a database");
    let (from, statement) = (url.to_owned(), format!("CREATE DATABASE {name}"));
    let make = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&from, tokio_postgres::NoTls).await.expect("PostgreSQL answers");
            tokio::select! {
                made = client.batch_execute(&statement) => made.expect("a database of the test's own"),
                _ = connection => panic!("the connection ended"),
            }
        });
    };
    // Tests call this inside a runtime of their own.
    std::thread::spawn(make).join().expect("it was made");
    format!("{server}/{name}")
}
