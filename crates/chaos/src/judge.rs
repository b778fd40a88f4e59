//! Whether every promise was kept: the books of all stores agree, everything was sold once, money and units match, and answers
//! were as the contract has them.

use std::collections::BTreeSet;
use std::time::Duration;

use rehearsal::{Flaw, Gauge, Lack, Report};

use crate::books;
use crate::fault::Fault;
use crate::fleet::{Away, Fleet};
use crate::report::{Books, Conformity, Trial};
use crate::trial::World;

/// Until effects and money have come to rest.
const PATIENCE: u32 = 120;
const PAUSE: Duration = Duration::from_millis(500);
/// What a unit costs, minor units; from the herd's own sale.
const PRICE: i64 = 1_000;
/// Around the time at which a gateway was away: a request may have met it while it ended.
const AROUND: Duration = Duration::from_millis(250);
/// Flaws that a report shows.
const SHOWN: usize = 50;

/// What is judged.
pub struct Scene<'a> {
    /// Where it took place.
    pub world: &'a World,
    /// The processes.
    pub fleet: &'a Fleet,
    /// The herd's gauge.
    pub gauge: &'a Gauge,
    /// The fleet's database.
    pub database: &'a str,
    /// The sale.
    pub sale: &'a str,
}

/// Writes the verdict into `trial`.
pub async fn judge(scene: &Scene<'_>, root: &str, report: Report, faults: &[&Fault], trial: &mut Trial) {
    let stock = i64::from(trial.stock);
    let mut read = read(scene, root).await;
    for _ in 0..PATIENCE {
        if read.as_ref().is_ok_and(|books| disagreements(books, stock).is_empty()) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        read = self::read(scene, root).await;
    }
    match read {
        Ok(books) => {
            trial.violations.extend(disagreements(&books, stock));
            trial.violations.extend(early_sold_out(scene.gauge, &books));
            let refused_tickets = faults.iter().any(|fault| fault.allowed.refused_tickets);
            if books.ledger.store_failover > 0 && !refused_tickets {
                let count = books.ledger.store_failover;
                trial.violations.push(format!("{count} tickets ended as store-failover"));
            }
            trial.books = books;
        }
        Err(reason) => trial.violations.push(format!("the books cannot be read: {reason}")),
    }
    trial.sold = report.sold;
    trial.tickets = scene.gauge.accepted().len() as u64;
    trial.conformity = conformity(scene, report.violations.len() as u64);
    trial.flaws =
        flaws(scene).iter().take(SHOWN).filter_map(|flaw| serde_json::to_value(flaw).ok()).collect();
    trial.violations.extend(report.violations.iter().cloned());
    if report.still_open > 0 {
        trial.violations.push(format!("{} tickets were open at the end", report.still_open));
    }
    trial.herd = report.to_json();
}

async fn read(scene: &Scene<'_>, root: &str) -> Result<Books, String> {
    let stores = &scene.world.stores;
    Ok(Books {
        inventory: books::inventory(stores, root).await?,
        log_end: books::log_end(&stores.kafka, scene.sale)?,
        ledger: books::ledger(scene.database, scene.sale).await?,
        money: books::money(&scene.world.http, &scene.fleet.provider).await?,
    })
}

/// Where two books differ, or a book from what a drop that is sold leaves behind.
fn disagreements(books: &Books, stock: i64) -> Vec<String> {
    let Books { inventory, log_end, ledger, money } = books;
    let all: BTreeSet<u32> = (0..u32::try_from(stock).unwrap_or_default()).collect();
    let (kept, revenue) = (money.captured - money.refunded, ledger.confirmed * PRICE);
    let numbers = [
        ("confirmed orders in PostgreSQL", ledger.confirmed, stock),
        ("unfinished orders in PostgreSQL", ledger.unfinished, 0),
        ("effects on their way", ledger.effects, 0),
        ("claims taken in, and the end of Kafka's log", ledger.position, *log_end),
        ("free units in Redis", inventory.free.cast_signed(), 0),
        ("held units in Redis", inventory.held.len() as i64, 0),
        ("units with two claims in Redis", inventory.twice.len() as i64, 0),
        ("epochs of Redis and PostgreSQL", inventory.epoch.cast_signed(), ledger.epoch),
        ("money kept by the provider, and the revenue", kept, revenue),
        ("money left authorised at the provider", money.authorised, 0),
        ("payment sessions on which somebody can still pay", money.open, 0),
        ("payment sessions at the provider, and orders that had one", money.sessions, ledger.sessions),
    ];
    let wrong = numbers.into_iter().filter(|(_, is, should)| is != should);
    let mut wrong: Vec<String> =
        wrong.map(|(what, is, should)| format!("{what}: {is} and not {should}")).collect();
    for (what, units) in [("sold in Redis", &inventory.sold), ("live in PostgreSQL", &ledger.live)] {
        let (missing, beyond) = (all.difference(units).count(), units.difference(&all).count());
        if missing + beyond > 0 {
            wrong.push(format!("units {what}: {missing} of the stock are missing, {beyond} are not of it"));
        }
    }
    wrong
}

/// Somebody was told sold-out before the ledger had confirmed the last unit.
fn early_sold_out(gauge: &Gauge, books: &Books) -> Option<String> {
    let ((_, told_ms), last_ms) = gauge.sold_out().zip(books.ledger.last_confirmed_ms)?;
    // The herd reads the server's clock to within a trip of a request.
    (told_ms + 5 < last_ms)
        .then(|| format!("sold-out was told {} ms before the last unit was confirmed", last_ms - told_ms))
}

/// Flaws that no kill of the gateway explains.
fn flaws(scene: &Scene<'_>) -> Vec<Flaw> {
    let excused = |flaw: &Flaw| flaw.lack == Lack::Answer && is_excused(flaw, &scene.fleet.away);
    scene.gauge.flaws().into_iter().filter(|flaw| !excused(flaw)).collect()
}

fn is_excused(flaw: &Flaw, away: &[Away]) -> bool {
    away.iter().filter(|away| away.address == flaw.gateway).any(|away| {
        let until = away.until.unwrap_or(Duration::MAX).saturating_add(AROUND);
        flaw.ended + AROUND >= away.from && flaw.sent <= until
    })
}

fn conformity(scene: &Scene<'_>, lies: u64) -> Conformity {
    let (all_without, late) = scene.gauge.flawed();
    let flaws = scene.gauge.flaws();
    let excused =
        flaws.iter().filter(|flaw| flaw.lack == Lack::Answer && is_excused(flaw, &scene.fleet.away));
    let excused = excused.count() as u64;
    let without = all_without.saturating_sub(excused);
    let answers = scene.gauge.answers();
    let counted = answers + without;
    let wrong = without + late + lies;
    let share = if counted == 0 { 0.0 } else { counted.saturating_sub(wrong) as f64 / counted as f64 };
    Conformity { answers, excused, without, late, lies, share }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
