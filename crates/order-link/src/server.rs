//! The end at an orders node: the accept loop, limits of time and number, and a graceful end.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::seldom::Seldom;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ports::clock::Clock;
use ports::orders::Orders;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Answering;
use crate::crew::Crew;
use crate::door::Door;
use crate::key::LinkKey;
use crate::peer::Peer;

/// Pause after a failed accept: out of descriptors, most likely.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How long tasks of connections that were ended may take to notice it.
const LAST_CALL: Duration = Duration::from_secs(1);
/// Bytes that all streams of one connection may send ahead.
const CONNECTION_WINDOW: u32 = 1 << 20;
/// Bytes that one stream may send ahead.
const STREAM_WINDOW: u32 = 64 << 10;
/// Bytes of answers that a connection keeps for a client that does not read.
const SEND_BUFFER: usize = 64 << 10;

/// What the callers of an orders node may cost it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; more wait in the kernel.
    pub connections: usize,
    /// Requests of one connection at once, those that wait for news among them. At least as many as a client may have
    /// waiting; questions share requests, so that this is far more than they need.
    pub streams: u32,
    /// Largest body, bytes; a client counts on 64 KiB.
    pub body_bytes: usize,
    /// Largest list of headers, bytes.
    pub header_bytes: u32,
    /// How long a new connection may take until a request of it carries the right key.
    pub greeting_limit: Duration,
    /// How long a request's body may take.
    pub body_limit: Duration,
    /// How often a connection is asked whether anybody is there; one that does not answer within the same time again is
    /// cut.
    pub keep_alive: Duration,
    /// How long a wait lasts at most.
    pub wait_limit: Duration,
    /// How long requests under way may take once the node stops.
    pub drain_limit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            streams: 16_384,
            body_bytes: 64 << 10,
            header_bytes: 8 << 10,
            greeting_limit: Duration::from_secs(3),
            body_limit: Duration::from_secs(2),
            keep_alive: Duration::from_secs(5),
            wait_limit: Duration::from_secs(25),
            drain_limit: Duration::from_secs(5),
        }
    }
}

/// Serves `orders` to every client that has the key, until `stop`; then lets requests under way finish, within the limit,
/// and returns. New connections are refused from then on, and waits end early.
pub async fn serve(
    listener: TcpListener,
    orders: Arc<dyn Orders>,
    key: &LinkKey,
    limits: Limits,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let drain_limit = limits.drain_limit;
    let tasks = TaskTracker::new();
    let answering = Arc::new(Answering { orders, bearer: key.bearer(), limits, stop: stop.clone() });
    let mut connections = JoinSet::new();
    let mut failures = Seldom::default();
    let mut failed = |error: std::io::Error| {
        if let Some(times) = failures.happened(clock.elapsed()) {
            tracing::warn!(%error, times, "cannot accept a gateway's connection");
        }
    };
    while let Some((stream, place)) = accept(&listener, &places, &stop, &mut failed).await {
        let serving = Serving { answering: Arc::clone(&answering), crew: Crew(tasks.clone()), _place: place };
        connections.spawn(serving.connection(stream));
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(drain_limit, ended).await.is_err() {
        tracing::warn!(left = connections.len(), "connections of gateways are cut at the end");
        connections.shutdown().await;
    }
    tasks.close();
    if tokio::time::timeout(LAST_CALL, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "requests of gateways are still under way at the end");
    }
}

/// The next connection, once there is a place for it; `None` at the end.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    stop: &CancellationToken,
    failed: &mut (impl FnMut(std::io::Error) + Send),
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = stop.run_until_cancelled(Arc::clone(places).acquire_owned()).await?.ok()?;
    loop {
        match stop.run_until_cancelled(listener.accept()).await? {
            Ok((stream, _)) => {
                // Answers are small and wanted now.
                drop(stream.set_nodelay(true));
                return Some((stream, place));
            }
            Err(error) => {
                failed(error);
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

/// What one connection is served with.
struct Serving {
    answering: Arc<Answering>,
    crew: Crew,
    _place: OwnedSemaphorePermit,
}

impl Serving {
    fn builder(&self) -> Builder<Crew> {
        let limits = &self.answering.limits;
        let mut builder = Builder::new(self.crew.clone());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams)
            // A client that gives up on many requests at once is no attack.
            .max_pending_accept_reset_streams(limits.streams as usize)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(limits.header_bytes)
            .keep_alive_interval(limits.keep_alive)
            .keep_alive_timeout(limits.keep_alive)
            .auto_date_header(false);
        builder
    }

    /// Serves a connection to its end.
    async fn connection(self, stream: TcpStream) {
        let Ok(_door) = Door::of(&stream) else { return };
        let limit = self.answering.limits.greeting_limit;
        let peer = Arc::new(Peer::default());
        let (answering, asking) = (Arc::clone(&self.answering), Arc::clone(&peer));
        let service = service_fn(move |request: Request<Incoming>| {
            let (answering, peer) = (Arc::clone(&answering), Arc::clone(&asking));
            async move { Ok::<_, Infallible>(answering.answer(request, &peer).await) }
        });
        let mut serving = pin!(self.builder().serve_connection(TokioIo::new(stream), service));
        let (mut refused, mut overstayed) = (pin!(peer.refused()), pin!(peer.overstays(limit)));
        let mut ending = false;
        loop {
            tokio::select! {
                // A broken connection is its client's affair.
                _ = serving.as_mut() => return,
                () = overstayed.as_mut() => return,
                () = refused.as_mut(), if !ending => ending = true,
                () = self.answering.stop.cancelled(), if !ending => {
                    if !peer.is_known() {
                        return;
                    }
                    ending = true;
                }
            }
            if ending {
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
