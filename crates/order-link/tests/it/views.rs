//! Counts of products: kept up to date while somebody looks.

use std::time::Duration;

use domain::hold::StockView;
use domain::id::ProductId;
use order_link::Options;
use ports::orders::Orders;

use crate::stage::{Node, Scripted, client, options, sale, until};

fn product(number: usize) -> ProductId {
    ProductId::parse(&number.to_string()).unwrap()
}

fn counts(stock: u32) -> StockView {
    StockView { stock, available: stock, open: true, ..StockView::default() }
}

fn set(node: &Node, number: usize, stock: u32) {
    node.orders.views.lock().unwrap().insert((sale(), product(number)), counts(stock));
}

#[tokio::test]
async fn counts_are_unknown_then_known_then_followed_and_survive_their_node() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    set(&one, 1, 10);
    assert_eq!(client.view(&sale(), &product(1)), None);
    until("they are known", || client.view(&sale(), &product(1)) == Some(counts(10))).await;
    set(&one, 1, 9);
    until("they are followed", || client.view(&sale(), &product(1)) == Some(counts(9))).await;
    one.orders.views.lock().unwrap().clear();
    one.kill();
    until("it is left aside", || !client.nodes()[0].well).await;
    assert_eq!(client.view(&sale(), &product(1)), Some(counts(9)));
}

#[tokio::test]
async fn what_nobody_looks_at_is_forgotten() {
    let one = Node::start(Scripted::new(1));
    let client = client(Options { view_kept: Duration::from_millis(100), ..options(&[&one]) }).await;
    set(&one, 1, 10);
    until("they are known", || client.view(&sale(), &product(1)).is_some()).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    // Whoever asked for this one has left out what nobody looks at.
    set(&one, 2, 20);
    until("another one is known", || client.view(&sale(), &product(2)).is_some()).await;
    assert_eq!(client.view(&sale(), &product(1)), None);
}

#[tokio::test]
async fn so_many_products_at_most_are_kept_and_many_are_asked_for_in_parts() {
    let one = Node::start(Scripted::new(1));
    let client = client(Options { views: 700, ..options(&[&one]) }).await;
    (0..701).for_each(|number| set(&one, number, 1 + number as u32));
    (0..701).for_each(|number| assert_eq!(client.view(&sale(), &product(number)), None));
    let known = |number: usize| client.view(&sale(), &product(number)) == Some(counts(1 + number as u32));
    until("those within the bound are known", || (0..700).all(known)).await;
    assert_eq!(client.view(&sale(), &product(700)), None);
}
