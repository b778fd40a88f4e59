//! Requests at a fixed pace: the instant of each is fixed beforehand and latency counts from it (open loop).
//!
//! Leaner than a herd of buyers, and for measurements only: it counts answers by status and reads no body. Its task never
//! sleeps between two requests, since a timer's millisecond would show in the figures: give it a core of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::clock::Clock;
use crate::measure::{Counts, Percentiles, Timing};

/// How long the answers to the last requests may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Requests that may wait for one connection.
const WAITING: usize = 65_536;

/// A pace.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The system.
    pub address: SocketAddr,
    /// Requests a second.
    pub rate_per_s: f64,
    /// For how long.
    pub lasts: Duration,
    /// Connections.
    pub connections: usize,
    /// What becomes of a request that finds a connection waiting.
    pub crowd: Crowd,
}

/// What becomes of requests that find connections waiting for answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    /// They take connections in turn, and wait where theirs still owes an answer. Their latency contains that.
    Waits,
    /// They take whichever connection owes nothing, and where none is left, they are not sent, and are counted.
    Leaves,
}

/// What was seen at a pace.
#[derive(Clone, Debug, Serialize)]
pub struct Paced {
    /// From the instant at which a request was due to the last byte of its answer.
    pub latency: Percentiles,
    /// From the instant at which a request was due to its being handed to its connection: the load's own lateness.
    pub behind: Percentiles,
    /// Answers by status.
    pub statuses: BTreeMap<String, u64>,
    /// The latency of those that were accepted (202).
    pub accepted: Percentiles,
    /// Requests that were not sent, because every connection waited.
    pub left: u64,
}

struct Seen {
    clock: Clock,
    latency: Timing,
    behind: Timing,
    accepted: Timing,
    statuses: Counts,
    /// Connections that owe nothing, the one that has been idle for longest first.
    idle: RefCell<VecDeque<usize>>,
}

/// Sends `request(0)`, `request(1)`, … at the pace; each is the bytes of one HTTP/1.1 request.
///
/// # Errors
/// Why it could not connect, what a connection met, or that answers did not come within 30 seconds.
pub async fn pace(pace: Pace, request: impl Fn(u64) -> Bytes) -> Result<Paced, String> {
    let seen = Rc::new(Seen {
        clock: Clock::start(),
        latency: Timing::new(),
        behind: Timing::new(),
        accepted: Timing::new(),
        statuses: Counts::default(),
        idle: RefCell::new((0..pace.connections).collect()),
    });
    let tasks = LocalSet::new();
    let left = tasks.run_until(drive(pace, request, Rc::clone(&seen))).await?;
    Ok(Paced {
        latency: seen.latency.percentiles(),
        behind: seen.behind.percentiles(),
        statuses: seen.statuses.all(),
        accepted: seen.accepted.percentiles(),
        left,
    })
}

/// Gives how many were not sent.
async fn drive(pace: Pace, request: impl Fn(u64) -> Bytes, seen: Rc<Seen>) -> Result<u64, String> {
    let mut entrances = Vec::with_capacity(pace.connections);
    let mut connections = Vec::with_capacity(pace.connections);
    for place in 0..pace.connections {
        let stream =
            TcpStream::connect(pace.address).await.map_err(|error| format!("connection: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("connection: {error}"))?;
        let (entrance, waiting) = mpsc::channel(WAITING);
        entrances.push(entrance);
        connections.push(tokio::task::spawn_local(serve(stream, place, waiting, Rc::clone(&seen))));
    }
    let began = seen.clock.elapsed();
    let count = (pace.rate_per_s * pace.lasts.as_secs_f64()) as u64;
    let mut left = 0;
    for number in 0..count {
        let due = began + Duration::from_secs_f64(number as f64 / pace.rate_per_s);
        while seen.clock.elapsed() < due {
            tokio::task::yield_now().await;
        }
        seen.behind.record(seen.clock.elapsed().saturating_sub(due));
        let place = match pace.crowd {
            Crowd::Waits => Some(number as usize % pace.connections),
            Crowd::Leaves => seen.idle.borrow_mut().pop_front(),
        };
        let Some(entrance) = place.and_then(|place| entrances.get(place)) else {
            left += 1;
            continue;
        };
        entrance.try_send((due, request(number))).map_err(|_| "a connection has ended, or owes too much")?;
    }
    drop(entrances);
    for connection in connections {
        let ended = tokio::time::timeout(PATIENCE, connection).await;
        let ended = ended.map_err(|_| "answers did not come in time".to_owned())?;
        ended.map_err(|error| error.to_string())??;
    }
    Ok(left)
}

async fn serve(
    mut stream: TcpStream,
    place: usize,
    mut waiting: mpsc::Receiver<(Duration, Bytes)>,
    seen: Rc<Seen>,
) -> Result<(), String> {
    let mut buffer = Vec::with_capacity(4_096);
    while let Some((due, request)) = waiting.recv().await {
        stream.write_all(&request).await.map_err(|error| format!("request: {error}"))?;
        buffer.clear();
        let status = loop {
            if let Some(status) = whole(&buffer)? {
                break status;
            }
            let read = stream.read_buf(&mut buffer).await.map_err(|error| format!("answer: {error}"))?;
            if read == 0 {
                return Err("the connection was closed in an answer".to_owned());
            }
        };
        let took = seen.clock.elapsed().saturating_sub(due);
        seen.latency.record(took);
        if status == "202" {
            seen.accepted.record(took);
        }
        seen.statuses.add(&status);
        seen.idle.borrow_mut().push_back(place);
    }
    Ok(())
}

/// The status of the answer, once it is there with its body.
fn whole(buffer: &[u8]) -> Result<Option<String>, String> {
    let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&buffer[..head]).map_err(|_| "a head that is not text".to_owned())?;
    let mut lines = text.split("\r\n");
    let status =
        lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("a status line without status")?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.ok_or("an answer without content-length")?;
    Ok((buffer.len() >= head + 4 + length).then(|| status.to_owned()))
}

#[cfg(test)]
#[path = "pace_tests.rs"]
mod tests;
