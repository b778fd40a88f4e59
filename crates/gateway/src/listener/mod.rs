//! The accept loop: HTTP/1.1 and h2c on one port, with limits of time and number, and a graceful end.
//!
//! A connection is cut when a request's head takes too long, when nothing moves for too long between requests, and when
//! the process has waited long enough at its end. Nothing here looks at what a request says.

mod activity;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use ports::clock::Clock;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use activity::{Activity, Watched};

/// Connections that wait in the kernel to be accepted.
const BACKLOG: u32 = 4_096;
/// Pause after a failed accept: out of descriptors, most likely.
const BACK_OFF: Duration = Duration::from_millis(50);
/// Streams of one HTTP/2 connection at once.
const STREAMS: u32 = 64;
/// Bytes that one HTTP/2 stream may send ahead; bodies are small here.
const WINDOW: u32 = 32 << 10;
/// hyper's smallest buffer for a request's head.
const SMALLEST_HEAD: usize = 8 << 10;

/// What a connection may cost.
#[derive(Clone)]
pub struct Limits {
    /// Until a request's head is there, from its first byte.
    pub header_timeout: Duration,
    /// Without a request and without bytes.
    pub idle_timeout: Duration,
    /// Connections at once; more wait in the kernel.
    pub max_connections: usize,
    /// Connections of one address at once; 0 for no limit. Loopback is exempt.
    pub max_connections_per_address: usize,
    /// Largest head, bytes (at least 8 KiB).
    pub header_bytes: usize,
    /// Most header lines.
    pub header_count: usize,
    /// How long requests under way may take once the process ends.
    pub drain_timeout: Duration,
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Gauges {
    /// Open connections.
    pub open: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections closed at once because their address had enough.
    pub refused: AtomicU64,
    /// Connections cut because they were too slow or idle.
    pub cut: AtomicU64,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Address of the connection.
    pub address: SocketAddr,
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
    per_address: Mutex<HashMap<IpAddr, usize>>,
    stop: CancellationToken,
    cut: CancellationToken,
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
    pub async fn serve<S, F>(
        self,
        limits: Limits,
        service: S,
        gauges: Arc<Gauges>,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) where
        S: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<Body>> + Send + 'static,
    {
        let places = Arc::new(Semaphore::new(limits.max_connections));
        let drain = limits.drain_timeout;
        let shared = Arc::new(Shared {
            limits,
            service,
            gauges,
            clock,
            per_address: Mutex::default(),
            stop: stop.clone(),
            cut: CancellationToken::new(),
        });
        let tasks = TaskTracker::new();
        while let Some((stream, address, place)) = self.accept(&places, &stop).await {
            shared.gauges.accepted.fetch_add(1, Ordering::Relaxed);
            if let Some(seat) = Seat::take(&shared, address.ip()) {
                tasks.spawn(connection(Arc::clone(&shared), stream, Peer { address }, place, seat));
            }
        }
        drop(self.socket);
        tasks.close();
        if tokio::time::timeout(drain, tasks.wait()).await.is_err() {
            shared.cut.cancel();
            tasks.wait().await;
        }
    }

    /// The next connection, once there is a place for it; `None` at the end.
    async fn accept(
        &self,
        places: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = tokio::select! {
            () = stop.cancelled() => return None,
            place = Arc::clone(places).acquire_owned() => place.ok()?,
        };
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return None,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    // Answers are small and wanted now.
                    drop(stream.set_nodelay(true));
                    return Some((stream, address, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(BACK_OFF).await;
                }
            }
        }
    }
}

/// One of the connections of an address; given back when it is dropped.
struct Seat<S> {
    shared: Arc<Shared<S>>,
    address: Option<IpAddr>,
}

impl<S> Seat<S> {
    fn take(shared: &Arc<Shared<S>>, address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        let limit = shared.limits.max_connections_per_address;
        let counted = (limit > 0 && !address.is_loopback()).then_some(address);
        if let Some(address) = counted {
            let mut seats = shared.per_address.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = seats.entry(address).or_default();
            if *taken >= limit {
                shared.gauges.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            *taken += 1;
        }
        shared.gauges.open.fetch_add(1, Ordering::Relaxed);
        Some(Self { shared: Arc::clone(shared), address: counted })
    }
}

impl<S> Drop for Seat<S> {
    fn drop(&mut self) {
        self.shared.gauges.open.fetch_sub(1, Ordering::Relaxed);
        let Some(address) = self.address else { return };
        let mut seats = self.shared.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = seats.get_mut(&address) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&address);
            }
        }
    }
}

async fn connection<S, F>(
    shared: Arc<Shared<S>>,
    stream: TcpStream,
    peer: Peer,
    _place: OwnedSemaphorePermit,
    _seat: Seat<S>,
) where
    S: Fn(Request<Incoming>, Peer) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let limits = &shared.limits;
    let activity = Arc::new(Activity::new(Arc::clone(&shared.clock)));
    let served = Arc::clone(&activity);
    let service = shared.service.clone();
    let service = service_fn(move |request| {
        let under_way = served.begin();
        let answer = service(request, peer);
        async move {
            let answer = answer.await;
            drop(under_way);
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes.max(SMALLEST_HEAD))
        .max_headers(limits.header_count)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * 4)
        .max_header_list_size(limits.header_bytes as u32);
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&activity)));
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut watching = pin!(activity.overdue(limits.header_timeout, limits.idle_timeout));
    let mut ending = false;
    loop {
        tokio::select! {
            // A broken connection is its client's affair.
            _ = serving.as_mut() => return,
            () = watching.as_mut() => {
                shared.gauges.cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
            () = shared.cut.cancelled() => return,
            () = shared.stop.cancelled(), if !ending => {
                ending = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
