//! An order in the journal.

use domain::id::{Epoch, TicketId, UserHash};
use domain::order::{Order, OrderState, Reason};
use domain::payment::{Payment, PaymentSession, PaymentStage};

use crate::codec::{Malformed, Reader, Writer};
use crate::record::{read_terms, read_units, read_user, write_terms, write_units};
use crate::record_sale::{read_money, write_money};

pub(crate) fn write_order(order: &Order, to: &mut Writer) {
    to.fixed(&order.ticket.0);
    to.shard(&order.shard);
    to.number(u64::from(order.epoch.0));
    to.time(order.issued_at);
    to.fixed(&order.user.0);
    to.text(order.user_id.as_str());
    write_terms(order.terms, to);
    write_money(order.amount, to);
    to.fixed(&order.claim.0);
    write_units(&order.units, to);
    to.flag(order.live);
    to.number(state_number(order.state));
    to.optional(order.reason, |to, reason| to.number(reason_number(reason)));
    to.time(order.allocated_at);
    to.time(order.address_deadline);
    to.optional(order.expires_at, Writer::time);
    to.flag(order.extended);
    to.optional(order.session.as_ref(), |to, session| {
        to.text(&session.session);
        to.text(&session.url);
    });
    to.optional(order.payment.as_ref(), |to, payment| {
        to.text(&payment.payment);
        write_money(payment.amount, to);
        to.number(stage_number(payment.stage));
    });
    to.number(u64::from(order.late_attempts));
    to.time(order.changed_at);
    to.number(u64::from(order.version));
}

pub(crate) fn read_order(from: &mut Reader<'_>) -> Result<Order, Malformed> {
    Ok(Order {
        ticket: TicketId(*from.fixed()?),
        shard: from.shard()?,
        epoch: Epoch(from.small("an epoch")?),
        issued_at: from.time()?,
        user: UserHash(*from.fixed()?),
        user_id: read_user(from)?,
        terms: read_terms(from)?,
        amount: read_money(from)?,
        claim: TicketId(*from.fixed()?),
        units: read_units(from)?,
        live: from.flag()?,
        state: read_state(from.number()?)?,
        reason: from.optional(|from| from.number().and_then(read_reason))?,
        allocated_at: from.time()?,
        address_deadline: from.time()?,
        expires_at: from.optional(Reader::time)?,
        extended: from.flag()?,
        session: from.optional(read_session)?.map(Box::new),
        payment: from.optional(read_payment)?.map(Box::new),
        late_attempts: from.small("a count of attempts")?,
        changed_at: from.time()?,
        version: from.small("a version")?,
    })
}

fn read_session(from: &mut Reader<'_>) -> Result<PaymentSession, Malformed> {
    Ok(PaymentSession { session: from.text()?.to_owned(), url: from.text()?.to_owned() })
}

fn read_payment(from: &mut Reader<'_>) -> Result<Payment, Malformed> {
    Ok(Payment {
        payment: from.text()?.to_owned(),
        amount: read_money(from)?,
        stage: read_stage(from.number()?)?,
    })
}

const fn state_number(state: OrderState) -> u64 {
    match state {
        OrderState::Allocated => 0,
        OrderState::PendingPayment => 1,
        OrderState::Expiring => 2,
        OrderState::Capturing => 3,
        OrderState::Confirmed => 4,
        OrderState::Expired => 5,
        OrderState::Cancelled => 6,
        OrderState::Rejected => 7,
        OrderState::Refunding => 8,
        OrderState::Refunded => 9,
    }
}

fn read_state(number: u64) -> Result<OrderState, Malformed> {
    let known = OrderState::ALL.into_iter().find(|state| state_number(*state) == number);
    known.ok_or(Malformed::Value("an order's state"))
}

pub(crate) const fn reason_number(reason: Reason) -> u64 {
    match reason {
        Reason::PaymentDeclined => 0,
        Reason::PaymentRefused => 1,
        Reason::NotPaid => 2,
        Reason::NoPaymentAddress => 3,
        Reason::ByBuyer => 4,
        Reason::ByOperator => 5,
        Reason::StoreFailover => 6,
        Reason::LimitReached => 7,
        Reason::SoldOut => 8,
        Reason::LatePayment => 9,
        Reason::WrongAmount => 10,
    }
}

pub(crate) fn read_reason(number: u64) -> Result<Reason, Malformed> {
    let known = Reason::ALL.into_iter().find(|reason| reason_number(*reason) == number);
    known.ok_or(Malformed::Value("a reason"))
}

const fn stage_number(stage: PaymentStage) -> u64 {
    match stage {
        PaymentStage::Authorised => 0,
        PaymentStage::Captured => 1,
        PaymentStage::Voided => 2,
        PaymentStage::Refunded => 3,
    }
}

fn read_stage(number: u64) -> Result<PaymentStage, Malformed> {
    match number {
        0 => Ok(PaymentStage::Authorised),
        1 => Ok(PaymentStage::Captured),
        2 => Ok(PaymentStage::Voided),
        3 => Ok(PaymentStage::Refunded),
        _ => Err(Malformed::Value("a payment's stage")),
    }
}
