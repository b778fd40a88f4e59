//! Promises of the ledger.

use std::time::Duration;

use domain::hold::{EffectKind, HoldOutcome, HoldRequest, Intent, Settled};
use domain::id::TicketId;
use domain::order::{OrderState, Work};
use domain::payment::{Payment, PaymentStage};
use domain::time::Timestamp;
use domain::transition::{Change, ChangeRefusal, Closing};

use super::Backend;
use super::world::{World, effect, parsed};
use crate::ledger::{Applied, OrderFilter};

fn paid(order: &domain::order::Order, stage: PaymentStage) -> Change {
    Change::Paid(Payment { payment: "pi_1".into(), amount: order.amount, stage })
}

/// Changes, effects, story.
pub async fn changes_are_applied_once_and_told_to_the_inventory(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let order = world.order("ann").await;
    world.deliver().await;
    world.address(order.ticket, 60_000).await;
    let change = paid(&order, PaymentStage::Authorised);
    let before = parsed(backend.ledger.now().await);
    assert!(matches!(world.apply(order.ticket, change.clone()).await, Applied::Changed(_)));
    let after = parsed(backend.ledger.now().await);
    assert!(matches!(world.apply(order.ticket, change).await, Applied::Replay(_)));
    let closing = world.apply(order.ticket, Change::Close(Closing::ByBuyer)).await;
    assert!(matches!(closing, Applied::Refused(ChangeRefusal::Paid, _)), "the payment was first");
    let Applied::Changed(confirmed) = world.apply(order.ticket, Change::Captured).await else {
        panic!("captured")
    };
    assert_eq!((confirmed.state, confirmed.version), (OrderState::Confirmed, 4));
    assert_eq!(world.find(order.ticket).await, Some(*confirmed), "what is answered is stored");
    assert_eq!(world.deliver().await, [EffectKind::Confirm]);
    assert_eq!(world.counts().await, [4, 0, 1]);
    let story = parsed(backend.ledger.story(order.ticket).await);
    assert_eq!(story.iter().map(|step| step.version).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!((before..=after).contains(&story[2].at), "{before:?} {:?} {after:?}", story[2].at);
    let unknown = world.apply(TicketId([0xee; 16]), Change::Captured).await;
    assert_eq!(unknown, Applied::Unknown);
    let totals = parsed(backend.books.totals(&world.shard.sale).await);
    assert_eq!(totals.money[0].captured, totals.money[0].revenue);
    assert_eq!(totals.money[0].revenue, order.amount);
}

/// Leases.
pub async fn work_that_was_taken_is_kept_from_others_until_its_lease_ends(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let order = world.order("ann").await;
    let take = async |lease_ms| {
        let taken = parsed(backend.ledger.take_work(Work::Address, 1_000, lease_ms).await);
        taken.iter().any(|taken| taken.ticket == order.ticket)
    };
    assert!(take(400).await);
    assert!(!take(400).await, "somebody has it");
    let back = async {
        while !take(60_000).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    parsed(tokio::time::timeout(Duration::from_secs(10), back).await);
    parsed(backend.ledger.put_off(order.ticket, Work::Address, Timestamp::EPOCH).await);
    assert!(take(60_000).await, "due again");
    world.address(order.ticket, 60_000).await;
    parsed(backend.ledger.put_off(order.ticket, Work::Address, Timestamp::EPOCH).await);
    assert!(!take(60_000).await, "there is no such work any more");
}

/// Deadlines.
pub async fn overdue_orders_are_found_by_the_ledgers_clock(backend: &Backend) {
    let world = World::open(backend, 5, 5).await;
    let order = world.order("ann").await;
    world.address(order.ticket, 200).await;
    let overdue = async || parsed(backend.ledger.overdue(1_000).await).contains(&order.ticket);
    assert!(!overdue().await);
    let early = world.apply(order.ticket, Change::Close(Closing::Deadline)).await;
    assert!(matches!(early, Applied::Refused(ChangeRefusal::NotDue, _)), "{early:?}");
    let due = async {
        while !overdue().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    parsed(tokio::time::timeout(Duration::from_secs(10), due).await);
    assert!(matches!(world.apply(order.ticket, Change::Close(Closing::Deadline)).await, Applied::Changed(_)));
    assert!(!overdue().await, "it is being closed");
}

/// Events.
pub async fn an_event_is_noted_once(backend: &Backend) {
    let world = World::open(backend, 1, 1).await;
    let event = format!("evt-{}", world.shard.sale);
    assert!(parsed(backend.ledger.note_event("one", &event).await));
    assert!(!parsed(backend.ledger.note_event("one", &event).await));
    assert!(parsed(backend.ledger.note_event("two", &event).await), "another provider's");
}

/// Late money and a rebuild in between.
pub async fn late_units_of_an_older_epoch_are_refused(backend: &Backend) {
    let mut world = World::open(backend, 5, 5).await;
    let order = world.order("ann").await;
    world.apply(order.ticket, Change::Close(Closing::ByBuyer)).await;
    world.apply(order.ticket, Change::DoorClosed).await;
    world.apply(order.ticket, paid(&order, PaymentStage::Authorised)).await;
    let attempt = async |world: &World<'_>, number: u8| {
        let Applied::Changed(order) = world.apply(order.ticket, Change::LateAttempt).await else {
            panic!("late")
        };
        let late = HoldRequest {
            claim: TicketId([number; 16]),
            intent: Intent::TakeLate,
            ..world.request("ann", "k", 1)
        };
        let HoldOutcome::Held { grant, .. } = world.ask(late).await else { panic!("a unit is free") };
        let (units, epoch) = (grant.units.clone(), grant.epoch);
        (
            Change::LateHeld { claim: TicketId([number; 16]), attempt: order.late_attempts, units, epoch },
            grant,
        )
    };
    let (stale, _) = attempt(&world, 1).await;
    world.renew().await;
    assert_eq!(world.counts().await, [5, 0, 0], "a rebuild knows nothing of a late claim that nobody took");
    let refused = world.apply(order.ticket, stale).await;
    assert!(matches!(refused, Applied::Refused(ChangeRefusal::Ended, _)), "{refused:?}");
    let (fresh, grant) = attempt(&world, 2).await;
    assert!(matches!(world.apply(order.ticket, fresh).await, Applied::Changed(_)));
    world.deliver().await;
    assert_eq!(world.settle(effect(EffectKind::Confirm, TicketId([2; 16]), &grant)).await, Settled::Applied);
}

/// Lists.
pub async fn orders_are_listed_page_by_page(backend: &Backend) {
    let world = World::open(backend, 9, 9).await;
    let mut tickets = Vec::new();
    for user in ["ann", "bob", "eve"] {
        tickets.push(world.order(user).await.ticket);
    }
    let sale = &world.shard.sale;
    let page = async |filter: &OrderFilter, cursor| {
        let (orders, next) = parsed(backend.books.orders(sale, filter, cursor, 2).await);
        (orders.into_iter().map(|order| order.ticket).collect::<Vec<_>>(), next)
    };
    let every = OrderFilter::default();
    let (first, next) = page(&every, 0).await;
    let (second, end) = page(&every, parsed(next.ok_or("there is more"))).await;
    assert_eq!([first, second].concat(), tickets);
    assert_eq!(end, None);
    let mine = OrderFilter { user: Some(world.user("bob")), status: None };
    assert_eq!(page(&mine, 0).await, (vec![tickets[1]], None));
    assert!(parsed(backend.books.self_check(sale).await).is_empty());
}
