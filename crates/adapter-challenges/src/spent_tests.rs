//! Tests.

use super::*;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

#[test]
fn a_solution_is_used_for_one_key() {
    let spent = Spent::new(10);
    assert_eq!(spent.look(&[1; 16], &key("a"), at(0)), Use::First);
    assert_eq!(spent.spend([1; 16], &key("a"), at(60), at(0)), Use::First);
    assert_eq!(spent.spend([1; 16], &key("a"), at(60), at(1)), Use::Same);
    assert_eq!(spent.spend([1; 16], &key("b"), at(60), at(1)), Use::Other);
    assert_eq!(spent.look(&[1; 16], &key("b"), at(60)), Use::Other);
    assert_eq!(spent.look(&[1; 16], &key("b"), at(61)), Use::First, "it has expired, and passes for nobody");
    assert_eq!(spent.spend([2; 16], &key("b"), at(60), at(1)), Use::First);
    assert_eq!(spent.len(), 2);
}

#[test]
fn what_has_expired_is_forgotten_and_not_a_moment_before() {
    let spent = Spent::new(10);
    spent.spend([1; 16], &key("a"), at(60), at(0));
    spent.spend([2; 16], &key("a"), at(61), at(60));
    assert_eq!((spent.len(), spent.look(&[1; 16], &key("b"), at(60))), (2, Use::Other));
    spent.spend([3; 16], &key("a"), at(90), at(61));
    assert_eq!((spent.len(), spent.look(&[2; 16], &key("b"), at(61))), (2, Use::Other));
}

#[test]
fn memory_has_a_bound_and_the_oldest_goes_first() {
    let spent = Spent::new(3);
    for number in 0..100_u8 {
        assert_eq!(spent.spend([number; 16], &key("a"), at(60), at(0)), Use::First);
        assert!(spent.len() <= 3);
    }
    assert_eq!(spent.look(&[96; 16], &key("b"), at(1)), Use::First);
    for number in 97..100_u8 {
        assert_eq!(spent.look(&[number; 16], &key("b"), at(1)), Use::Other);
    }
}

#[test]
fn of_many_at_once_one_key_wins() {
    let spent = Spent::new(10);
    let first = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (spent, first) = (&spent, &first);
            scope.spawn(move || {
                if spent.spend([7; 16], &key(&format!("k{number}")), at(60), at(0)) == Use::First {
                    first.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(first.into_inner(), 1);
}
