//! Looks at the system from outside while it is disturbed: whether the shard sells, and whether pages and statuses are served.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rehearsal::Gauge;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::fleet::TOKEN;

/// Between two looks at the shard, and between two looks at page and status.
const PAUSE: Duration = Duration::from_millis(50);
const PROBE_PAUSE: Duration = Duration::from_millis(200);

/// How the shard stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It sells.
    Open,
    /// It is there and does not sell.
    Closed,
    /// Nobody could say.
    Unknown,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The page of the sale.
    Page,
    /// The status of a ticket.
    Status,
}

/// The looks of one run, by the gauge's clock.
#[derive(Default)]
pub struct Seen {
    states: Mutex<Vec<(Duration, State)>>,
    refused: Mutex<Vec<(Duration, Probe, String)>>,
}

/// Looks.
pub struct Watch<'a> {
    /// Asks.
    pub http: &'a reqwest::Client,
    /// Every gateway: one that answers is enough.
    pub gateways: &'a [String],
    /// The clock.
    pub gauge: &'a Gauge,
    /// The sale.
    pub sale: &'a str,
    /// What was seen.
    pub seen: &'a Seen,
}

impl Seen {
    /// How long the shard stood so within a span: from each look until the next one.
    pub fn lasted(&self, wanted: State, from: Duration, until: Duration) -> Duration {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        lasted(&states, wanted, from, until)
    }

    /// What was refused within a span.
    pub fn refused(&self, probe: Probe, from: Duration, until: Duration) -> Vec<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let within = refused.iter().filter(|(at, what, _)| *what == probe && (from..=until).contains(at));
        within.map(|(_, _, said)| said.clone()).collect()
    }

    /// How the shard stands.
    pub fn last(&self) -> State {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.last().map_or(State::Unknown, |(_, state)| *state)
    }
}

fn lasted(states: &[(Duration, State)], wanted: State, from: Duration, until: Duration) -> Duration {
    let next = states.iter().skip(1).map(|(at, _)| *at).chain(std::iter::once(until));
    let spans = states.iter().zip(next).filter(|((_, state), _)| *state == wanted);
    spans.map(|((at, _), next)| next.min(until).saturating_sub((*at).max(from))).sum()
}

impl Watch<'_> {
    /// Looks until told to stop.
    pub async fn run(&self, stop: &CancellationToken) {
        let looking = async { tokio::join!(self.shards(), self.probes()) };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = looking => {}
        }
    }

    async fn shards(&self) {
        loop {
            let asked = self.gauge.elapsed();
            let state = self.state().await;
            self.seen.states.lock().unwrap_or_else(PoisonError::into_inner).push((asked, state));
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn state(&self) -> State {
        let Ok((200, shards)) = self.get("/admin/v1/shards").await else { return State::Unknown };
        let shard = shards["shards"].as_array().into_iter().flatten().find(|one| one["sale_id"] == self.sale);
        match shard.and_then(|shard| shard["open"].as_bool()) {
            Some(true) => State::Open,
            Some(false) => State::Closed,
            None => State::Unknown,
        }
    }

    /// A buyer of the watch's own buys a unit, never pays, and goes on asking after the ticket.
    async fn probes(&self) {
        let ticket = self.ticket().await;
        loop {
            self.probe(Probe::Page, &format!("/v1/sales/{}", self.sale)).await;
            self.probe(Probe::Status, &format!("/v1/orders/status/{ticket}")).await;
            tokio::time::sleep(PROBE_PAUSE).await;
        }
    }

    async fn probe(&self, probe: Probe, path: &str) {
        let asked = self.gauge.elapsed();
        let said = match self.get(path).await {
            Ok((200, _)) => return,
            Ok((status, body)) => format!("{status} {}", body["code"].as_str().unwrap_or_default()),
            Err(error) => error,
        };
        self.seen.refused.lock().unwrap_or_else(PoisonError::into_inner).push((asked, probe, said));
    }

    async fn ticket(&self) -> String {
        loop {
            if let Some(ticket) = self.bought().await {
                return ticket;
            }
            tokio::time::sleep(PROBE_PAUSE).await;
        }
    }

    async fn bought(&self) -> Option<String> {
        let gateway = self.gateways.first()?;
        let session: Value =
            self.http.post(format!("{gateway}/v1/sessions")).send().await.ok()?.json().await.ok()?;
        let body = json!({ "user_id": session["user_id"], "product_id": "unit", "idempotency_key": "probe" });
        let asked = self.http.post(format!("{gateway}/v1/sales/{}/checkout", self.sale));
        let asked = asked.bearer_auth(session["session_token"].as_str()?).json(&body);
        let answer: Value = asked.send().await.ok()?.json().await.ok()?;
        answer["queue_ticket_id"].as_str().map(str::to_owned)
    }

    /// Status and body of the first gateway that answers.
    async fn get(&self, path: &str) -> Result<(u16, Value), String> {
        let mut lost = String::new();
        for gateway in self.gateways {
            match self.http.get(format!("{gateway}{path}")).bearer_auth(TOKEN).send().await {
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    return Ok((status, answer.json().await.unwrap_or_default()));
                }
                Err(error) => lost = error.to_string(),
            }
        }
        Err(lost)
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
