//! Faults that many requests meet at once: counted, and not a line of the log for each.

use serde_json::json;

use crate::harness::Server;

#[tokio::test]
async fn a_fault_that_many_meet_is_counted_and_logged_once_in_a_while() {
    // Of many checkouts at once, some are not kept in a millisecond: those are answered 503, since nobody knows what became of them.
    let settings = ["limits.checkout_deadline_ms=1", "limits.user_per_s=0", "limits.network_per_s=0"];
    let server = Server::start(&settings);
    server.sale("s", 10_000, json!({})).await;
    let mut met = 0;
    for round in 0..100 {
        let buyers = server.buyers(100).await;
        let answers = buyers.iter().map(|buyer| server.buy("s", buyer, "k"));
        let answers = futures::future::join_all(answers).await;
        met += answers.iter().filter(|answer| answer.code() == "unavailable").count();
        if met >= 40 {
            break;
        }
        assert!(round < 99, "only {met} checkouts met a fault");
    }
    let counted =
        server.metric("tzero_faults_total{dependency=\"inventory\",outcome=\"answered-503\"}").await;
    assert_eq!(counted as usize, met);
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("answered-503")).collect();
    // One at once, and one for each five seconds that the machine needed.
    assert!((1..=8).contains(&lines.len()), "{} lines for {met} faults:\n{log}", lines.len());
    assert!(
        lines[0].contains("the inventory is unavailable") && lines[0].contains("times=1"),
        "{}",
        lines[0]
    );
}
