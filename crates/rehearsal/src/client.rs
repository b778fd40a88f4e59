//! Connections: a bounded pool of keep-alive connections, shared by all buyers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::gauge::Gauge;

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

    /// Whether everybody asks this, and not only those who have a ticket.
    fn is_of_crowd(&self) -> bool {
        self.path.ends_with("/checkout") || self.path == "/v1/sessions"
    }

    /// Method and path without what tells tickets apart.
    fn kind(&self) -> String {
        let parts: Vec<&str> = self.path.split('/').take(4).collect();
        format!("{} {}", self.method, parts.join("/"))
    }

    pub(crate) fn json(mut self, value: &Value) -> Self {
        self.body = value.to_string().into();
        self.header("content-type", "application/json")
    }
}

/// One of the hosts, and the connections to it that wait for a request.
struct Host {
    name: String,
    address: SocketAddr,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Host {
    async fn find(base_url: &str) -> Result<Self, String> {
        let name = base_url.strip_prefix("http://").unwrap_or(base_url).trim_end_matches('/').to_owned();
        let named = if name.contains(':') { name.clone() } else { format!("{name}:80") };
        let found = lookup_host(&named).await.map_err(|error| format!("cannot find {name}: {error}"))?;
        let address = found.into_iter().next().ok_or_else(|| format!("{name} has no address"))?;
        Ok(Self { name, address, idle: Mutex::default() })
    }

    fn pop(&self) -> Option<SendRequest<Full<Bytes>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn push(&self, sender: SendRequest<Full<Bytes>>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
    }
}

/// The pool for the hosts of one system, which take turns.
pub(crate) struct Client {
    hosts: Vec<Host>,
    turn: AtomicUsize,
    /// For the crowd before the counter, and for those who have a ticket: who follows one does not queue behind the others.
    places: [Semaphore; 2],
    sources: u8,
    /// The last number of the first source address, where it is not the machine's own choice.
    first_source: Option<u8>,
    made: AtomicU64,
    tasks: TaskTracker,
    gauge: Option<Arc<Gauge>>,
}

impl Client {
    pub(crate) async fn new(base_url: &str, connections: u32, sources: u8) -> Result<Self, String> {
        Self::of(&[base_url], connections, sources).await
    }

    /// For several hosts that do the same.
    pub(crate) async fn of(base_urls: &[&str], connections: u32, sources: u8) -> Result<Self, String> {
        let mut hosts = Vec::with_capacity(base_urls.len());
        for base_url in base_urls {
            hosts.push(Host::find(base_url).await?);
        }
        Ok(Self {
            hosts,
            turn: AtomicUsize::new(0),
            places: [connections - connections / 4, (connections / 4).max(1)]
                .map(|places| Semaphore::new(places as usize)),
            sources: sources.max(1),
            first_source: None,
            made: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            gauge: None,
        })
    }

    /// Tells `gauge` of every request.
    pub(crate) fn gauged(mut self, gauge: Arc<Gauge>) -> Self {
        self.gauge = Some(gauge);
        self
    }

    /// Connects from source addresses of its own, behind the first `others`, where the machine has such.
    pub(crate) fn apart(mut self, others: u8) -> Self {
        self.first_source = Some(others.max(1).saturating_add(1));
        self
    }

    /// The source address of a connection to `host`; `None` where any will do.
    fn source(&self, host: &Host) -> Option<Ipv4Addr> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let ip = host.address.ip();
        let chosen = (self.sources > 1 || self.first_source.is_some()) && ip.is_loopback() && ip.is_ipv4();
        let first = self.first_source.unwrap_or(1);
        let last = first.saturating_add((number % u64::from(self.sources)) as u8);
        chosen.then(|| Ipv4Addr::new(127, 0, 0, last.min(254)))
    }

