//! Golden bytes: gateways and nodes of other releases read them, so they never change under this version.

use domain::hold::Terms;
use domain::id::{Epoch, ProductNo, ShardId, TicketId};
use domain::status::Status;
use domain::time::Timestamp;
use domain::transition::ChangeRefusal;
use ports::orders::{CancelAnswer, CheckoutAnswer, CheckoutRefusal, ExtendAnswer};

use super::*;
use crate::outcome::{read_checkout_answer, write_cancel_answer, write_checkout_answer, write_extend_answer};

const AT: Timestamp = Timestamp::from_millis(1_795_514_400_123);

fn sale() -> SaleId {
    SaleId::parse("drop").unwrap()
}

fn product() -> ProductId {
    ProductId::parse("p-1").unwrap()
}

fn stamp() -> TicketStamp {
    TicketStamp {
        ticket: TicketId([1; 16]),
        shard: ShardId { sale: sale(), number: 300 },
        epoch: Epoch(2),
        issued_at: AT,
    }
}

fn document() -> StatusDocument {
    StatusDocument {
        stamp: stamp(),
        status: Status::Confirmed,
        reason: Some("late-payment"),
        terms: Some(Terms { product: ProductNo(1), quantity: 2 }),
        units: [7, 300].into_iter().collect(),
        checkout_url: Some("http://pay/1".into()),
        hold_expires_at: Some(AT),
        terminal: true,
        version: 9,
    }
}

fn requests() -> Vec<(&'static str, Bytes)> {
    let checkout = Checkout {
        sale: sale(),
        user: UserId::parse("ann@example.com").unwrap(),
        product: product(),
        key: IdempotencyKey::parse("k1").unwrap(),
        quantity: 100,
        passed: false,
    };
    let passed = Checkout { passed: true, ..checkout.clone() };
    vec![
        ("checkout", part(|to| write_checkout(&checkout, to))),
        ("checkout-passed", part(|to| write_checkout(&passed, to))),
        ("stamp", part(|to| write_stamp(&stamp(), to))),
        ("wait", message(|to| write_wait((&stamp(), 9), to))),
        ("products", part(|to| write_products(&[(sale(), product())], to))),
    ]
}

fn checkout_answers() -> Vec<CheckoutAnswer> {
    use CheckoutRefusal as R;
    let accepted = CheckoutAnswer::Accepted { document: Box::new(document()), replayed: true };
    let refusals = vec![
        R::UnknownSale,
        R::UnknownProduct,
        R::OverLimitQuantity { max_per_user: 100 },
        R::KeyReused,
        R::SaleEnded,
        R::NotStarted { starts_at: AT },
        R::Paused,
        R::LimitReached { newest: stamp() },
        R::SoldOut,
        R::AllHeld { next_release_at: Some(AT) },
        R::NotEnough { next_release_at: None },
        R::ChallengeRequired,
    ];
    std::iter::once(accepted).chain(refusals.into_iter().map(CheckoutAnswer::Refused)).collect()
}

fn faults() -> Vec<Fault> {
    vec![
        Fault::unavailable("the ledger", "it is away"),
        Fault::damaged("the ledger", "a row"),
        Fault::Overloaded("the store's queue"),
        Fault::Closed(stamp().shard),
    ]
}

fn answered<T>(answer: Result<T, Fault>, write: impl FnOnce(T, &mut Writer)) -> Bytes {
    part(|to| write_answer(answer, write, to))
}

fn answers() -> Vec<(&'static str, Bytes)> {
    let view =
        StockView { stock: 500, available: 1, held: 2, sold: 3, next_release_at: Some(AT), open: true };
    let document = || Box::new(document());
    let mut all = vec![
        ("known", answered(Ok(Some(*document())), write_known)),
        ("unknown", answered(Ok(None), write_known)),
        ("views", answered(Ok(vec![Some(view), None]), write_views)),
        ("extended", answered(Ok(ExtendAnswer::Extended(document())), write_extend_answer)),
        (
            "not-extended",
            answered(Ok(ExtendAnswer::Refused(ChangeRefusal::NoExtension)), write_extend_answer),
        ),
        ("extend-unknown", answered(Ok(ExtendAnswer::Unknown), write_extend_answer)),
    ];
    let cancelled = [
        CancelAnswer::Unknown,
        CancelAnswer::Cancelled(document()),
        CancelAnswer::Cancelling(document()),
        CancelAnswer::AlreadyConfirmed(document()),
        CancelAnswer::Ended(document()),
    ];
    all.extend(cancelled.map(|answer| ("cancel", answered(Ok(answer), write_cancel_answer))));
    let checkouts = checkout_answers().into_iter();
    all.extend(checkouts.map(|answer| ("checkout-answer", answered(Ok(answer), write_checkout_answer))));
    all.extend(faults().into_iter().map(|fault| ("fault", answered::<()>(Err(fault), |(), _| {}))));
    all
}

#[test]
fn golden() {
    let line = |(name, bytes): (&str, Bytes)| {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{name} {hex}\n")
    };
    let text: String = requests().into_iter().chain(answers()).map(line).collect();
    assert_eq!(text, include_str!("message_golden.txt"), "now:\n{text}");
}

#[test]
fn another_version_is_named_and_what_follows_the_end_is_refused() {
    let mut bytes = message(|to| write_stamp(&stamp(), to)).to_vec();
    assert_eq!(read_message(&bytes, read_stamp), Ok(stamp()));
    bytes.push(0);
    assert!(matches!(read_message(&bytes, read_stamp), Err(Unreadable::Malformed(_))));
    bytes[0] = 2;
    assert_eq!(read_message(&bytes, read_stamp), Err(Unreadable::Version(2)));
}

#[test]
fn a_message_that_is_cut_short_anywhere_is_an_error_and_never_a_panic() {
    for answer in checkout_answers() {
        let bytes = answered(Ok(answer.clone()), write_checkout_answer);
        let read = |bytes: &[u8]| read_part(bytes, |from| read_answer(from, read_checkout_answer));
        assert_eq!(read(&bytes), Ok(Ok(answer)));
        assert!((0..bytes.len()).all(|end| read(&bytes[..end]).is_err()));
    }
}

#[test]
fn a_long_detail_is_cut_and_a_strange_name_becomes_part_of_the_detail() {
    let fault = Fault::unavailable("the ledger", "ü".repeat(DETAIL + 1));
    let bytes = answered::<()>(Err(fault), |(), _| {});
    let read = |bytes: &[u8]| read_part(bytes, |from| read_answer(from, |_| Ok(())));
    assert_eq!(read(&bytes), Ok(Err(Fault::unavailable("the ledger", "ü".repeat(DETAIL)))));
    let name: &'static str = Box::leak("n".repeat(200).into());
    let bytes = answered::<()>(Err(Fault::unavailable(name, "away")), |(), _| {});
    assert_eq!(read(&bytes), Ok(Err(Fault::unavailable(SOME_PART, format!("{name}: away")))));
}
