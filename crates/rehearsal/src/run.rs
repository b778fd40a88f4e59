//! A run: sessions, the sale, T-zero, the herd, and what is left when it is over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::auditor::Auditor;
use crate::buyer::Buyer;
use crate::challenge::Workshop;
use crate::checks::{self, Ending, Violations};
use crate::client::Client;
use crate::clock::Clock;
use crate::gauge::Gauge;
use crate::measure::{Counts, Timing};
use crate::plan::Plan;
use crate::prepare::{self, Target};
use crate::report::Report;

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
}

/// What all buyers share.
pub(crate) struct Herd {
    pub(crate) plan: Plan,
    pub(crate) client: Arc<Client>,
    pub(crate) clock: Clock,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) product: String,
    pub(crate) checkout_path: String,
    pub(crate) sent: AtomicU64,
    pub(crate) outcomes: Counts,
    pub(crate) errors: Counts,
    pub(crate) violations: Violations,
    pub(crate) all_answers: Timing,
    pub(crate) accepted_answers: Timing,
    pub(crate) refused_answers: Timing,
    pub(crate) address_made: Timing,
    pub(crate) confirmation: Timing,
    pub(crate) behind: Timing,
    pub(crate) workshop: Workshop,
    base_url: String,
    /// The pages of a provider that is not behind the same address.
    elsewhere: OnceCell<Client>,
    offset_ms: i64,
    pub(crate) over: Duration,
    pub(crate) t_zero: Duration,
    answers: AtomicU64,
    still_open: AtomicU64,
    per_second: Mutex<BTreeMap<u64, u64>>,
    accepted: AtomicU64,
    confirmations: AtomicU64,
    /// Milliseconds after T-zero; -1 while nobody saw it.
    sold_out_ms: AtomicI64,
    endings: Mutex<Vec<Ending>>,
}

impl Herd {
    pub(crate) fn is_over(&self) -> bool {
        self.clock.elapsed() >= self.over
    }

    /// Waits until `at`, or until the run is over.
    pub(crate) async fn until(&self, at: Duration) {
        self.clock.until(at.min(self.over)).await;
    }

    /// Waits for `time`, or until the run is over.
    pub(crate) async fn rest(&self, time: Duration) {
        self.until(self.clock.elapsed().saturating_add(time)).await;
    }

