//! Tests: every check can fail.

use serde_json::json;

use super::*;

fn ending(buyer: u32, units: &[u64]) -> Ending {
    let ticket = format!("AQticket{buyer}");
    Ending { buyer, ticket, status: "confirmed".into(), units: units.to_vec(), paid: true }
}

fn found(list: &[Ending]) -> Vec<String> {
    let violations = Violations::default();
    endings(list, 3, 2, &violations);
    violations.all()
}

#[test]
fn a_clean_end_has_no_violation() {
    assert_eq!(found(&[ending(1, &[0]), ending(2, &[1, 2])]), Vec::<String>::new());
}

#[test]
fn each_wrong_end_is_named() {
    assert!(found(&[ending(1, &[0]), ending(2, &[0])])[0].contains("unit 0 was sold to"));
    assert!(found(&[ending(1, &[3])])[0].contains("does not exist"));
    assert!(found(&[ending(1, &[0, 1]), ending(1, &[2])])[0].contains("may have 2"));
    assert!(found(&[ending(1, &[])])[0].contains("has no unit"));
    let unpaid = Ending { paid: false, ..ending(1, &[0]) };
    assert!(found(&[unpaid])[0].contains("was not paid"));
}

#[test]
fn a_ticket_is_due_when_its_hold_has_ended_for_longer_than_the_grace() {
    let status = json!({ "status": "awaiting_payment", "hold_expires_at": "1970-01-01T00:00:10.000Z" });
    assert!(!is_due(&status, 9_000, 0), "its hold still runs");
    assert!(!is_due(&status, 15_000, 5_000), "its grace still runs");
    assert!(is_due(&status, 15_001, 5_000));
    assert!(
        is_due(&json!({ "status": "queued", "hold_expires_at": null }), 0, 5_000),
        "its hold never began"
    );
}

fn audited(report: &Value) -> Vec<String> {
    let violations = Violations::default();
    audit(report, true, &violations);
    violations.all()
}

#[test]
fn audits_are_checked_to_the_unit_and_the_cent() {
    let clean = json!({
        "ok": true, "settling": false, "violations": [],
        "products": [{ "product_id": "p", "stock": 3, "available": 1, "held": 1, "sold": 1, "in_transfer": 0, "oversold": 0 }],
        "money": [{ "currency": "EUR", "captured": "20.00", "refunded": "10.00", "revenue": "10.00" }],
    });
    assert_eq!(audited(&clean), Vec::<String>::new());
    let mut wrong = clean.clone();
    wrong["products"][0]["held"] = 0.into();
    assert!(audited(&wrong)[0].contains("is not the stock"));
    let mut wrong = clean.clone();
    wrong["products"][0]["oversold"] = 1.into();
    assert!(audited(&wrong)[0].contains("oversold"));
    let mut wrong = clean.clone();
    wrong["money"][0]["revenue"] = "10.01".into();
    assert!(audited(&wrong)[0].contains("money"));
    let mut wrong = clean.clone();
    wrong["ok"] = false.into();
    assert!(audited(&wrong)[0].contains("not ok"));
    let mut wrong = clean;
    wrong["settling"] = true.into();
    assert!(audited(&wrong)[0].contains("settling"));
}
