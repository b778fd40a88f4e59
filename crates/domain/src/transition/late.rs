//! Edges E9 and E10: money that came after an order ended takes units again, or goes back.

use super::{ChangeRefusal, Outcome, S, Transition, changed, too_late};
use crate::hold::{EffectKind, Units};
use crate::id::TicketId;
use crate::order::{Order, Reason};
use crate::payment::PaymentStage;
use crate::time::Timestamp;

pub(super) fn late_attempt(order: &Order, now: Timestamp) -> Outcome {
    if order.wants_units() {
        changed(order, now, None, |next| next.late_attempts += 1)
    } else if order.is_late() {
        Err(ChangeRefusal::Paid)
    } else {
        Err(too_late(order.state))
    }
}

pub(super) fn late_held(
    order: &Order,
    claim: TicketId,
    attempt: u16,
    units: &Units,
    now: Timestamp,
) -> Outcome {
    if order.live && order.claim == claim {
        return Ok(Transition::Replay);
    }
    if !order.wants_units() {
        return Err(if order.is_late() { ChangeRefusal::Paid } else { too_late(order.state) });
    }
    if units.len() != usize::from(order.terms.quantity) || attempt != order.late_attempts {
        return Err(ChangeRefusal::WrongState);
    }
    let stage = order.payment.as_ref().map_or(PaymentStage::Authorised, |payment| payment.stage);
    let mut held = order.clone();
    held.claim = claim;
    held.units = units.clone();
    held.live = true;
    if stage == PaymentStage::Captured {
        return changed(&held, now, Some(EffectKind::Confirm), |next| {
            next.state = S::Confirmed;
            next.reason = Some(Reason::LatePayment);
        });
    }
    // What its buyer was told stands until the money is collected: a terminal answer changes only to its new end.
    changed(&held, now, Some(EffectKind::Pin), |_| {})
}

pub(super) fn give_back(order: &Order, now: Timestamp) -> Outcome {
    match order.state {
        S::Refunding | S::Refunded => Ok(Transition::Replay),
        _ if order.wants_units() => changed(order, now, None, |next| next.state = S::Refunding),
        _ if order.is_late() => Err(ChangeRefusal::Paid),
        state => Err(too_late(state)),
    }
}
