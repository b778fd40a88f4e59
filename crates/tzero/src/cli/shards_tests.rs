//! What is said of a shard.

use serde_json::json;

use super::lines;

#[test]
fn each_shard_is_told_with_what_is_known_of_it() {
    let open = json!({
        "sale_id": "a", "shard": 0, "open": true, "closed_because": null, "epoch": 4, "term": "open", "fence": null,
        "inventory_epoch": 4, "log_position": 7, "log_end": 9, "claims_waiting": 2, "unanswered": [],
    });
    assert_eq!(
        lines(&open),
        [format!("{:<28} open      epoch    4 (open)  inventory      4  log 7 of 9, 2 waiting", "a.0")]
    );
    let mut closed = open.clone();
    closed["open"] = false.into();
    closed["inventory_epoch"] = json!(null);
    closed["closed_because"] = "its inventory hands nothing out".into();
    let said = lines(&closed);
    assert!(said[0].contains(" closed    epoch    4 (open)  inventory closed "), "{said:?}");
    assert_eq!(said[1], "    closed: its inventory hands nothing out");
    let mut unknown = open;
    unknown["open"] = json!(null);
    unknown["inventory_epoch"] = json!(null);
    unknown["unanswered"] =
        json!([{ "store": "inventory", "detail": "the inventory is unavailable: no answer in time" }]);
    let said = lines(&unknown);
    assert!(said[0].contains(" not known epoch    4 (open)  inventory      ? "), "{said:?}");
    assert_eq!(said[1], "    the inventory is unavailable: no answer in time");
}
