//! Measures on this machine what requests cost: the whole program in this process, on loopback, with a journal in a folder
//! that is deleted afterwards.
//!
//! What is measured is what buyers meet (sessions, JSON, the journal's commit, the kernel's share of the server's side),
//! except limits per user and network and the making of payment addresses, as `cargo xtask bench` does it. The herd has fewer
//! connections than there, so that fewer requests share a wake-up: costs are rather too high than too low.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway::admin::sale_form;
use purchase::operate::Operator;
use serde_json::{Value, json};

use super::costs::{Cost, Costs};
use super::exchange::{Connection, get, post};
use super::press::{Price, Requests, press};
use crate::config::{Config, Sources};
use crate::node::{Node, Plan};
use crate::role::Role;

/// Connections of the herd.
const HANDS: usize = 32;
/// Buyers of one connection, each of whom may have [`EACH`] orders.
const BUYERS: usize = 8;
/// Orders of one buyer: the most that a sale allows.
const EACH: usize = domain::limits::MAX_PER_USER as usize;
/// Units for every order that they may have.
const STOCK: usize = HANDS * BUYERS * EACH;
/// How long each kind of request is sent.
const LASTING: Duration = Duration::from_millis(350);
/// How long the first kind is sent beforehand, so that nothing is met for the first time.
const WARMS: Duration = Duration::from_millis(150);

/// A guest with a session.
#[derive(Clone)]
struct Guest {
    user: String,
    token: String,
}

/// Costs of this machine, and how they were measured.
///
/// # Errors
/// The program does not start here, or does not answer as it should.
pub async fn here() -> Result<Costs, String> {
    let dir = tempfile::tempdir().map_err(|error| format!("cannot make a folder for a moment: {error}"))?;
    let node = Node::start(Plan { config: config(dir.path())?, roles: HashSet::from(Role::ALL) }).await?;
    let address = node.address;
    let measured = match sales(&node).await {
        Ok(()) => tokio::task::spawn_blocking(move || lanes(address))
            .await
            .unwrap_or_else(|_| Err("the measuring thread panicked".to_owned())),
        Err(wrong) => Err(wrong),
    };
    node.stop().await;
    let lanes = measured?;
    let disk = std::fs::metadata(adapter_embedded::store_file(dir.path()))
        .map_err(|error| format!("cannot look at the file of the store that was measured: {error}"))?;
    Ok(lanes.costs(disk.len()))
}

fn config(dir: &Path) -> Result<Config, String> {
    let dir = dir.display().to_string();
    let settings = [
        ("data.dir", dir.as_str()),
        ("server.listen", "127.0.0.1:0"),
        ("limits.user_per_s", "0"),
        ("limits.network_per_s", "0"),
        // Slow enough to cost next to nothing, and never too slow for the deadline.
        ("processor.rate_per_s", "20"),
        ("processor.payment_address_deadline_ms", "86400000"),
    ];
    let flags = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Config::load(Sources::new().flags(flags)).map_err(|mistakes| mistakes.to_string())
}

/// One sale with as many units as can be asked for, and one with a single unit.
async fn sales(node: &Node) -> Result<(), String> {
    let system = node.system.as_ref().ok_or("the program that is measured has no stores")?;
    let operator = Operator::new(system.stores.clone(), Arc::clone(&system.catalog));
    for (name, stock) in [("open", STOCK), ("held", 1)] {
        let price = json!({ "amount": "10.00", "currency": "EUR" });
        let product =
            json!({ "product_id": "p", "name": "P", "price": price, "stock": stock, "max_per_user": EACH });
        let body = json!({ "sale_id": name, "name": name, "starts_at": "2020-01-01T00:00:00Z",
            "ends_at": "2099-01-01T00:00:00Z", "products": [product] });
        let sale = sale_form::sale(&body).map_err(|problem| format!("the sale {name}: {problem:?}"))?;
        operator.create("plan", sale).await.map_err(|fault| fault.to_string())?;
    }
    Ok(())
}

