//! Every state × every change, written out.
//!
//! A cell is the state that the order goes to, with the effect after `+` (Confirm, Release, Return, Pin); `=` where the change
//! was made before; and in brackets the refusal.

use crate::few::Few;
use crate::hold::{Claim, EffectKind, Terms};
use crate::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use crate::money::Money;
use crate::order::{Order, OrderState, OrderTerms, Reason, Work};
use crate::payment::{Payment, PaymentSession, PaymentStage};
use crate::time::Timestamp;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(10_000);

fn money(amount: &str) -> Money {
    Money::parse(amount, "EUR").unwrap()
}

fn payment(id: &str, stage: PaymentStage) -> Payment {
    Payment { payment: id.into(), amount: money("10.00"), stage }
}

fn session() -> PaymentSession {
    PaymentSession { session: "cs".into(), url: "http://pay".into() }
}

fn allocated() -> Order {
    let claim = Claim {
        ticket: TicketId([1; 16]),
        shard: ShardId { sale: SaleId::parse("s").unwrap(), number: 0 },
        epoch: Epoch(1),
        issued_at: Timestamp::from_millis(1_000),
        user: UserHash([2; 16]),
        user_id: UserId::parse("ann").unwrap(),
        terms: Terms { product: ProductNo(0), quantity: 1 },
        units: Few::One(7),
    };
    let terms = OrderTerms { amount: money("10.00"), address_deadline_ms: 60_000 };
    Order::from_claim(&claim, terms, None, Timestamp::from_millis(1_000))
}

fn order(state: OrderState, edit: impl FnOnce(&mut Order)) -> Order {
    let mut order = allocated();
    order.state = state;
    order.session = (state != OrderState::Allocated).then(|| Box::new(session()));
    order.expires_at = (state != OrderState::Allocated).then(|| Timestamp::from_millis(20_000));
    order.live = !state.is_dead();
    edit(&mut order);
    order
}

fn paid_with(stage: PaymentStage) -> impl FnOnce(&mut Order) {
    move |order| order.payment = Some(Box::new(payment("pi", stage)))
}

/// The provider has closed its door.
fn no_address(order: &mut Order) {
    order.session = Some(Box::new(PaymentSession { url: String::new(), ..session() }));
}

/// Every state, with what else bears on a change.
fn states() -> Vec<(&'static str, Order)> {
    let because = |reason| move |order: &mut Order| order.reason = Some(reason);
    vec![
        ("allocated", allocated()),
        ("allocated, due", order(OrderState::Allocated, |order| order.address_deadline = NOW)),
        ("pending", order(OrderState::PendingPayment, |_| {})),
        ("pending, due", order(OrderState::PendingPayment, |order| order.expires_at = Some(NOW))),
        ("expiring", order(OrderState::Expiring, because(Reason::NotPaid))),
        ("expiring, no address", order(OrderState::Expiring, |order| order.session = None)),
        ("expiring by buyer", order(OrderState::Expiring, because(Reason::ByBuyer))),
        ("capturing", order(OrderState::Capturing, paid_with(PaymentStage::Authorised))),
        ("confirmed", order(OrderState::Confirmed, paid_with(PaymentStage::Captured))),
        ("expired", order(OrderState::Expired, no_address)),
        ("expired, no address", order(OrderState::Expired, |order| order.session = None)),
        ("expired, open door", order(OrderState::Expired, |_| {})),
        (
            "expired with money",
            order(OrderState::Expired, |order| {
                order.payment = Some(Box::new(payment("pi", PaymentStage::Authorised)));
                order.late_attempts = 1;
            }),
        ),
        (
            "expired, held late",
            order(OrderState::Expired, |order| {
                order.payment = Some(Box::new(payment("pi", PaymentStage::Authorised)));
                (order.claim, order.units, order.live) = (TicketId([9; 16]), Few::One(8), true);
                order.late_attempts = 1;
            }),
        ),
        (
            "cancelled",
            order(OrderState::Cancelled, |order| {
                order.reason = Some(Reason::ByBuyer);
                no_address(order);
            }),
        ),
        ("rejected", order(OrderState::Rejected, because(Reason::PaymentRefused))),
        ("refunding", order(OrderState::Refunding, paid_with(PaymentStage::Captured))),
        ("refunded", order(OrderState::Refunded, paid_with(PaymentStage::Refunded))),
    ]
}

