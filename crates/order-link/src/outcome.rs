//! Bytes of what the order service says to a checkout, to a buyer who gives up, and to one who asks for more time.

use domain::transition::ChangeRefusal;
use ports::orders::{CancelAnswer, CheckoutAnswer, CheckoutRefusal, ExtendAnswer};
use wire::codec::{Malformed, Reader, Writer};

use crate::document::{read_document, read_stamp, write_document, write_stamp};

/// Numbers here are never used for anything else again.
pub(crate) fn write_checkout_answer(answer: CheckoutAnswer, to: &mut Writer) {
    match answer {
        CheckoutAnswer::Accepted { document, replayed } => {
            to.number(0);
            to.flag(replayed);
            write_document(&document, to);
        }
        CheckoutAnswer::Refused(refusal) => write_refusal(&refusal, to),
    }
}

pub(crate) fn read_checkout_answer(from: &mut Reader<'_>) -> Result<CheckoutAnswer, Malformed> {
    match from.number()? {
        0 => {
            let replayed = from.flag()?;
            Ok(CheckoutAnswer::Accepted { replayed, document: Box::new(read_document(from)?) })
        }
        number => read_refusal(number, from).map(CheckoutAnswer::Refused),
    }
}

const fn refusal_number(refusal: &CheckoutRefusal) -> u64 {
    match refusal {
        CheckoutRefusal::UnknownSale => 1,
        CheckoutRefusal::UnknownProduct => 2,
        CheckoutRefusal::OverLimitQuantity { .. } => 3,
        CheckoutRefusal::KeyReused => 4,
        CheckoutRefusal::SaleEnded => 5,
        CheckoutRefusal::NotStarted { .. } => 6,
        CheckoutRefusal::Paused => 7,
        CheckoutRefusal::LimitReached { .. } => 8,
        CheckoutRefusal::SoldOut => 9,
        CheckoutRefusal::AllHeld { .. } => 10,
        CheckoutRefusal::NotEnough { .. } => 11,
        CheckoutRefusal::ChallengeRequired => 12,
    }
}

fn write_refusal(refusal: &CheckoutRefusal, to: &mut Writer) {
    to.number(refusal_number(refusal));
    match refusal {
        CheckoutRefusal::OverLimitQuantity { max_per_user } => to.number(u64::from(*max_per_user)),
        CheckoutRefusal::NotStarted { starts_at } => to.time(*starts_at),
        CheckoutRefusal::LimitReached { newest } => write_stamp(newest, to),
        CheckoutRefusal::AllHeld { next_release_at } | CheckoutRefusal::NotEnough { next_release_at } => {
            to.optional(*next_release_at, Writer::time);
        }
        CheckoutRefusal::UnknownSale
        | CheckoutRefusal::UnknownProduct
        | CheckoutRefusal::KeyReused
        | CheckoutRefusal::SaleEnded
        | CheckoutRefusal::Paused
        | CheckoutRefusal::ChallengeRequired
        | CheckoutRefusal::SoldOut => {}
    }
}

fn read_refusal(number: u64, from: &mut Reader<'_>) -> Result<CheckoutRefusal, Malformed> {
    Ok(match number {
        1 => CheckoutRefusal::UnknownSale,
        2 => CheckoutRefusal::UnknownProduct,
        3 => CheckoutRefusal::OverLimitQuantity { max_per_user: from.small("a limit")? },
        4 => CheckoutRefusal::KeyReused,
        5 => CheckoutRefusal::SaleEnded,
        6 => CheckoutRefusal::NotStarted { starts_at: from.time()? },
        7 => CheckoutRefusal::Paused,
        8 => CheckoutRefusal::LimitReached { newest: read_stamp(from)? },
        9 => CheckoutRefusal::SoldOut,
        10 => CheckoutRefusal::AllHeld { next_release_at: from.optional(Reader::time)? },
        11 => CheckoutRefusal::NotEnough { next_release_at: from.optional(Reader::time)? },
        12 => CheckoutRefusal::ChallengeRequired,
        _ => return Err(Malformed::Value("a refusal")),
    })
}

pub(crate) fn write_cancel_answer(answer: CancelAnswer, to: &mut Writer) {
    let (number, document) = match answer {
        CancelAnswer::Unknown => (0, None),
        CancelAnswer::Cancelled(document) => (1, Some(document)),
        CancelAnswer::Cancelling(document) => (2, Some(document)),
        CancelAnswer::AlreadyConfirmed(document) => (3, Some(document)),
        CancelAnswer::Ended(document) => (4, Some(document)),
    };
    to.number(number);
    document.iter().for_each(|document| write_document(document, to));
}

pub(crate) fn read_cancel_answer(from: &mut Reader<'_>) -> Result<CancelAnswer, Malformed> {
    let of = match from.number()? {
        0 => return Ok(CancelAnswer::Unknown),
        1 => CancelAnswer::Cancelled,
        2 => CancelAnswer::Cancelling,
        3 => CancelAnswer::AlreadyConfirmed,
        4 => CancelAnswer::Ended,
        _ => return Err(Malformed::Value("an answer to a buyer who gives up")),
    };
    read_document(from).map(Box::new).map(of)
}

pub(crate) fn write_extend_answer(answer: ExtendAnswer, to: &mut Writer) {
    match answer {
        ExtendAnswer::Unknown => to.number(0),
        ExtendAnswer::Extended(document) => {
            to.number(1);
            write_document(&document, to);
        }
        ExtendAnswer::Refused(refusal) => {
            to.number(2);
            to.number(change_number(refusal));
        }
    }
}

pub(crate) fn read_extend_answer(from: &mut Reader<'_>) -> Result<ExtendAnswer, Malformed> {
    match from.number()? {
        0 => Ok(ExtendAnswer::Unknown),
        1 => read_document(from).map(Box::new).map(ExtendAnswer::Extended),
        2 => read_change(from.number()?).map(ExtendAnswer::Refused),
        _ => Err(Malformed::Value("an answer to a buyer who asks for time")),
    }
}

const CHANGES: [ChangeRefusal; 7] = [
    ChangeRefusal::Paid,
    ChangeRefusal::Ended,
    ChangeRefusal::NotDue,
    ChangeRefusal::WrongState,
    ChangeRefusal::WrongAmount,
    ChangeRefusal::OtherPayment,
    ChangeRefusal::NoExtension,
];

const fn change_number(refusal: ChangeRefusal) -> u64 {
    match refusal {
        ChangeRefusal::Paid => 0,
        ChangeRefusal::Ended => 1,
        ChangeRefusal::NotDue => 2,
        ChangeRefusal::WrongState => 3,
        ChangeRefusal::WrongAmount => 4,
        ChangeRefusal::OtherPayment => 5,
        ChangeRefusal::NoExtension => 6,
    }
}

fn read_change(number: u64) -> Result<ChangeRefusal, Malformed> {
    let known = CHANGES.into_iter().find(|refusal| change_number(*refusal) == number);
    known.ok_or(Malformed::Value("a refusal of a change"))
}
