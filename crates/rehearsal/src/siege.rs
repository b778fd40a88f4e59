//! What the hostile part of a herd did, and what it got, as reported.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::checks::Ending;
use crate::fairness::{DOUBT, Draw};
use crate::foe::{self, Kind};
use crate::herd::Herd;
use crate::measure::Percentiles;
use crate::plan::Plan;

/// What one kind of hostile buyers did.
#[derive(Clone, Debug, Serialize)]
pub struct KindReport {
    /// Buyers of this kind.
    pub buyers: u64,
    /// Tickets that they got.
    pub tickets: u64,
    /// Units that are theirs in the end.
    pub units: u64,
    /// Answers by status and code, and what came instead of answers.
    pub outcomes: BTreeMap<String, u64>,
    /// Connections opened by those who speak no proper HTTP.
    pub connections: u64,
    /// Of these: ended by the server.
    pub connections_cut: u64,
}

/// What hostile buyers did and got. Shares are from 0 to 1.
#[derive(Clone, Debug, Serialize)]
pub struct Siege {
    /// Hostile buyers.
    pub buyers: u64,
    /// Their share of all buyers.
    pub buyers_share: f64,
    /// Units that are theirs in the end.
    pub units: u64,
    /// Their share of all units that were sold; 0 where none was.
    pub units_share: f64,
    /// The most units that chance explains, where units are given without regard to who is hostile.
    pub units_explained: u64,
    /// The chance of as many units or more. Below 0.001, with more than their share, the run has failed.
    pub chance: f64,
    /// Checkouts sent.
    pub sent: u64,
    /// From each checkout to its answer, every answer.
    pub answers: Percentiles,
    /// The same, 202 only.
    pub accepted: Percentiles,
    /// The same, refusals only.
    pub refused: Percentiles,
    /// Requests without an answer, by what happened.
    pub errors: BTreeMap<String, u64>,
    /// Buyers by what their ticket ended with.
    pub endings: BTreeMap<String, u64>,
    /// Each kind by its name.
    pub kinds: BTreeMap<String, KindReport>,
}

/// What one kind got.
fn kind(herd: &Herd, kind: Kind, endings: &[Ending]) -> Option<KindReport> {
    let deeds = herd.foes.deeds(kind)?;
    let foes = (0..herd.plan.buyers).filter_map(|number| foe::of(number, herd.plan.hostile));
    let theirs = endings
        .iter()
        .filter(|ending| foe::of(ending.buyer, herd.plan.hostile).is_some_and(|foe| foe.kind == kind));
    Some(KindReport {
        buyers: foes.filter(|foe| foe.kind == kind).count() as u64,
        tickets: deeds.tickets.load(Ordering::Relaxed),
        units: units(theirs),
        outcomes: deeds.outcomes.all(),
        connections: deeds.opened.load(Ordering::Relaxed),
        connections_cut: deeds.cut.load(Ordering::Relaxed),
    })
}

/// Units confirmed in `endings`.
pub(crate) fn units<'a>(endings: impl Iterator<Item = &'a Ending>) -> u64 {
    endings.filter(|ending| ending.status == "confirmed").map(|ending| ending.units.len() as u64).sum()
}

/// `None` where nobody was hostile.
pub(crate) fn siege(herd: &Herd, endings: &[Ending], max_per_user: u64) -> Option<Siege> {
    let buyers = u64::from(herd.plan.hostile_buyers());
    if buyers == 0 {
        return None;
    }
    let hostile: Vec<Ending> =
        endings.iter().filter(|ending| is_hostile(&herd.plan, ending)).cloned().collect();
    let (got, sold, all) = (units(hostile.iter()), units(endings.iter()), u64::from(herd.plan.buyers));
    let draw = Draw { places: all * max_per_user, hostile: buyers * max_per_user, drawn: sold };
    let mut ended = BTreeMap::new();
    hostile.iter().for_each(|ending| *ended.entry(ending.status.clone()).or_default() += 1);
    let side = &herd.foes.side;
    Some(Siege {
        buyers,
        buyers_share: buyers as f64 / all as f64,
        units: got,
        units_share: got as f64 / sold.max(1) as f64,
        units_explained: draw.explained(),
        chance: draw.chance(got),
        sent: side.sent.load(Ordering::Relaxed),
        answers: side.all_answers.percentiles(),
        accepted: side.accepted_answers.percentiles(),
        refused: side.refused_answers.percentiles(),
        errors: side.errors.all(),
        endings: ended,
        kinds: Kind::ALL
            .into_iter()
            .filter_map(|each| Some((each.name().to_owned(), kind(herd, each, &hostile)?)))
            .collect(),
    })
}

/// Whether an ending is that of somebody hostile.
pub(crate) fn is_hostile(plan: &Plan, ending: &Ending) -> bool {
    foe::of(ending.buyer, plan.hostile).is_some()
}

impl Siege {
    /// What is wrong with what they got; `None` where chance explains it.
    pub(crate) fn unfair(&self) -> Option<String> {
        (self.units_share > self.buyers_share && self.chance < DOUBT).then(|| {
            format!(
                "{:.1} % of the buyers were hostile and got {:.1} % of the units: {}, where chance explains {}",
                self.buyers_share * 100.0,
                self.units_share * 100.0,
                self.units,
                self.units_explained
            )
        })
    }

    /// For people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "hostile: {} buyers ({:.1} %) got {} units ({:.1} %); chance explains up to {} (chance of as many: {:.3})",
            self.buyers,
            self.buyers_share * 100.0,
            self.units,
            self.units_share * 100.0,
            self.units_explained,
            self.chance
        )];
        for (name, kind) in &self.kinds {
            let mut line =
                format!("  {name}: {} buyers, {} tickets, {} units", kind.buyers, kind.tickets, kind.units);
            if kind.connections > 0 {
                let (all, cut) = (kind.connections, kind.connections_cut);
                line.push_str(&format!(", {all} connections of which {cut} were cut"));
            }
            lines.push(line);
            lines.extend(kind.outcomes.iter().map(|(name, count)| format!("    {name:<30} {count:>9}")));
        }
        for (title, counts) in [("  tickets ended", &self.endings), ("  no answer", &self.errors)] {
            if !counts.is_empty() {
                lines.push(title.to_owned());
                lines.extend(counts.iter().map(|(name, count)| format!("    {name:<30} {count:>9}")));
            }
        }
        lines
    }
}

#[cfg(test)]
#[path = "siege_tests.rs"]
mod tests;
