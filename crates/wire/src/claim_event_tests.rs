//! The bytes of a claim's event, and what is refused without saying what it holds.

use domain::hold::{Claim, Terms};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::time::Timestamp;
use proptest::prelude::*;

use super::{Unreadable, read, write};
use crate::event::Event;

fn shard() -> ShardId {
    ShardId { sale: SaleId::parse("drop").unwrap(), number: 3 }
}

fn claim(units: &[u32]) -> Claim {
    Claim {
        ticket: TicketId(*b"\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\xee\xff"),
        shard: shard(),
        epoch: Epoch(7),
        issued_at: Timestamp::from_millis(1_764_064_800_123),
        user: UserHash([0xab; 16]),
        user_id: UserId::parse("ann:1@shop.example").unwrap(),
        terms: Terms { product: ProductNo(2), quantity: 2 },
        units: units.iter().copied().collect(),
    }
}

fn again(event: &Event) -> Result<Claim, Unreadable> {
    read(&shard(), |name| header(event, name), Some(&event.value))
}

fn header<'a>(event: &'a Event, name: &str) -> Option<&'a [u8]> {
    event.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes())
}

#[test]
fn the_bytes_are_these() {
    let event = write(&claim(&[41, 16_777_214]));
    assert_eq!(event.key, "000102030405060708090a0b0c0deeff");
    let headers = event.headers.clone().map(|(name, value)| format!("{name}: {value}"));
    assert_eq!(
        headers,
        [
            "ce_specversion: 1.0",
            "ce_type: tzero.claim.v1",
            "ce_source: /sales/drop/shards/3",
            "ce_id: 000102030405060708090a0b0c0deeff.7",
            "ce_subject: 000102030405060708090a0b0c0deeff",
            "ce_time: 2025-11-25T10:00:00.123Z",
            "content-type: application/json",
        ]
    );
    let golden = concat!(
        r#"{"ticket":"000102030405060708090a0b0c0deeff","sale":"drop","shard":3,"epoch":7,"#,
        r#""issued_at":"2025-11-25T10:00:00.123Z","user":"abababababababababababababababab","#,
        r#""user_id":"ann:1@shop.example","product":2,"quantity":2,"units":[41,16777214]}"#
    );
    assert_eq!(String::from_utf8(event.value).unwrap(), golden);
}

#[test]
fn members_that_are_not_known_are_passed_over_and_escapes_are_understood() {
    let mut event = write(&claim(&[5]));
    let text = String::from_utf8(event.value).unwrap();
    event.value =
        text.replace(r#""ann:1@"#, r#""\u0061nn:1@"#).replacen('{', r#"{"colour":{"r":[1]},"#, 1).into();
    assert_eq!(again(&event), Ok(claim(&[5])));
}

#[test]
fn what_is_no_claim_of_this_shard_is_refused() {
    let event = write(&claim(&[5]));
    let text = String::from_utf8(event.value.clone()).unwrap();
    let with = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from} is there");
        again(&Event { value: changed.into_bytes(), ..event.clone() })
    };
    assert_eq!(with(r#""shard":3"#, r#""shard":4"#), Err(Unreadable::OfAnotherShard));
    assert_eq!(with(r#""sale":"drop""#, r#""sale":"drip""#), Err(Unreadable::OfAnotherShard));
    assert_eq!(with("0001", "001"), Err(Unreadable::Member("ticket")));
    assert_eq!(with("0001", "00+1"), Err(Unreadable::Member("ticket")));
    assert_eq!(with("abab", "abxy"), Err(Unreadable::Member("user")));
    assert_eq!(with("2025-11-25T", "2025-11-25 "), Err(Unreadable::Member("issued_at")));
    assert_eq!(with("ann:1@shop", "ann 1@shop"), Err(Unreadable::Member("user_id")));
    assert!(matches!(with(r#""quantity":2"#, r#""quantity":256"#), Err(Unreadable::Form { line: 1, .. })));
    assert!(matches!(with(r#""units":[5]"#, r#""unit":[5]"#), Err(Unreadable::Form { .. })));
    assert_eq!(read(&shard(), |name| header(&event, name), None), Err(Unreadable::NoValue));
    for (at, (name, _)) in event.headers.iter().enumerate().take(2) {
        let mut other = event.clone();
        other.headers[at].1.push('9');
        assert_eq!(again(&other), Err(Unreadable::Header(name)));
    }
}

#[test]
fn a_refusal_never_says_what_the_record_holds() {
    let event = write(&claim(&[5]));
    let text = String::from_utf8(event.value.clone()).unwrap();
    let value = text.replacen(r#""quantity":2"#, r#""quantity":"ann:1@shop.example""#, 1).into_bytes();
    let refusal = again(&Event { value, ..event }).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("ann"), "{refusal}");
}

proptest! {
    #[test]
    fn what_was_written_is_read_again(
        ticket: [u8; 16], user: [u8; 16], epoch: u32, at in 0..=Timestamp::MAX.as_millis(),
        user_id in "[A-Za-z0-9._:@-]{1,128}", product: u16, quantity in 5_u8..,
        units in prop::collection::hash_set(any::<u32>(), 0..5),
    ) {
        let written = Claim {
            ticket: TicketId(ticket), user: UserHash(user), epoch: Epoch(epoch), issued_at: Timestamp::from_millis(at),
            user_id: UserId::parse(&user_id).unwrap(), terms: Terms { product: ProductNo(product), quantity },
            ..claim(&units.into_iter().collect::<Vec<_>>())
        };
        let event = write(&written);
        serde_json::from_slice::<serde_json::Value>(&event.value).unwrap();
        prop_assert_eq!(again(&event), Ok(written));
    }

    #[test]
    fn any_bytes_are_read_or_refused(value: Vec<u8>) {
        let event = write(&claim(&[5]));
        let refused = again(&Event { value, ..event }).is_err();
        prop_assert!(refused);
    }
}

#[test]
fn a_claim_of_nothing_is_none() {
    let mut nothing = claim(&[]);
    nothing.terms.quantity = 0;
    assert_eq!(again(&write(&nothing)), Err(Unreadable::Member("quantity")));
}

#[test]
fn a_claim_names_each_unit_once_and_no_more_than_were_asked_for() {
    for wrong in [&[34, 34][..], &[1, 2, 3], &[7, 8, 7]] {
        assert_eq!(again(&write(&claim(wrong))), Err(Unreadable::Member("units")), "{wrong:?}");
    }
    for right in [&[][..], &[5], &[5, 6]] {
        again(&write(&claim(right))).unwrap();
    }
}