    /// What a ticket that has not ended at the end of the run means: nothing while its hold runs.
    pub(crate) fn left_open(&self, ticket: &str, status: &Value) {
        if checks::is_due(status, self.server_now_ms(), self.plan.grace_ms) {
            let (ticket, status) = (checks::short(ticket), &status["status"]);
            self.violations.add(format!("ticket {ticket} has not ended: it is {status}"));
        } else {
            self.still_open.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn server_now_ms(&self) -> i64 {
        Clock::wall_ms() + self.offset_ms
    }

    pub(crate) fn answered(&self, took: Duration) {
        self.all_answers.record(took);
        self.answers.fetch_add(1, Ordering::Relaxed);
        let second = self.clock.elapsed().saturating_sub(self.t_zero).as_secs();
        *self.per_second.lock().unwrap_or_else(PoisonError::into_inner).entry(second).or_default() += 1;
    }

    pub(crate) fn accept(&self, replayed: bool) {
        if replayed {
            return;
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.gauge.accept();
        if self.sold_out_ms.load(Ordering::Relaxed) >= 0 && self.plan.sale.is_none() {
            // Requests cross on their way: only what came well after the proof breaks it.
            let since = self.clock.elapsed().saturating_sub(self.t_zero).as_millis() as i64;
            if since - self.sold_out_ms.load(Ordering::Relaxed) > 2_000 {
                self.violations.add("a unit was given out although sold-out had been answered");
            }
        }
    }

    pub(crate) fn saw_sold_out(&self) {
        self.gauge.saw_sold_out(self.server_now_ms());
        let since = self.clock.elapsed().saturating_sub(self.t_zero).as_millis() as i64;
        // Somebody may have been first: then theirs counts.
        let _ = self.sold_out_ms.compare_exchange(-1, since, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn confirmed(&self, took: Duration) {
        self.confirmation.record(took);
        self.confirmations.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner).push(ending);
    }

    /// Who serves an address, and its path there: the system under test, or a provider's pages elsewhere.
    pub(crate) async fn served(&self, url: &str) -> Result<(&Client, String), String> {
        if let Some(path) = url.strip_prefix(&self.base_url) {
            return Ok((&self.client, path.to_owned()));
        }
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url} is not an http:// address"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, connections) = (format!("http://{host}"), self.plan.connections);
        let client = self.elsewhere.get_or_try_init(|| Client::new(&host, connections, 1)).await?;
        Ok((client, format!("/{path}")))
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
    let client = Arc::new(client.gauged(Arc::clone(&gauge)));
    let clock = gauge.clock();
    let offset_ms = prepare::offset(&client, &clock).await?;
    let buyers = prepare::sessions(&plan, &client, watcher).await?;
    client.warm(plan.connections.min(plan.buyers)).await?;
    let sale = prepare::sale(&plan, &client, offset_ms).await?;
    let starts_ms = sale.starts_ms - (Clock::wall_ms() + offset_ms);
    let t_zero = clock.elapsed() + if starts_ms > 0 { Duration::from_millis(starts_ms as u64) } else { SOON };
    let herd = Arc::new(Herd {
        client: Arc::clone(&client),
        clock,
        gauge,
        product: sale.product.clone(),
        checkout_path: format!("/v1/sales/{}/checkout", sale.id),
        sent: AtomicU64::new(0),
        outcomes: Counts::default(),
        errors: Counts::default(),
        violations: Violations::default(),
        all_answers: Timing::new(),
        accepted_answers: Timing::new(),
        refused_answers: Timing::new(),
        address_made: Timing::new(),
        confirmation: Timing::new(),
        behind: Timing::new(),
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
    let total = buyers.len() as u64;
    let mut living = JoinSet::new();
    for buyer in buyers {
        let herd = Arc::clone(herd);
        living.spawn(async move {
            let due = herd.arrival(buyer.number, total).await;
            buyer.live(herd, due).await;
        });
    }
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
                    break;
                }
            }
        }
        watcher.progress(&progress(herd, done, total));
        over.cancel();
    };
    tokio::join!(watching, living).0
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

async fn finish(herd: &Herd, sale: &Target, auditor: Option<&Auditor>, audits: u64) -> Report {
    let seconds = herd.clock.elapsed().saturating_sub(herd.t_zero).as_secs_f64();
    let audit = match auditor {
        Some(auditor) => auditor.last(&herd.violations).await,
        None => Value::Null,
    };
    let endings = herd.endings.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let told = audit["products"][0]["stock"].as_u64();
    let stock = sale.stock.or(told).unwrap_or(u64::MAX);
    checks::endings(&endings, stock, sale.max_per_user, &herd.violations);
    let sold: u64 = endings
        .iter()
        .filter(|ending| ending.status == "confirmed")
        .map(|ending| ending.units.len() as u64)
        .sum();
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
    endings.iter().for_each(|ending| *ended.entry(ending.status.clone()).or_default() += 1);
    let sold_out_ms = herd.sold_out_ms.load(Ordering::Relaxed);
    let peak = herd.per_second.lock().unwrap_or_else(PoisonError::into_inner).values().copied().max();
    Report {
        plan: herd.plan.clone(),
        sale_id: sale.id.clone(),
        seconds,
        sent: herd.sent.load(Ordering::Relaxed),
        peak_answers_per_s: peak.unwrap_or_default(),
        outcomes: herd.outcomes.all(),
        errors: herd.errors.all(),
        endings: ended,
        still_open,
        answers: herd.all_answers.percentiles(),
        accepted: herd.accepted_answers.percentiles(),
        refused: herd.refused_answers.percentiles(),
        payment_address: herd.address_made.percentiles(),
        confirmation: herd.confirmation.percentiles(),
        herd_behind: herd.behind.percentiles(),
        challenges: herd.workshop.work.percentiles(),
        sold,
        stock: if stock == u64::MAX { 0 } else { stock },
        sold_out_after_s: (sold_out_ms >= 0).then_some(sold_out_ms as f64 / 1_000.0),
        audits,
        audit,
        violations: herd.violations.all(),
    }
}