fn changes() -> Vec<(&'static str, Change)> {
    let late = Change::LateHeld { claim: TicketId([9; 16]), attempt: 1, units: Few::One(8), epoch: Epoch(1) };
    let stale =
        Change::LateHeld { claim: TicketId([9; 16]), attempt: 0, units: Few::One(8), epoch: Epoch(1) };
    let wrong = Payment { amount: money("9.99"), ..payment("pi", PaymentStage::Authorised) };
    vec![
        ("address ready", Change::AddressReady { session: session(), hold_ms: 5_000 }),
        ("provider refused", Change::ProviderRefused),
        ("declined", Change::Declined),
        ("close: deadline", Change::Close(Closing::Deadline)),
        ("close: buyer", Change::Close(Closing::ByBuyer)),
        ("close: operator", Change::Close(Closing::ByOperator)),
        ("door closed", Change::DoorClosed),
        ("door left", Change::DoorLeft),
        ("paid: authorised", Change::Paid(payment("pi", PaymentStage::Authorised))),
        ("paid: captured", Change::Paid(payment("pi", PaymentStage::Captured))),
        ("paid: another", Change::Paid(payment("other", PaymentStage::Authorised))),
        ("paid: wrong amount", Change::Paid(wrong.clone())),
        ("wrong payment", Change::WrongPayment(wrong)),
        ("captured", Change::Captured),
        ("capture refused", Change::CaptureRefused),
        ("late attempt", Change::LateAttempt),
        ("late held", late),
        ("late held, stale", stale),
        ("give back", Change::GiveBack),
        ("refund", Change::Refund { return_units: false }),
        ("refund, goods back", Change::Refund { return_units: true }),
        ("money returned", Change::MoneyReturned),
        ("extend", Change::Extend { extension_ms: 1_000 }),
        ("extend by nothing", Change::Extend { extension_ms: 0 }),
    ]
}

fn cell(order: &Order, change: &Change) -> String {
    match transition(order, change, NOW) {
        Err(refusal) => format!("({refusal:?})"),
        Ok(Transition::Replay) => "=".into(),
        Ok(Transition::Changed(next, effect)) => {
            assert_eq!((next.version, next.changed_at), (order.version + 1, NOW));
            let effect = effect.map(|effect| {
                assert_eq!((effect.claim, &effect.units), (next.claim, &next.units), "exactly its units");
                format!("+{:?}", effect.kind)
            });
            format!("{:?}{}", next.state, effect.unwrap_or_default())
        }
    }
}

#[test]
fn every_state_and_every_change_is_in_the_table() {
    let states = states();
    for state in OrderState::ALL {
        assert!(states.iter().any(|(_, order)| order.state == state), "{state:?} is missing");
    }
    let mut table = String::new();
    for (change_name, change) in changes() {
        table.push_str(&format!("{change_name}\n"));
        for (state_name, order) in &states {
            table.push_str(&format!("  {state_name:<20} {}\n", cell(order, &change)));
        }
    }
    let written = include_str!("transition_table.txt");
    for (at, (found, expected)) in table.lines().zip(written.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", at + 1);
    }
    assert_eq!(table.lines().count(), written.lines().count());
}

#[test]
fn a_released_order_is_not_live_and_a_dead_one_has_no_deadline() {
    for (name, order) in states() {
        for (change_name, change) in changes() {
            let Ok(Transition::Changed(next, effect)) = transition(&order, &change, NOW) else { continue };
            let freed = effect.is_some_and(|e| matches!(e.kind, EffectKind::Release | EffectKind::Return));
            assert!(!freed || !next.live, "{name}, {change_name}");
            assert!(next.live || next.deadline().is_none(), "{name}, {change_name}");
            if next.state.is_open() || next.state == OrderState::Confirmed {
                assert!(next.live, "{name}, {change_name}");
            }
        }
    }
}

