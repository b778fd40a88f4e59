//! What the users of processes may do, and what the server refuses them, whatever they run.

use std::collections::BTreeSet;
use std::sync::Arc;

use adapter_postgres::{Options, Postgres, Refusal};
use deadpool_postgres::Client;
use domain::allocation::Allocation;
use domain::id::{IdempotencyKey, ProductNo, TicketId};
use domain::order::{OrderState, Work};
use domain::payment::{Payment, PaymentSession, PaymentStage};
use domain::transition::{Change, Closing};
use ports::facts::Facts;
use ports::ledger::{Applied, Books, Effects, Ledger};
use ports::sales::{Restocked, Sales};

use crate::server::{by_hand, empty, options, store};
use crate::shop::Shop;

/// The groups of processes, by their roles.
const GROUPS: [&str; 7] = [
    "tzero_gateway",
    "tzero_orders",
    "tzero_allocator",
    "tzero_processor",
    "tzero_expiration",
    "tzero_relay",
    "tzero_reconciler",
];
/// Those that name no role, each with the roles whose work it does.
const BEFORE: [(&str, &[&str]); 4] = [
    ("tzero_api", &["tzero_orders"]),
    ("tzero_worker", &["tzero_processor", "tzero_expiration"]),
    ("tzero_recovery", &["tzero_reconciler"]),
    ("tzero_operator", &["tzero_gateway"]),
];

/// The address of a database, as a user with the rights of `group` and no others.
fn as_group(url: &str, group: &str) -> Options {
    options(format!("{url} options='-c role={group}'"))
}

async fn with(url: &str, group: &str) -> Arc<Postgres> {
    Arc::new(Postgres::connect(as_group(url, group)).await.expect("connected"))
}

/// A sale of 9 units, 2 a buyer: ann has unit 0 (ticket 1), bob unit 1 (ticket 2).
async fn shop() -> (Shop, Client, String) {
    let (store, url) = store().await;
    let shop = Shop::open(store, 9, 2).await;
    let taken = shop.allocate(vec![shop.claim(1, "ann", &[0]), shop.claim(2, "bob", &[1])]).await;
    assert_eq!(taken, [Allocation::Allocated; 2]);
    let client = by_hand(&url).await;
    (shop, client, url)
}

/// How the server answers `sql` of a group: the code of its refusal, or nothing.
async fn answer(client: &Client, group: &str, sql: &str) -> Option<String> {
    let asked = client.batch_execute(&format!("BEGIN; SET LOCAL ROLE {group}; {sql}")).await;
    client.batch_execute("ROLLBACK").await.expect("back");
    asked.err().map(|error| error.code().expect("an answer of the server").code().to_owned())
}

async fn changed(shop: &Shop, number: u32, change: Change) -> OrderState {
    match shop.apply(number, change).await {
        Applied::Changed(order) => order.state,
        other => panic!("{other:?}"),
    }
}

fn money(shop: &domain::order::Order, stage: PaymentStage) -> Payment {
    Payment { payment: "pi".into(), amount: shop.amount, stage }
}

