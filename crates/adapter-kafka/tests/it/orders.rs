//! How orders stand, as a shop's program reads it.

use adapter_kafka::{Kafka, OrderFact};
use domain::few::Few;
use domain::id::{ProductId, SaleId, TicketId, UserId};
use domain::money::Money;
use domain::status::Status;
use domain::time::Timestamp;

use crate::broker::SHARED;
use crate::raw;

fn fact(ticket: u8, version: u32) -> OrderFact {
    OrderFact {
        ticket: TicketId([ticket; 16]),
        sale: SaleId::parse("drop").unwrap(),
        product: ProductId::parse("shoe").unwrap(),
        user_id: UserId::parse("ann").unwrap(),
        quantity: 1,
        units: Few::One(3),
        amount: Some(Money::parse("10.00", "EUR").unwrap()),
        status: Status::Confirmed,
        reason: None,
        version,
        changed_at: Timestamp::from_millis(1_764_064_800_000),
    }
}

#[tokio::test]
async fn the_facts_of_one_ticket_lie_in_order_in_one_partition() {
    let prefix = format!("orders-{}.", std::process::id());
    let facts = Kafka::connect(SHARED.options(&prefix)).await.unwrap().order_facts();
    let all = (1..=20).flat_map(|version| (0..10).map(move |ticket| fact(ticket, version)));
    facts.append(all.collect()).await.unwrap();
    let topic = format!("{prefix}orders");
    let mut tickets = 0;
    for partition in 0..8 {
        let records = raw::records(&topic, partition);
        let firsts = records.iter().take(records.len() / 20);
        tickets += firsts.len();
        for first in firsts {
            let ids: Vec<_> = records
                .iter()
                .filter(|record| record.key == first.key)
                .map(|record| record.header("ce_id").unwrap().to_owned())
                .collect();
            let ticket = first.key.as_deref().unwrap();
            assert_eq!(ids, (1..=20).map(|version| format!("{ticket}.{version}")).collect::<Vec<_>>());
            assert_eq!(first.header("ce_type"), Some("tzero.order.v1"));
        }
    }
    assert_eq!(tickets, 10);
}
