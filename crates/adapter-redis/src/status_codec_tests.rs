//! Every document comes back; the bytes are golden.

use domain::hold::Terms;
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId};
use domain::order::Reason;
use domain::status::{Status, StatusDocument};
use domain::ticket::TicketStamp;
use domain::time::Timestamp;

use super::{WORDS, decode, encode};

fn shard() -> ShardId {
    ShardId { sale: SaleId::parse("s").unwrap(), number: 0 }
}

fn document() -> StatusDocument {
    StatusDocument {
        stamp: TicketStamp {
            ticket: TicketId([9; 16]),
            shard: shard(),
            epoch: Epoch(3),
            issued_at: Timestamp::from_millis(1_700_000_000_000),
        },
        status: Status::AwaitingPayment,
        reason: Some("payment-declined"),
        terms: Some(Terms { product: ProductNo(258), quantity: 2 }),
        units: [7, 300].into_iter().collect(),
        checkout_url: Some("https://pay/1".into()),
        hold_expires_at: Some(Timestamp::from_millis(1_700_000_300_000)),
        terminal: true,
        version: 5,
    }
}

#[test]
fn the_bytes_are_what_they_were() {
    let hex: String = encode(&document()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    let golden = [
        "00000005",
        "01",
        "01",
        "10",
        "07",
        "0102",
        "02",
        "00000003",
        "0000018bcfe56800",
        "02",
        "00000007",
        "0000012c",
        "0000018bcfe9fbe0",
        "000d",
        "68747470733a2f2f7061792f31",
    ];
    assert_eq!(hex, golden.concat());
}

#[test]
fn every_document_comes_back() {
    let back = |document: &StatusDocument| {
        let bytes = encode(document).unwrap();
        assert_eq!(&decode(&shard(), document.stamp.ticket, &bytes).unwrap(), document);
        for cut in 0..bytes.len() {
            assert!(decode(&shard(), document.stamp.ticket, &bytes[..cut]).is_err(), "cut at {cut}");
        }
    };
    back(&document());
    back(&StatusDocument::queued(document().stamp, Terms { product: ProductNo(0), quantity: 1 }));
    back(&StatusDocument::lost(document().stamp, None));
    for status in Status::ALL {
        back(&StatusDocument { status, ..document() });
    }
    for reason in Reason::ALL.map(Reason::as_str).into_iter().chain(WORDS) {
        back(&StatusDocument { reason: Some(reason), ..document() });
    }
}

#[test]
fn a_word_that_nobody_knows_is_refused() {
    assert!(encode(&StatusDocument { reason: Some("bored"), ..document() }).is_err());
}
