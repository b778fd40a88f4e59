//! How an order moves: edges E3 to E11, each a function of the order as it stands and the instant.
//!
//! The race between a payment, the end of the hold and a cancellation is settled here and nowhere else: whichever
//! change reaches the order first decides, the others get a refusal or find nothing to do.

mod late;

use late::{give_back, late_attempt, late_held};

use crate::hold::{Effect, EffectKind, Units};
use crate::id::{Epoch, TicketId};
use crate::order::{Order, OrderState as S, Reason};
use crate::payment::{Payment, PaymentSession, PaymentStage};
use crate::time::Timestamp;

/// Why an order is being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    /// Its time is over.
    Deadline,
    /// The buyer gives up.
    ByBuyer,
    /// The operator ends it.
    ByOperator,
}

/// A change that is asked of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The payment address is there; the buyer's time starts now (E4).
    AddressReady {
        /// Where to pay.
        session: PaymentSession,
        /// The buyer's time, milliseconds.
        hold_ms: u64,
    },
    /// The provider refuses for good (E5).
    ProviderRefused,
    /// The provider declined this payment; the buyer may try again.
    Declined,
    /// Close it: its time is over, or somebody gives up (E6).
    Close(Closing),
    /// The provider's door is closed: its units go back (E7), if they have not yet.
    DoorClosed,
    /// The units go back without the provider's word (E7): it knows no address of the order yet, or the grace is over.
    /// Should there be an open door after all, it is closed later.
    DoorLeft,
    /// A verified payment (E8); money for a dead order is only noted.
    Paid(Payment),
    /// The money is collected.
    Captured,
    /// The provider will not let us collect the money.
    CaptureRefused,
    /// Units were taken again for late money (E9); the order is confirmed once the money is collected.
    LateHeld {
        /// The claim under which the inventory holds them.
        claim: TicketId,
        /// The attempt that the claim belongs to; only the newest may succeed, so that the units of an older one
        /// can be given back.
        attempt: u16,
        /// The units.
        units: Units,
        /// The epoch under which they were given.
        epoch: Epoch,
    },
    /// One more attempt to take units for late money begins; makes its claim's number durable first.
    LateAttempt,
    /// Late money finds no unit: it goes back (E10).
    GiveBack,
    /// The operator refunds a confirmed order (E11).
    Refund {
        /// Whether the goods come back and may be sold again.
        return_units: bool,
    },
    /// The money has been given back, or the authorisation given up.
    MoneyReturned,
    /// The provider has taken another amount than was asked for: the money goes back, the units too.
    WrongPayment(Payment),
    /// The buyer asks for more time.
    Extend {
        /// By how much, milliseconds; 0 where the sale allows none.
        extension_ms: u64,
    },
}

/// Why an order does not make a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeRefusal {
    /// The order is paid, or a payment has decided it.
    Paid,
    /// The order has ended.
    Ended,
    /// Its time is not over.
    NotDue,
    /// The change has no meaning in this state.
    WrongState,
    /// The payment is not what was asked for.
    WrongAmount,
    /// Another payment than the one that the order has.
    OtherPayment,
    /// The extension was used, or the sale has none.
    NoExtension,
}

/// The outcome of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The order is there already: the change was asked for before.
    Replay,
    /// The order as it is now, and what the inventory must be told.
    Changed(Box<Order>, Option<Effect>),
}

type Outcome = Result<Transition, ChangeRefusal>;

/// Applies `change` to `order` at `now`.
///
/// # Errors
/// A refusal; the order is as it was.
pub fn transition(order: &Order, change: &Change, now: Timestamp) -> Outcome {
    match change {
        Change::AddressReady { session, hold_ms } => address_ready(order, session, *hold_ms, now),
        Change::ProviderRefused => provider_refused(order, now),
        Change::Declined => declined(order, now),
        Change::Close(closing) => close(order, *closing, now),
        Change::DoorClosed => door_closed(order, now),
        Change::DoorLeft => door_left(order, now),
        Change::Paid(payment) => paid(order, payment, now),
        Change::Captured => captured(order, now),
        Change::CaptureRefused => capture_refused(order, now),
        Change::LateAttempt => late_attempt(order, now),
        Change::LateHeld { claim, attempt, units, .. } => late_held(order, *claim, *attempt, units, now),
        Change::GiveBack => give_back(order, now),
        Change::Refund { return_units } => refund(order, *return_units, now),
        Change::MoneyReturned => money_returned(order, now),
        Change::WrongPayment(payment) => wrong_payment(order, payment, now),
        Change::Extend { extension_ms } => extend(order, *extension_ms, now),
    }
}

fn effect(order: &Order, kind: EffectKind) -> Effect {
    Effect { kind, product: order.terms.product, claim: order.claim, units: order.units.clone() }
}

