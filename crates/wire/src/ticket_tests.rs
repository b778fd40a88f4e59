//! Tests.

use domain::id::{Epoch, SaleId, ShardId, TicketId};
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use proptest::prelude::*;

use super::*;

fn stamp(sale: &str) -> TicketStamp {
    TicketStamp {
        ticket: TicketId([0xab; 16]),
        shard: ShardId { sale: SaleId::parse(sale).unwrap(), number: 3 },
        epoch: Epoch(7),
        issued_at: Timestamp::from_millis(1_795_514_400_123),
    }
}

/// These bytes are in buyers' hands: they never change.
#[test]
fn golden() {
    let ticket = SealedTickets::new([5; 32]).seal(&stamp("drop"));
    assert_eq!(ticket, "Aaurq6urq6urq6urq6urq6sAAwAAAAcAAAGiDP99e2Ryb3BvfbUO2M7vB_37_iwr8_SB");
    assert_eq!(SealedTickets::new([5; 32]).open(&ticket), Some(stamp("drop")));
}

#[test]
fn every_single_bit_matters_and_only_one_writing_is_accepted() {
    let tickets = SealedTickets::new([5; 32]);
    let ticket = tickets.seal(&stamp("drop"));
    let bytes = URL_SAFE_NO_PAD.decode(&ticket).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut forged = bytes.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(tickets.open(&URL_SAFE_NO_PAD.encode(forged)), None, "bit {bit}");
    }
    for other in
        [format!("{ticket}="), format!("{ticket}A"), ticket.to_uppercase(), String::new(), "A".repeat(9_999)]
    {
        assert_eq!(tickets.open(&other), None, "{other}");
    }
    assert_eq!(SealedTickets::new([6; 32]).open(&ticket), None, "another key");
}

#[test]
fn the_longest_ticket_is_as_long_as_said() {
    let longest = SealedTickets::new([5; 32]).seal(&stamp(&"a".repeat(64)));
    assert!(longest.len() <= LONGEST && SealedTickets::new([5; 32]).open(&longest).is_some());
}

proptest! {
    #[test]
    fn nonsense_is_no_ticket(text in "\\PC{0,200}") {
        prop_assert_eq!(SealedTickets::new([5; 32]).open(&text), None);
    }
}
