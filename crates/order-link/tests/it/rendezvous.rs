//! Which node serves which shard.

use order_link::Rendezvous;

use crate::stage::shard;

const SHARDS: u16 = 10_000;

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|node| format!("orders-{node}.shop.internal:7100")).collect()
}

/// The node of each shard.
fn nodes(names: &[String]) -> Vec<String> {
    let rendezvous = Rendezvous::over(names);
    let first = |number| rendezvous.order(&shard(number)).first().map(|node| names[*node].clone());
    (0..SHARDS).filter_map(first).collect()
}

#[test]
fn a_lost_node_moves_its_own_shards_only_and_they_spread_over_the_others() {
    let all = names(5);
    let before = nodes(&all);
    for lost in &all {
        let left: Vec<String> = all.iter().filter(|node| *node != lost).cloned().collect();
        let after = nodes(&left);
        let of_others = before.iter().zip(&after).filter(|(before, _)| *before != lost);
        assert!(of_others.clone().all(|(before, after)| before == after));
        let moved = usize::from(SHARDS) - of_others.count();
        assert!((1_800..=2_200).contains(&moved), "{moved} of {SHARDS} shards were those of {lost}");
        for heir in &left {
            let pairs = before.iter().zip(&after);
            let taken = pairs.filter(|(before, after)| *before == lost && *after == heir).count();
            assert!((400..=600).contains(&taken), "{heir} takes {taken} of {moved}");
        }
    }
}

#[test]
fn the_next_node_in_the_order_is_the_one_that_takes_over() {
    let all = names(4);
    let rendezvous = Rendezvous::over(&all);
    for number in 0..500 {
        let order = rendezvous.order(&shard(number));
        let left: Vec<String> = all.iter().filter(|node| **node != all[order[0]]).cloned().collect();
        assert_eq!(left[Rendezvous::over(&left).order(&shard(number))[0]], all[order[1]]);
    }
}

#[test]
fn the_order_of_the_names_does_not_matter() {
    let all = names(5);
    let turned: Vec<String> = all.iter().rev().cloned().collect();
    assert_eq!(nodes(&all), nodes(&turned));
}

/// Gateways of different releases must agree while an upgrade rolls through: these never change.
#[test]
fn golden() {
    let rendezvous = Rendezvous::over(&names(5));
    let order = |number| rendezvous.order(&shard(number)).iter().map(|node| node + 1).collect::<Vec<_>>();
    assert_eq!([order(0), order(1), order(2)], [[3, 5, 4, 2, 1], [3, 2, 5, 1, 4], [5, 2, 3, 1, 4]]);
}
