//! How much may be asked of a node at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use order_link::Options;
use ports::Fault;
use ports::orders::Orders;
use tokio::task::JoinSet;

use crate::stage::{
    KEY, Node, Scripted, answered_by, checkout, client, client_with, options, soon, stamp, until,
};

#[tokio::test]
async fn what_is_beyond_the_bound_is_overloaded_and_waiting_does_not_count() {
    let one = Node::start(Scripted::new(1));
    let options = Options { in_flight: 3, deadline: Duration::from_secs(15), ..options(&[&one]) };
    let client = Arc::new(client(options).await);
    one.orders.shut();
    let mut under_way = JoinSet::new();
    for _ in 0..5 {
        let waiting = client.clone();
        under_way.spawn(async move { waiting.wait(&stamp(0), 1).await });
    }
    until("five wait", || one.orders.waiting.load(Ordering::SeqCst) == 5).await;
    let mut checkouts = JoinSet::new();
    for _ in 0..3 {
        let asking = client.clone();
        checkouts.spawn(async move { asking.checkout(checkout(0)).await });
    }
    until("three are under way", || one.orders.asked() == 3).await;
    assert_eq!(client.checkout(checkout(0)).await, Err(Fault::Overloaded("an orders node")));
    assert_eq!(client.status(&stamp(0)).await, Err(Fault::Overloaded("an orders node")));
    assert_eq!(one.orders.asked(), 3, "it reached the node");
    one.orders.open();
    soon(async {
        while let Some(answer) = checkouts.join_next().await {
            assert_eq!(answered_by(&answer.unwrap()), 1);
        }
    })
    .await;
    assert_eq!(answered_by(&client.checkout(checkout(0)).await), 1);
    one.orders.news.notify_waiters();
    soon(async { while under_way.join_next().await.is_some() {} }).await;
}

#[tokio::test]
async fn requests_that_are_given_up_leave_room_and_the_connection_whole() {
    let one = Node::start(Scripted::new(1));
    let client = client(Options { in_flight: 4, ..options(&[&one]) }).await;
    one.orders.shut();
    for round in 1..=800 {
        let asked = join_all((0..4).map(|_| client.checkout(checkout(0))));
        let all_there = async {
            while one.orders.asked() < 4 * round {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::select! {
            biased;
            answers = asked => panic!("{answers:?}"),
            () = soon(all_there) => {}
        }
    }
    one.orders.open();
    assert_eq!(answered_by(&client.checkout(checkout(0)).await), 1);
    assert!(client.nodes()[0].well);
}

#[tokio::test]
async fn a_client_that_is_closed_answers_by_a_fault_and_leaves_nothing_running() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    soon(client.close(Duration::from_secs(10))).await;
    assert!(matches!(client.checkout(checkout(0)).await, Err(Fault::Unavailable { .. })));
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_in_words() {
    let good = Options::new(vec!["a:1".into()]);
    let start = |options| {
        let key = order_link::LinkKey::new(KEY);
        let clock = Arc::new(ports::clock::SystemClock::start());
        order_link::Client::start(options, &key, |_| crate::stage::shard(0), clock, crate::stage::dice())
            .err()
    };
    assert_eq!(start(good.clone()), None);
    for (options, word) in [
        (Options::new(vec![]), "one or more"),
        (Options::new(vec!["a:1".into(), "a:1".into()]), "once"),
        (Options { connections: 0, ..good.clone() }, "connections"),
        (Options { health_every: Duration::ZERO, ..good.clone() }, "health"),
    ] {
        assert!(start(options).unwrap().contains(word), "{word}");
    }
    drop(client_with(good, KEY));
}
