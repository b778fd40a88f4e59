//! The names are golden: another release must find what this one wrote.

use domain::id::{Epoch, ProductNo, SaleId, ShardId};

use super::{board, head, namespace, root};

#[test]
fn names_are_what_they_were_and_share_one_tag() {
    let shard = ShardId { sale: SaleId::parse("summer-drop").unwrap(), number: 3 };
    assert_eq!(root(&shard), "tz:{summer-drop.3}");
    assert_eq!(board(&shard), "tz:{summer-drop.3}:board");
    assert_eq!(head(&shard, Epoch(7)), ["tz:{summer-drop.3}", "tz:{summer-drop.3}:7:m"]);
    let keys = namespace(&shard, Epoch(7), &[ProductNo(0), ProductNo(12)]);
    let names: Vec<_> = keys.iter().map(|key| key.strip_prefix("tz:{summer-drop.3}").unwrap()).collect();
    assert_eq!(names, ["", ":7:m", ":7:r", ":7:u", ":7:q", ":7:w", ":7:f0", ":7:f12"]);
}
