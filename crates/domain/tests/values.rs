//! Money, time, identifiers, sets: parsing, writing, refusing.

use std::collections::BTreeSet;

use domain::id::{IdSecret, IdempotencyKey, ProductId, SaleId, UserId};
use domain::money::{Money, MoneyRefusal};
use domain::order::{OrderState, Reason};
use domain::product::Availability;
use domain::status::{Phase, Status};
use domain::time::Timestamp;
use domain::unit_set::UnitSet;
use proptest::prelude::*;

#[test]
fn money_is_written_as_it_was_read() {
    for (amount, currency, minor) in [
        ("49.90", "EUR", 4_990),
        ("0.01", "EUR", 1),
        ("7", "EUR", 700),
        ("7", "JPY", 7),
        ("1.5", "KWD", 1_500),
    ] {
        assert_eq!(Money::parse(amount, currency).unwrap().minor, minor);
    }
    assert_eq!(Money::parse("49.9", "EUR").unwrap().amount(), "49.90");
    assert_eq!(Money::parse("5", "JPY").unwrap().amount(), "5");
    assert_eq!(Money::parse("0.005", "KWD").unwrap().amount(), "0.005");
    for wrong in ["", ".", "1.", ".5", "-1", "+1", "1e3", " 1", "1,5", "one"] {
        assert_eq!(Money::parse(wrong, "EUR"), Err(MoneyRefusal::Form), "{wrong}");
    }
    assert!(matches!(Money::parse("1.999", "EUR"), Err(MoneyRefusal::Precision { decimals: 2, .. })));
    assert!(matches!(Money::parse("1.5", "JPY"), Err(MoneyRefusal::Precision { decimals: 0, .. })));
    assert_eq!(Money::parse("99999999999999999999", "EUR"), Err(MoneyRefusal::TooLarge));
    for wrong in ["", "eur", "EURO", "XXQ"] {
        assert_eq!(Money::parse("1", wrong), Err(MoneyRefusal::Currency), "{wrong}");
    }
}

#[test]
fn everything_that_is_wrong_with_money_is_named_at_once() {
    for (amount, currency, members) in [
        (Some("1.00"), Some("EUR"), &[][..]),
        (Some("1.001"), Some("EUR"), &["amount"]),
        (Some("one"), Some("EURO"), &["amount", "currency"]),
        (Some("1.001"), Some("EURO"), &["currency"]),
        (Some("one"), None, &["amount"]),
        (None, Some("eur"), &["currency"]),
        (None, None, &[]),
    ] {
        let refusals = Money::refusals(amount, currency);
        let named: Vec<_> = refusals.iter().map(MoneyRefusal::member).collect();
        assert_eq!(named, members, "{amount:?} {currency:?}");
    }
}

#[test]
fn instants_are_rfc_3339() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (1_795_514_400_123, "2026-11-24T10:00:00.123Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(Timestamp::from_millis(millis).to_string(), text);
    }
    assert_eq!(Timestamp::from_millis(-1), Timestamp::EPOCH);
    assert_eq!(Timestamp::MAX.plus_millis(u64::MAX), Timestamp::MAX);
    assert_eq!(Timestamp::EPOCH.millis_since(Timestamp::MAX), 0);
}

#[test]
fn clocks_are_apart_by_what_is_certain() {
    let at = Timestamp::from_millis;
    for (told, ahead) in [(40, -60), (99, -1), (100, 0), (104, 0), (110, 0), (111, 1), (710, 600)] {
        assert_eq!(at(told).ahead_of(at(100), at(110)), ahead, "{told}");
    }
}

