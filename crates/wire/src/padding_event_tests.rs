//! The bytes of padding, and what is padding.

use domain::id::{SaleId, ShardId};
use domain::time::Timestamp;

use super::{TYPE, is_padding, write};

#[test]
fn the_bytes_are_these() {
    let shard = ShardId { sale: SaleId::parse("drop").unwrap(), number: 3 };
    let event = write(&shard, 17, Timestamp::from_millis(1_764_064_800_123));
    assert_eq!((event.key.as_str(), event.value.as_slice()), ("padding.17", b"{}".as_slice()));
    let headers = event.headers.map(|(name, value)| format!("{name}: {value}"));
    assert_eq!(
        headers,
        [
            "ce_specversion: 1.0",
            "ce_type: tzero.padding.v1",
            "ce_source: /sales/drop/shards/3",
            "ce_id: padding.17",
            "ce_subject: padding.17",
            "ce_time: 2025-11-25T10:00:00.123Z",
            "content-type: application/json",
        ]
    );
}

#[test]
fn padding_is_told_by_its_type() {
    for (kind, expected) in [(Some(TYPE), true), (Some("tzero.claim.v1"), false), (None, false)] {
        let header = |name: &str| kind.filter(|_| name == "ce_type").map(str::as_bytes);
        assert_eq!(is_padding(header), expected, "{kind:?}");
    }
}
