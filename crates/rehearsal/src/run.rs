//! A run: sessions, the sale, T-zero, the herd, and what is left when it is over.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auditor::Auditor;
use crate::buyer::Buyer;
use crate::challenge::Workshop;
use crate::checks::Violations;
use crate::client::Client;
use crate::clock::Clock;
use crate::finish::finish;
use crate::forecast;
use crate::gauge::Gauge;
use crate::herd::Herd;
use crate::plan::Plan;
use crate::prepare::{self, Target};
use crate::report::Report;
use crate::side::{Foes, Side};

/// From here to T-zero of a sale that runs already.
const SOON: Duration = Duration::from_millis(1_000);
const TICK: Duration = Duration::from_millis(250);
/// From when on an answer is late where nobody asks: never.
const PATIENT: Duration = Duration::MAX;

/// Why there was no rehearsal.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RehearsalFault(pub String);

/// Where a run stands.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What is being done.
    pub phase: &'static str,
    /// How much of it.
    pub done: u64,
    /// Of how much.
    pub total: u64,
    /// Checkouts answered.
    pub answered: u64,
    /// Tickets given.
    pub accepted: u64,
    /// Orders confirmed.
    pub confirmed: u64,
}

/// Is told about the progress of a run.
pub trait Watcher: Send + Sync {
    /// About four times a second.
    fn progress(&self, progress: &Progress);

    /// Once, before it begins: something to know about the run.
    fn note(&self, text: &str) {
        let _ = text;
    }
}

/// Rehearses.
///
/// # Errors
/// Why it could not begin. What was wrong with the system is in the report.
pub async fn run(
    plan: Plan,
    watcher: &dyn Watcher,
    stop: CancellationToken,
) -> Result<Report, RehearsalFault> {
    let gauge = Gauge::new(PATIENT);
    gauge.open_gate();
    run_gauged(plan, Arc::new(gauge), watcher, stop).await
}

/// Rehearses, and tells `gauge` how it goes; its gate is the caller's to open.
///
/// # Errors
/// Why it could not begin. What was wrong with the system is in the report.
pub async fn run_gauged(
    plan: Plan,
    gauge: Arc<Gauge>,
    watcher: &dyn Watcher,
    stop: CancellationToken,
) -> Result<Report, RehearsalFault> {
    let mistakes = plan.mistakes();
    if !mistakes.is_empty() {
        return Err(RehearsalFault(mistakes.join("\n")));
    }
    let ready = tokio::select! {
        ready = ready(plan, gauge, watcher) => ready.map_err(RehearsalFault)?,
        () = stop.cancelled() => return Err(RehearsalFault("stopped before it began".to_owned())),
    };
    let Ready { herd, buyers, sale, auditor } = ready;
    let audits = drive(&herd, buyers, auditor.as_ref(), watcher, &stop).await;
    Ok(finish(&herd, &sale, auditor.as_ref(), audits).await)
}

/// What there is before T-zero.
struct Ready {
    herd: Arc<Herd>,
    buyers: Vec<Buyer>,
    sale: Target,
    auditor: Option<Auditor>,
}

async fn ready(plan: Plan, gauge: Arc<Gauge>, watcher: &dyn Watcher) -> Result<Ready, String> {
    let client = Client::of(&plan.urls(), plan.connections, plan.source_addresses).await?;
    let hostile = Client::of(&plan.urls(), plan.hostile_connections(), plan.source_addresses).await?;
    let hostile = Arc::new(hostile.apart(plan.source_addresses));
    let client = Arc::new(client.gauged(Arc::clone(&gauge)));
    let clock = gauge.clock();
    let offset_ms = prepare::offset(&client, &clock).await?;
    let buyers = prepare::sessions(&plan, &client, watcher).await?;
    client.warm(plan.connections.min(plan.buyers)).await?;
    let sale = prepare::sale(&plan, &client, offset_ms).await?;
    if let Some(buyer) = buyers.first().filter(|_| sale.asks_all)
        && let Some(text) = forecast::forecast(&plan, &client, &sale.id, buyer, &clock).await
    {
        watcher.note(&text);
    }
    let starts_ms = sale.starts_ms - (Clock::wall_ms() + offset_ms);
    let t_zero = clock.elapsed() + if starts_ms > 0 { Duration::from_millis(starts_ms as u64) } else { SOON };
    let herd = Arc::new(Herd {
        honest: Side::new(Arc::clone(&client)),
        foes: Foes::new(hostile, 2 * plan.hostile_connections(), sale.asks_all),
        clock,
        gauge,
        product: sale.product.clone(),
        checkout_path: format!("/v1/sales/{}/checkout", sale.id),
        violations: Violations::default(),
        workshop: Workshop::new(),
        base_url: plan.base_url.clone(),
        elsewhere: OnceCell::new(),
        offset_ms,
        over: t_zero + Duration::from_millis(plan.limit_ms),
        t_zero,
        answers: AtomicU64::new(0),
        still_open: AtomicU64::new(0),
        per_second: Mutex::default(),
        accepted: AtomicU64::new(0),
        confirmations: AtomicU64::new(0),
        sold_out_ms: AtomicI64::new(-1),
        endings: Mutex::default(),
        plan,
    });
    let auditor = auditor(&herd, &sale).await?;
    Ok(Ready { herd, buyers, sale, auditor })
}

