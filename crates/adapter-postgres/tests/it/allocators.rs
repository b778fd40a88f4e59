//! Several processes on one ledger: whoever is first decides, and the others learn it.

use std::sync::Arc;

use adapter_postgres::Postgres;
use domain::allocation::Allocation;
use domain::fence::Position;
use domain::order::{OrderState, Reason};
use domain::payment::{Payment, PaymentStage};
use domain::transition::{Change, Closing};
use futures::future::join_all;
use ports::ledger::{Allocations, Applied, Books, Effects, Ledger};

use crate::server::{options, store};
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_allocators_with_the_same_batch_one_wins() {
    let (one, url) = store().await;
    let shop = Shop::open(one.clone(), 400, 4).await;
    let other = Arc::new(Postgres::connect(options(url)).await.expect("connected"));
    let mut at = Position(0);
    for round in 0..20 {
        let claims =
            (0..20).map(|claim| shop.claim(round * 20 + claim, &format!("u{claim}"), &[round * 20 + claim]));
        let batch = shop.batch(at, claims.collect());
        at = batch.next;
        let (first, second) = futures::join!(
            one.allocate(&shop.shard, batch.clone()),
            other.allocate(&shop.shard, batch.clone())
        );
        let answers = [first.expect("no fault"), second.expect("no fault")];
        assert_eq!(answers.iter().flatten().count(), 1, "one wins: {answers:?}");
        assert_eq!(one.position(&shop.shard).await, Ok(at));
    }
    let (orders, _) = one.orders(&shop.shard.sale, &Default::default(), 0, 1_000).await.expect("orders");
    let live = orders.iter().filter(|order| order.live).count();
    assert_eq!((orders.len(), live), (400, 80), "four a buyer, twenty buyers");
    assert_eq!(one.self_check(&shop.shard.sale).await, Ok(Vec::new()));
}

/// Claims of one batch see each other: units, limits and tickets.
#[tokio::test]
async fn claims_of_a_batch_bear_on_each_other() {
    use Allocation::{Allocated, Known, Rejected};
    let (store, _) = store().await;
    let shop = Shop::open(store.clone(), 5, 2).await;
    let stale = domain::hold::Claim { epoch: domain::id::Epoch(7), ..shop.claim(6, "old", &[4]) };
    let claims = vec![
        shop.claim(1, "ann", &[0]),
        shop.claim(2, "bob", &[0]),
        shop.claim(1, "ann", &[0]),
        shop.claim(3, "ann", &[1, 2]),
        shop.claim(4, "ann", &[1]),
        shop.claim(5, "eve", &[5]),
        stale,
    ];
    let decided = shop.allocate(claims).await;
    let wanted = [
        Allocated,
        Rejected(Reason::SoldOut),
        Known,
        Rejected(Reason::LimitReached),
        Allocated,
        Rejected(Reason::SoldOut),
        Rejected(Reason::StoreFailover),
    ];
    assert_eq!(decided, wanted);
    let (_, pending) = store.pending(&shop.shard, 10).await.expect("effects");
    use domain::hold::EffectKind::{Pin, Release};
    let kinds: Vec<_> = pending.iter().map(|pending| pending.effect.kind).collect();
    assert_eq!(kinds, [Pin, Release, Pin, Release, Pin, Release, Release]);
    let story = store.story(shop.ticket(2)).await.expect("a story");
    assert_eq!(
        (story.len(), story[0].state, story[0].reason),
        (1, OrderState::Rejected, Some(Reason::SoldOut))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_end_the_same_orders_each_order_has_one_end() {
    const ORDERS: u32 = 24;
    let (store, url) = store().await;
    let shop = Arc::new(Shop::open(store.clone(), ORDERS, 5).await);
    let claims = (0..ORDERS).map(|number| shop.claim(number, &format!("u{number}"), &[number]));
    shop.allocate(claims.collect()).await;
    let other = Arc::new(Postgres::connect(options(url)).await.expect("connected"));
    let amount = shop.find(0).await.amount;
    let tasks = (0..32u32).map(|task| {
        let (shop, store) = (shop.clone(), if task % 2 == 0 { store.clone() } else { other.clone() });
        async move {
            let mut ends = vec![0; ORDERS as usize];
            for turn in 0..ORDERS {
                // Several orders at once, in another order in each task.
                let numbers: Vec<u32> =
                    (0..3).map(|at| (turn * (task % 5 + 1) + task + at * 7) % ORDERS).collect();
                let change = match task % 3 {
                    0 => {
                        Change::Paid(Payment { payment: "pi".into(), amount, stage: PaymentStage::Captured })
                    }
                    1 => Change::ProviderRefused,
                    _ => Change::Close(Closing::ByOperator),
                };
                let changes = numbers.iter().map(|number| (shop.ticket(*number), change.clone())).collect();
                let applied = store.apply(changes).await.expect("no fault");
                for (number, outcome) in numbers.iter().zip(applied) {
                    if let Applied::Changed(order) = outcome {
                        ends[*number as usize] +=
                            u32::from(order.state != OrderState::Expiring && order.payment.is_none());
                        ends[*number as usize] += u32::from(order.state == OrderState::Confirmed);
                    }
                }
                let closed = store.apply(vec![(shop.ticket(numbers[0]), Change::DoorClosed)]).await;
                let closed = closed.expect("no fault").remove(0);
                ends[numbers[0] as usize] += u32::from(matches!(closed, Applied::Changed(_)));
            }
            ends
        }
    });
    let mut set = tokio::task::JoinSet::new();
    tasks.for_each(|task| drop(set.spawn(task)));
    let ends = set.join_all().await;
    let found = join_all((0..ORDERS).map(|number| shop.find(number))).await;
    for (number, order) in found.iter().enumerate() {
        let times: u32 = ends.iter().map(|ends| ends[number]).sum();
        assert_eq!(times, 1, "one end of order {number}, which is {:?}", order.state);
        assert_eq!(order.live, order.state == OrderState::Confirmed);
    }
    assert_eq!(store.self_check(&shop.shard.sale).await, Ok(Vec::new()));
}
