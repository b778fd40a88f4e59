//! Tests.

use domain::hold::Units;
use domain::id::{ProductNo, SaleId};

use super::*;

fn queued() -> StatusDocument {
    let shard = ShardId { sale: SaleId::parse("drop").unwrap(), number: 0 };
    let at = Timestamp::from_millis(1_000);
    let stamp = TicketStamp { ticket: TicketId([7; 16]), shard, epoch: Epoch(3), issued_at: at };
    StatusDocument {
        version: 5,
        ..StatusDocument::queued(stamp, Terms { product: ProductNo(2), quantity: 4 })
    }
}

#[test]
fn what_is_kept_small_is_all_there_is_to_say() {
    let small = queued();
    assert!(matches!(Kept::of(small.clone()), Kept::Queued { .. }));
    let wholes = [
        StatusDocument { status: Status::Confirmed, ..queued() },
        StatusDocument { reason: Some("cancelling"), ..queued() },
        StatusDocument { terms: None, ..queued() },
        StatusDocument { units: Units::One(9), ..queued() },
        StatusDocument { checkout_url: Some("http://pay/1".to_owned()), ..queued() },
        StatusDocument { hold_expires_at: Some(Timestamp::from_millis(2_000)), ..queued() },
        StatusDocument { terminal: true, ..queued() },
    ];
    assert!(wholes.iter().all(|whole| matches!(Kept::of(whole.clone()), Kept::Whole(_))));
    for document in wholes.into_iter().chain([small]) {
        let kept = Kept::of(document.clone());
        assert_eq!((kept.version(), kept.document(document.stamp.ticket)), (5, document));
    }
}

#[test]
fn an_order_that_waits_takes_little() {
    // A million of them wait at once: see BENCHMARKS.md for what a byte costs.
    assert!(size_of::<Kept>() <= 48, "{}", size_of::<Kept>());
    assert!(size_of::<crate::book::Entry>() <= 280, "{}", size_of::<crate::book::Entry>());
}
