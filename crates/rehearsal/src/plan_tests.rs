//! A plan that cannot be rehearsed is refused before anything is sent.

use super::*;

fn mistakes(change: impl Fn(&mut Plan)) -> String {
    let mut plan = Plan::preset(Preset::Quick, "http://127.0.0.1:1");
    plan.admin_token = Some("t".to_owned());
    change(&mut plan);
    plan.mistakes().join("\n")
}

#[test]
fn each_mistake_of_a_plan_is_named() {
    assert_eq!(mistakes(|_| {}), "");
    assert!(mistakes(|plan| plan.limit_ms = 0).contains("limit-ms"));
    assert!(mistakes(|plan| plan.stock = 0).contains("stock"));
    let existing = |plan: &mut Plan| (plan.stock, plan.sale) = (0, Some("s".to_owned()));
    assert_eq!(mistakes(existing), "", "an existing sale has its own stock");
    assert!(
        mistakes(|plan| plan.base_url = "https://shop.example".to_owned()).contains("does not speak TLS")
    );
    assert!(mistakes(|plan| plan.admin_url = Some("https://x".to_owned())).contains("does not speak TLS"));
    assert!(mistakes(|plan| plan.base_url = "shop.example".to_owned()).contains("must begin with http://"));
}

#[test]
fn a_hostile_share_leaves_room_for_honest_buyers_and_for_every_kind() {
    assert_eq!(mistakes(|plan| plan.hostile = 0.9), "");
    assert!(mistakes(|plan| plan.hostile = 0.95).contains("from 0 to 0.9"));
    assert!(mistakes(|plan| plan.hostile = f64::NAN).contains("from 0 to 0.9"));
    assert!(mistakes(|plan| plan.hostile = 0.001).contains("one of each kind"));
    let mut plan = Plan::preset(Preset::Quick, "http://127.0.0.1:1");
    assert_eq!((plan.hostile_buyers(), plan.most_connections()), (0, 256));
    plan.hostile = 0.1;
    assert_eq!((plan.hostile_buyers(), plan.most_connections()), (100, 256 + 3 * 128));
}

#[test]
fn presets_last_longer_than_a_hold_and_its_grace() {
    for preset in [Preset::Quick, Preset::Drop, Preset::LastUnit] {
        let plan = Plan::preset(preset, "http://127.0.0.1:1");
        assert!(plan.limit_ms > plan.hold_ms + plan.grace_ms, "{preset:?}");
    }
}
