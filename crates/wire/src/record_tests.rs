//! Tests.

use domain::id::ProductId;
use domain::money::Money;
use domain::order::{OrderState, OrderTerms, Reason};
use domain::payment::{Payment, PaymentSession, PaymentStage};
use domain::product::Product;
use domain::sale::Mode;

use super::*;

fn shard() -> ShardId {
    ShardId { sale: SaleId::parse("drop").unwrap(), number: 0 }
}

fn claim() -> Claim {
    Claim {
        ticket: TicketId([1; 16]),
        shard: shard(),
        epoch: Epoch(2),
        issued_at: Timestamp::from_millis(1_795_514_400_123),
        user: UserHash([3; 16]),
        user_id: UserId::parse("ann@example.com").unwrap(),
        terms: Terms { product: ProductNo(1), quantity: 2 },
        units: [7, 300].into_iter().collect(),
    }
}

fn order() -> Order {
    let price = Money::parse("49.90", "EUR").unwrap();
    let terms = OrderTerms { amount: price.times(2), address_deadline_ms: 900_000 };
    let mut order = Order::from_claim(&claim(), terms, None, Timestamp::from_millis(1_795_514_400_200));
    order.session = Some(Box::new(PaymentSession { session: "cs_1".into(), url: "http://pay/1".into() }));
    order.payment = Some(Box::new(Payment {
        payment: "pi_1".into(),
        amount: price.times(2),
        stage: PaymentStage::Captured,
    }));
    order.expires_at = Some(Timestamp::from_millis(1_795_514_700_000));
    order
}

fn sale() -> Sale {
    let product = Product {
        product_id: ProductId::parse("p").unwrap(),
        name: "Prünelle".into(),
        description: "d".into(),
        image_url: Some("https://x/y".into()),
        price: Money::parse("5", "JPY").unwrap(),
        compare_at: Some(Money::parse("6", "JPY").unwrap()),
        stock: 16_777_215,
        max_per_user: 100,
    };
    Sale {
        sale_id: SaleId::parse("drop").unwrap(),
        name: "Drop".into(),
        description: String::new(),
        message: "m".into(),
        starts_at: Timestamp::EPOCH,
        ends_at: Timestamp::MAX,
        mode: Mode::Rush,
        hold_ms: 300_000,
        extension_ms: 0,
        challenge: ChallengeRule::Never,
        shards: 1,
        paused: true,
        products: vec![product],
        revision: 9,
    }
}

fn all() -> Vec<Record> {
    let fence = Term { epoch: Epoch(3), state: TermState::Rebuild, fence: Some(Position(77)) };
    let action = Action {
        at: Timestamp::from_millis(5),
        actor: "operator".into(),
        action: "pause".into(),
        sale: Some(shard().sale),
        detail: "why".into(),
    };
    vec![
        Record::Sale(Box::new(sale())),
        Record::Restock {
            sale: shard().sale,
            product: ProductNo(1),
            units: 5,
            key: IdempotencyKey::parse("r1").unwrap(),
        },
        Record::Term { shard: shard(), term: fence },
        Record::Claims { shard: shard(), claims: vec![claim(), claim()] },
        Record::Allocated {
            shard: shard(),
            next: Position(9),
            at: Timestamp::from_millis(6),
            address_deadline_ms: 900_000,
            decisions: vec![
                Allocation::Allocated,
                Allocation::Known,
                Allocation::Rejected(Reason::WrongAmount),
            ],
        },
        Record::Order(Box::new(order())),
        Record::Event([4; 16]),
        Record::Action(action),
    ]
}

#[test]
fn every_record_comes_back_and_records_follow_one_another() {
    let mut writer = Writer::default();
    all().iter().for_each(|record| record.write(&mut writer));
    let mut reader = Reader::new(writer.bytes());
    for record in all() {
        assert_eq!(Record::read(&mut reader), Ok(record));
    }
    assert!(reader.is_empty());
}

#[test]
fn every_state_and_reason_comes_back() {
    for state in OrderState::ALL {
        for reason in Reason::ALL.into_iter().map(Some).chain([None]) {
            let record = Record::Order(Box::new(Order { state, reason, ..order() }));
            let mut writer = Writer::default();
            record.write(&mut writer);
            assert_eq!(Record::read(&mut Reader::new(writer.bytes())), Ok(record));
        }
    }
}

#[test]
fn a_sale_that_asks_comes_back_and_one_that_does_not_is_written_as_before() {
    let written = |sale: Sale| {
        let mut writer = Writer::default();
        Record::Sale(Box::new(sale)).write(&mut writer);
        writer.bytes().to_vec()
    };
    let plain = written(sale());
    for (challenge, lead) in [(ChallengeRule::Suspects, [9, 1]), (ChallengeRule::Always, [9, 2])] {
        let bytes = written(Sale { challenge, ..sale() });
        // The same bytes as ever, after the number of the form and whom the sale asks.
        assert_eq!((&bytes[..2], &bytes[2..]), (&lead[..], &plain[1..]));
        let read = Record::read(&mut Reader::new(&bytes));
        assert_eq!(read, Ok(Record::Sale(Box::new(Sale { challenge, ..sale() }))));
    }
    assert!(Record::read(&mut Reader::new(&[&[9, 3], &plain[1..]].concat())).is_err());
}

/// These bytes are in journals: they never change.
#[test]
fn golden() {
    let mut writer = Writer::default();
    all().iter().for_each(|record| record.write(&mut writer));
    let hex: String = writer.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("record_golden.txt").trim());
}

#[test]
fn a_cut_record_is_an_error_wherever_it_is_cut() {
    for record in all() {
        let mut writer = Writer::default();
        record.write(&mut writer);
        for length in 0..writer.bytes().len() {
            assert!(
                Record::read(&mut Reader::new(&writer.bytes()[..length])).is_err(),
                "{record:?} at {length}"
            );
        }
    }
}