#[test]
fn identifiers_have_their_form_and_nothing_else() {
    let (long, longer) = ("a".repeat(64), "a".repeat(65));
    for right in ["a", "0", "a-b", "drop-2026", &long] {
        assert!(SaleId::parse(right).is_ok() && ProductId::parse(right).is_ok(), "{right}");
    }
    for wrong in ["", "-a", "A", "a_b", "a b", "ä", &longer, "a/b", "a\n"] {
        assert!(SaleId::parse(wrong).is_err() && ProductId::parse(wrong).is_err(), "{wrong:?}");
    }
    for right in ["ann@example.com", "A:b_c.d-e", &"u".repeat(128)] {
        assert!(UserId::parse(right).is_ok(), "{right}");
    }
    for wrong in ["", "a b", "ü", &"u".repeat(129), "a/b", "a\u{0}"] {
        assert!(UserId::parse(wrong).is_err(), "{wrong:?}");
    }
    assert!(IdempotencyKey::parse(&"!".repeat(255)).is_ok());
    for wrong in ["", " ", "a b", "\u{7f}", "é", &"k".repeat(256)] {
        assert!(IdempotencyKey::parse(wrong).is_err(), "{wrong:?}");
    }
    let user = UserId::parse("ann@example.com").unwrap();
    assert!(!format!("{user:?}").contains("ann"), "redacted");
}

#[test]
fn what_a_log_may_show_of_an_identifier_opens_nothing() {
    let (user, key) = (UserId::parse("ann").unwrap(), IdempotencyKey::parse("whisper").unwrap());
    assert_eq!(format!("{user:?} {key:?}"), "UserId(…) IdempotencyKey(…)");
    let (ids, sale) = (IdSecret::new([1; 32]), SaleId::parse("s").unwrap());
    let ticket = ids.ticket(&sale, ids.user(&sale, &user), &key);
    let whole: String = ticket.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let shown = format!("{ticket:?} {ids:?}");
    assert!(shown.contains(&whole[..8]) && !shown.contains(&whole[..9]), "{shown}");
    assert!(shown.ends_with(" IdSecret(…)"), "{shown}");
}

#[test]
fn hashes_differ_by_every_part_and_by_the_secret() {
    let (one, two) = (IdSecret::new([1; 32]), IdSecret::new([2; 32]));
    let (sale, other) = (SaleId::parse("s").unwrap(), SaleId::parse("t").unwrap());
    let (ann, bob) = (UserId::parse("ann").unwrap(), UserId::parse("bob").unwrap());
    let key = |text| IdempotencyKey::parse(text).unwrap();
    let hashes: BTreeSet<_> =
        [one.user(&sale, &ann), one.user(&sale, &bob), one.user(&other, &ann), two.user(&sale, &ann)].into();
    assert_eq!(hashes.len(), 4);
    let user = one.user(&sale, &ann);
    let ticket = one.ticket(&sale, user, &key("k"));
    let tickets: BTreeSet<_> = [
        ticket,
        one.ticket(&sale, user, &key("l")),
        one.ticket(&other, user, &key("k")),
        one.late_claim(ticket, 1),
        one.late_claim(ticket, 2),
    ]
    .into();
    assert_eq!(tickets.len(), 5);
    assert_eq!(ticket, one.ticket(&sale, user, &key("k")), "always the same");
    let shards: BTreeSet<_> = (0..200)
        .map(|n| one.shard(&sale, one.user(&sale, &UserId::parse(&format!("u{n}")).unwrap()), 4).number)
        .collect();
    assert_eq!(shards.len(), 4);
}

#[test]
fn every_state_has_a_status() {
    for state in OrderState::ALL {
        for reason in Reason::ALL.into_iter().map(Some).chain([None]) {
            let phase = Status::of(state, reason).phase();
            let expected = match state {
                OrderState::Allocated => Phase::Pending,
                OrderState::PendingPayment | OrderState::Expiring | OrderState::Capturing => {
                    Phase::AwaitingPayment
                }
                OrderState::Confirmed => Phase::Confirmed,
                _ => Phase::Failed,
            };
            assert_eq!(phase, expected, "{state:?} {reason:?}");
        }
    }
    assert_eq!(Status::of(OrderState::Rejected, Some(Reason::SoldOut)), Status::SoldOut);
    assert_eq!(Status::of(OrderState::Rejected, Some(Reason::StoreFailover)), Status::Cancelled);
    assert_eq!(Status::of(OrderState::Rejected, Some(Reason::PaymentRefused)), Status::PaymentFailed);
}

