//! Faults are set as they are named, or not at all.

use super::*;

fn read(body: &str) -> Result<(Faults, bool), String> {
    read_faults(body.as_bytes(), Faults { seed: 7, error_rate: 0.5, ..Faults::default() })
}

#[test]
fn what_is_not_named_is_nothing_but_the_seed_stays() {
    let set = Faults { timeout_rate: 1.0, seed: 7, ..Faults::default() };
    assert_eq!(read(r#"{"timeout_rate": 1}"#), Ok((set, false)));
    assert_eq!(read(r#"{"timeout_rate": 1, "seed": 8}"#), Ok((Faults { seed: 8, ..set }, true)));
}

#[test]
fn what_is_wrong_is_refused_by_its_name() {
    for (body, name) in [
        (r#"{"error_rate": 1.5}"#, "error_rate must be a share from 0 to 1"),
        (r#"{"webhook_drop_rate": -0.1}"#, "webhook_drop_rate must be a share from 0 to 1"),
        (r#"{"rate_limit_per_s": -1}"#, "rate_limit_per_s must be 0 or more"),
        (r#"{"latency_min_ms": 2, "latency_max_ms": 1}"#, "latency_max_ms must be at least latency_min_ms"),
        (r#"{"webhook_delay_min_ms": 2}"#, "webhook_delay_max_ms must be at least webhook_delay_min_ms"),
        (r#"{"error_rat": 1}"#, "error_rat"),
        (r#"{"seed": "x"}"#, "x"),
        ("[]", "must be a JSON object of faults"),
    ] {
        let said = read(body).unwrap_err();
        assert!(said.contains(name), "{body}: {said}");
    }
}
