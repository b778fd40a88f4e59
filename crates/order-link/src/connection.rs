//! One connection to a node, kept up: made, asked again and again whether its node is well, ended, made again.
//!
//! A place holds a connection if and only if its node has answered on it, and no two answers in a row were missing since.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, Connection, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use ports::dice::Dice;
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::crew::Crew;
use crate::door::Door;
use crate::gather::gather;
use crate::message::VERSION;
use crate::options::Options;
use crate::requests::Requests;
use crate::route::Route;

/// Answers in a row that may be missing before a connection is ended.
const MISSED: u32 = 2;
/// Share by which pauses differ, so that gateways do not act at once.
const JITTER: f64 = 0.2;
/// Largest answer outside a bundle, bytes.
const ANSWER_BYTES: usize = 4 << 10;
/// Characters of what a node says beside a status.
const SAYING: usize = 200;
/// Bytes that all streams of one connection may send ahead.
const CONNECTION_WINDOW: u32 = 1 << 20;
/// Bytes that one stream may send ahead.
const STREAM_WINDOW: u32 = 64 << 10;
/// Requests given up whose late answers are passed over: all that wait may be given up at once.
const GIVEN_UP: usize = 16_384;
/// How long late answers are passed over: longer than a wait.
const GIVEN_UP_FOR: Duration = Duration::from_secs(60);

/// A connection that works.
pub(crate) struct Live {
    sender: SendRequest<Full<Bytes>>,
    door: Door,
    /// The last answer to the question after health is missing.
    suspect: AtomicBool,
}

impl Live {
    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed)
    }

    /// Whether a request may be sent on it.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends a request and reads its answer; the error says what went wrong, in words after the node's name.
    pub(crate) async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Result<Bytes, String> {
        whole(self.open(request).await?).await
    }

    /// Sends a request; the body of its answer, where there is a good one.
    pub(crate) async fn open(&self, request: http::Request<Full<Bytes>>) -> Result<Incoming, String> {
        let answer = self.sender.clone().send_request(request).await.map_err(|error| said(&error))?;
        match answer.status() {
            StatusCode::OK => Ok(answer.into_body()),
            StatusCode::UNAUTHORIZED => {
                Err("it refuses the key of the link: both ends must be given the same".to_owned())
            }
            other => {
                let body = whole(answer.into_body()).await?;
                let text: String = String::from_utf8_lossy(&body).chars().take(SAYING).collect();
                Err(format!("it answers {}: {text}", other.as_u16()))
            }
        }
    }

    /// Asks the node whether it is well, and speaks our version.
    async fn ask_health(&self, requests: &Requests, limit: Duration) -> Result<(), String> {
        let asked = self.exchange(requests.of(Route::Health, Bytes::new()));
        let versions = tokio::time::timeout(limit, asked).await;
        let versions = versions.map_err(|_| "no answer to the question after its health".to_owned())??;
        if versions.iter().any(|version| u64::from(*version) == VERSION) {
            Ok(())
        } else {
            let versions = versions.to_vec();
            Err(format!("it speaks versions {versions:?} of the link, and this program version {VERSION}"))
        }
    }
}

async fn whole(body: Incoming) -> Result<Bytes, String> {
    gather(body, ANSWER_BYTES).await.map_err(|spoilt| spoilt.to_string())
}

/// An error with its causes.
pub(crate) fn said(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// Where a connection is, while there is one.
#[derive(Default)]
pub(crate) struct Place {
    live: ArcSwapOption<Live>,
    trouble: Mutex<Option<String>>,
}

impl Place {
    /// The connection, if it can be used.
    pub(crate) fn live(&self) -> Option<Arc<Live>> {
        self.live.load_full().filter(|live| live.is_open())
    }

    /// Whether there is a connection, and whether it is a suspect one.
    pub(crate) fn standing(&self) -> Option<bool> {
        let live = self.live.load();
        live.as_ref().filter(|live| live.is_open()).map(|live| live.is_suspect())
    }

    /// Why there is none.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// Takes the connection out of its place at the end, however that comes.
struct Seated<'a>(&'a Place);

impl Drop for Seated<'_> {
    fn drop(&mut self) {
        self.0.live.store(None);
    }
}

