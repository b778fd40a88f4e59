//! Whatever is asked and answered crosses unchanged, by every method.

use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use ports::Fault;
use ports::orders::{CancelAnswer, Checkout, CheckoutAnswer, ExtendAnswer, Orders};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::generated;
use crate::stage::{Node, Scripted, client, options, soon, until};

/// What is asked and what is answered in one case.
#[derive(Clone, Debug)]
struct Case {
    checkout: Checkout,
    stamp: TicketStamp,
    version: u32,
    held: Result<CheckoutAnswer, Fault>,
    status: Result<Option<StatusDocument>, Fault>,
    cancelled: Result<CancelAnswer, Fault>,
    extended: Result<ExtendAnswer, Fault>,
}

fn case() -> impl Strategy<Value = Case> {
    let asked = (generated::checkout(), generated::stamp(), any::<u32>());
    let held_and_status = (generated::checkout_answer(), generated::status_answer());
    let ended = (generated::cancel_answer(), generated::extend_answer());
    (asked, held_and_status, ended).prop_map(|(asked, (held, status), (cancelled, extended))| {
        let (checkout, stamp, version) = asked;
        Case { checkout, stamp, version, held, status, cancelled, extended }
    })
}

#[test]
fn every_question_and_every_answer_crosses_unchanged() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let node = Node::start(Scripted::new(1));
    let client = runtime.block_on(async { client(options(&[&node])).await });
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let crossed = runner.run(&case(), |case| {
        runtime.block_on(soon(async {
            let Case { checkout, stamp, version, held, status, cancelled, extended } = &case;
            let orders = &node.orders;
            orders.checkout.lock().unwrap().clone_from(held);
            orders.status.lock().unwrap().clone_from(status);
            orders.cancel.lock().unwrap().clone_from(cancelled);
            orders.extend.lock().unwrap().clone_from(extended);
            orders.stamps.lock().unwrap().clear();
            prop_assert_eq!(&client.checkout(checkout.clone()).await, held);
            prop_assert_eq!(&client.status(stamp).await, status);
            prop_assert_eq!(&client.cancel(stamp).await, cancelled);
            prop_assert_eq!(&client.extend(stamp).await, extended);
            orders.news.notify_one();
            client.wait(stamp, *version).await;
            let asked = orders.checkouts.lock().unwrap().pop();
            prop_assert_eq!(asked.as_ref(), Some(checkout));
            let stamps = orders.stamps.lock().unwrap();
            prop_assert_eq!(stamps.len(), 4);
            prop_assert!(stamps[..3].iter().all(|asked| asked == stamp));
            prop_assert_eq!(stamps[3].epoch.0, *version);
            prop_assert_eq!(stamps[3].ticket, stamp.ticket);
            Ok(())
        }))
    });
    crossed.unwrap();
}

#[test]
fn counts_cross_unchanged() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let node = Node::start(Scripted::new(1));
    let client = runtime.block_on(async { client(options(&[&node])).await });
    let mut runner = TestRunner::new(Config { cases: 20, failure_persistence: None, ..Config::default() });
    let crossed = runner.run(&(generated::sale(), generated::product(), generated::view()), |case| {
        runtime.block_on(async {
            let (sale, product, view) = case;
            node.orders.views.lock().unwrap().insert((sale.clone(), product.clone()), view);
            until("the counts are there", || client.view(&sale, &product) == Some(view)).await;
            Ok(())
        })
    });
    crossed.unwrap();
}
