//! The accept loop: HTTP/1.1 and h2c on one port, with limits of time and number, and a graceful end.
//!
//! A connection is cut when a request's head takes too long, when nothing moves for too long between requests, and when
//! the process has waited long enough at its end. Nothing here looks at what a request says.

mod activity;
mod http1;
mod http2;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use domain::seldom::Seldom;
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri};
use ports::clock::Clock;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::client_address::network_key;
use crate::hot::{Hot, HotRequest};
use crate::lists::{Lists, Rule};
use crate::problem::{Code, Problem};
use crate::reply::Whole;

/// Connections that wait in the kernel to be accepted.
const BACKLOG: u32 = 4_096;
/// Pause after a failed accept: out of descriptors, most likely.
const BACK_OFF: Duration = Duration::from_millis(50);
/// Answers whose length nobody is told: with 204 it may not be, and with 304 it would be that of the 200, which nobody
/// computes (RFC 9110, section 8.6).
const LENGTHLESS: [StatusCode; 2] = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];

/// Whether a request's target is a path, or an address of the web: one of another scheme is nobody's here.
fn is_of_the_web(target: &Uri) -> bool {
    target.scheme().is_none_or(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS)
}

/// What is said of any other.
const OTHER_SCHEME: &str = "the request's target must be a path, or an address with http:// or https://";

/// What a connection may cost.
#[derive(Clone)]
pub struct Limits {
    /// Until a request's head is there, from its first byte.
    pub header_timeout: Duration,
    /// Until the body of a hot route's request is there, from its head.
    pub body_timeout: Duration,
    /// Without a request and without bytes.
    pub idle_timeout: Duration,
    /// Connections at once; more wait in the kernel.
    pub max_connections: usize,
    /// Connections of one network (an IPv4 address, an IPv6 /64) at once; 0 for no limit. Loopback and trusted proxies are
    /// exempt.
    pub max_connections_per_address: usize,
    /// Which addresses are proxies, whose connections are those of all their clients.
    pub trusted: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Largest head, bytes.
    pub header_bytes: usize,
    /// Most header lines.
    pub header_count: usize,
    /// How long requests under way may take once the process ends.
    pub drain_timeout: Duration,
    /// Networks whose connections are closed at once, or not counted.
    pub lists: Arc<Lists>,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Open connections.
    pub open: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections closed at once because their network had enough.
    pub refused: AtomicU64,
    /// Connections cut because they were too slow or idle.
    pub cut: AtomicU64,
    /// Connections of HTTP/2 ended because their clients began and reset streams faster than any client needs.
    pub abused: AtomicU64,
    /// Requests refused because of the size of their heads.
    pub large_heads: AtomicU64,
    /// Requests refused because they cannot be read, or could be read in two ways.
    pub malformed: AtomicU64,
    /// Requests of hot routes refused by the length of body that they announced.
    pub large_bodies: AtomicU64,
    /// Requests of hot routes refused because their bodies did not arrive in time.
    pub slow_bodies: AtomicU64,
}

impl Gauges {
    /// Counts a request that is refused here, and so is in no other count.
    fn refuse(&self, problem: &Problem) {
        let count = match problem.code() {
            Code::HeadersTooLarge => &self.large_heads,
            Code::BodyTooLarge => &self.large_bodies,
            Code::RequestTimeout => &self.slow_bodies,
            _ => &self.malformed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }
}

impl Limits {
    /// The refusal of a head that is beyond them.
    fn head_too_large(&self) -> Problem {
        let (lines, bytes) = (self.header_count, self.header_bytes);
        Problem::new(Code::HeadersTooLarge, format!("a head may have {lines} lines and {bytes} bytes"))
    }
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Address of the connection.
    pub address: SocketAddr,
}

/// Answers the requests of a listener.
pub trait Service: Send + Sync + 'static {
    /// Which of the hot routes a request takes; those are answered by [`Service::answer_hot`].
    fn hot<'a>(&self, method: &str, path: &'a str) -> Option<Hot<'a>> {
        let _ = (method, path);
        None
    }

    /// Answers a request of a hot route.
    fn answer_hot(&self, request: &HotRequest<'_>, peer: Peer) -> impl Future<Output = Whole> + Send {
        let _ = peer;
        std::future::ready(
            Problem::new(Code::NotFound, "there is nothing at this address").whole(request.path),
        )
    }

    /// Answers any other request.
    fn answer(&self, request: Request<Body>, peer: Peer) -> impl Future<Output = Response<Body>> + Send;
}

