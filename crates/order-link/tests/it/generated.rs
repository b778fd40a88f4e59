//! Values that cross the link, generated.

use domain::hold::{StockView, Terms};
use domain::id::{Epoch, IdempotencyKey, ProductId, ProductNo, SaleId, ShardId, TicketId, UserId};
use domain::order::Reason;
use domain::status::{Status, StatusDocument};
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use domain::transition::ChangeRefusal;
use ports::Fault;
use ports::orders::{CancelAnswer, Checkout, CheckoutAnswer, CheckoutRefusal, ExtendAnswer};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::stage::FATAL;

const PARTS: [&str; 5] = ["the inventory", "the ledger", "the store's queue", "", "Prünelle"];

pub fn sale() -> impl Strategy<Value = SaleId> {
    "[a-z0-9][a-z0-9-]{0,63}".prop_map(|text| SaleId::parse(&text).unwrap())
}

pub fn product() -> impl Strategy<Value = ProductId> {
    "[a-z0-9][a-z0-9-]{0,63}".prop_map(|text| ProductId::parse(&text).unwrap())
}

pub fn checkout() -> impl Strategy<Value = Checkout> {
    let user = "[A-Za-z0-9._:@-]{1,128}".prop_map(|text| UserId::parse(&text).unwrap());
    let key = "[!-~]{1,255}".prop_map(|text| IdempotencyKey::parse(&text).unwrap());
    let quantity = (1..=100_u8).prop_filter("it makes the node fail", |quantity| *quantity != FATAL);
    let parts = (sale(), user, product(), key, quantity, any::<bool>());
    parts.prop_map(|(sale, user, product, key, quantity, passed)| Checkout {
        sale,
        user,
        product,
        key,
        quantity,
        passed,
    })
}

fn shard() -> impl Strategy<Value = ShardId> {
    (sale(), any::<u16>()).prop_map(|(sale, number)| ShardId { sale, number })
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.as_millis()).prop_map(Timestamp::from_millis)
}

pub fn stamp() -> impl Strategy<Value = TicketStamp> {
    (any::<[u8; 16]>(), shard(), any::<u32>(), time()).prop_map(|(ticket, shard, epoch, issued_at)| {
        TicketStamp { ticket: TicketId(ticket), shard, epoch: Epoch(epoch), issued_at }
    })
}

fn reason() -> impl Strategy<Value = Option<&'static str>> {
    let words = Reason::ALL.map(Reason::as_str).into_iter().chain(["refunding", "cancelling", "expiring"]);
    option::of(select(words.collect::<Vec<_>>()))
}

pub fn document() -> impl Strategy<Value = StatusDocument> {
    let terms = (any::<u16>(), 1..=100_u8);
    let terms = terms.prop_map(|(product, quantity)| Terms { product: ProductNo(product), quantity });
    let terms = option::of(terms);
    let told = (select(Status::ALL.to_vec()), reason(), any::<bool>(), any::<u32>());
    let rest = (vec(0..1_u32 << 24, 0..100), option::of("\\PC{0,300}"), option::of(time()));
    (stamp(), told, terms, rest).prop_map(|(stamp, told, terms, rest)| StatusDocument {
        stamp,
        status: told.0,
        reason: told.1,
        terms,
        units: rest.0.into_iter().collect(),
        checkout_url: rest.1,
        hold_expires_at: rest.2,
        terminal: told.2,
        version: told.3,
    })
}

fn fault() -> impl Strategy<Value = Fault> {
    let part = || select(PARTS.to_vec());
    prop_oneof![
        (part(), "\\PC{0,200}").prop_map(|(what, detail)| Fault::Unavailable { what, detail }),
        (part(), "\\PC{0,200}").prop_map(|(what, detail)| Fault::Damaged { what, detail }),
        part().prop_map(Fault::Overloaded),
        shard().prop_map(Fault::Closed),
    ]
}

fn refusal() -> impl Strategy<Value = CheckoutRefusal> {
    use CheckoutRefusal as R;
    prop_oneof![
        Just(R::UnknownSale),
        Just(R::UnknownProduct),
        any::<u8>().prop_map(|max_per_user| R::OverLimitQuantity { max_per_user }),
        Just(R::KeyReused),
        Just(R::SaleEnded),
        time().prop_map(|starts_at| R::NotStarted { starts_at }),
        Just(R::Paused),
        Just(R::ChallengeRequired),
        stamp().prop_map(|newest| R::LimitReached { newest }),
        Just(R::SoldOut),
        option::of(time()).prop_map(|next_release_at| R::AllHeld { next_release_at }),
        option::of(time()).prop_map(|next_release_at| R::NotEnough { next_release_at }),
    ]
}

/// An answer, or a fault instead of it.
fn or_fault<T: std::fmt::Debug>(answer: impl Strategy<Value = T>) -> impl Strategy<Value = Result<T, Fault>> {
    prop_oneof![2 => answer.prop_map(Ok), 1 => fault().prop_map(Err)]
}

pub fn checkout_answer() -> impl Strategy<Value = Result<CheckoutAnswer, Fault>> {
    let accepted = (document(), any::<bool>())
        .prop_map(|(document, replayed)| CheckoutAnswer::Accepted { document: Box::new(document), replayed });
    or_fault(prop_oneof![accepted, refusal().prop_map(CheckoutAnswer::Refused)])
}

pub fn status_answer() -> impl Strategy<Value = Result<Option<StatusDocument>, Fault>> {
    or_fault(option::of(document()))
}

pub fn cancel_answer() -> impl Strategy<Value = Result<CancelAnswer, Fault>> {
    let of = select(vec![
        CancelAnswer::Cancelled,
        CancelAnswer::Cancelling,
        CancelAnswer::AlreadyConfirmed,
        CancelAnswer::Ended,
    ]);
    let with = (of, document()).prop_map(|(of, document)| of(Box::new(document)));
    or_fault(prop_oneof![4 => with, 1 => Just(CancelAnswer::Unknown)])
}

pub fn extend_answer() -> impl Strategy<Value = Result<ExtendAnswer, Fault>> {
    let refusals = select(vec![
        ChangeRefusal::Paid,
        ChangeRefusal::Ended,
        ChangeRefusal::NotDue,
        ChangeRefusal::WrongState,
        ChangeRefusal::WrongAmount,
        ChangeRefusal::OtherPayment,
        ChangeRefusal::NoExtension,
    ]);
    or_fault(prop_oneof![
        document().prop_map(|document| ExtendAnswer::Extended(Box::new(document))),
        refusals.prop_map(ExtendAnswer::Refused),
        Just(ExtendAnswer::Unknown),
    ])
}

pub fn view() -> impl Strategy<Value = StockView> {
    (any::<[u32; 4]>(), option::of(time()), any::<bool>()).prop_map(|(counts, next_release_at, open)| {
        let [stock, available, held, sold] = counts;
        StockView { stock, available, held, sold, next_release_at, open }
    })
}