#[tokio::test]
async fn each_role_does_its_own_with_the_rights_of_its_group() {
    let (shop, _, url) = shop().await;
    let as_group = async |group| shop.through(with(&url, group).await);
    let (gateway, orders) = (as_group("tzero_gateway").await, as_group("tzero_orders").await);
    let (processor, expiration) = (as_group("tzero_processor").await, as_group("tzero_expiration").await);
    let allocator = as_group("tzero_allocator").await;
    for group in GROUPS {
        let store = with(&url, group).await;
        assert_eq!(store.claim_for([7; 32], "one").await, Ok(()), "{group}");
        assert_eq!(store.has_rights_of(group).await, Ok(()), "{group}");
    }
    assert_eq!(allocator.allocate(vec![shop.claim(3, "eve", &[2])]).await, [Allocation::Allocated]);

    // Ann gives up: her unit goes back, and the inventory is told at once.
    assert_eq!(changed(&orders, 1, Change::Close(Closing::ByBuyer)).await, OrderState::Expiring);
    assert_eq!(changed(&orders, 1, Change::DoorClosed).await, OrderState::Cancelled);
    for store in [&orders.store, &allocator.store] {
        let (_, pending) = store.pending(&shop.shard, 10).await.expect("its own");
        assert!(!pending.is_empty());
        let ids: Vec<u64> = pending.iter().map(|pending| pending.id).collect();
        store.forget(&shop.shard, ids[..1].to_vec()).await.expect("its own");
    }

    // Bob pays another amount than he was asked for; his unit goes back by the gateway, which learns of it.
    let session = PaymentSession { session: "cs".into(), url: "http://pay".into() };
    let address = Change::AddressReady { session, hold_ms: 0 };
    assert_eq!(changed(&processor, 2, address.clone()).await, OrderState::PendingPayment);
    let wrong = money(&shop.find(2).await, PaymentStage::Captured);
    assert_eq!(changed(&gateway, 2, Change::WrongPayment(wrong)).await, OrderState::Refunding);
    assert!(gateway.store.note_event("sandbox", "evt").await.expect("its own"));
    assert_eq!(changed(&processor, 2, Change::MoneyReturned).await, OrderState::Refunded);

    // Eve's hold ends, and her money finds the unit again.
    assert_eq!(changed(&processor, 3, address).await, OrderState::PendingPayment);
    let overdue = expiration.store.overdue(9).await.expect("its own");
    assert_eq!(overdue, [shop.ticket(3)]);
    assert_eq!(changed(&expiration, 3, Change::Close(Closing::Deadline)).await, OrderState::Expiring);
    expiration.store.take_work(Work::Close, 9, 1_000).await.expect("its own");
    assert_eq!(changed(&expiration, 3, Change::DoorLeft).await, OrderState::Expired);
    let paid = Change::Paid(money(&shop.find(3).await, PaymentStage::Authorised));
    assert_eq!(changed(&gateway, 3, paid).await, OrderState::Expired);
    assert_eq!(changed(&processor, 3, Change::LateAttempt).await, OrderState::Expired);
    let units = [4].into_iter().collect();
    let late = Change::LateHeld { claim: TicketId([9; 16]), attempt: 1, units, epoch: shop.epoch };
    assert_eq!(changed(&processor, 3, late).await, OrderState::Expired);
    assert_eq!(changed(&processor, 3, Change::Captured).await, OrderState::Confirmed);
    assert_eq!(changed(&gateway, 3, Change::Refund { return_units: true }).await, OrderState::Refunding);
    assert_eq!(shop.store.self_check(&shop.shard.sale).await, Ok(Vec::new()));
    assert_eq!(shop.store.units(&shop.shard).await.expect("units")[0].held, Vec::<u32>::new());
}

#[tokio::test]
async fn gateway_relay_and_reconciler_do_their_own() {
    let (shop, _, url) = shop().await;
    let gateway = with(&url, "tzero_gateway").await;
    let mut sale = gateway.list().await.expect("its own").remove(0);
    sale.paused = true;
    gateway.update(sale.clone(), false).await.expect("its own");
    let key = IdempotencyKey::parse("k").expect("a key");
    let restocked = gateway.restock(&sale.sale_id, ProductNo(0), 3, &key).await;
    assert!(matches!(restocked, Ok(Restocked::Restocked(_))), "{restocked:?}");
    let (_, other_url) = store().await;
    let mut fresh = Shop::open(with(&other_url, "tzero_gateway").await, 5, 1).await;
    let mut sale = fresh.store.list().await.expect("its own").remove(0);
    sale.products.clear();
    fresh.store.update(sale, true).await.expect("its own");
    fresh.renew().await;

    let relay = with(&url, "tzero_relay").await;
    shop.apply(1, Change::ProviderRefused).await;
    let untold = relay.take(9, 1_000).await.expect("its own");
    assert_eq!(untold.len(), 1);
    relay.told(vec![untold[0].id]).await.expect("its own");
    let mut reconciler = shop.through(with(&url, "tzero_reconciler").await);
    reconciler.renew().await;
    assert_eq!(reconciler.allocate(vec![reconciler.claim(5, "ada", &[5])]).await, [Allocation::Allocated]);
}

