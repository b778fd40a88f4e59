//! What a deed is done with: the fleet, the stores, the gauge; and the moment for which every kill waits.

use std::path::Path;
use std::time::Duration;

use rehearsal::Gauge;
use serde::Serialize;

use crate::clock::Clocks;
use crate::fleet::{Fleet, KEY};
use crate::stores::Stores;
use crate::watch::{Seen, State};

/// How recent the last 202 must be when something is killed.
const RECENT: Duration = Duration::from_millis(100);
/// How long such a moment is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long selling may take to go on.
const RECOVERY: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(1);

/// The load at the instant of a kill.
#[derive(Clone, Debug, Serialize)]
pub struct Moment {
    /// What was done.
    pub what: String,
    /// When, seconds on the gauge's clock.
    pub at_s: f64,
    /// Requests that were in flight.
    pub in_flight: u64,
    /// How long ago the last new ticket was given, milliseconds.
    pub since_202_ms: f64,
}

/// The system and those who watch it.
pub struct Stage<'a> {
    /// Its processes.
    pub fleet: &'a mut Fleet,
    /// The program under test.
    pub program: &'a Path,
    /// Another version of it, where one was named.
    pub previous: Option<&'a Path>,
    /// What makes clocks wrong; where it is not there, the reason.
    pub clocks: Result<&'a Clocks, &'a String>,
    /// Its stores.
    pub stores: &'a Stores,
    /// The herd's gauge.
    pub gauge: &'a Gauge,
    /// What is seen from outside.
    pub seen: &'a Seen,
    /// For the provider.
    pub http: &'a reqwest::Client,
    /// The key of Redis under which the sale's shard is.
    pub root: &'a str,
    /// The load at each kill so far.
    pub moments: Vec<Moment>,
}

impl Stage<'_> {
    /// Waits until requests are in flight and a 202 came just now: what follows happens under load.
    pub async fn moment(&mut self, what: &str) -> Result<(), String> {
        let began = self.gauge.elapsed();
        loop {
            let (in_flight, since) = (self.gauge.in_flight(), self.gauge.since_accepted());
            if let Some(since) = since.filter(|since| *since <= RECENT && in_flight > 0) {
                let (at_s, what) = (self.gauge.elapsed().as_secs_f64(), what.to_owned());
                let since_202_ms = since.as_secs_f64() * 1_000.0;
                self.moments.push(Moment { what, at_s, in_flight, since_202_ms });
                return Ok(());
            }
            if self.gauge.elapsed().saturating_sub(began) > PATIENCE {
                let since = since.map(|since| since.as_millis());
                return Err(format!(
                    "{what}: no moment under load in {} s: {in_flight} in flight, last 202 {since:?} ms ago",
                    PATIENCE.as_secs()
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until tickets are given again that were not asked for before `after`, and the shard is seen to sell.
    pub async fn sells_again(&self, after: Duration) -> Result<(), String> {
        while !self.sold_since(after) || self.seen.last() != State::Open {
            if self.gauge.elapsed().saturating_sub(after) > RECOVERY {
                return Err(format!("selling did not go on within {} s", RECOVERY.as_secs()));
            }
            tokio::time::sleep(LOOK * 10).await;
        }
        Ok(())
    }

    fn sold_since(&self, after: Duration) -> bool {
        self.gauge.since_accepted().is_some_and(|since| self.gauge.elapsed().saturating_sub(since) > after)
    }

    /// What makes clocks wrong.
    pub fn clocks(&self) -> Result<&Clocks, String> {
        self.clocks.map_err(Clone::clone)
    }

    /// Tells the provider how to behave.
    pub async fn provider(&self, faults: &str) -> Result<(), String> {
        let asked = self.http.put(format!("{}/faults", self.fleet.provider)).bearer_auth(KEY);
        let answer = asked.body(faults.to_owned()).send().await;
        let answer = answer.map_err(|error| format!("the provider: {error}"))?;
        if answer.status().is_success() { Ok(()) } else { Err(format!("the provider: {}", answer.status())) }
    }
}