/// The order in its next version, changed by `edit`, with the effect that goes with it.
fn changed(
    order: &Order,
    now: Timestamp,
    kind: Option<EffectKind>,
    edit: impl FnOnce(&mut Order),
) -> Outcome {
    let told = kind.map(|kind| effect(order, kind));
    let mut next = order.clone();
    next.version += 1;
    next.changed_at = now;
    if matches!(kind, Some(EffectKind::Release | EffectKind::Return)) {
        next.live = false;
    }
    edit(&mut next);
    Ok(Transition::Changed(Box::new(next), told))
}

/// The refusal of a change that only an order on its way to payment can make.
const fn too_late(state: S) -> ChangeRefusal {
    match state {
        S::Capturing | S::Confirmed | S::Refunding | S::Refunded => ChangeRefusal::Paid,
        S::Expired | S::Cancelled | S::Rejected => ChangeRefusal::Ended,
        S::Allocated | S::PendingPayment | S::Expiring => ChangeRefusal::WrongState,
    }
}

fn address_ready(order: &Order, session: &PaymentSession, hold_ms: u64, now: Timestamp) -> Outcome {
    match order.state {
        S::Allocated => changed(order, now, None, |next| {
            next.state = S::PendingPayment;
            next.reason = None;
            next.session = Some(Box::new(session.clone()));
            next.expires_at = Some(now.plus_millis(hold_ms));
        }),
        S::PendingPayment if order.session.as_deref() == Some(session) => Ok(Transition::Replay),
        // The order was closed while the address was being made: note the session, so that its door is closed too.
        S::Expiring | S::Expired | S::Cancelled if order.session.is_none() && order.payment.is_none() => {
            changed(order, now, None, |next| next.session = Some(Box::new(session.clone())))
        }
        state => Err(too_late(state)),
    }
}

fn provider_refused(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Allocated | S::PendingPayment => changed(order, now, Some(EffectKind::Release), |next| {
            next.state = S::Rejected;
            next.reason = Some(Reason::PaymentRefused);
        }),
        S::Rejected if order.reason == Some(Reason::PaymentRefused) => Ok(Transition::Replay),
        state => Err(too_late(state)),
    }
}

fn declined(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::PendingPayment if order.reason == Some(Reason::PaymentDeclined) => Ok(Transition::Replay),
        S::PendingPayment => changed(order, now, None, |next| next.reason = Some(Reason::PaymentDeclined)),
        state => Err(too_late(state)),
    }
}

fn close(order: &Order, closing: Closing, now: Timestamp) -> Outcome {
    match order.state {
        S::Allocated | S::PendingPayment => {
            let due = order.deadline().is_some_and(|deadline| deadline <= now);
            let reason = match closing {
                Closing::Deadline if !due => return Err(ChangeRefusal::NotDue),
                Closing::Deadline if order.state == S::Allocated => Reason::NoPaymentAddress,
                Closing::Deadline => Reason::NotPaid,
                Closing::ByBuyer => Reason::ByBuyer,
                Closing::ByOperator => Reason::ByOperator,
            };
            changed(order, now, None, |next| {
                next.state = S::Expiring;
                next.reason = Some(reason);
            })
        }
        S::Expiring | S::Cancelled => Ok(Transition::Replay),
        state => Err(too_late(state)),
    }
}

fn door_closed(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Expiring => changed(order, now, Some(EffectKind::Release), |next| {
            next.state = end_of_closing(order);
            forget_address(next);
        }),
        S::Expired | S::Cancelled if order.has_open_door() => changed(order, now, None, forget_address),
        S::Expired | S::Cancelled => Ok(Transition::Replay),
        state => Err(too_late(state)),
    }
}

fn door_left(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Expiring => {
            changed(order, now, Some(EffectKind::Release), |next| next.state = end_of_closing(order))
        }
        S::Expired | S::Cancelled => Ok(Transition::Replay),
        state => Err(too_late(state)),
    }
}

/// How an order ends that is being closed.
const fn end_of_closing(order: &Order) -> S {
    match order.reason {
        Some(Reason::ByBuyer | Reason::ByOperator) => S::Cancelled,
        _ => S::Expired,
    }
}

/// Nobody can pay there any more.
fn forget_address(order: &mut Order) {
    if let Some(session) = &mut order.session {
        session.url.clear();
    }
}

/// The state that a payment leads to: an authorisation has yet to be captured.
const fn decided(stage: PaymentStage) -> S {
    match stage {
        PaymentStage::Captured => S::Confirmed,
        PaymentStage::Authorised | PaymentStage::Voided | PaymentStage::Refunded => S::Capturing,
    }
}

