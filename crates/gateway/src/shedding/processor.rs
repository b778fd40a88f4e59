//! Whether the processor is what is short.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;

use super::micros;

/// How long is measured.
const SPAN: Duration = Duration::from_millis(20);
/// The processor is short where the runtime's threads had something to do for this part of the time.
const SHORT: f64 = 0.8;
/// For how long it is taken to be short afterwards: those whose answer waits leave it idle, and would all ask again.
const LASTS: Duration = Duration::from_secs(1);

/// How busy the threads are that serve connections, as the runtime measures it.
#[derive(Default)]
pub(super) struct Processor {
    looked_us: AtomicU64,
    busy_us: AtomicU64,
    short_until_us: AtomicU64,
}

impl Processor {
    /// Whether it is short at `now`, in time of the process.
    pub(super) fn is_short(&self, now: Duration) -> bool {
        let (looked, now) = (self.looked_us.load(Ordering::Relaxed), micros(now));
        let lasted = now.saturating_sub(looked);
        let due = lasted >= micros(SPAN);
        if due && self.looked_us.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let metrics = Handle::current().metrics();
            let workers = metrics.num_workers();
            let busy = (0..workers).map(|worker| micros(metrics.worker_total_busy_duration(worker))).sum();
            let before = self.busy_us.swap(busy, Ordering::Relaxed);
            let share = busy.saturating_sub(before) as f64 / (lasted as f64 * workers as f64);
            if share > SHORT {
                self.short_until_us.store(now + micros(LASTS), Ordering::Relaxed);
            }
        }
        now < self.short_until_us.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Processor {
    pub(super) fn is_short_until(&self, until: Duration) {
        self.short_until_us.store(micros(until), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use ports::clock::{Clock, SystemClock};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    #[expect(clippy::disallowed_methods, reason = "work for a thread of the runtime, as connections are")]
    async fn threads_with_nothing_but_work_are_short_and_those_that_wait_are_not() {
        let work = async {
            let (processor, clock) = (Processor::default(), SystemClock::start());
            assert!(!processor.is_short(clock.elapsed()));
            // On a machine with more to do than this, the thread is taken away between its turns now and then.
            let until = clock.elapsed() + SPAN * 500;
            while !processor.is_short(clock.elapsed()) {
                assert!(clock.elapsed() < until, "never short");
                let turn = clock.elapsed() + Duration::from_millis(1);
                while clock.elapsed() < turn {
                    std::hint::spin_loop();
                }
                tokio::task::yield_now().await;
            }
            tokio::time::sleep(LASTS + SPAN).await;
            assert!(!processor.is_short(clock.elapsed()));
        };
        tokio::spawn(work).await.unwrap();
    }
}
