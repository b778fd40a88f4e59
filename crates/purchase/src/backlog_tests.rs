//! Logs that move, and one that stands still.

use domain::backlog::{Log, Sight};
use domain::fence::Position;
use domain::id::{SaleId, ShardId};

use super::Backlog;

fn shard(sale: &str) -> ShardId {
    ShardId { sale: SaleId::parse(sale).unwrap(), number: 0 }
}

fn log(sale: &str, position: u64, waiting: u64) -> Log {
    Log { shard: shard(sale), position: Position(position), waiting }
}

/// Looks a second apart at two logs: one moves by one a second, the other stands still at 5.
fn after(seconds: u64) -> (Backlog, u64) {
    let (backlog, mut moving) = (Backlog::new(None), 0);
    for second in 0..=seconds {
        let logs = vec![log("moves", second, 2), log("stands", 5, 7)];
        moving = backlog.see_logs(logs, second * 1_000);
    }
    (backlog, moving)
}

#[test]
fn what_lies_in_a_log_that_stands_still_keeps_nobody_else_waiting() {
    let (backlog, moving) = after(9);
    assert_eq!((moving, backlog.still_ms()), (9, 0), "not for long enough");
    let (backlog, moving) = after(30);
    assert_eq!((moving, backlog.still_ms()), (2, 30_000));
    assert_eq!(backlog.estimate_of(&shard("stands")), 30_000);
    assert_eq!(backlog.estimate_of(&shard("moves")), 0);
    assert_eq!(backlog.estimate_ms(), 30_000, "the longest of all");
}

#[test]
fn a_log_that_moves_again_or_is_empty_or_of_a_sale_that_is_over_stands_still_no_longer() {
    for logs in [vec![log("stands", 6, 6)], vec![log("stands", 5, 0)], vec![]] {
        let (backlog, _) = after(30);
        backlog.see_logs(logs, 31_000);
        assert_eq!((backlog.still_ms(), backlog.estimate_of(&shard("stands"))), (0, 0));
    }
}

#[test]
fn whoever_comes_waits_for_all_that_are_before() {
    let backlog = Backlog::new(Some(10.0));
    backlog.see(Sight { at_ms: 1_000, waiting: 50, idle: 50, served: 0 }, 0);
    backlog.admit();
    assert_eq!(backlog.estimate_of(&shard("moves")), 5_100);
}
