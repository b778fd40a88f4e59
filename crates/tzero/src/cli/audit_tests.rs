//! What a report proves, and what it does not.

use serde_json::json;

use super::*;

#[test]
fn only_a_quiet_report_whose_money_agrees_is_a_proof() {
    let proof = json!({
        "ok": true, "settling": false, "inventory": { "open": true },
        "money": [{ "currency": "EUR", "captured": "20.00", "refunded": "10.00", "revenue": "10.00" }],
    });
    assert_eq!(Verdict::of(&proof), Verdict::Proven);
    let changed = |pointer: &str, value: Value| {
        let mut report = proof.clone();
        *report.pointer_mut(pointer).unwrap() = value;
        Verdict::of(&report)
    };
    assert_eq!(changed("/settling", true.into()), Verdict::Unproven);
    assert_eq!(changed("/inventory/open", false.into()), Verdict::Unproven);
    assert_eq!(changed("/money/0/revenue", "10.01".into()), Verdict::Unproven);
    assert_eq!(changed("/money", Value::Null), Verdict::Unproven);
    assert_eq!(changed("/ok", false.into()), Verdict::Wrong);
    assert_eq!(Verdict::of(&Value::Null), Verdict::Wrong, "an answer that is no report proves nothing");
}
