//! Cloudflare's Turnstile: the page shows its widget, which gives a token, and one call to `siteverify` judges it.
//!
//! A token is good once, for 300 seconds. It is tied to its sale and user by `cdata`, which the page hands to the widget and
//! the service hands back. Where the service does not answer several times in a row, it is left alone for a moment, and then
//! asked by one checkout at a time: nobody else must wait for somebody who is away.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use domain::id::IdempotencyKey;
use domain::time::Timestamp;
use ports::Fault;
use ports::challenges::{Asked, Challenges, Verdict};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::binding;
use crate::spent::{Spent, Use, digest};

/// Characters of the longest token, by Cloudflare's word.
pub const LONGEST: usize = 2_048;
/// Error codes of one answer that are told, and letters of one.
const CODES: usize = 4;
const LONGEST_CODE: usize = 40;
/// How long a token is good, milliseconds, by Cloudflare's word.
pub const LIFE_MS: u64 = 300_000;
/// Questions in a row without an answer from which on the service is away. One that is lost among many that are answered
/// must not let everybody by: with a herd there would always be one.
pub const AWAY_AFTER: u32 = 3;
/// Largest answer that is read, bytes; Cloudflare's have some hundreds.
const LARGEST: usize = 16_384;
/// For how long a service that is away is left alone, milliseconds.
const PAUSE_MS: u64 = 2_000;
/// For how long after that it is said to be away, milliseconds, where nobody asks it meanwhile.
const SAID_MS: u64 = 60_000;

/// What it takes to ask.
#[derive(Clone)]
pub struct Options {
    /// The site's key, which pages show.
    pub site_key: String,
    /// The secret that belongs to it.
    pub secret: String,
    /// Where tokens are judged.
    pub verify_url: String,
    /// How long that may take, milliseconds.
    pub timeout_ms: u64,
}

/// Asks Turnstile.
pub struct Turnstile {
    options: Options,
    binding: [u8; 32],
    http: reqwest::Client,
    spent: Spent,
    /// Questions that were not answered since one was.
    unanswered: AtomicU32,
    /// Until when the service is left alone, milliseconds; 0 while it answers.
    away_until_ms: AtomicI64,
    trouble: Mutex<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    provider: &'static str,
    site_key: &'a str,
    cdata: String,
}

#[derive(Serialize)]
struct Question<'a> {
    secret: &'a str,
    response: &'a str,
    idempotency_key: String,
}

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    cdata: Option<String>,
    #[serde(default, rename = "error-codes")]
    errors: Vec<String>,
}

/// What the service says of a token.
enum Told {
    /// It is good, and was given with this `cdata`.
    Good(String),
    /// It is not.
    Bad(Verdict),
    /// Nothing that can be believed; in words.
    Nothing(String),
}

impl Turnstile {
    /// Under a key that every gateway of the system has.
    ///
    /// # Errors
    /// There can be no HTTP client.
    pub fn new(options: Options, key: [u8; 32]) -> Result<Self, String> {
        // The secret goes to the address that was configured, and nowhere else.
        let http = http_client::builder().redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(Duration::from_millis(options.timeout_ms)).build();
        Ok(Self {
            options,
            binding: blake3::derive_key("tzero 2026-11 turnstile binding", &key),
            http: http.map_err(|error| format!("cannot make an HTTP client: {error}"))?,
            spent: Spent::default(),
            unanswered: AtomicU32::new(0),
            away_until_ms: AtomicI64::new(0),
            trouble: Mutex::default(),
        })
    }