#[tokio::test]
async fn what_no_user_may_do_the_server_refuses() {
    let (_shop, client, _) = shop().await;
    let all: Vec<&str> = GROUPS.into_iter().chain(BEFORE.map(|(group, _)| group)).collect();
    let columns = [
        "amount_minor = 1",
        "currency = 'USD'",
        "user_id = 'mallory'",
        "epoch = epoch + 1",
        "issued_at = now()",
        "ticket = decode(repeat('00', 16), 'hex')",
        "allocated_at = now()",
        "address_deadline = now()",
    ];
    let mut refused: Vec<String> =
        columns.iter().map(|set| format!("UPDATE tzero.orders SET {set}")).collect();
    let tables =
        ["orders", "order_unit", "step", "event", "restock", "action", "sale", "shard_term", "secret"];
    refused.extend(tables.iter().map(|table| format!("DELETE FROM tzero.{table}")));
    refused.extend(tables.iter().map(|table| format!("TRUNCATE tzero.{table}")));
    refused.extend(
        [
            "UPDATE tzero.secret SET fleet = 'zzz'",
            "UPDATE tzero.secret SET digest = decode(repeat('00', 32), 'hex')",
            "INSERT INTO tzero.secret (digest, fleet) VALUES (decode(repeat('00', 32), 'hex'), 'zzz')",
            "UPDATE tzero.step SET state = 'confirmed'",
            "UPDATE tzero.order_unit SET unit_no = 7",
            "UPDATE tzero.order_unit SET user_hash = decode(repeat('00', 16), 'hex')",
            "DELETE FROM tzero.migration",
            "ALTER TABLE tzero.orders DISABLE TRIGGER order_keeps_what_it_is",
            "CREATE TABLE tzero.own (x int)",
        ]
        .map(str::to_owned),
    );
    for group in &all {
        for sql in &refused {
            assert_eq!(answer(&client, group, sql).await.as_deref(), Some("42501"), "{group}: {sql}");
        }
    }
    let unit = "INSERT INTO tzero.order_unit SELECT ticket, 9, sale_no, product_no, 3, user_hash, 1, true FROM tzero.orders";
    let own = "UPDATE tzero.order_unit SET live = false";
    for group in
        ["tzero_gateway", "tzero_orders", "tzero_expiration", "tzero_relay", "tzero_api", "tzero_operator"]
    {
        for sql in [unit, own, "UPDATE tzero.orders SET units = '{7}'"] {
            let expected = if group == "tzero_api" && sql.contains("orders SET") { "23514" } else { "42501" };
            assert_eq!(answer(&client, group, sql).await.as_deref(), Some(expected), "{group}: {sql}");
        }
    }
    for group in ["tzero_allocator", "tzero_processor", "tzero_reconciler"] {
        assert_eq!(answer(&client, group, own).await.as_deref(), Some("42501"), "{group}");
    }
    for sql in [
        "UPDATE tzero.shard_term SET epoch = 9",
        "DELETE FROM tzero.effect",
        "UPDATE tzero.sale SET paused = true",
    ] {
        for group in ["tzero_processor", "tzero_expiration", "tzero_relay"] {
            assert_eq!(answer(&client, group, sql).await.as_deref(), Some("42501"), "{group}: {sql}");
        }
    }
}

/// Also the owner of the tables: what an order is stays.
#[tokio::test]
async fn an_order_keeps_what_it_is_whoever_writes() {
    let (shop, client, url) = shop().await;
    for set in [
        "amount_minor = 1",
        "currency = 'USD'",
        "user_id = 'mallory'",
        "epoch = epoch + 1",
        "issued_at = now()",
        "allocated_at = now()",
        "address_deadline = now()",
        "claim = decode(repeat('00', 16), 'hex')",
        "units = '{7}'",
    ] {
        let error = client.batch_execute(&format!("UPDATE tzero.orders SET {set}")).await.expect_err(set);
        assert_eq!(
            error.as_db_error().and_then(|told| told.constraint()),
            Some("order_keeps_what_it_is"),
            "{set}"
        );
    }
    // Whoever may end units ends none of a live order.
    let end = "SELECT tzero.end_units(array_agg(ticket), array_agg(sale_no), array_agg(product_no), array_agg(unit_no)) \
               FROM tzero.order_unit";
    let (gateway, held) = (by_hand(&format!("{url} options='-c role=tzero_gateway'")).await, [0, 1]);
    gateway.batch_execute(end).await.expect("its own");
    assert_eq!(shop.store.units(&shop.shard).await.expect("units")[0].held, held);
    let live: i64 =
        client.query_one("SELECT count(*) FROM tzero.order_unit WHERE live", &[]).await.expect("rows").get(0);
    assert_eq!(live, 2);
}

