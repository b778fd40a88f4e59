//! The keys with which the shop signs sessions, followed while the program runs: a file that is written anew, or a JWKS
//! document at an address (RFC 7517).
//!
//! Keys that cannot be read change nothing: those that were known stay. A key of a document that cannot be used is left out and
//! named, once for each change. An address is asked at its pace, and sooner where a
//! token names an unknown key; but never more often than [`PAUSE`] allows, whatever tokens anybody invents.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use domain::time::Timestamp;
use gateway::session::{Algorithm, Jwt};
use ports::clock::Clock;
use tokio_util::sync::CancellationToken;

use super::kept_keys::KeptKeys;
use crate::config::{Config, Issuer, JwtAlgorithm, WebAddress};
use crate::files::{self, Apart};

/// How often a file is read.
const FILE: Duration = Duration::from_secs(2);
/// Least time between two questions to an address.
pub const PAUSE: Duration = Duration::from_secs(10);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long reading a file may take, and judging what it says.
const READING: Duration = Duration::from_secs(10);
/// Bytes of the longest document that is read.
const LONGEST: usize = 256 << 10;

/// Where the keys are.
enum Source {
    File(PathBuf),
    Address {
        http: reqwest::Client,
        url: WebAddress,
        every: Duration,
        /// What the address said last; read where it is away when the program starts.
        copy: KeptKeys,
    },
}

/// The shop's keys and where they come from.
pub struct ShopKeys {
    /// Who judges by them.
    pub jwt: Arc<Jwt>,
    source: Source,
    clock: Arc<dyn Clock>,
    /// When they were last read, milliseconds since the Unix epoch; that of an earlier run where they are a copy.
    read_at_ms: AtomicI64,
    failures: AtomicU64,
}

/// Who judges the shop's sessions by the key in its file; `None` where this system issues them itself, or where the keys are
/// at an address.
///
/// # Errors
/// The key cannot be used.
pub fn of_file(config: &Config) -> Result<Option<Jwt>, String> {
    let sessions = &config.sessions;
    let Some(file) = sessions.jwt_key_file.as_deref().filter(|_| sessions.issuer == Issuer::Jwt) else {
        return Ok(None);
    };
    let jwt = files::read(file, LONGEST as u64).and_then(|key| judge(config, &key));
    jwt.map(Some).map_err(|wrong| format!("sessions.jwt_key_file: {} {wrong}", file.display()))
}

fn judge(config: &Config, key: &[u8]) -> Result<Jwt, String> {
    let sessions = &config.sessions;
    let algorithm = match sessions.jwt_algorithm {
        JwtAlgorithm::EdDSA => Algorithm::EdDsa,
        JwtAlgorithm::ES256 => Algorithm::Es256,
        JwtAlgorithm::RS256 => Algorithm::Rs256,
        JwtAlgorithm::HS256 => Algorithm::Hs256,
    };
    let (audience, issuer) = (sessions.jwt_audience.as_deref(), sessions.jwt_issuer.as_deref());
    Jwt::read(algorithm, key, audience, issuer, sessions.jwt_leeway_ms)
}

impl ShopKeys {
    /// The shop's keys as they are now; `None` where this system issues sessions itself.
    ///
    /// # Errors
    /// They cannot be had, or cannot be used.
    pub async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Self>, String> {
        let sessions = &config.sessions;
        if sessions.issuer != Issuer::Jwt {
            return Ok(None);
        }
        let (file, url) = (sessions.jwt_key_file.clone(), sessions.jwt_keys_url.clone());
        let keys = |jwt, source, read_at: Timestamp, failures| Self {
            jwt: Arc::new(jwt),
            source,
            read_at_ms: read_at.as_millis().into(),
            clock: Arc::clone(&clock),
            failures: AtomicU64::new(failures),
        };
        if let Some(file) = file {
            let config = config.clone();
            let jwt = files::apart(READING, move || of_file(&config)).await?;
            return Ok(jwt.map(|jwt| keys(jwt, Source::File(file), clock.now(), 0)));
        }
        let Some(url) = url else { return Ok(None) };
        let http = http_client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let http = http.build().map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        let every = Duration::from_millis(sessions.jwt_refresh_ms).max(PAUSE);
        let copy = KeptKeys::new(&config.data.dir, &url);
        let asked = fetch(&http, &url).await;
        let judged = asked.and_then(|document| judge(config, &document).map(|jwt| (jwt, document)));
        let (jwt, read_at, failures) = match judged {
            Ok((jwt, document)) => {
                copy.keep(&document, clock.now());
                (jwt, clock.now(), 0)
            }
            Err(wrong) => {
                let (jwt, read_at) = of_copy(config, &copy, &wrong)?;
                (jwt, read_at, 1)
            }
        };
        Ok(Some(keys(jwt, Source::Address { http, url, every, copy }, read_at, failures)))
    }

