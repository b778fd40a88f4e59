//! A node that stops finishes what is under way, and takes nothing new.

use std::sync::atomic::Ordering;
use std::time::Duration;

use order_link::{Limits, Options};
use ports::clock::{Clock, SystemClock};
use ports::orders::Orders;

use crate::stage::{Node, Scripted, answered_by, checkout, client, options, shard_at, soon, stamp, until};

#[tokio::test]
async fn a_checkout_under_way_is_finished_and_the_next_goes_elsewhere() {
    let (one, two) = (Node::start(Scripted::new(1)), Node::start(Scripted::new(2)));
    let shard = shard_at(&one, &[&one, &two]);
    // Longer than the test: it must be the stopping node that answers.
    let times = Options { try_limit: Duration::from_secs(15), ..options(&[&one, &two]) };
    let client = client(Options { deadline: Duration::from_secs(15), ..times }).await;
    one.orders.shut();
    let orders = one.orders.clone();
    let stopped = async {
        until("the checkout is there", || orders.asked() == 1).await;
        one.stop.cancel();
        until("it is left aside", || !client.nodes()[0].well).await;
        assert_eq!(answered_by(&client.checkout(checkout(shard)).await), 2);
        assert!(!one.has_ended());
        one.orders.open();
    };
    let (answer, ()) = soon(async { tokio::join!(client.checkout(checkout(shard)), stopped) }).await;
    assert_eq!(answered_by(&answer), 1);
    until("its server has returned", || one.has_ended()).await;
    assert_eq!(orders.asked(), 1);
}

#[tokio::test]
async fn waits_end_when_their_node_stops() {
    let one = Node::start(Scripted::new(1));
    let client = client(options(&[&one])).await;
    let at = stamp(0);
    let stopped = async {
        until("somebody waits", || one.orders.waiting.load(Ordering::SeqCst) == 1).await;
        one.stop.cancel();
        until("its server has returned", || one.has_ended()).await;
    };
    soon(async { tokio::join!(client.wait(&at, 1), stopped) }).await;
}

#[tokio::test]
async fn what_takes_too_long_is_cut_at_the_end() {
    let limits = Limits { drain_limit: Duration::from_millis(200), ..Limits::default() };
    let one = Node::start_at("127.0.0.1:0", Scripted::new(1), limits);
    let client = client(options(&[&one])).await;
    one.orders.shut();
    let begun = SystemClock::start();
    let stopped = async {
        until("the checkout is there", || one.orders.asked() == 1).await;
        one.stop.cancel();
        until("its server has returned", || one.has_ended()).await;
    };
    let (answer, ()) = soon(async { tokio::join!(client.checkout(checkout(0)), stopped) }).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}
