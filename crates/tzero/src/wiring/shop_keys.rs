//! The keys with which the shop signs sessions, followed while the program runs: a file that is written anew, or a JWKS
//! document at an address (RFC 7517).
//!
//! Keys that cannot be read change nothing: those that were known stay. An address is asked at its pace, and sooner where a
//! token names an unknown key; but never more often than [`PAUSE`] allows, whatever tokens anybody invents.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gateway::session::{Algorithm, Jwt};
use ports::clock::Clock;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Issuer, JwtAlgorithm};

/// How often a file is read.
const FILE: Duration = Duration::from_secs(2);
/// Least time between two questions to an address.
pub const PAUSE: Duration = Duration::from_secs(10);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of the longest document that is read.
const LONGEST: usize = 256 << 10;

/// Where the keys are.
enum Source {
    File(PathBuf),
    Address {
        http: reqwest::Client,
        url: String,
        every: Duration,
        /// What the address said last; read where it is away when the program starts.
        copy: PathBuf,
    },
}

/// The shop's keys and where they come from.
pub struct ShopKeys {
    /// Who judges by them.
    pub jwt: Arc<Jwt>,
    source: Source,
    clock: Arc<dyn Clock>,
    /// When they were last read, milliseconds of the process's clock; 0: from the copy of an earlier run.
    read_at_ms: Arc<AtomicU64>,
    failures: Arc<AtomicU64>,
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
    let key = std::fs::read(file)
        .map_err(|error| format!("sessions.jwt_key_file: cannot read {}: {error}", file.display()))?;
    let jwt = judge(config, &key);
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
        let counts = || (Arc::new(AtomicU64::new(millis(&*clock))), Arc::new(AtomicU64::new(0)));
        if let Some(jwt) = of_file(config)? {
            let file = config.sessions.jwt_key_file.clone().unwrap_or_default();
            let (read_at_ms, failures) = counts();
            return Ok(Some(Self {
                jwt: Arc::new(jwt),
                source: Source::File(file),
                clock,
                read_at_ms,
                failures,
            }));
        }
        let Some(url) =
            config.sessions.jwt_keys_url.clone().filter(|_| config.sessions.issuer == Issuer::Jwt)
        else {
            return Ok(None);
        };
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let http = http.build().map_err(|error| format!("cannot make an HTTP client: {error}"))?;
        let every = Duration::from_millis(config.sessions.jwt_refresh_ms).max(PAUSE);
        let copy = config.data.dir.join("shop-keys.json");
        let (read_at_ms, failures) = counts();
        let key = match fetch(&http, &url).await {
            Ok(key) => {
                keep(&copy, &key);
                key
            }
            Err(wrong) => {
                let kept = std::fs::read(&copy).map_err(|_| {
                    format!(
                        "sessions.jwt_keys_url: {wrong}; and there is no copy of an earlier run: start again once {url} answers"
                    )
                })?;
                tracing::warn!(%wrong, "sessions.jwt_keys_url: the keys of the last run are used until it answers");
                read_at_ms.store(0, Ordering::Relaxed);
                failures.store(1, Ordering::Relaxed);
                kept
            }
        };
        let jwt = judge(config, &key).map_err(|wrong| format!("sessions.jwt_keys_url: {url} {wrong}"))?;
        let source = Source::Address { http, url, every, copy };
        Ok(Some(Self { jwt: Arc::new(jwt), source, clock, read_at_ms, failures }))
    }

    /// How the keys stand, for metrics: seconds since they were read, and readings that failed.
    pub fn standing(&self) -> impl Fn() -> (f64, u64) + Send + Sync + 'static {
        let (clock, read_at_ms, failures) =
            (Arc::clone(&self.clock), Arc::clone(&self.read_at_ms), Arc::clone(&self.failures));
        move || {
            let age_ms = millis(&*clock).saturating_sub(read_at_ms.load(Ordering::Relaxed));
            (age_ms as f64 / 1_000.0, failures.load(Ordering::Relaxed))
        }
    }

    /// Follows the keys until `stop`.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut failed = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.due(failed) => {}
            }
            let read = match &self.source {
                Source::File(file) => std::fs::read(file).map_err(|error| format!("cannot be read: {error}")),
                Source::Address { http, url, .. } => fetch(http, url).await,
            };
            match read.and_then(|key| self.jwt.replace_keys(&key).map(|changed| (changed, key))) {
                Ok((changed, key)) => {
                    self.read_at_ms.store(millis(&*self.clock), Ordering::Relaxed);
                    failed = false;
                    if changed {
                        tracing::info!(keys = self.name(), "the shop's keys have changed");
                        if let Source::Address { copy, .. } = &self.source {
                            keep(copy, &key);
                        }
                    }
                }
                Err(wrong) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!(keys = self.name(), %wrong, "the shop's keys stay those that were");
                    }
                }
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
            Source::Address { url, .. } => url.clone(),
        }
    }
}

fn millis(clock: &dyn Clock) -> u64 {
    clock.elapsed().as_millis() as u64
}

/// Keeps what the address said, for a start at which it is away.
fn keep(copy: &Path, key: &[u8]) {
    let new = copy.with_extension("new");
    if let Err(error) = std::fs::write(&new, key).and_then(|()| std::fs::rename(&new, copy)) {
        tracing::warn!(%error, file = %copy.display(), "cannot keep the shop's keys");
    }
}

async fn fetch(http: &reqwest::Client, url: &str) -> Result<Vec<u8>, String> {
    let said = |error: reqwest::Error| format!("does not answer: {}", error.without_url());
    let mut answer = http.get(url).header("accept", "application/json").send().await.map_err(said)?;
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
