//! HTTP/1.1 (RFC 9112) over one connection: the hot routes out of the connection's own buffer, everything else as requests.
//!
//! The herd's requests are small and alike, and a connection that waits costs nothing but its socket and its task: there is
//! no buffer while nothing was received. A request is read, answered, and only then is the next one looked at.

mod answer;
mod body;
mod head;
mod other;

use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Peer, Service, Shared};
use crate::problem::{Code, Problem};
use crate::reply::Whole;
use answer::Manner;
use head::{Asked, Framing, Head, Plan, Refusal};

/// Room that is made for what a client sends next, bytes: a checkout with its head fits.
const ROOM: usize = 2_048;
/// Sent to a client that asks whether its body is wanted.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// How long, and for how many bytes, a client is listened to after the last answer: a connection that is closed while bytes
/// arrive is reset, and the answer may be lost (RFC 9112, section 9.6).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 256 << 10;
/// What begins a connection of HTTP/2 without TLS (RFC 9113, section 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Bytes of it that tell it from any request.
const TELLING: usize = 3;

/// What becomes of a connection.
enum Then {
    /// Another request.
    Next,
    /// The last answer is sent: nothing is said any more, but listened for a while.
    Linger,
    /// It is over.
    Over,
}

/// What came of waiting for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    /// Some came.
    Some,
    /// The other end has closed, or the connection broke.
    Closed,
    /// None came in time.
    Overdue,
}

/// One connection.
pub(super) struct Connection<S> {
    shared: Arc<Shared<S>>,
    stream: TcpStream,
    peer: Peer,
    /// What was received and is not used yet.
    received: Vec<u8>,
    stop: CancellationToken,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    timer: Pin<Box<Sleep>>,
    /// When the timer rings, in time of the process.
    rings: Duration,
    /// When something moved last, in time of the process.
    moved: Duration,
}

/// A connection that turned out to speak HTTP/2, and what it has sent.
pub(super) struct Http2 {
    pub(super) stream: TcpStream,
    pub(super) received: Vec<u8>,
}

impl<S: Service> Connection<S> {
    pub(super) fn new(shared: Arc<Shared<S>>, stream: TcpStream, peer: Peer) -> Self {
        // A token of its own: waiting for it touches nothing that other connections touch.
        let stop = shared.stop.child_token();
        let stopping = Box::pin(stop.clone().cancelled_owned());
        let moved = shared.clock.elapsed();
        let timer = Box::pin(tokio::time::sleep(shared.limits.header_timeout));
        let rings = moved + shared.limits.header_timeout;
        Self { shared, stream, peer, received: Vec::new(), stop, stopping, timer, rings, moved }
    }

    /// Serves it to its end; gives it back where it speaks HTTP/2.
    pub(super) async fn serve(mut self) -> Option<Http2> {
        // A connection is made to send something: its first head is due from the start.
        let mut wait = self.shared.limits.header_timeout;
        let mut first = true;
        loop {
            if self.received.is_empty() && !self.bytes_come(wait).await {
                return None;
            }
            let since = self.shared.clock.elapsed();
            if std::mem::take(&mut first) && self.speaks_http2(since).await {
                return Some(Http2 { stream: self.stream, received: self.received });
            }
            match self.request(since).await {
                Then::Next => wait = self.shared.limits.idle_timeout,
                Then::Linger => {
                    self.linger().await;
                    return None;
                }
                Then::Over => return None,
            }
        }
    }

    /// Waits, without a buffer, until something can be received.
    async fn bytes_come(&mut self, wait: Duration) -> bool {
        self.received = Vec::new();
        let due = self.moved + wait;
        self.arm(due);
        loop {
            let Self { stream, timer, stopping, .. } = self;
            tokio::select! {
                biased;
                ready = poll_fn(|cx| stream.poll_read_ready(cx)) => return ready.is_ok(),
                () = stopping.as_mut() => return false,
                () = timer.as_mut() => if self.rang(due) {
                    self.cut();
                    return false;
                },
            }
        }
    }

    /// Sees to it that the timer rings at `due` or before.
    fn arm(&mut self, due: Duration) {
        if due < self.rings {
            self.set_timer(due, self.shared.clock.elapsed());
        }
    }

    fn set_timer(&mut self, due: Duration, now: Duration) {
        self.timer.as_mut().set(tokio::time::sleep(due.saturating_sub(now)));
        self.rings = due;
    }

    /// The timer rang: whether it is over; otherwise it is set again. So it is set once in a while, not for every request.
    fn rang(&mut self, due: Duration) -> bool {
        let now = self.shared.clock.elapsed();
        if now < due {
            self.set_timer(due, now);
        }
        now >= due
    }

    fn cut(&self) {
        self.shared.gauges.cut.fetch_add(1, Ordering::Relaxed);
    }

    /// Receives more, by `due`.
    async fn receive(&mut self, due: Duration) -> Received {
        self.received.reserve(ROOM);
        self.arm(due);
        loop {
            let Self { stream, timer, received, .. } = self;
            tokio::select! {
                biased;
                read = stream.read_buf(received) => return match read {
                    Ok(0) | Err(_) => Received::Closed,
                    Ok(_) => Received::Some,
                },
                () = timer.as_mut() => if self.rang(due) {
                    return Received::Overdue;
                },
            }
        }
    }

    async fn speaks_http2(&mut self, since: Duration) -> bool {
        let due = since + self.shared.limits.header_timeout;
        while self.received.len() < TELLING && HTTP2.starts_with(&self.received) {
            if self.receive(due).await != Received::Some {
                return false;
            }
        }
        HTTP2.starts_with(&self.received[..self.received.len().min(HTTP2.len())])
    }