/// What keeps the connections of a client up.
pub(crate) struct Keeping {
    pub(crate) options: Options,
    pub(crate) requests: Arc<Requests>,
    pub(crate) dice: Arc<dyn Dice>,
    pub(crate) crew: Crew,
    /// Told when a connection was made or ended.
    pub(crate) changes: watch::Sender<u64>,
}

type Running = Connection<TokioIo<TcpStream>, Full<Bytes>, Crew>;

impl Keeping {
    /// Keeps a connection to `node` in `place`, for ever.
    pub(crate) async fn keep(&self, node: &str, place: &Place) {
        let mut failures = 0;
        loop {
            let made = tokio::time::timeout(self.options.connect_limit, self.connect(node)).await;
            let (reached, trouble) = match made {
                Ok(Ok((live, running))) => self.attend(node, place, live, running).await,
                Ok(Err(trouble)) => (false, trouble),
                Err(_) => (false, "no connection in time".to_owned()),
            };
            if place.trouble().as_ref() != Some(&trouble) {
                tracing::warn!(node, %trouble, "a connection to an orders node");
                place.note(Some(trouble));
            }
            self.changes.send_modify(|change| *change += 1);
            failures = if reached { 0 } else { failures + 1 };
            tokio::time::sleep(self.pause(failures)).await;
        }
    }

    /// The pause after so many failures in a row.
    fn pause(&self, failures: u32) -> Duration {
        let doubled = self.options.reconnect_min.saturating_mul(1 << failures.min(16));
        self.jittered(doubled.min(self.options.reconnect_max))
    }

    fn jittered(&self, time: Duration) -> Duration {
        Duration::from_millis(self.dice.jittered(time.as_millis() as u64, JITTER))
    }

    async fn connect(&self, node: &str) -> Result<(Live, Running), String> {
        let stream = TcpStream::connect(node).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let door = Door::of(&stream).map_err(|error| error.to_string())?;
        let mut builder = Builder::new(self.crew.clone());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_concurrent_reset_streams(GIVEN_UP)
            .reset_stream_duration(GIVEN_UP_FOR)
            .max_local_error_reset_streams(None);
        let made = builder.handshake(TokioIo::new(stream)).await;
        let (sender, running) = made.map_err(|error| said(&error))?;
        Ok((Live { sender, door, suspect: AtomicBool::new(false) }, running))
    }

    /// Runs a connection to its end; says whether its node answered on it, and why it ended.
    async fn attend(&self, node: &str, place: &Place, live: Live, running: Running) -> (bool, String) {
        let mut running = pin!(running);
        if let Err(trouble) = self.greet(&live, running.as_mut()).await {
            return (false, trouble);
        }
        let live = Arc::new(live);
        let _seated = Seated(place);
        place.live.store(Some(Arc::clone(&live)));
        place.note(None);
        self.changes.send_modify(|change| *change += 1);
        tracing::info!(node, "a connection to an orders node is there");
        (true, self.watch(&live, running).await)
    }

    /// Asks a new connection's node for the first time whether it is well.
    async fn greet(&self, live: &Live, running: Pin<&mut Running>) -> Result<(), String> {
        let mut asked = pin!(live.ask_health(&self.requests, self.options.connect_limit));
        tokio::select! {
            answer = asked.as_mut() => answer,
            // What the node said before it hung up says why.
            _ = running => asked.await.and_then(|()| Err("it hangs up".to_owned())),
        }
    }

    /// Ends with the connection, or by ending it where its node no longer answers.
    async fn watch(&self, live: &Live, running: Pin<&mut Running>) -> String {
        tokio::select! {
            // What is under way on a connection that its node has said goodbye to may still be answered.
            ended = running => ended.map_or_else(|error| said(&error), |()| "it hung up".to_owned()),
            trouble = self.unwell(live) => {
                live.door.shut();
                trouble
            }
        }
    }

    /// Ends when too many answers in a row are missing.
    async fn unwell(&self, live: &Live) -> String {
        let mut missed = 0;
        loop {
            tokio::time::sleep(self.jittered(self.options.health_every)).await;
            let answer = live.ask_health(&self.requests, self.options.health_limit).await;
            live.suspect.store(answer.is_err(), Ordering::Relaxed);
            match answer {
                Ok(()) => missed = 0,
                Err(_) if missed + 1 < MISSED => missed += 1,
                Err(trouble) => return trouble,
            }
        }
    }
}
