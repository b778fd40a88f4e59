//! Late money: units are taken again under the running epoch, within the limit, also the same ones.

use domain::id::{Epoch, TicketId};
use domain::order::{OrderState, Work};
use domain::payment::{Payment, PaymentStage};
use domain::transition::{Change, ChangeRefusal, Closing};
use ports::ledger::{Applied, Books, Ledger};

use crate::server::{by_hand, store};
use crate::shop::Shop;

fn late(attempt: u16, unit: u32, epoch: Epoch) -> Change {
    let units = [unit].into_iter().collect();
    Change::LateHeld { claim: TicketId([attempt as u8; 16]), attempt, units, epoch }
}

/// Ends an unpaid order, and then its money comes.
async fn lapse(shop: &Shop, number: u32) {
    let amount = shop.find(number).await.amount;
    let payment = Payment { payment: "pi".into(), amount, stage: PaymentStage::Authorised };
    for change in
        [Change::Close(Closing::ByBuyer), Change::DoorClosed, Change::Paid(payment), Change::LateAttempt]
    {
        let applied = shop.apply(number, change).await;
        assert!(matches!(applied, Applied::Changed(_)), "{applied:?}");
    }
}

#[tokio::test]
async fn a_ticket_may_own_the_same_unit_again() {
    let (store, url) = store().await;
    let shop = Shop::open(store.clone(), 3, 1).await;
    shop.allocate(vec![shop.claim(1, "ann", &[0]), shop.claim(2, "bob", &[1])]).await;
    lapse(&shop, 1).await;
    let refused = |applied: &Applied| matches!(applied, Applied::Refused(ChangeRefusal::Ended, _));
    assert!(refused(&shop.apply(1, late(1, 0, Epoch(shop.epoch.0 - 1))).await), "another epoch");
    assert!(refused(&shop.apply(1, late(1, 1, shop.epoch)).await), "bob has it");
    let held = shop.apply(1, late(1, 0, shop.epoch)).await;
    assert!(matches!(held, Applied::Changed(_)), "{held:?}");
    assert!(matches!(shop.apply(1, late(1, 0, shop.epoch)).await, Applied::Replay(_)));
    let work = store.take_work(Work::Capture, 10, 1_000).await.expect("work");
    assert_eq!(work.iter().map(|order| order.ticket).collect::<Vec<_>>(), [shop.ticket(1)]);
    assert!(matches!(shop.apply(1, Change::Captured).await, Applied::Changed(_)));
    assert_eq!(shop.find(1).await.state, OrderState::Confirmed);
    let client = by_hand(&url).await;
    let asked = "SELECT since, live FROM tzero.order_unit WHERE unit_no = 0 ORDER BY 1";
    let rows = client.query(asked, &[]).await.expect("rows");
    let rows: Vec<(i64, bool)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(rows, [(1, false), (6, true)]);
    assert_eq!(store.self_check(&shop.shard.sale).await, Ok(Vec::new()));
}

/// All of it in one batch: what is given up is written before other units are taken under another claim.
#[tokio::test]
async fn an_order_may_give_up_its_units_and_take_others_in_one_batch() {
    let (store, _) = store().await;
    let shop = Shop::open(store.clone(), 5, 1).await;
    shop.allocate(vec![shop.claim(1, "ann", &[0]), shop.claim(2, "bob", &[1])]).await;
    let amount = shop.find(1).await.amount;
    let payment = Payment { payment: "pi".into(), amount, stage: PaymentStage::Captured };
    let changes = [
        (2, Change::Close(Closing::ByBuyer)),
        (1, Change::Close(Closing::ByBuyer)),
        (1, Change::DoorClosed),
        (1, Change::Paid(payment)),
        (1, Change::LateAttempt),
        (1, late(1, 3, shop.epoch)),
        (2, Change::DoorClosed),
    ];
    let changes = changes.map(|(number, change)| (shop.ticket(number), change));
    let applied = store.apply(changes.to_vec()).await.expect("no fault");
    assert!(applied.iter().all(|applied| matches!(applied, Applied::Changed(_))), "{applied:?}");
    let order = shop.find(1).await;
    assert_eq!((order.state, order.version, order.claim), (OrderState::Confirmed, 6, TicketId([1; 16])));
    assert_eq!(shop.find(2).await.state, OrderState::Cancelled);
    let units = store.units(&shop.shard).await.expect("units").remove(0);
    assert_eq!((units.held, units.sold), (Vec::new(), vec![3]));
    assert_eq!(store.story(shop.ticket(1)).await.expect("a story").len(), 6);
    assert_eq!(store.self_check(&shop.shard.sale).await, Ok(Vec::new()));
}

#[tokio::test]
async fn late_units_count_for_the_limit_and_not_while_the_shard_is_renewed() {
    let (store, _) = store().await;
    let mut shop = Shop::open(store.clone(), 5, 1).await;
    shop.allocate(vec![shop.claim(1, "ann", &[0])]).await;
    lapse(&shop, 1).await;
    // Ann has bought another one meanwhile.
    shop.allocate(vec![shop.claim(2, "ann", &[1])]).await;
    let over = shop.apply(1, late(1, 2, shop.epoch)).await;
    assert!(matches!(over, Applied::Refused(ChangeRefusal::Ended, _)), "{over:?}");
    shop.apply(2, Change::ProviderRefused).await;
    let epoch = shop.epoch;
    ports::ledger::Terms::fence(&*store, &shop.shard).await.expect("fenced");
    for epoch in [epoch, epoch.next()] {
        let closed = shop.apply(1, late(1, 2, epoch)).await;
        assert!(matches!(closed, Applied::Refused(ChangeRefusal::Ended, _)), "{closed:?}");
    }
    shop.renew().await;
    let (epoch, before) = (shop.epoch, store.totals(&shop.shard.sale).await.expect("totals").revision);
    assert!(matches!(shop.apply(1, late(1, 2, epoch)).await, Applied::Changed(_)));
    assert!(store.totals(&shop.shard.sale).await.expect("totals").revision > before);
}