    /// Reads and answers one request, whose first byte came at `since`.
    async fn request(&mut self, since: Duration) -> Then {
        let mut due = since + self.shared.limits.header_timeout;
        let mut looked_at = 0_usize;
        let mut needed = 0;
        loop {
            // What comes in drops is not read again for every drop; what is too long already needs no end.
            let too_long = self.received.len() > self.shared.limits.header_bytes;
            let news = looked_at == 0 || too_long || ends_head(&self.received[looked_at.saturating_sub(3)..]);
            if needed > 0 || news {
                match self.parse() {
                    Err(problem) => {
                        let path = head::path(&self.received);
                        return self.refuse(problem, &path).await;
                    }
                    Ok(None) => {}
                    Ok(Some(Head { plan, asked: Asked::Other(request) })) => {
                        return self.other(plan, *request).await;
                    }
                    Ok(Some(Head { plan, asked: Asked::Hot(mut asked) })) => {
                        let Framing::Length(length) = plan.framing else { return Then::Over };
                        if length > asked.hot.largest_body() as u64 {
                            let (problem, path) =
                                (body_too_large(asked.hot.largest_body()), asked.path.to_owned());
                            return self.refuse(problem, &path).await;
                        }
                        let whole = plan.head + length as usize;
                        if let Some(body) = self.received.get(plan.head..whole) {
                            asked.body = body;
                            let answer = self.shared.service.answer_hot(&asked, self.peer).await;
                            return self.answered(&answer, plan, whole).await;
                        }
                        if needed == 0 {
                            needed = whole;
                            due = self.shared.clock.elapsed() + self.shared.limits.body_timeout;
                            if plan.expects && !self.send(CONTINUE).await {
                                return Then::Over;
                            }
                        }
                    }
                }
            }
            looked_at = self.received.len();
            loop {
                match self.receive(due).await {
                    Received::Some if self.received.len() < needed => {}
                    Received::Some => break,
                    Received::Closed => return Then::Over,
                    Received::Overdue if needed > 0 => {
                        let detail = "the body did not arrive in time";
                        let path = head::path(&self.received);
                        return self.refuse(Problem::new(Code::RequestTimeout, detail), &path).await;
                    }
                    Received::Overdue => {
                        self.cut();
                        return Then::Over;
                    }
                }
            }
        }
    }

    /// The head at the start of what was received, within its limits.
    fn parse(&self) -> Result<Option<Head<'_>>, Problem> {
        let Shared { limits, service, .. } = &*self.shared;
        let parsed =
            head::parse(&self.received, limits.header_count, |method, path| service.hot(method, path));
        let too_large = || limits.head_too_large();
        match parsed {
            Ok(Some(head)) if head.plan.head > limits.header_bytes => Err(too_large()),
            Ok(None) if self.received.len() > limits.header_bytes => Err(too_large()),
            Err(Refusal::TooManyLines) => Err(too_large()),
            Err(Refusal::Malformed(detail)) => Err(Problem::new(Code::InvalidRequest, detail)),
            Ok(head) => Ok(head),
        }
    }

    fn manner(&self, keep_alive: bool, old: bool) -> Manner<'_> {
        Manner { clock: &*self.shared.clock, elapsed: self.moved, keep_alive, old }
    }

    /// Sends the answer of a hot route, whose request was `used` bytes long.
    async fn answered(&mut self, answer: &Whole, plan: Plan, used: usize) -> Then {
        self.received.drain(..used);
        self.moved = self.shared.clock.elapsed();
        let keep_alive = plan.keep_alive && !self.stop.is_cancelled();
        let mut out = Vec::new();
        answer::whole(&mut out, answer, self.manner(keep_alive, plan.old));
        self.sent(&out, keep_alive).await
    }

    /// Refuses what cannot be read further: the connection ends with it.
    async fn refuse(&mut self, problem: Problem, path: &str) -> Then {
        self.shared.gauges.refuse(&problem);
        self.moved = self.shared.clock.elapsed();
        let mut out = Vec::new();
        answer::whole(&mut out, &problem.whole(path), self.manner(false, false));
        self.sent(&out, false).await
    }

    async fn sent(&mut self, out: &[u8], keep_alive: bool) -> Then {
        match (self.send(out).await, keep_alive) {
            (true, true) => Then::Next,
            (true, false) => Then::Linger,
            (false, _) => Then::Over,
        }
    }

    /// Sends all of `bytes`; false where the other end is gone or takes nothing for too long.
    async fn send(&mut self, bytes: &[u8]) -> bool {
        let mut left = bytes;
        loop {
            match self.stream.try_write(left) {
                Ok(count) if count == left.len() => return true,
                Ok(count) => left = &left[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.writable().await {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
    }

    async fn writable(&mut self) -> bool {
        let due = self.shared.clock.elapsed() + self.shared.limits.idle_timeout;
        self.arm(due);
        loop {
            let Self { stream, timer, .. } = self;
            tokio::select! {
                biased;
                ready = poll_fn(|cx| stream.poll_write_ready(cx)) => return ready.is_ok(),
                () = timer.as_mut() => if self.rang(due) {
                    self.cut();
                    return false;
                },
            }
        }
    }

    /// After the last answer: says that nothing follows, and listens for a while.
    async fn linger(mut self) {
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut heard = 0;
        let listening = async {
            loop {
                self.received.clear();
                match self.stream.read_buf(&mut self.received).await {
                    Ok(count) if count > 0 && heard < LINGER_BYTES => heard += count,
                    _ => return,
                }
            }
        };
        // Whether it closed by itself or not: it had its time.
        drop(tokio::time::timeout(LINGER, listening).await);
    }
}

/// Whether the end of a head is somewhere in `bytes`.
fn ends_head(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

fn body_too_large(largest: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body may have at most {largest} bytes"))
}
