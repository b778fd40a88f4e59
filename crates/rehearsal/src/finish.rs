//! The end of a run: the last audit, what became of everybody's tickets, and the report.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::auditor::Auditor;
use crate::checks::{self, Ending};
use crate::herd::Herd;
use crate::prepare::Target;
use crate::report::Report;
use crate::siege::{self, Siege};

pub(crate) async fn finish(herd: &Herd, sale: &Target, auditor: Option<&Auditor>, audits: u64) -> Report {
    let seconds = herd.clock.elapsed().saturating_sub(herd.t_zero).as_secs_f64();
    let audit = match auditor {
        Some(auditor) => auditor.last(&herd.violations).await,
        None => Value::Null,
    };
    let endings = herd.endings.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let told = audit["products"][0]["stock"].as_u64();
    let stock = sale.stock.or(told).unwrap_or(u64::MAX);
    checks::endings(&endings, stock, sale.max_per_user, &herd.violations);
    let sold = siege::units(endings.iter());
    let siege = siege::siege(herd, &endings, sale.max_per_user);
    if let Some(unfair) = siege.as_ref().and_then(Siege::unfair) {
        herd.violations.add(unfair);
    }
    let still_open = herd.still_open.load(Ordering::Relaxed);
    let said = &audit["products"][0]["sold"];
    // What was still open when the run was over may have been sold since.
    let agrees = said.as_u64().is_some_and(|said| (sold..=sold + still_open).contains(&said));
    if sale.stock.is_some() && auditor.is_some() && !agrees {
        herd.violations.add(format!("buyers saw {sold} units confirmed, the audit says {said}"));
    }
    if herd.accepted.load(Ordering::Relaxed) == 0 {
        herd.violations.add("nobody was accepted: nothing was rehearsed");
    }
    let mut ended = BTreeMap::new();
    let honest = endings.iter().filter(|ending| !siege::is_hostile(&herd.plan, ending));
    honest.for_each(|ending: &Ending| *ended.entry(ending.status.clone()).or_default() += 1);
    let sold_out_ms = herd.sold_out_ms.load(Ordering::Relaxed);
    let peak = herd.per_second.lock().unwrap_or_else(PoisonError::into_inner).values().copied().max();
    Report {
        plan: herd.plan.clone(),
        sale_id: sale.id.clone(),
        seconds,
        sent: herd.honest.sent.load(Ordering::Relaxed),
        peak_answers_per_s: peak.unwrap_or_default(),
        outcomes: herd.honest.outcomes.all(),
        errors: herd.honest.errors.all(),
        endings: ended,
        still_open,
        answers: herd.honest.all_answers.percentiles(),
        accepted: herd.honest.accepted_answers.percentiles(),
        refused: herd.honest.refused_answers.percentiles(),
        payment_address: herd.honest.address_made.percentiles(),
        confirmation: herd.honest.confirmation.percentiles(),
        herd_behind: herd.honest.behind.percentiles(),
        challenges: herd.workshop.work.percentiles(),
        sold,
        stock: if stock == u64::MAX { 0 } else { stock },
        sold_out_after_s: (sold_out_ms >= 0).then_some(sold_out_ms as f64 / 1_000.0),
        hostile: siege,
        audits,
        audit,
        violations: herd.violations.all(),
    }
}
