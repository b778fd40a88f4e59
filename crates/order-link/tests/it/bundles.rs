//! Questions that cross together do not hurt each other.

use std::sync::Arc;

use futures::future::join_all;
use ports::Fault;
use ports::orders::{Checkout, Orders};
use tokio::task::JoinSet;

use crate::stage::{FATAL, Node, Scripted, answered_by, checkout, client, options, soon, until};

#[tokio::test]
async fn a_slow_answer_holds_up_nobody() {
    let one = Node::start(Scripted::new(1));
    let client = Arc::new(client(options(&[&one])).await);
    one.orders.shut();
    let mut checkouts = JoinSet::new();
    for _ in 0..20 {
        let asking = client.clone();
        checkouts.spawn(async move { asking.checkout(checkout(0)).await });
    }
    until("all are there", || one.orders.asked() == 20).await;
    for left in (0..20).rev() {
        one.orders.gate.add_permits(1);
        let answer = soon(checkouts.join_next()).await.unwrap().unwrap();
        assert_eq!(answered_by(&answer), 1);
        assert_eq!(checkouts.len(), left);
    }
}

#[tokio::test]
async fn one_that_makes_the_node_fail_is_told_so_and_its_neighbours_have_their_answers() {
    let one = Node::start(Scripted::new(1));
    let two = Node::start(Scripted::new(2));
    let client = client(options(&[&one, &two])).await;
    let fatal = Checkout { quantity: FATAL, ..checkout(0) };
    let asked = [checkout(0), fatal, checkout(0)].map(|checkout| client.checkout(checkout));
    let answers = soon(join_all(asked)).await;
    let Err(Fault::Damaged { detail, .. }) = &answers[1] else { panic!("{answers:?}") };
    assert!(detail.contains("made the node fail"), "{detail}");
    assert_eq!(answered_by(&answers[0]), answered_by(&answers[2]));
}

#[tokio::test]
async fn more_than_fit_into_one_cross_in_several() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    let answers = soon(join_all((0..1_000).map(|_| client.checkout(checkout(0))))).await;
    assert!(answers.iter().all(|answer| answered_by(answer) == 1));
    assert_eq!(one.orders.asked(), 1_000);
}
