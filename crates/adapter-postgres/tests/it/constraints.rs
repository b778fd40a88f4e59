//! What the schema refuses, whoever writes: SQL by hand, past the program.

use deadpool_postgres::Client;
use domain::allocation::Allocation;
use domain::audit::ViolationKind;
use domain::order::Reason;
use ports::Fault;
use ports::ledger::Books;

use crate::server::{by_hand, store};
use crate::shop::Shop;

/// A sale of 5 units, 2 a buyer: ann has unit 0 (ticket 1), bob unit 1 (ticket 2), and eve was refused (ticket 3).
async fn shop() -> (Shop, Client) {
    let (store, url) = store().await;
    let shop = Shop::open(store, 5, 2).await;
    let claims = vec![shop.claim(1, "ann", &[0]), shop.claim(2, "bob", &[1]), shop.claim(3, "eve", &[1])];
    let decided = shop.allocate(claims).await;
    use Allocation::{Allocated, Rejected};
    assert_eq!(decided, [Allocated, Allocated, Rejected(Reason::SoldOut)]);
    let client = by_hand(&url).await;
    (shop, client)
}

/// The constraint that refuses `sql`.
async fn refusal(client: &Client, sql: &str) -> String {
    let error = client.batch_execute(sql).await.expect_err("it must be refused");
    let answer = error.as_db_error().expect("an answer of the server");
    assert!(answer.code().code().starts_with("23"), "{answer:?}");
    answer.constraint().unwrap_or("none").to_owned()
}

/// A row for another unit of the order of `ticket`, by hand.
fn unit_of(ticket: &str, unit: u32, place: u32) -> String {
    format!(
        "INSERT INTO tzero.order_unit SELECT ticket, 9, sale_no, product_no, {unit}, user_hash, {place}, true \
         FROM tzero.orders WHERE user_id = '{ticket}'"
    )
}

#[tokio::test]
async fn a_unit_has_one_live_owner() {
    let (_shop, client) = shop().await;
    assert_eq!(refusal(&client, &unit_of("bob", 0, 1)).await, "order_unit_live");
    client.batch_execute(&unit_of("bob", 2, 1)).await.expect("another unit is free");
}

#[tokio::test]
async fn a_unit_beyond_the_stock_belongs_to_nobody() {
    let (_shop, client) = shop().await;
    assert_eq!(refusal(&client, &unit_of("bob", 5, 1)).await, "units_fit");
    assert_eq!(refusal(&client, "UPDATE tzero.slice SET units = '{[0,6)}'").await, "slice_within_stock");
    assert_eq!(refusal(&client, "UPDATE tzero.product SET stock = 4").await, "slice_within_stock");
    assert_eq!(refusal(&client, "UPDATE tzero.slice SET units = '{[1,5)}'").await, "slice_keeps_owned");
    assert_eq!(refusal(&client, "DELETE FROM tzero.slice").await, "slice_keeps_owned");
}

#[tokio::test]
async fn a_buyer_has_no_more_than_the_limit() {
    let (_shop, client) = shop().await;
    client.batch_execute(&unit_of("ann", 2, 1)).await.expect("the second of two");
    assert_eq!(refusal(&client, &unit_of("ann", 3, 2)).await, "units_fit", "there is no third place");
    assert_eq!(refusal(&client, &unit_of("ann", 3, 1)).await, "order_unit_limit", "the place is taken");
}

#[tokio::test]
async fn slices_are_disjoint_and_so_are_the_units_of_their_shards() {
    let (_shop, client) = shop().await;
    let slice = |units: &str| {
        format!("INSERT INTO tzero.slice SELECT sale_no, product_no, 1, stock, '{units}' FROM tzero.product")
    };
    assert_eq!(refusal(&client, &slice("{[4,5)}")).await, "slice_disjoint");
    client.batch_execute("UPDATE tzero.slice SET units = '{[0,4)}'").await.expect("unit 4 is free");
    client.batch_execute(&slice("{[4,5)}")).await.expect("it is the other shard's now");
    assert_eq!(
        refusal(&client, &unit_of("bob", 4, 1)).await,
        "units_fit",
        "bob's order is of the first shard"
    );
}

#[tokio::test]
async fn what_a_row_says_stays_said() {
    let (shop, client) = shop().await;
    client
        .batch_execute("UPDATE tzero.order_unit SET live = false WHERE unit_no = 0")
        .await
        .expect("it ends");
    let raised = "UPDATE tzero.order_unit SET live = true WHERE unit_no = 0";
    assert_eq!(refusal(&client, raised).await, "unit_may_only_end");
    let moved = "UPDATE tzero.order_unit SET unit_no = 3, live = false";
    assert_eq!(refusal(&client, moved).await, "unit_may_only_end");
    let back = "UPDATE tzero.shard_term SET epoch = epoch - 1";
    assert_eq!(refusal(&client, back).await, "term_never_goes_back");
    let unpaid = "UPDATE tzero.orders SET state = 'confirmed' WHERE user_id = 'bob'";
    assert_eq!(refusal(&client, unpaid).await, "confirmed_is_paid");
    let other = "UPDATE tzero.orders SET user_hash = decode(repeat('00', 16), 'hex')";
    assert_eq!(refusal(&client, other).await, "order_keeps_what_it_is");
    let found = shop.store.self_check(&shop.shard.sale).await.expect("checked");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind, found[0].units.iter().collect()), (ViolationKind::TableDiffers, vec![0]));
}

/// A row by hand that the rules do not know of: the batch is a fault, and nothing of it is written.
#[tokio::test]
async fn a_violated_constraint_is_a_fault_and_not_an_answer() {
    let (shop, client) = shop().await;
    client
        .batch_execute("ALTER TABLE tzero.order_unit ADD CONSTRAINT by_hand CHECK (unit_no <> 3)")
        .await
        .expect("made");
    let position = ports::ledger::Allocations::position(&*shop.store, &shop.shard).await.expect("a position");
    let batch = shop.batch(position, vec![shop.claim(7, "ann", &[2]), shop.claim(8, "bob", &[3])]);
    let fault = ports::ledger::Allocations::allocate(&*shop.store, &shop.shard, batch).await;
    let Err(Fault::Damaged { detail, .. }) = fault else { panic!("{fault:?}") };
    assert!(detail.contains("by_hand"), "{detail}");
    let after = ports::ledger::Allocations::position(&*shop.store, &shop.shard).await;
    assert_eq!(after, Ok(position));
    assert_eq!(shop.store.units(&shop.shard).await.expect("units")[0].held, [0, 1]);
}
