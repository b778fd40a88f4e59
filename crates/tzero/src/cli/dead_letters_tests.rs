//! What is said of a dead letter.

use serde_json::json;

use super::{in_json, line};
use crate::wiring::DeadLetter;

#[test]
fn a_letter_is_told_by_place_time_origin_size_key_and_reason() {
    let letter = DeadLetter {
        position: 7,
        at_ms: Some(1_764_064_800_005),
        key: Some(b"a".to_vec()),
        bytes: Some(12),
        origin: ["tzero.claims.s", "0", "3"].map(str::to_owned),
        reason: "of the shop's\ntype".to_owned(),
    };
    let said =
        r"     7  2025-11-25T10:00:00.005Z  tzero.claims.s 0 at 3  12 bytes  key a  of the shop's\ntype";
    assert_eq!(line(&letter), said);
    let told = json!({
        "position": 7, "at": "2025-11-25T10:00:00.005Z", "topic": "tzero.claims.s", "partition": 0, "offset": 3,
        "reason": "of the shop's\ntype", "bytes": 12, "key": "a",
    });
    assert_eq!(in_json(&letter), told);
    let strange = DeadLetter { key: Some(b"\x1b[2J".to_vec()), bytes: None, at_ms: None, ..letter };
    assert!(
        line(&strange).contains(r"  -  tzero.claims.s 0 at 3  no value  key \x1b\x5b\x32\x4a  "),
        "{}",
        line(&strange)
    );
    let long = DeadLetter { key: Some(vec![b'k'; 1_000]), ..strange };
    assert_eq!(in_json(&long)["key"], format!("{}\u{2026}", "k".repeat(64)));
}
