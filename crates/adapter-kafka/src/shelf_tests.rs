//! Records on a shelf: order, room, and what is passed over.

use std::sync::Arc;

use domain::few::Few;
use domain::hold::{Claim, Terms};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::time::Timestamp;

use super::{Put, Record, Seen, Shelf};
use crate::dead_letters::Letter;

fn claim(number: u64) -> Record {
    Record::Claim(Claim {
        ticket: TicketId([number as u8; 16]),
        shard: ShardId { sale: SaleId::parse("s").unwrap(), number: 0 },
        epoch: Epoch(1),
        issued_at: Timestamp::EPOCH,
        user: UserHash([0; 16]),
        user_id: UserId::parse("u").unwrap(),
        terms: Terms { product: ProductNo(0), quantity: 1 },
        units: Few::One(number as u32),
    })
}

fn put(shelf: &mut Shelf, at: u64, record: Record) -> Put {
    let put = shelf.place(at);
    if put == Put::Taken {
        shelf.put(record);
    }
    put
}

fn filled(room: usize, from: u64, to: u64) -> Shelf {
    let mut shelf = Shelf::new(room);
    shelf.begin(from);
    for at in from..to {
        assert_eq!(put(&mut shelf, at, claim(at)), Put::Taken);
    }
    shelf
}

/// Positions that are read, and where reading goes on.
fn read(shelf: &mut Shelf, from: u64, limit: usize) -> (Vec<u64>, u64) {
    match shelf.look(from, limit) {
        Seen::Batch(batch) => (batch.claims.iter().map(|(at, _)| at.0).collect(), batch.next.0),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_the_next_record_is_taken() {
    let mut shelf = filled(9, 5, 7);
    assert_eq!(put(&mut shelf, 6, claim(6)), Put::Known);
    assert_eq!(put(&mut shelf, 8, claim(8)), Put::TooEarly);
    assert_eq!(put(&mut shelf, 7, claim(7)), Put::Taken);
    assert_eq!(read(&mut shelf, 5, 2), (vec![5, 6], 7));
    assert_eq!(read(&mut shelf, 5, 9), (vec![5, 6, 7], 8));
    assert!(matches!(shelf.look(8, 9), Seen::Nothing));
    assert!(matches!(shelf.look(4, 9), Seen::Elsewhere) && matches!(shelf.look(9, 9), Seen::Elsewhere));
}

#[test]
fn what_was_read_makes_room_and_nothing_else() {
    let mut shelf = filled(4, 0, 4);
    assert_eq!(put(&mut shelf, 4, claim(4)), Put::Full);
    assert!(!shelf.has_room());
    read(&mut shelf, 2, 9);
    assert!(shelf.has_room());
    assert_eq!(put(&mut shelf, 4, claim(4)), Put::Taken);
    assert_eq!(put(&mut shelf, 5, claim(5)), Put::Taken);
    assert_eq!(put(&mut shelf, 6, claim(6)), Put::Full, "2 was asked for and not passed");
    assert_eq!(read(&mut shelf, 2, 9), (vec![2, 3, 4, 5], 6));
    assert!(matches!(shelf.look(1, 9), Seen::Elsewhere), "1 made room");
}

#[test]
fn going_on_keeps_what_lies_there_and_another_place_does_not() {
    let mut shelf = filled(9, 0, 3);
    shelf.begin(3);
    assert_eq!(read(&mut shelf, 0, 9).0, [0, 1, 2]);
    shelf.begin(1);
    assert!(shelf.covers(1) && !shelf.has(1) && !shelf.covers(2));
}

#[test]
fn a_letter_ends_a_batch_and_is_passed_once_it_was_put_aside() {
    let mut shelf = filled(9, 0, 2);
    let letter = Arc::new(Letter::nowhere());
    assert_eq!(put(&mut shelf, 2, Record::Letter(letter)), Put::Taken);
    assert_eq!(put(&mut shelf, 3, claim(3)), Put::Taken);
    assert_eq!(read(&mut shelf, 0, 9), (vec![0, 1], 2));
    assert!(matches!(shelf.look(2, 9), Seen::Letter(2, _)));
    shelf.pass(2);
    assert_eq!(read(&mut shelf, 2, 9), (vec![3], 4));
    assert_eq!(read(&mut shelf, 0, 2), (vec![0, 1], 3));
}

#[test]
fn positions_without_a_record_are_passed_over() {
    let mut shelf = filled(9, 0, 1);
    assert_eq!(put(&mut shelf, 4, claim(4)), Put::TooEarly);
    shelf.skip_to(4);
    assert_eq!(read(&mut shelf, 1, 9), (vec![], 4), "nothing lies before what comes");
    assert_eq!(put(&mut shelf, 4, claim(4)), Put::Taken);
    assert_eq!(read(&mut shelf, 2, 9), (vec![4], 5));
}