#[test]
fn a_door_that_the_grace_left_open_is_closed_later_or_brings_money() {
    let moved = |order: &Order, change: Change| {
        let Ok(Transition::Changed(next, effect)) = transition(order, &change, NOW) else {
            panic!("{:?}: {change:?} is made", order.state)
        };
        (*next, effect.map(|effect| effect.kind))
    };
    for (reason, ended) in [(Reason::NotPaid, OrderState::Expired), (Reason::ByBuyer, OrderState::Cancelled)]
    {
        let expiring = order(OrderState::Expiring, |order| order.reason = Some(reason));
        let (left, effect) = moved(&expiring, Change::DoorLeft);
        assert_eq!((left.state, effect, left.live), (ended, Some(EffectKind::Release), false));
        assert_eq!(left.work(), Some(Work::LateClose));
        let (closed, effect) = moved(&left, Change::DoorClosed);
        assert_eq!((closed.state, closed.status(), effect), (ended, left.status(), None));
        assert_eq!(closed.work(), None);
        assert_eq!(transition(&closed, &Change::DoorClosed, NOW), Ok(Transition::Replay));
        let (paid, effect) = moved(&left, Change::Paid(payment("pi", PaymentStage::Authorised)));
        assert_eq!((paid.state, effect, paid.work()), (ended, None, Some(Work::LatePayment)));
        let (shut, _) = moved(&expiring, Change::DoorClosed);
        assert_eq!((shut.state, shut.work()), (ended, None), "the provider said so within the grace");
    }
    let nowhere = order(OrderState::Expiring, |order| order.session = None);
    let (left, _) = moved(&nowhere, Change::DoorLeft);
    assert_eq!(left.work(), None, "there is no door");
    let (late, _) = moved(&left, Change::AddressReady { session: session(), hold_ms: 5_000 });
    assert_eq!((late.state, late.work()), (OrderState::Expired, Some(Work::LateClose)), "now there is one");
}

#[test]
fn an_extension_is_given_once() {
    let pending = order(OrderState::PendingPayment, |_| {});
    let extend = Change::Extend { extension_ms: 500 };
    let Ok(Transition::Changed(extended, _)) = transition(&pending, &extend, NOW) else {
        panic!("it is extended")
    };
    assert_eq!(extended.expires_at, Some(Timestamp::from_millis(20_500)));
    assert_eq!(transition(&extended, &extend, NOW), Err(ChangeRefusal::NoExtension));
}

#[test]
fn the_hold_begins_when_the_address_is_there() {
    let change = Change::AddressReady { session: session(), hold_ms: 5_000 };
    let Ok(Transition::Changed(pending, _)) = transition(&allocated(), &change, NOW) else {
        panic!("it is pending")
    };
    assert_eq!(pending.expires_at, Some(Timestamp::from_millis(15_000)));
    assert_eq!(allocated().expires_at, None);
}

#[test]
fn late_money_leaves_what_its_buyer_was_told_until_it_is_collected() {
    for (ended, reason) in [(OrderState::Expired, Reason::NotPaid), (OrderState::Cancelled, Reason::ByBuyer)]
    {
        let order = order(ended, |order| {
            order.reason = Some(reason);
            order.payment = Some(Box::new(payment("pi", PaymentStage::Authorised)));
        });
        let told = order.status();
        let mut order = order;
        let mut moved = |change: Change| {
            let Ok(Transition::Changed(next, effect)) = transition(&order, &change, NOW) else {
                panic!("{ended:?}: {change:?} is made")
            };
            order = *next;
            (order.clone(), effect.map(|effect| effect.kind))
        };
        assert_eq!(moved(Change::LateAttempt).0.status(), told);
        let held =
            Change::LateHeld { claim: TicketId([9; 16]), attempt: 1, units: Few::One(8), epoch: Epoch(1) };
        let (held, effect) = moved(held);
        assert_eq!((held.status(), held.live, effect), (told, true, Some(EffectKind::Pin)));
        let refused = transition(&held, &Change::CaptureRefused, NOW);
        let Ok(Transition::Changed(back, Some(released))) = refused else {
            panic!("{ended:?}: it is refused")
        };
        assert_eq!((back.status(), back.live, released.kind), (told, false, EffectKind::Release));
        assert_eq!(back.work(), None, "nothing is left to collect");
        let (confirmed, effect) = moved(Change::Captured);
        assert_eq!((confirmed.state, effect), (OrderState::Confirmed, Some(EffectKind::Confirm)));
        assert_eq!(confirmed.reason, Some(Reason::LatePayment));
    }
}

#[test]
fn a_late_claim_is_kept_while_it_is_used_or_is_the_newest_that_is_wanted() {
    let state = |name| states().into_iter().find(|(known, _)| *known == name).unwrap().1;
    let (newest, older) = (TicketId([9; 16]), TicketId([8; 16]));
    let waiting = state("expired with money");
    assert!(waiting.may_use_late(newest, newest) && !waiting.may_use_late(older, newest));
    let held = state("expired, held late");
    assert!(held.may_use_late(newest, newest) && !held.may_use_late(older, newest));
    assert!(
        held.may_use_late(newest, TicketId([10; 16])),
        "its units are under it, whatever was tried since"
    );
    for over in ["expired", "cancelled", "refunding", "refunded"] {
        assert!(!state(over).may_use_late(newest, newest), "{over}");
    }
}
