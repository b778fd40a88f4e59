//! A pool of orders being worked on: as many at once as allowed, a slow one does not hold the others up.

use std::future::Future;
use std::time::Duration;

use domain::order::{Order, Work};
use futures::stream::{FuturesUnordered, StreamExt};
use ports::Fault;

use crate::Crew;

/// For how long taken work is kept from others, milliseconds: longer than a provider's call may take.
pub const LEASE_MS: u64 = 30_000;

/// How a pool works.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Which work.
    pub work: Work,
    /// Orders worked on at once.
    pub concurrency: usize,
    /// Orders begun in a second at most; 0 where there is no limit.
    pub rate_per_s: f64,
    /// Longest wait between two looks, milliseconds.
    pub tick_ms: u64,
}

/// Tells how many orders may begin now: a token bucket that holds a tenth of a second.
struct Allowance {
    rate_per_s: f64,
    tokens: f64,
    at: Duration,
}

impl Allowance {
    fn refill(&mut self, now: Duration) -> usize {
        if self.rate_per_s <= 0.0 {
            return usize::MAX;
        }
        let burst = (self.rate_per_s / 10.0).max(1.0);
        let gained = now.saturating_sub(self.at).as_secs_f64() * self.rate_per_s;
        self.tokens = (self.tokens + gained).min(burst);
        self.at = now;
        self.tokens as usize
    }

    fn spend(&mut self, count: usize) {
        self.tokens = (self.tokens - count as f64).max(0.0);
    }

    /// Until the next token, at most `tick`.
    fn wait(&self, tick: Duration) -> Duration {
        if self.rate_per_s <= 0.0 || self.tokens >= 1.0 {
            return tick;
        }
        Duration::from_secs_f64((1.0 - self.tokens) / self.rate_per_s).min(tick).max(Duration::from_millis(1))
    }
}

/// Takes due work and runs `step` on it until the crew stops; then waits for what was begun.
pub async fn run<S, F>(crew: Crew, shape: Shape, step: S)
where
    S: Fn(Crew, Order) -> F + Send,
    F: Future<Output = Result<(), Fault>> + Send,
{
    let mut running = FuturesUnordered::new();
    let mut allowance = Allowance { rate_per_s: shape.rate_per_s, tokens: 0.0, at: Duration::ZERO };
    let tick = Duration::from_millis(shape.tick_ms);
    while !crew.stop.is_cancelled() {
        let room = shape.concurrency.saturating_sub(running.len());
        let allowed = allowance.refill(crew.stores.clock.elapsed()).min(room);
        // Taking few at a time costs a transaction each: wait until a fair part of the pool is free.
        let worthwhile = allowed > 0 && (running.is_empty() || room * 4 >= shape.concurrency);
        let taken =
            if worthwhile { take_beside(&crew, shape.work, allowed, &mut running).await } else { Vec::new() };
        let count = taken.len();
        allowance.spend(count);
        running.extend(taken.into_iter().map(|order| step(crew.clone(), order)));
        if count > 0 && count == allowed && room > count {
            continue;
        }
        tokio::select! {
            () = crew.stop.cancelled() => {}
            Some(done) = running.next(), if !running.is_empty() => report(&crew, done),
            () = crew.stores.pulse.nudged(shape.work), if worthwhile && count < allowed => {}
            () = tokio::time::sleep(allowance.wait(tick)) => {}
        }
        while let Some(Some(done)) = futures::FutureExt::now_or_never(running.next()) {
            report(&crew, done);
        }
    }
    while let Some(done) = running.next().await {
        report(&crew, done);
    }
}

/// Takes work while what runs goes on: it may have the very connections that taking waits for.
async fn take_beside<F>(
    crew: &Crew,
    work: Work,
    limit: usize,
    running: &mut FuturesUnordered<F>,
) -> Vec<Order>
where
    F: Future<Output = Result<(), Fault>> + Send,
{
    let mut taking = std::pin::pin!(take(crew, work, limit));
    loop {
        tokio::select! {
            taken = &mut taking => return taken,
            Some(done) = running.next(), if !running.is_empty() => report(crew, done),
        }
    }
}

async fn take(crew: &Crew, work: Work, limit: usize) -> Vec<Order> {
    match crew.stores.ledger.take_work(work, limit, LEASE_MS).await {
        Ok(orders) => orders,
        Err(fault) => {
            crew.stores.met(fault.what(), "not-taken", &fault);
            Vec::new()
        }
    }
}

/// A step that failed: its work comes back.
fn report(crew: &Crew, done: Result<(), Fault>) {
    if let Err(fault) = done {
        crew.stores.met(fault.what(), "put-off", &fault);
    }
}