#[test]
fn availability_is_sold_out_only_where_every_unit_is_confirmed() {
    assert_eq!(Availability::of(100, 100, 0), Availability::InStock);
    assert_eq!(Availability::of(100, 10, 0), Availability::Low);
    assert_eq!(Availability::of(100, 0, 99), Availability::AllHeld);
    assert_eq!(Availability::of(100, 0, 100), Availability::SoldOut);
    assert_eq!(Availability::of(0, 0, 0), Availability::SoldOut);
}

proptest! {
    #[test]
    fn unit_sets_are_sets(a in proptest::collection::vec(0..60_u32, 0..40), b in proptest::collection::vec(0..60_u32, 0..40)) {
        let model = |list: &[u32]| list.iter().copied().collect::<BTreeSet<_>>();
        let ((left, twice), (right, _)) = (UnitSet::collect(a.clone()), UnitSet::collect(b.clone()));
        let (x, y) = (model(&a), model(&b));
        let list = |set: &UnitSet| set.iter().collect::<BTreeSet<_>>();
        prop_assert_eq!(list(&left), x.clone());
        prop_assert_eq!(left.len() as usize, x.len());
        prop_assert_eq!(list(&left.union(&right)), x.union(&y).copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(list(&left.difference(&right)), x.difference(&y).copied().collect::<BTreeSet<_>>());
        prop_assert_eq!(list(&left.intersection(&right)), x.intersection(&y).copied().collect::<BTreeSet<_>>());
        let doubled: BTreeSet<_> = x.iter().filter(|n| a.iter().filter(|m| m == n).count() > 1).copied().collect();
        prop_assert_eq!(twice.into_iter().collect::<BTreeSet<_>>(), doubled);
        for n in 0..60 {
            prop_assert_eq!(left.contains(n), x.contains(&n));
        }
    }

    #[test]
    fn of_ranges_every_number_counts_and_what_comes_twice_is_named(spans in proptest::collection::vec((0..60_u32, 0..9_u32), 0..12)) {
        let ranges = || spans.iter().map(|(start, length)| *start..start + length);
        let (set, twice) = UnitSet::collect_ranges(ranges());
        for number in 0..70 {
            let times = ranges().filter(|range| range.contains(&number)).count();
            prop_assert_eq!((set.contains(number), twice.contains(number)), (times > 0, times > 1), "{} in {:?}", number, spans);
        }
    }
}

#[test]
fn an_instant_is_read_as_it_is_written_and_in_no_other_form() {
    for millis in [0, 951_782_400_000, 1_709_164_799_999, 4_102_444_800_000, 253_402_300_799_999] {
        let instant = Timestamp::from_millis(millis);
        assert_eq!(Timestamp::parse(&instant.to_string()), Some(instant), "{instant}");
    }
    let noon = Timestamp::parse("2026-11-27T12:00:00Z");
    assert_eq!(noon.map(|noon| noon.as_millis()), Some(1_795_780_800_000));
    for same in [
        "2026-11-27T13:30:00+01:30",
        "2026-11-27t03:00:00.000-09:00",
        "2026-11-27T12:00:00.0009999z",
        "2026-11-28T00:00:00+12:00",
    ] {
        assert_eq!(Timestamp::parse(same), noon, "{same}");
    }
    assert_eq!(Timestamp::parse("2026-11-27T12:00:00.5Z").map(|at| at.as_millis() % 1_000), Some(500));
    assert!(Timestamp::parse("2024-02-29T00:00:00Z").is_some());
    for wrong in [
        "",
        "2026-11-27",
        "2026-11-27T12:00:00",
        "2026-11-27T12:00Z",
        "20261127T120000Z",
        "2026-11-27 12:00:00Z",
        "2026-11-27T12:00:00Z[UTC]",
        "2026-11-27T12:00:00.Z",
        "2026-11-27T24:00:00Z",
        "2026-11-27T12:60:00Z",
        "2026-11-27T12:00:61Z",
        "2026-13-01T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-00-10T12:00:00Z",
        "2026-11-00T12:00:00Z",
        "+026-11-27T12:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-11-27T12:00:00+1:00",
        "2026-11-27T12:00:00+24:00",
        "2026-11-27T12:00:00+0100",
        "2026-11-2éT12:00:00Z",
    ] {
        assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
    }
}
