//! The report of a rehearsal: for people, and as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::measure::Percentiles;
use crate::plan::Plan;
use crate::siege::Siege;

/// What was seen.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was rehearsed.
    pub plan: Plan,
    /// The sale.
    pub sale_id: String,
    /// From T-zero to the last buyer's end, seconds.
    pub seconds: f64,
    /// Checkouts sent.
    pub sent: u64,
    /// Checkouts answered in the busiest second.
    pub peak_answers_per_s: u64,
    /// Answers by status and code.
    pub outcomes: BTreeMap<String, u64>,
    /// Requests without an answer, by what happened.
    pub errors: BTreeMap<String, u64>,
    /// Buyers by what their ticket ended with.
    pub endings: BTreeMap<String, u64>,
    /// Tickets whose hold still ran when the run was over.
    pub still_open: u64,
    /// From the instant at which a checkout was due to its answer, every answer.
    pub answers: Percentiles,
    /// The same, 202 only.
    pub accepted: Percentiles,
    /// The same, refusals only.
    pub refused: Percentiles,
    /// From the 202 to the payment address.
    pub payment_address: Percentiles,
    /// From the payment to the confirmation, as polled.
    pub confirmation: Percentiles,
    /// By how much the herd itself was late: where this is large, the client was the bottleneck.
    pub herd_behind: Percentiles,
    /// Work of each challenge that buyers were asked and solved, on this machine.
    pub challenges: Percentiles,
    /// Units sold and units there are.
    pub sold: u64,
    /// Units there are.
    pub stock: u64,
    /// From T-zero to the first `sold-out`, seconds.
    pub sold_out_after_s: Option<f64>,
    /// What hostile buyers did and got, apart from all of the above but `sold`; null where nobody was hostile.
    pub hostile: Option<Siege>,
    /// Audits during the run.
    pub audits: u64,
    /// The last audit; null where none was made.
    pub audit: Value,
    /// What was wrong; empty where all is well.
    pub violations: Vec<String>,
}

impl Report {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "{}: {} buyers, {} of {} units sold, {:.1} s, {} checkouts, {} a second at the peak",
            self.sale_id,
            self.plan.buyers,
            self.sold,
            self.stock,
            self.seconds,
            self.sent,
            self.peak_answers_per_s
        )];
        if let Some(after) = self.sold_out_after_s {
            lines.push(format!("sold out after {after:.1} s"));
        }
        lines.push(String::new());
        lines.push(format!(
            "{:<34} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "milliseconds", "count", "p50", "p90", "p99", "p99.9", "max"
        ));
        lines.extend(self.timing_lines());
        for (title, counts) in
            [("answers", &self.outcomes), ("tickets ended", &self.endings), ("no answer", &self.errors)]
        {
            if !counts.is_empty() {
                lines.push(String::new());
                lines.push(title.to_owned());
                lines.extend(counts.iter().map(|(name, count)| format!("  {name:<32} {count:>9}")));
            }
        }
        if let Some(hostile) = &self.hostile {
            lines.push(String::new());
            lines.extend(hostile.lines());
        }
        lines.push(String::new());
        for money in self.audit["money"].as_array().into_iter().flatten() {
            let text = |name: &str| money[name].as_str().unwrap_or("?").to_owned();
            lines.push(format!(
                "money {}: captured {}, refunded {}, revenue {}",
                text("currency"),
                text("captured"),
                text("refunded"),
                text("revenue")
            ));
        }
        lines.extend(self.verdict_lines());
        lines.join("\n")
    }

    fn verdict_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.still_open > 0 {
            lines.push(format!(
                "still open: {} tickets, whose hold or its grace still ran at the limit",
                self.still_open
            ));
        }
        lines.push(format!("audits during the run: {}", self.audits));
        if self.audit.is_null() {
            lines.push(
                "NO AUDIT WAS MADE: it needs the operator's token; only what buyers saw was checked"
                    .to_owned(),
            );
        }
        if self.violations.is_empty() {
            let seen = if self.audit.is_null() { "no violation in what buyers saw" } else { "no violation" };
            lines.push(seen.to_owned());
        } else {
            lines.push(format!("{} VIOLATIONS", self.violations.len()));
            lines.extend(self.violations.iter().map(|violation| format!("  {violation}")));
        }
        lines
    }

    fn timing_lines(&self) -> impl Iterator<Item = String> {
        let timings = [
            ("answers to checkouts", &self.answers),
            ("  202", &self.accepted),
            ("  refusals", &self.refused),
            ("202 to payment address (polled)", &self.payment_address),
            ("payment to confirmation (polled)", &self.confirmation),
            ("the herd behind its own schedule", &self.herd_behind),
        ];
        let asked = (self.challenges.count > 0).then_some(("challenges solved (work)", &self.challenges));
        let hostile = self.hostile.iter().flat_map(|hostile| {
            [
                ("answers to hostile checkouts", &hostile.answers),
                ("  hostile 202", &hostile.accepted),
                ("  hostile refusals", &hostile.refused),
            ]
        });
        timings.into_iter().chain(asked).chain(hostile).map(|(name, p)| {
            format!(
                "{name:<34} {:>9} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
                p.count, p.p50_ms, p.p90_ms, p.p99_ms, p.p999_ms, p.max_ms
            )
        })
    }
}