    async fn stream(&self, host: &Host) -> Result<TcpStream, String> {
        let address = host.address;
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let said = |error: &dyn std::fmt::Display| format!("connection: {error}");
        let socket = socket.map_err(|error| said(&error))?;
        if let Some(source) = self.source(host) {
            let bound = socket.bind((IpAddr::V4(source), 0).into());
            // Not every machine has all of 127.0.0.0/8: then they come from where the others do.
            bound.or_else(|error| if self.first_source.is_some() { Ok(()) } else { Err(said(&error)) })?;
        }
        let stream = socket.connect(address).await.map_err(|error| said(&error))?;
        drop(stream.set_nodelay(true));
        Ok(stream)
    }

    /// A connection that is none of the pool's, and the host's name.
    pub(crate) async fn dial(&self) -> Result<(TcpStream, String), String> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let host = self.hosts.get(turn % self.hosts.len().max(1)).ok_or("there is no host")?;
        let stream = tokio::time::timeout(TIMEOUT, self.stream(host)).await;
        let stream = stream.map_err(|_| "no connection in 10 s".to_owned())??;
        Ok((stream, host.name.clone()))
    }

    async fn connect(&self, host: &Host) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = self.stream(host).await?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| format!("connection: {error}"))?;
        self.tasks.spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// Opens connections beforehand.
    pub(crate) async fn warm(&self, count: u32) -> Result<(), String> {
        for host in self.hosts.iter().cycle().take(count as usize) {
            let sender = self.connect(host).await?;
            host.push(sender);
        }
        Ok(())
    }

    /// Sends a request and reads its answer whole. Where one host gives none, the next one is asked, once: requests here
    /// may be repeated. Anything else is the caller's to count.
    pub(crate) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, String> {
        let [crowd, followers] = &self.places;
        let places = if ask.is_of_crowd() { crowd } else { followers };
        let _place = places.acquire().await.map_err(|_| "the pool is closed".to_owned())?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut lost = "there is no host".to_owned();
        for at in 0..self.hosts.len().min(2) {
            let Some(host) = self.hosts.get(turn.wrapping_add(at) % self.hosts.len()) else { break };
            match self.ask_at(host, ask).await {
                Ok(answer) => return Ok(answer),
                Err(error) => lost = error,
            }
        }
        Err(lost)
    }

    async fn ask_at(&self, host: &Host, ask: &Ask<'_>) -> Result<Answer, String> {
        let Some(gauge) = &self.gauge else { return self.talk(host, ask).await };
        let (_in_flight, sent) = (gauge.leave(), gauge.elapsed());
        let answer = self.talk(host, ask).await;
        gauge.note(&host.name, &ask.kind(), sent, answer.as_ref().err().map(String::as_str));
        answer
    }

    /// A connection that the server closed while it was idle is replaced.
    async fn talk(&self, host: &Host, ask: &Ask<'_>) -> Result<Answer, String> {
        let answered = async {
            while let Some(idle) = host.pop() {
                if let Some(answer) = self.attempt(host, idle, ask, true).await? {
                    return Ok(answer);
                }
            }
            let fresh = self.connect(host).await?;
            self.attempt(host, fresh, ask, false).await?.ok_or_else(|| "the connection was closed".to_owned())
        };
        tokio::time::timeout(TIMEOUT, answered).await.unwrap_or_else(|_| Err("no answer in 10 s".to_owned()))
    }

    /// `None` where an idle connection turned out to be closed before anything was answered.
    async fn attempt(
        &self,
        host: &Host,
        mut sender: SendRequest<Full<Bytes>>,
        ask: &Ask<'_>,
        idle: bool,
    ) -> Result<Option<Answer>, String> {
        if sender.ready().await.is_err() {
            return if idle { Ok(None) } else { Err("the connection was closed".to_owned()) };
        }
        let mut request =
            Request::builder().method(ask.method.clone()).uri(ask.path).header("host", &host.name);
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
            host.push(sender);
        }
        Ok(Some(Answer { status: head.status, headers: head.headers, body }))
    }
}
