//! A small herd against a program in this very process, and the CPU time that the program took for it.
//!
//! Threads of the herd say how much they used themselves; what is left of the process's time is the program's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::exchange::Connection;

/// Requests of one buyer after the other.
pub type Requests = Box<dyn Iterator<Item = Vec<u8>> + Send>;

/// What requests left for later is done within this time, and counts.
const SETTLES: Duration = Duration::from_millis(100);

/// What a request cost, on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Requests that were answered.
    pub requests: u64,
    /// CPU time of the program, microseconds.
    pub cpu_us: f64,
    /// Bytes of the request.
    pub sent: f64,
    /// Bytes of the answer.
    pub received: f64,
}

#[derive(Default)]
struct Tally {
    requests: u64,
    sent: u64,
    received: u64,
    cpu: Duration,
}

/// Sends the requests of each hand over a connection of its own, for as long as `lasting`; every answer must have `status`.
///
/// # Errors
/// A connection broke, or an answer had another status.
pub fn press(
    address: SocketAddr,
    hands: Vec<Requests>,
    status: u16,
    lasting: Duration,
) -> Result<Price, String> {
    let mut ready = Vec::new();
    for hand in hands {
        ready.push((Connection::open(address)?, hand));
    }
    let stop = AtomicBool::new(false);
    let before = cpu(ClockId::ProcessCPUTime);
    let tallies: Result<Vec<Tally>, String> = std::thread::scope(|scope| {
        let stop = &stop;
        let begin = |(connection, hand)| scope.spawn(move || one_hand(connection, hand, status, stop));
        let running: Vec<_> = ready.into_iter().map(begin).collect();
        std::thread::sleep(lasting);
        stop.store(true, Ordering::Relaxed);
        let ended = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        ended.map(|tally| tally.unwrap_or_else(|_| Err("a thread of the herd panicked".to_owned()))).collect()
    });
    let tallies = tallies?;
    std::thread::sleep(SETTLES);
    let used = cpu(ClockId::ProcessCPUTime).saturating_sub(before);
    let herd: Duration = tallies.iter().map(|tally| tally.cpu).sum();
    let sum = |part: fn(&Tally) -> u64| tallies.iter().map(part).sum::<u64>();
    let requests = sum(|tally| tally.requests);
    if requests == 0 {
        return Err("nothing was answered".to_owned());
    }
    let each = |whole: f64| whole / requests as f64;
    Ok(Price {
        requests,
        cpu_us: each(used.saturating_sub(herd).as_secs_f64() * 1e6),
        sent: each(sum(|tally| tally.sent) as f64),
        received: each(sum(|tally| tally.received) as f64),
    })
}

fn one_hand(
    mut connection: Connection,
    hand: Requests,
    status: u16,
    stop: &AtomicBool,
) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for request in hand {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let answer = connection.ask(&request)?;
        if answer.status != status {
            return Err(format!("an answer was {} and not {status}: {}", answer.status, answer.body));
        }
        tally.requests += 1;
        tally.sent += request.len() as u64;
        tally.received += answer.bytes as u64;
    }
    tally.cpu = cpu(ClockId::ThreadCPUTime);
    Ok(tally)
}

/// CPU time of this process or thread.
pub fn cpu(clock: ClockId) -> Duration {
    let used = clock_gettime(clock);
    Duration::new(used.tv_sec.unsigned_abs(), used.tv_nsec as u32)
}