fn paid(order: &Order, payment: &Payment, now: Timestamp) -> Outcome {
    if let Some(known) = &order.payment {
        let same = known.payment == payment.payment;
        return if same { Ok(Transition::Replay) } else { Err(ChangeRefusal::OtherPayment) };
    }
    if payment.amount != order.amount {
        return Err(ChangeRefusal::WrongAmount);
    }
    if !payment.stage.has_money() {
        return Err(ChangeRefusal::WrongState);
    }
    match order.state {
        S::Allocated | S::PendingPayment | S::Expiring => {
            let state = decided(payment.stage);
            let kind = (state == S::Confirmed).then_some(EffectKind::Confirm);
            changed(order, now, kind, |next| {
                next.state = state;
                next.reason = None;
                next.payment = Some(Box::new(payment.clone()));
            })
        }
        S::Expired | S::Cancelled | S::Rejected => {
            changed(order, now, None, |next| next.payment = Some(Box::new(payment.clone())))
        }
        S::Capturing | S::Confirmed | S::Refunding | S::Refunded => Err(ChangeRefusal::OtherPayment),
    }
}

fn set_stage(order: &mut Order, stage: PaymentStage) {
    if let Some(payment) = &mut order.payment {
        payment.stage = stage;
    }
}

fn captured(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Capturing => changed(order, now, Some(EffectKind::Confirm), |next| {
            next.state = S::Confirmed;
            set_stage(next, PaymentStage::Captured);
        }),
        _ if order.is_late() => changed(order, now, Some(EffectKind::Confirm), |next| {
            next.state = S::Confirmed;
            next.reason = Some(Reason::LatePayment);
            set_stage(next, PaymentStage::Captured);
        }),
        S::Confirmed => Ok(Transition::Replay),
        S::Refunding | S::Refunded => Err(ChangeRefusal::Paid),
        S::Expired | S::Cancelled | S::Rejected => Err(ChangeRefusal::Ended),
        S::Allocated | S::PendingPayment | S::Expiring => Err(ChangeRefusal::WrongState),
    }
}

fn capture_refused(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Capturing => changed(order, now, Some(EffectKind::Release), |next| {
            next.state = S::Rejected;
            next.reason = Some(Reason::PaymentRefused);
            set_stage(next, PaymentStage::Voided);
        }),
        // Its buyer was told how it ended, and nothing has come of the late money.
        _ if order.is_late() => changed(order, now, Some(EffectKind::Release), |next| {
            set_stage(next, PaymentStage::Voided);
        }),
        S::Rejected if order.reason == Some(Reason::PaymentRefused) => Ok(Transition::Replay),
        state => Err(too_late(state)),
    }
}

fn refund(order: &Order, return_units: bool, now: Timestamp) -> Outcome {
    match order.state {
        S::Confirmed => {
            let kind = return_units.then_some(EffectKind::Return);
            changed(order, now, kind, |next| {
                next.state = S::Refunding;
                next.reason = Some(Reason::ByOperator);
            })
        }
        // The goods come back after the money went.
        S::Refunding | S::Refunded if return_units && order.live => {
            changed(order, now, Some(EffectKind::Return), |_| {})
        }
        S::Refunding | S::Refunded => Ok(Transition::Replay),
        S::Expired | S::Cancelled | S::Rejected => Err(ChangeRefusal::Ended),
        S::Allocated | S::PendingPayment | S::Expiring | S::Capturing => Err(ChangeRefusal::WrongState),
    }
}

fn money_returned(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Refunding => changed(order, now, None, |next| {
            let captured = order.payment.as_ref().is_some_and(|p| p.stage == PaymentStage::Captured);
            next.state = S::Refunded;
            set_stage(next, if captured { PaymentStage::Refunded } else { PaymentStage::Voided });
        }),
        S::Refunded => Ok(Transition::Replay),
        state => Err(too_late(state)),
    }
}

fn wrong_payment(order: &Order, payment: &Payment, now: Timestamp) -> Outcome {
    if order.payment.is_some() {
        return paid(order, payment, now);
    }
    let kind = order.live.then_some(EffectKind::Release);
    changed(order, now, kind, |next| {
        next.state = S::Refunding;
        next.reason = Some(Reason::WrongAmount);
        next.payment = Some(Box::new(payment.clone()));
    })
}

fn extend(order: &Order, extension_ms: u64, now: Timestamp) -> Outcome {
    let Some(expires_at) = order.expires_at else { return Err(ChangeRefusal::NoExtension) };
    let open = order.state == S::PendingPayment && now < expires_at;
    if !open || order.extended || extension_ms == 0 {
        return Err(ChangeRefusal::NoExtension);
    }
    changed(order, now, None, |next| {
        next.extended = true;
        next.expires_at = Some(expires_at.plus_millis(extension_ms));
    })
}

#[cfg(test)]
#[path = "transition_tests.rs"]
mod tests;
