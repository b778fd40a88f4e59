//! Nodes that die, hang and come back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::ticket::TicketStamp;
use order_link::{Limits, Options};
use ports::Fault;
use ports::clock::{Clock, SystemClock};
use ports::orders::Orders;

use crate::stage::{
    KEY, Node, Scripted, answered_by, checkout, client, client_with, document, options, shard_at, soon,
    stamp, until,
};

#[tokio::test]
async fn each_checkout_goes_to_the_node_of_its_shard() {
    let (one, two) = (Node::start(Scripted::new(1)), Node::start(Scripted::new(2)));
    let both = [&one, &two];
    let client = client(options(&both)).await;
    for node in both {
        let shard = shard_at(node, &both);
        assert_eq!(answered_by(&client.checkout(checkout(shard)).await), node.orders.name);
        *node.orders.status.lock().unwrap() = Ok(Some(document(node.orders.name.into())));
        assert_eq!(client.status(&stamp(shard)).await, Ok(Some(document(node.orders.name.into()))));
    }
}

#[tokio::test]
async fn a_checkout_whose_node_is_killed_is_answered_by_the_next_one() {
    let (one, two) = (Node::start(Scripted::new(1)), Node::start(Scripted::new(2)));
    let shard = shard_at(&one, &[&one, &two]);
    // Longer than the test: only the death of the node makes the next one be asked.
    let options = order_link::Options { try_limit: Duration::from_secs(15), ..options(&[&one, &two]) };
    let client = client(order_link::Options { deadline: Duration::from_secs(15), ..options }).await;
    one.orders.shut();
    let orders = one.orders.clone();
    let killed = async {
        until("the checkout is there", || orders.asked() == 1).await;
        one.kill();
    };
    let (answer, ()) = soon(async { tokio::join!(client.checkout(checkout(shard)), killed) }).await;
    assert_eq!(answered_by(&answer), 2);
}

#[tokio::test]
async fn a_node_that_hangs_is_passed_by_and_marked_and_comes_back() {
    let (one, two) = (Node::start(Scripted::new(1)), Node::start(Scripted::new(2)));
    let shard = shard_at(&one, &[&one, &two]);
    let client = client(options(&[&one, &two])).await;
    assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 1);
    let thaw = one.freeze();
    assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 2);
    until("health marks it", || !client.nodes()[0].well).await;
    until("its connections are ended", || client.nodes()[0].trouble.is_some()).await;
    let begun = SystemClock::start();
    assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 2);
    assert!(begun.elapsed() < Duration::from_millis(300), "it was tried again");
    drop(thaw);
    until("it is back", || client.nodes()[0].well).await;
    assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 1);
}

#[tokio::test]
async fn a_node_that_never_answered_anything_is_not_asked() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let two = Node::start(Scripted::new(2));
    let mut options = options(&[&two]);
    options.nodes.push(silent.local_addr().unwrap().to_string());
    let client = client_with(options, KEY);
    soon(client.ready()).await;
    for shard in 0..20 {
        assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 2);
    }
    until("it is known why", || client.nodes()[1].trouble.is_some()).await;
    assert!(!client.nodes()[1].well);
}

#[tokio::test]
async fn the_shards_of_a_node_that_was_killed_return_to_it() {
    let (one, two) = (Node::start(Scripted::new(1)), Node::start(Scripted::new(2)));
    let shard = shard_at(&one, &[&one, &two]);
    let client = client(options(&[&one, &two])).await;
    let address = one.kill();
    until("it is left aside", || !client.nodes()[0].well).await;
    assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 2);
    let again = Node::start_at(&address, Scripted::new(3), Limits::default());
    until("it is back", || client.nodes()[0].well).await;
    assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 3);
    drop(again);
}

#[tokio::test]
async fn no_node_is_a_fault_soon() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    let address = one.kill();
    until("it is left aside", || !client.nodes()[0].well).await;
    let begun = SystemClock::start();
    let answer = client.checkout(checkout(0)).await;
    assert!(begun.elapsed() < Duration::from_millis(300), "{:?}", begun.elapsed());
    let Err(Fault::Unavailable { what, detail }) = answer else { panic!("{answer:?}") };
    assert_eq!(what, "an orders node");
    assert!(detail.contains(&address), "{detail}");
    assert!(matches!(client.status(&stamp(0)).await, Err(Fault::Unavailable { .. })));
    assert!(matches!(client.cancel(&stamp(0)).await, Err(Fault::Unavailable { .. })));
    assert!(matches!(client.extend(&stamp(0)).await, Err(Fault::Unavailable { .. })));
}

#[tokio::test]
async fn whoever_finds_no_node_waits_a_moment_for_one_that_comes_back() {
    let one = Node::start(Scripted::new(1));
    let patient = Options { mend_limit: Duration::from_secs(10), mending: 1, ..options(&[&one]) };
    let client = client(patient).await;
    let address = one.kill();
    until("it is left aside", || !client.nodes()[0].well).await;
    let comes_back = async {
        // One waits, and there is room for no other.
        let second = client.status(&stamp(0)).await;
        assert!(matches!(second, Err(Fault::Unavailable { .. })), "{second:?}");
        Node::start_at(&address, Scripted::new(2), Limits::default())
    };
    let (answer, _again) = soon(async { tokio::join!(client.checkout(checkout(0)), comes_back) }).await;
    assert_eq!(answered_by(&answer), 2);
}

#[tokio::test]
async fn a_wait_ends_when_its_node_dies_and_does_not_spin_without_one() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    let orders = one.orders.clone();
    let killed = async {
        until("somebody waits", || orders.waiting.load(Ordering::SeqCst) == 1).await;
        one.kill();
    };
    let at = stamp(0);
    soon(async { tokio::join!(client.wait(&at, 1), killed) }).await;
    until("it is left aside", || !client.nodes()[0].well).await;
    let begun = SystemClock::start();
    client.wait(&at, 1).await;
    assert!(begun.elapsed() >= Duration::from_millis(200), "whoever waits in a loop spins");
}

#[tokio::test]
async fn a_wait_ends_when_its_node_hangs() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    let orders = one.orders.clone();
    let frozen = async {
        until("somebody waits", || orders.waiting.load(Ordering::SeqCst) == 1).await;
        one.freeze()
    };
    let at: TicketStamp = stamp(0);
    let ((), thaw) = soon(async { tokio::join!(client.wait(&at, 1), frozen) }).await;
    drop(thaw);
}
