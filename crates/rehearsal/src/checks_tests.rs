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
