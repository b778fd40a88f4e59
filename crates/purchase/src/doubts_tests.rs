//! Doubts come up again and again, and not before their time.

use std::time::Duration;

use domain::id::TicketId;

use super::{Doubts, EVERY, PARTS, REMEMBERED};

#[test]
fn a_ticket_is_compared_once_in_a_while() {
    let (doubts, ticket) = (Doubts::default(), TicketId([7; 16]));
    let at = |share: f64| Duration::from_secs(100) + EVERY.mul_f64(share);
    assert!(!doubts.are_due(ticket, at(0.0)), "what is seen for the first time was shown a moment ago");
    assert!(!doubts.are_due(ticket, at(0.9)));
    assert!(doubts.are_due(ticket, at(1.0)));
    assert!(!doubts.are_due(ticket, at(1.5)), "it has just been compared");
    assert!(doubts.are_due(ticket, at(2.1)));
}

#[test]
fn what_is_remembered_is_bounded() {
    let doubts = Doubts::default();
    for number in 0..(REMEMBERED * PARTS * 2) as u128 {
        doubts.are_due(TicketId((number << 64 | number << 120).to_be_bytes()), Duration::ZERO);
    }
    let kept: usize = doubts.parts.iter().map(|part| part.lock().unwrap().len()).sum();
    assert!(kept <= REMEMBERED * PARTS);
}

#[test]
fn a_board_that_stays_behind_is_compared_at_every_look() {
    let (doubts, ticket) = (Doubts::default(), TicketId([7; 16]));
    let at = Duration::from_secs(100);
    assert!(!doubts.are_due(ticket, at));
    doubts.remain(ticket);
    assert!(doubts.are_due(ticket, at), "the ledger knew more a moment ago");
    assert!(!doubts.are_due(ticket, at), "and this time no more than the board");
    doubts.remain(ticket);
    assert!(doubts.are_due(ticket, at + EVERY.mul_f64(0.1)));
}
