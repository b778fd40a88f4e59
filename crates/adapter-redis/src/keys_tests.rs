//! The names are golden: another release must find what this one wrote.

use domain::id::{Epoch, ProductNo, SaleId, ShardId};

use super::Keys;

#[test]
fn names_are_what_they_were_and_share_one_tag() {
    let (keys, shard) = (Keys::of(""), ShardId { sale: SaleId::parse("summer-drop").unwrap(), number: 3 });
    assert_eq!(keys.root(&shard), "tz:{summer-drop.3}");
    assert_eq!(keys.board(&shard), "tz:{summer-drop.3}:board");
    assert_eq!(keys.head(&shard, Epoch(7)), ["tz:{summer-drop.3}", "tz:{summer-drop.3}:7:m"]);
    let names = keys.namespace(&shard, Epoch(7), &[ProductNo(0), ProductNo(12)]);
    let names: Vec<_> = names.iter().map(|key| key.strip_prefix("tz:{summer-drop.3}").unwrap()).collect();
    assert_eq!(names, ["", ":7:m", ":7:r", ":7:u", ":7:q", ":7:w", ":7:f0", ":7:f12"]);
}

#[test]
fn systems_with_names_share_servers_and_no_key() {
    let shard = ShardId { sale: SaleId::parse("drop").unwrap(), number: 0 };
    assert_eq!(Keys::of("staging").root(&shard), "tz:staging:{drop.0}");
    assert_eq!(
        (Keys::of("staging").owner(), Keys::of("").owner()),
        ("tz:staging:owner".to_owned(), "tz:owner".to_owned())
    );
    assert_ne!(Keys::of("a").root(&shard), Keys::of("b").root(&shard));
}

#[test]
fn a_shard_has_the_slot_that_redis_gives_its_tag() {
    let shard = |sale: &str, number| ShardId { sale: SaleId::parse(sale).unwrap(), number };
    // As a server of version 7 answered to CLUSTER KEYSLOT "tz:{summer-drop.3}" and "tz:{drop.0}:board".
    assert_eq!(Keys::slot(&shard("summer-drop", 3)), 8277);
    assert_eq!(Keys::slot(&shard("drop", 0)), 1586);
}
