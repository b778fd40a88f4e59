//! The program is measured as it answers.

use super::here;
use crate::plan::costs::Cost;

#[tokio::test(flavor = "multi_thread")]
async fn every_cost_that_this_machine_can_tell_is_measured() {
    let costs = here().await.unwrap();
    for cost in Cost::ALL {
        let elsewhere = matches!(
            cost,
            Cost::SessionCpu
                | Cost::RedisCpu
                | Cost::PostgresCpu
                | Cost::ConnectionMemory
                | Cost::OrderMemory
        );
        assert_eq!(costs.get(cost).is_some(), !elsewhere, "{}", cost.name());
    }
    let of = |cost| costs.value(cost).unwrap();
    assert!(of(Cost::GrantedCpu) > of(Cost::PollCpu), "a claim is written, a look is not");
    assert!(of(Cost::CheckoutIn) > 200.0 && of(Cost::PollOut) > 200.0, "whole requests and whole answers");
    assert!(of(Cost::OrderDisk) > 100.0, "the journal has every claim");
    let source = &costs.get(Cost::GrantedCpu).unwrap().source;
    assert!(source.starts_with("measured now on this machine"), "{source}");
}
