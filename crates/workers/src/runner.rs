//! The runner: timer and nudge, backoff, drain; written once.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use ports::Fault;
use tokio_util::sync::CancellationToken;

/// Whether a turn left something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There may be more: go on at once.
    Again,
    /// Nothing is left: wait for the timer or a nudge.
    Idle,
}

impl Turn {
    /// `Again` where as many were done as one turn does at most.
    #[must_use]
    pub const fn after(count: usize, most: usize) -> Self {
        if count >= most { Self::Again } else { Self::Idle }
    }
}

/// How a loop runs.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Name in logs.
    pub name: &'static str,
    /// Longest wait between two turns, milliseconds: the guarantee where a nudge is lost.
    pub tick_ms: u64,
    /// From one turn to the next on a nudge, milliseconds: each turn costs its transactions, however little it does, so
    /// that what comes together is done together. A nudge after a pause is answered at once.
    pub gather_ms: u64,
    /// Longest wait after faults, milliseconds; the first is `tick_ms`, and each one doubles.
    pub backoff_ms: u64,
}

/// Runs `turn` until `stop`: again at once while there is work, else on `nudged` or the timer, later after a fault.
pub async fn run<N, W, T, F>(pace: Pace, stop: CancellationToken, nudged: N, mut turn: T)
where
    N: Fn() -> W + Send,
    W: Future<Output = ()> + Send,
    T: FnMut() -> F + Send,
    F: Future<Output = Result<Turn, Fault>> + Send,
{
    let mut faults: u32 = 0;
    while !stop.is_cancelled() {
        let mut gathered = pin!(tokio::time::sleep(Duration::from_millis(pace.gather_ms)));
        match turn().await {
            Ok(Turn::Again) => {
                faults = 0;
                tokio::task::yield_now().await;
            }
            Ok(Turn::Idle) => {
                faults = 0;
                let wait = Duration::from_millis(pace.tick_ms);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = async {
                        nudged().await;
                        gathered.as_mut().await;
                    } => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
            Err(fault) => {
                faults += 1;
                let wait = backoff(pace, faults);
                tracing::warn!(name = pace.name, %fault, wait_ms = wait.as_millis() as u64, "loop");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            }
        }
    }
}

fn backoff(pace: Pace, faults: u32) -> Duration {
    let doubled = pace.tick_ms.saturating_mul(1 << (faults - 1).min(16));
    Duration::from_millis(doubled.clamp(pace.tick_ms, pace.backoff_ms.max(pace.tick_ms)))
}
