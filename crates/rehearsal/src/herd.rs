//! What all buyers of a run share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::OnceCell;

use crate::challenge::Workshop;
use crate::checks::{self, Ending, Violations};
use crate::client::Client;
use crate::clock::Clock;
use crate::gauge::Gauge;
use crate::plan::Plan;
use crate::side::{Foes, Side};

/// What all buyers share.
pub(crate) struct Herd {
    pub(crate) plan: Plan,
    pub(crate) honest: Side,
    pub(crate) foes: Foes,
    pub(crate) clock: Clock,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) product: String,
    pub(crate) checkout_path: String,
    pub(crate) violations: Violations,
    pub(crate) workshop: Workshop,
    pub(crate) base_url: String,
    /// The pages of a provider that is not behind the same address.
    pub(crate) elsewhere: OnceCell<Client>,
    pub(crate) offset_ms: i64,
    pub(crate) over: Duration,
    pub(crate) t_zero: Duration,
    pub(crate) answers: AtomicU64,
    pub(crate) still_open: AtomicU64,
    pub(crate) per_second: Mutex<BTreeMap<u64, u64>>,
    pub(crate) accepted: AtomicU64,
    pub(crate) confirmations: AtomicU64,
    /// Milliseconds after T-zero; -1 while nobody saw it.
    pub(crate) sold_out_ms: AtomicI64,
    pub(crate) endings: Mutex<Vec<Ending>>,
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
        self.honest.all_answers.record(took);
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

    pub(crate) fn confirmed(&self) {
        self.confirmations.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn end(&self, ending: Ending) {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner).push(ending);
    }

    /// Who serves an address, and its path there: the system under test, or a provider's pages elsewhere.
    pub(crate) async fn served<'a>(
        &'a self,
        side: &'a Side,
        url: &str,
    ) -> Result<(&'a Client, String), String> {
        if let Some(path) = url.strip_prefix(&self.base_url) {
            return Ok((&side.client, path.to_owned()));
        }
        let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url} is not an http:// address"))?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, connections) = (format!("http://{host}"), self.plan.connections);
        let client = self.elsewhere.get_or_try_init(|| Client::new(&host, connections, 1)).await?;
        Ok((client, format!("/{path}")))
    }
}