    async fn ask(&self, token: &str, key: &IdempotencyKey) -> Told {
        let question = Question {
            secret: &self.options.secret,
            response: token,
            idempotency_key: same_question(token, key),
        };
        let asked = self.http.post(&self.options.verify_url).json(&question).send().await;
        let patience = Duration::from_millis(self.options.timeout_ms);
        let away = |error: &reqwest::Error| {
            Told::Nothing(format!("does not answer: {}", http_client::why(error, patience)))
        };
        let mut answer = match asked {
            Ok(answer) => answer,
            Err(error) => return away(&error),
        };
        let status = answer.status();
        let judges = status.is_success() || (status.is_client_error() && status != 429);
        if !judges {
            return Told::Nothing(format!("answers {status}"));
        }
        let mut document = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(part)) => document.extend_from_slice(&part),
                Ok(None) => break,
                Err(error) => return away(&error),
            }
            if document.len() > LARGEST {
                return Told::Nothing(format!("answers with more than {LARGEST} bytes"));
            }
        }
        match serde_json::from_slice(&document).map(read) {
            // Who says yes says it with 200; with another status it is somebody else, or a mistake.
            Ok(Told::Good(_)) if !status.is_success() => Told::Nothing(format!("says yes, with {status}")),
            Ok(told) => told,
            Err(_) => Told::Nothing("answers with something that is no answer".to_owned()),
        }
    }

    fn answers(&self) {
        self.unanswered.store(0, Ordering::Relaxed);
        self.away_until_ms.store(0, Ordering::Relaxed);
    }

    /// Whether this checkout may ask: always while the service answers, and once a pause while it is away.
    fn may_ask(&self, now: Timestamp) -> bool {
        let until = self.away_until_ms.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        let next = now.plus_millis(PAUSE_MS).as_millis();
        let swap =
            |until| self.away_until_ms.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed);
        now.as_millis() >= until && swap(until).is_ok()
    }

    /// Notes that the service said nothing; said once in the log, until it answers again.
    fn says_nothing(&self, why: String, now: Timestamp) {
        let before = self.unanswered.fetch_add(1, Ordering::Relaxed);
        if before.saturating_add(1) < AWAY_AFTER {
            return;
        }
        let until = now.plus_millis(PAUSE_MS).as_millis();
        if self.away_until_ms.swap(until, Ordering::Relaxed) == 0 {
            tracing::warn!(%why, "Turnstile: challenges are not asked for until it answers");
        }
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// What the answer means.
fn read(answer: Answer) -> Told {
    if answer.success {
        return Told::Good(answer.cdata.unwrap_or_default());
    }
    let says = |code: &str| answer.errors.iter().any(|known| known == code);
    if says("timeout-or-duplicate") {
        // Which of the two it does not say; what was used here is known here.
        Told::Bad(Verdict::Expired)
    } else if says("invalid-input-response") || says("missing-input-response") || says("bad-request") {
        Told::Bad(Verdict::Wrong)
    } else {
        // Its own mistake, or a secret that is not the site's: no buyer can help either.
        let codes: Vec<String> = answer.errors.iter().take(CODES).map(|code| plain(code)).collect();
        Told::Nothing(format!("says {}", codes.join(", ")))
    }
}

/// A code as it may stand in a log: as long as one is, and nothing but its letters.
fn plain(code: &str) -> String {
    let of_a_code = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '-';
    code.chars().filter(of_a_code).take(LONGEST_CODE).collect()
}

/// The same UUID (RFC 9562, version 8) for the same question: a retry of ours is no second use.
fn same_question(token: &str, key: &IdempotencyKey) -> String {
    let mut bytes = digest(format!("{token}\n{}", key.as_str()).as_bytes());
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[async_trait]
impl Challenges for Turnstile {
    fn issue(
        &self,
        asked: Asked<'_>,
        _guesses: u32,
        _random: [u8; 16],
        _now: Timestamp,
    ) -> Result<String, Fault> {
        let cdata = binding::of(&self.binding, asked);
        let document = Document { provider: "turnstile", site_key: &self.options.site_key, cdata };
        serde_json::to_string(&document).map_err(|error| Fault::damaged("the making of challenges", error))
    }

    async fn verify(
        &self,
        solution: &str,
        asked: Asked<'_>,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Verdict {
        let visible = solution.bytes().all(|byte| byte.is_ascii_graphic());
        if solution.is_empty() || solution.len() > LONGEST || !visible {
            return Verdict::Wrong;
        }
        let bound = binding::of(&self.binding, asked);
        // Whose it is was found out when it was used first.
        let id = digest(format!("{bound}{solution}").as_bytes());
        match self.spent.look(&id, key, now) {
            Use::Same => return Verdict::Passed,
            Use::Other => return Verdict::Spent,
            Use::First if !self.may_ask(now) => return Verdict::Unavailable,
            Use::First => {}
        }
        match self.ask(solution, key).await {
            Told::Good(cdata) => {
                self.answers();
                if !bool::from(cdata.as_bytes().ct_eq(bound.as_bytes())) {
                    return Verdict::Wrong;
                }
                match self.spent.spend(id, key, now.plus_millis(LIFE_MS), now) {
                    Use::First | Use::Same => Verdict::Passed,
                    Use::Other => Verdict::Spent,
                }
            }
            Told::Bad(verdict) => {
                self.answers();
                verdict
            }
            Told::Nothing(why) => {
                self.says_nothing(why, now);
                Verdict::Unavailable
            }
        }
    }

    fn origin(&self) -> Option<&'static str> {
        Some("https://challenges.cloudflare.com")
    }

    fn is_away(&self, now: Timestamp) -> bool {
        now.as_millis() < self.away_until_ms.load(Ordering::Relaxed)
    }

    fn trouble(&self, now: Timestamp) -> Option<String> {
        let until = Timestamp::from_millis(self.away_until_ms.load(Ordering::Relaxed));
        let away = now < until.plus_millis(SAID_MS);
        away.then(|| {
            let why = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            format!("Turnstile {why}: whoever is asked for a challenge gets by without one")
        })
    }
}
