//! Tests.

use super::*;
use crate::books::{Inventory, Ledger, Money};

fn sold(stock: u32) -> Books {
    let units: BTreeSet<u32> = (0..stock).collect();
    Books {
        inventory: Inventory { epoch: 3, sold: units.clone(), ..Inventory::default() },
        log_end: 9,
        ledger: Ledger {
            live: units,
            confirmed: i64::from(stock),
            position: 9,
            epoch: 3,
            ..Ledger::default()
        },
        money: Money { captured: i64::from(stock) * PRICE + PRICE, refunded: PRICE, ..Money::default() },
    }
}

#[test]
fn books_of_a_drop_that_was_sold_agree() {
    assert!(disagreements(&sold(5), 5).is_empty());
}

#[test]
fn what_differs_is_named() {
    let mut books = sold(5);
    books.inventory.sold.remove(&4);
    books.money.refunded = 0;
    books.log_end = 10;
    let found = disagreements(&books, 5).join("\n");
    assert!(found.contains("units sold in Redis: 1 of the stock are missing"), "{found}");
    assert!(found.contains("the revenue: 6000 and not 5000"), "{found}");
    assert!(found.contains("Kafka's log: 9 and not 10"), "{found}");
}

#[test]
fn only_the_gateway_that_was_away_is_excused() {
    let at = Duration::from_secs;
    let flaw = |gateway: &str, sent, ended| Flaw {
        gateway: gateway.to_owned(),
        request: String::new(),
        sent: at(sent),
        ended: at(ended),
        lack: Lack::Answer,
        what: String::new(),
    };
    let away = [Away { address: "a:1".to_owned(), from: at(5), until: Some(at(7)) }];
    assert!(is_excused(&flaw("a:1", 4, 5), &away));
    assert!(is_excused(&flaw("a:1", 7, 8), &away));
    assert!(!is_excused(&flaw("a:1", 1, 3), &away));
    assert!(!is_excused(&flaw("b:1", 5, 6), &away));
}