#[tokio::test]
async fn a_group_that_names_no_role_does_the_work_of_those_that_do() {
    let (_shop, client, url) = shop().await;
    // Statements of a program that knows these groups only.
    let moves = "UPDATE tzero.orders SET claim = claim, units = units, live = live, version = version + 1";
    let ends = "UPDATE tzero.order_unit SET live = false";
    for (group, sql) in [("tzero_api", moves), ("tzero_worker", moves), ("tzero_worker", ends)] {
        assert_eq!(answer(&client, group, sql).await, None, "{group}");
    }
    for (group, roles) in BEFORE {
        let store = with(&url, group).await;
        for role in roles {
            assert_eq!(store.has_rights_of(role).await, Ok(()), "{group}");
        }
    }
}

#[tokio::test]
async fn a_user_of_another_group_is_told_which_right_is_missing() {
    let (_shop, _, url) = shop().await;
    let mut wide = BTreeSet::new();
    for group in GROUPS {
        let store = with(&url, group).await;
        for other in GROUPS.into_iter().filter(|other| *other != group) {
            match store.has_rights_of(other).await {
                Ok(()) => drop(wide.insert((group, other))),
                Err(Refusal::Lacks { user, group: missing, .. }) => {
                    assert_eq!((user.as_str(), missing.as_str()), (group, other));
                }
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }
    // Who renews shards takes claims in; who moves money moves orders.
    assert_eq!(
        wide,
        BTreeSet::from([
            ("tzero_orders", "tzero_expiration"),
            ("tzero_processor", "tzero_expiration"),
            ("tzero_gateway", "tzero_expiration")
        ])
    );
    let stranger = Postgres::connect(as_group(&url, "pg_monitor")).await.err().expect("refused");
    let start = Postgres::migrate(&as_group(&empty().await, "tzero_gateway")).await.expect_err("no owner");
    for said in [stranger.to_string(), start.to_string()] {
        assert!(said.contains("permission denied"), "{said}");
        assert!(said.contains("with `tzero migrate`") && said.contains("`GRANT tzero_gateway TO"), "{said}");
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_called_that_and_what_to_do_is_said() {
    let (_shop, client, url) = shop().await;
    let said = async |sql: &str| {
        client.batch_execute(sql).await.expect("by hand");
        let connected = Postgres::connect(options(url.clone())).await.err().expect("refused").to_string();
        assert!(!connected.contains("damaged"), "{connected}");
        connected
    };
    let later = said("INSERT INTO tzero.migration (name, digest) VALUES ('9999_x', 'x')").await;
    assert!(later.contains("of a later version than this program: it has step 9999_x"), "{later}");
    assert!(!later.contains("tzero migrate"), "{later}");
    let migrated = Postgres::migrate(&options(url.clone())).await.expect_err("refused").to_string();
    assert_eq!(migrated, later);
    let earlier = said("DELETE FROM tzero.migration WHERE name IN ('9999_x', '0009_processes')").await;
    assert!(
        earlier.contains("of an earlier version than this program: 8 of 9 steps are done; `tzero migrate`"),
        "{earlier}"
    );
    let foreign = said("UPDATE tzero.migration SET digest = 'x' WHERE name = '0002_roles'").await;
    assert!(foreign.contains("was not made by this program: its step 0002_roles"), "{foreign}");
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_refused_with_what_to_do() {
    let (_store, url) = store().await;
    let standby = options(format!("{url} options='-c default_transaction_read_only=on'"));
    match Postgres::connect(standby).await {
        Err(refusal @ Refusal::ReadOnly { .. }) => {
            assert!(refusal.to_string().contains("Name the primary in postgres.url"), "{refusal}");
        }
        other => panic!("{:?}", other.err()),
    }
}