async fn auditor(herd: &Arc<Herd>, sale: &Target) -> Result<Option<Auditor>, String> {
    let Some(token) = herd.plan.admin_token.clone() else { return Ok(None) };
    // A pool of its own: the herd must not keep the auditor waiting.
    let urls = herd.plan.admin_url.as_deref().map_or_else(|| herd.plan.urls(), |url| vec![url]);
    let client = Arc::new(Client::of(&urls, 2, 1).await?);
    let path = format!("/admin/v1/sales/{}/audit", sale.id);
    Ok(Some(Auditor { client, token, path, disturbed: herd.plan.disturbed }))
}

/// Lets every buyer live; gives how many audits there were meanwhile.
async fn drive(
    herd: &Arc<Herd>,
    buyers: Vec<Buyer>,
    auditor: Option<&Auditor>,
    watcher: &dyn Watcher,
    stop: &CancellationToken,
) -> u64 {
    let (mut living, mut besieging) = spawn(herd, buyers);
    let total = living.len() as u64;
    let over = CancellationToken::new();
    let watching = async {
        match auditor {
            Some(auditor) => auditor.watch(&herd.violations, &over).await,
            None => 0,
        }
    };
    let living = async {
        let mut done = 0;
        let mut tick = tokio::time::interval(TICK);
        while !living.is_empty() {
            tokio::select! {
                Some(ended) = living.join_next() => {
                    done += 1;
                    if ended.is_err() {
                        herd.violations.add("a buyer ended in a panic");
                    }
                }
                _ = tick.tick() => watcher.progress(&progress(herd, done, total)),
                () = stop.cancelled() => {
                    herd.violations.add("stopped before its end");
                    living.abort_all();
                    besieging.abort_all();
                    break;
                }
            }
        }
        herd.foes.quit.cancel();
        while let Some(ended) = besieging.join_next().await {
            if ended.is_err_and(|error| error.is_panic()) {
                herd.violations.add("a hostile buyer ended in a panic");
            }
        }
        watcher.progress(&progress(herd, done, total));
        over.cancel();
    };
    tokio::join!(watching, living).0
}

/// Lets the honest buyers and the hostile ones live.
fn spawn(herd: &Arc<Herd>, buyers: Vec<Buyer>) -> (JoinSet<()>, JoinSet<()>) {
    let total = buyers.len() as u64;
    let (mut honest, mut hostile) = (JoinSet::new(), JoinSet::new());
    for buyer in buyers {
        let herd = Arc::clone(herd);
        let side = if buyer.foe.is_some() { &mut hostile } else { &mut honest };
        side.spawn(async move {
            let due = herd.arrival(buyer.number, total).await;
            match buyer.foe {
                Some(foe) => buyer.attack(herd, foe, due).await,
                None => buyer.live(herd, due).await,
            }
        });
    }
    (honest, hostile)
}

fn progress(herd: &Herd, done: u64, total: u64) -> Progress {
    let phase = if herd.clock.elapsed() < herd.t_zero { "waiting for T-zero" } else { "buyers" };
    Progress {
        phase,
        done,
        total,
        answered: herd.answers.load(Ordering::Relaxed),
        accepted: herd.accepted.load(Ordering::Relaxed),
        confirmed: herd.confirmations.load(Ordering::Relaxed),
    }
}
