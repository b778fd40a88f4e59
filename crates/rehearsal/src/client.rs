//! Connections: a bounded pool of keep-alive connections, shared by all buyers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, lookup_host};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.header("retry-after")?.parse().ok().map(Duration::from_secs)
    }
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, value: &Value) -> Self {
        self.body = value.to_string().into();
        self.header("content-type", "application/json")
    }
}

/// The pool for one host.
pub(crate) struct Client {
    host: String,
    address: SocketAddr,
    places: Semaphore,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    sources: u8,
    made: AtomicU64,
    tasks: TaskTracker,
}

impl Client {
    pub(crate) async fn new(base_url: &str, connections: u32, sources: u8) -> Result<Self, String> {
        let host = base_url.strip_prefix("http://").unwrap_or(base_url).trim_end_matches('/').to_owned();
        let named = if host.contains(':') { host.clone() } else { format!("{host}:80") };
        let found = lookup_host(&named).await.map_err(|error| format!("cannot find {host}: {error}"))?;
        let address = found.into_iter().next().ok_or_else(|| format!("{host} has no address"))?;
        Ok(Self {
            host,
            address,
            places: Semaphore::new(connections as usize),
            idle: Mutex::default(),
            sources: sources.max(1),
            made: AtomicU64::new(0),
            tasks: TaskTracker::new(),
        })
    }

    fn pop(&self) -> Option<SendRequest<Full<Bytes>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let said = |error: &dyn std::fmt::Display| format!("connection: {error}");
        let socket = socket.map_err(|error| said(&error))?;
        if self.sources > 1 && self.address.ip().is_loopback() && self.address.is_ipv4() {
            let last = 1 + (number % u64::from(self.sources)) as u8;
            let source = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
            socket.bind((source, 0).into()).map_err(|error| said(&error))?;
        }
        let stream = socket.connect(self.address).await.map_err(|error| said(&error))?;
        drop(stream.set_nodelay(true));
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| said(&error))?;
        self.tasks.spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// Opens connections beforehand.
    pub(crate) async fn warm(&self, count: u32) -> Result<(), String> {
        for _ in 0..count {
            let sender = self.connect().await?;
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
        Ok(())
    }

    /// Sends a request and reads its answer whole. A connection that the server closed while it was idle is replaced
    /// once; anything else is the caller's to count.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, String> {
        let _place = self.places.acquire().await.map_err(|_| "the pool is closed".to_owned())?;
        let answered = async {
            while let Some(idle) = self.pop() {
                if let Some(answer) = self.attempt(idle, ask, true).await? {
                    return Ok(answer);
                }
            }
            let fresh = self.connect().await?;
            self.attempt(fresh, ask, false).await?.ok_or_else(|| "the connection was closed".to_owned())
        };
        tokio::time::timeout(TIMEOUT, answered).await.unwrap_or_else(|_| Err("no answer in 10 s".to_owned()))
    }

    /// `None` where an idle connection turned out to be closed before anything was answered.
    async fn attempt(
        &self,
        mut sender: SendRequest<Full<Bytes>>,
        ask: &Ask<'_>,
        idle: bool,
    ) -> Result<Option<Answer>, String> {
        if sender.ready().await.is_err() {
            return if idle { Ok(None) } else { Err("the connection was closed".to_owned()) };
        }
        let mut request =
            Request::builder().method(ask.method.clone()).uri(ask.path).header("host", &self.host);
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(ask.body.clone())).map_err(|error| error.to_string())?;
        let response = match sender.send_request(request).await {
            Ok(response) => response,
            Err(error) if idle && (error.is_canceled() || error.is_closed()) => return Ok(None),
            Err(error) => return Err(format!("request: {error}")),
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("answer: {error}"))?.to_bytes();
        if !sender.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
        Ok(Some(Answer { status: head.status, headers: head.headers, body }))
    }
}