    /// How the keys stand, for metrics: seconds since they were read, and readings that failed.
    pub fn standing(self: &Arc<Self>) -> impl Fn() -> (f64, u64) + Send + Sync + 'static {
        let keys = Arc::clone(self);
        move || {
            let read_at = Timestamp::from_millis(keys.read_at_ms.load(Ordering::Relaxed));
            let age_ms = keys.clock.now().millis_since(read_at);
            (age_ms as f64 / 1_000.0, keys.failures.load(Ordering::Relaxed))
        }
    }

    /// Follows the keys until `stop`.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        self.name_left_out();
        let mut reading = Apart::new(READING);
        // What was logged last, while something is wrong.
        let mut said = None;
        loop {
            let read = async {
                self.due(said.is_some()).await;
                self.read(&mut reading).await
            };
            let read = tokio::select! {
                () = stop.cancelled() => return,
                read = read => read,
            };
            match read {
                Ok(changed) => {
                    self.read_at_ms.store(self.clock.now().as_millis(), Ordering::Relaxed);
                    if changed {
                        tracing::info!(keys = self.name(), "the shop's keys have changed");
                        self.name_left_out();
                    } else if said.is_some() {
                        tracing::info!(
                            keys = self.name(),
                            "the shop's keys are what they were, and can be read again"
                        );
                    }
                    said = None;
                }
                Err(wrong) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    if said.as_ref() != Some(&wrong) {
                        tracing::warn!(keys = self.name(), %wrong, "the shop's keys stay those that were");
                        said = Some(wrong);
                    }
                }
            }
        }
    }

    /// Says which keys of the document do not count.
    fn name_left_out(&self) {
        for wrong in self.jwt.left_out() {
            tracing::warn!(keys = self.name(), %wrong, "a key of the shop's is left out");
        }
    }

    /// Reads the keys, off the threads that answer requests; gives whether they are others than before.
    async fn read(&self, reading: &mut Apart<Result<bool, String>>) -> Result<bool, String> {
        let jwt = Arc::clone(&self.jwt);
        match &self.source {
            Source::File(file) => {
                let file = file.clone();
                reading.ask(move || jwt.replace_keys(&files::read(&file, LONGEST as u64)?)).await?
            }
            Source::Address { http, url, copy, .. } => {
                let (document, copy, now) = (fetch(http, url).await?, copy.clone(), self.clock.now());
                let judge = move || {
                    let changed = jwt.replace_keys(&document)?;
                    copy.keep(&document, now);
                    Ok(changed)
                };
                reading.ask(judge).await?
            }
        }
    }

    /// Until the keys are to be read again.
    async fn due(&self, failed: bool) {
        match &self.source {
            Source::File(_) => tokio::time::sleep(FILE).await,
            Source::Address { every, .. } => {
                tokio::time::sleep(PAUSE).await;
                if !failed {
                    tokio::select! {
                        () = tokio::time::sleep(every.saturating_sub(PAUSE)) => {}
                        () = self.jwt.unknown_key() => {}
                    }
                }
            }
        }
    }

    fn name(&self) -> String {
        match &self.source {
            Source::File(file) => file.display().to_string(),
            Source::Address { url, .. } => url.to_string(),
        }
    }
}

/// The keys of the last run, where the address does not say any.
fn of_copy(config: &Config, copy: &KeptKeys, wrong: &str) -> Result<(Jwt, Timestamp), String> {
    let named = config.sessions.jwt_keys_url.as_ref().map(ToString::to_string).unwrap_or_default();
    let judged = copy.kept().and_then(|(document, read_at)| {
        let judged = judge(config, &document).map(|jwt| (jwt, read_at));
        judged.map_err(|why| format!("the copy {} {why}", copy.name()))
    });
    let kept = judged.map_err(|why| {
        format!("sessions.jwt_keys_url: {named} {wrong}; and {why}: start again once {named} answers")
    })?;
    tracing::warn!(%wrong, "sessions.jwt_keys_url: the keys of the last run are used until it answers");
    Ok(kept)
}

async fn fetch(http: &reqwest::Client, url: &WebAddress) -> Result<Vec<u8>, String> {
    let said = |error: reqwest::Error| format!("does not answer: {}", http_client::why(&error, PATIENCE));
    let mut answer =
        http.get(url.expose()).header("accept", "application/json").send().await.map_err(said)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("answers {}, and should answer 200 with a JWKS document", answer.status()));
    }
    let mut document = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(said)? {
        document.extend_from_slice(&part);
        if document.len() > LONGEST {
            return Err(format!("answers with more than {LONGEST} bytes"));
        }
    }
    if document.trim_ascii_start().starts_with(b"{") {
        Ok(document)
    } else {
        Err("answers with something that is no JWKS document".to_owned())
    }
}
