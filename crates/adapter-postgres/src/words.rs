//! The words that stand in the tables for what the rules call by type.

use domain::challenge::ChallengeRule;
use domain::fence::TermState;
use domain::hold::EffectKind;
use domain::order::{OrderState, Reason, Work};
use domain::payment::PaymentStage;
use domain::sale::Mode;

use crate::failure::Failure;

pub(crate) const fn state(state: OrderState) -> &'static str {
    match state {
        OrderState::Allocated => "allocated",
        OrderState::PendingPayment => "pending_payment",
        OrderState::Expiring => "expiring",
        OrderState::Capturing => "capturing",
        OrderState::Confirmed => "confirmed",
        OrderState::Expired => "expired",
        OrderState::Cancelled => "cancelled",
        OrderState::Rejected => "rejected",
        OrderState::Refunding => "refunding",
        OrderState::Refunded => "refunded",
    }
}

pub(crate) const fn work(work: Work) -> &'static str {
    match work {
        Work::Address => "address",
        Work::Close => "close",
        Work::Capture => "capture",
        Work::LatePayment => "late_payment",
        Work::Refund => "refund",
        Work::LateClose => "late_close",
    }
}

pub(crate) const fn stage(stage: PaymentStage) -> &'static str {
    match stage {
        PaymentStage::Authorised => "authorised",
        PaymentStage::Captured => "captured",
        PaymentStage::Voided => "voided",
        PaymentStage::Refunded => "refunded",
    }
}

pub(crate) const fn effect(kind: EffectKind) -> &'static str {
    match kind {
        EffectKind::Pin => "pin",
        EffectKind::Release => "release",
        EffectKind::Confirm => "confirm",
        EffectKind::Return => "return",
        EffectKind::Restock => "restock",
    }
}

pub(crate) const fn term(state: TermState) -> &'static str {
    match state {
        TermState::Open => "open",
        TermState::Fencing => "fencing",
        TermState::Rebuild => "rebuild",
    }
}

pub(crate) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Rush => "rush",
        Mode::Draw => "draw",
    }
}

fn one_of<T: Copy>(
    all: &[T],
    word: impl Fn(T) -> &'static str,
    found: &str,
    what: &'static str,
) -> Result<T, Failure> {
    let known = all.iter().copied().find(|each| word(*each) == found);
    known.ok_or_else(|| Failure::damaged("the ledger", format!("'{found}' is no {what}")))
}

pub(crate) fn read_state(word: &str) -> Result<OrderState, Failure> {
    one_of(&OrderState::ALL, state, word, "state of an order")
}

pub(crate) fn read_reason(word: &str) -> Result<Reason, Failure> {
    one_of(&Reason::ALL, |reason| reason.as_str(), word, "reason")
}

pub(crate) fn read_work(word: &str) -> Result<Work, Failure> {
    one_of(&Work::ALL, work, word, "work")
}

pub(crate) fn read_stage(word: &str) -> Result<PaymentStage, Failure> {
    use PaymentStage::{Authorised, Captured, Refunded, Voided};
    one_of(&[Authorised, Captured, Voided, Refunded], stage, word, "stage of a payment")
}

pub(crate) fn read_effect(word: &str) -> Result<EffectKind, Failure> {
    use EffectKind::{Confirm, Pin, Release, Restock, Return};
    one_of(&[Pin, Release, Confirm, Return, Restock], effect, word, "kind of effect")
}

pub(crate) fn read_term(word: &str) -> Result<TermState, Failure> {
    one_of(&[TermState::Open, TermState::Fencing, TermState::Rebuild], term, word, "state of a term")
}

pub(crate) fn read_challenge(word: &str) -> Result<ChallengeRule, Failure> {
    one_of(&ChallengeRule::ALL, ChallengeRule::as_str, word, "word for whom a sale asks")
}

pub(crate) fn read_mode(word: &str) -> Result<Mode, Failure> {
    one_of(&[Mode::Rush, Mode::Draw], mode, word, "mode of a sale")
}