/// What each kind of request cost.
struct Lanes {
    granted: Price,
    refused: Price,
    poll: Price,
    /// Orders in the store.
    orders: u64,
}

fn lanes(address: SocketAddr) -> Result<Lanes, String> {
    let mut door = Connection::open(address)?;
    let mut guests = Vec::new();
    for _ in 0..HANDS * BUYERS {
        guests.push(guest(&mut door)?);
    }
    let first = guests.first().ok_or("nobody came")?;
    // The single unit goes, and the ticket that everybody looks at is there.
    let taken = door.ask(&checkout("held", first, "first"))?;
    let ticket = member(&taken.body, "status_url")?;
    let hands = |requests: &dyn Fn(&[Guest]) -> Requests| -> Vec<Requests> {
        guests.chunks(BUYERS).map(requests).collect()
    };
    let refused = |guests: &[Guest]| -> Requests {
        let ready: Vec<_> = guests.iter().map(|guest| checkout("held", guest, "again")).collect();
        Box::new(ready.into_iter().cycle())
    };
    let poll = |_: &[Guest]| -> Requests { Box::new(std::iter::repeat(get(&ticket))) };
    let granted = |guests: &[Guest]| -> Requests {
        let guests = guests.to_vec();
        Box::new((0..EACH).flat_map(move |number| {
            let key = format!("key-{number}");
            guests.iter().map(|guest| checkout("open", guest, &key)).collect::<Vec<_>>()
        }))
    };
    press(address, hands(&poll), 200, WARMS)?;
    let poll = press(address, hands(&poll), 200, LASTING)?;
    let refused = press(address, hands(&refused), 409, LASTING)?;
    let granted = press(address, hands(&granted), 202, LASTING)?;
    Ok(Lanes { granted, refused, poll, orders: granted.requests + 1 })
}

fn guest(door: &mut Connection) -> Result<Guest, String> {
    let made = door.ask(&post("/v1/sessions", None, ""))?.body;
    Ok(Guest { user: member(&made, "user_id")?, token: member(&made, "session_token")? })
}

fn checkout(sale: &str, guest: &Guest, key: &str) -> Vec<u8> {
    let body = json!({ "user_id": guest.user, "product_id": "p", "idempotency_key": key }).to_string();
    post(&format!("/v1/sales/{sale}/checkout"), Some(&guest.token), &body)
}

fn member(body: &str, name: &str) -> Result<String, String> {
    let value: Option<Value> = serde_json::from_str(body).ok();
    let text = value.as_ref().and_then(|value| value.get(name)).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| format!("the program that is measured did not tell {name}: {body}"))
}

impl Lanes {
    /// With the size of the store's file after everything was written home.
    fn costs(&self, file: u64) -> Costs {
        let mut costs = Costs::default();
        let build = if cfg!(debug_assertions) { ", a debug build" } else { "" };
        let source = |price: &Price| {
            format!(
                "measured now on this machine{build}: {} requests over {HANDS} connections",
                price.requests
            )
        };
        let Self { granted, refused, poll, orders } = self;
        for (cost, value, price) in [
            (Cost::GrantedCpu, granted.cpu_us, granted),
            (Cost::RefusedCpu, refused.cpu_us, refused),
            (Cost::PollCpu, poll.cpu_us, poll),
            (Cost::CheckoutIn, granted.sent, granted),
            (Cost::GrantedOut, granted.received, granted),
            (Cost::RefusedOut, refused.received, refused),
            (Cost::PollIn, poll.sent, poll),
            (Cost::PollOut, poll.received, poll),
        ] {
            costs.set(cost, value, source(price));
        }
        let disk = format!("measured now on this machine{build}: the store's file after {orders} orders");
        costs.set(Cost::OrderDisk, file as f64 / *orders as f64, disk);
        costs
    }
}

#[cfg(test)]
#[path = "measure_tests.rs"]
mod tests;