impl Service for Router {
    async fn answer(&self, request: Request<Body>, _peer: Peer) -> Response<Body> {
        self.clone().oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}

/// A bound socket.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// What every connection of one listener shares.
struct Shared<S> {
    limits: Limits,
    service: S,
    gauges: Arc<Gauges>,
    clock: Arc<dyn Clock>,
    /// By the network's key.
    per_network: Mutex<HashMap<u128, usize>>,
    stop: CancellationToken,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// The address is taken or cannot be had.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let socket = socket.listen(BACKLOG)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`; then lets requests under way finish, and returns.
    pub async fn serve<S: Service>(
        self,
        limits: Limits,
        service: S,
        gauges: Arc<Gauges>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) {
        let places = Arc::new(Semaphore::new(limits.max_connections));
        let drain = limits.drain_timeout;
        let per_network = Mutex::default();
        let shared = Arc::new(Shared { limits, service, gauges, clock, per_network, stop: stop.clone() });
        let mut connections = JoinSet::new();
        let mut failures = Seldom::default();
        while let Some((stream, address, place)) = self.accept(&places, &shared, &mut failures).await {
            shared.gauges.accepted.fetch_add(1, Ordering::Relaxed);
            if let Some(seat) = Seat::take(&shared, address.ip()) {
                connections.spawn(connection(Arc::clone(&shared), stream, Peer { address }, place, seat));
            }
            while connections.try_join_next().is_some() {}
        }
        drop(self.socket);
        let ended = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, ended).await.is_err() {
            connections.shutdown().await;
        }
    }

    /// The next connection, once there is a place for it; `None` at the end.
    async fn accept(
        &self,
        places: &Arc<Semaphore>,
        shared: &Shared<impl Service>,
        failures: &mut Seldom,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = tokio::select! {
            () = shared.stop.cancelled() => return None,
            place = Arc::clone(places).acquire_owned() => place.ok()?,
        };
        loop {
            let accepted = tokio::select! {
                () = shared.stop.cancelled() => return None,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    // Answers are small and wanted now.
                    drop(stream.set_nodelay(true));
                    return Some((stream, address, place));
                }
                Err(error) => {
                    if let Some(times) = failures.happened(shared.clock.elapsed()) {
                        tracing::warn!(%error, times, "cannot accept a connection");
                    }
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }
}

/// One of the connections of a network; given back when it is dropped.
struct Seat<S> {
    shared: Arc<Shared<S>>,
    network: Option<u128>,
}

impl<S> Seat<S> {
    fn take(shared: &Arc<Shared<S>>, address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        let limit = shared.limits.max_connections_per_address;
        let rule = shared.limits.lists.networks.load().rule(address);
        if rule == Some(Rule::Deny) {
            shared.limits.lists.denied_connections.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        // Whoever has an IPv6 address has 2^64 of them.
        let exempt = || address.is_loopback() || rule.is_some() || (shared.limits.trusted)(address);
        let counted = (limit > 0 && !exempt()).then(|| network_key(address));
        if let Some(network) = counted {
            let mut seats = shared.per_network.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = seats.entry(network).or_default();
            if *taken >= limit {
                shared.gauges.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            *taken += 1;
        }
        shared.gauges.open.fetch_add(1, Ordering::Relaxed);
        Some(Self { shared: Arc::clone(shared), network: counted })
    }
}

impl<S> Drop for Seat<S> {
    fn drop(&mut self) {
        self.shared.gauges.open.fetch_sub(1, Ordering::Relaxed);
        let Some(network) = self.network else { return };
        let mut seats = self.shared.per_network.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&network) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&network);
            }
        }
    }
}

async fn connection<S: Service>(
    shared: Arc<Shared<S>>,
    stream: TcpStream,
    peer: Peer,
    _place: OwnedSemaphorePermit,
    _seat: Seat<S>,
) {
    if let Some(begun) = http1::Connection::new(Arc::clone(&shared), stream, peer).serve().await {
        // Rare, and large: not part of what every connection weighs.
        Box::pin(http2::serve(shared, begun, peer)).await;
    }
}

#[cfg(test)]
#[path = "listener_tests.rs"]
mod tests;
