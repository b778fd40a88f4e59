//! Hostile buyers who speak HTTP: they press Buy without a pause until the honest ones are done, each kind in its own way.
//! Who gets a ticket all the same pays for it at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::future::join_all;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::answers::{self, Outcome};
use crate::buyer::Buyer;
use crate::client::{Answer, Ask};
use crate::foe::{Foe, Kind};
use crate::herd::Herd;

/// Between an answer and the next request, whatever `Retry-After` says: twice as fast as the default limit of one buyer.
pub(crate) const PAUSE: Duration = Duration::from_millis(50);
/// Connections that use one session at once.
const AT_ONCE: u64 = 4;
/// Where all of `one-network` come from: an address for documentation (RFC 5737), told in `X-Forwarded-For`.
pub(crate) const ONE_NETWORK: &str = "198.51.100.7";

/// Who presses Buy, and with what.
struct Guise {
    user: String,
    token: String,
    /// In words, where it is forged.
    forged: Option<&'static str>,
}

/// What one press gave.
enum Pressed {
    Ticket(String),
    Challenged(String),
    Nothing,
}

impl Buyer {
    /// The whole life of somebody hostile; `due` is when they come.
    pub(crate) async fn attack(self, herd: Arc<Herd>, foe: Foe, due: Duration) {
        tokio::select! {
            () = herd.until(due) => {}
            () = herd.foes.quit.cancelled() => return,
        }
        match foe.kind {
            Kind::SlowBody | Kind::OversizedHeaders | Kind::ConnectionFlood => self.flood(&herd, foe).await,
            _ => Arc::new(self).hammer(&herd, foe).await,
        }
    }

    async fn hammer(self: Arc<Self>, herd: &Arc<Herd>, foe: Foe) {
        let guise = self.guise(foe);
        let mut solution = None;
        let mut follows = JoinSet::new();
        let at_once = if foe.kind == Kind::ReplayedSession { AT_ONCE } else { 1 };
        let mut press = 0;
        while !herd.siege_is_over() {
            let presses = (press..press + at_once).map(|press| {
                // A solution is for one key: who solves keeps theirs.
                let key = if foe.kind == Kind::OneNetwork { 0 } else { press };
                self.strike(herd, foe, &guise, key, solution.as_deref())
            });
            let mut challenge = None;
            for pressed in join_all(presses).await {
                match pressed {
                    Pressed::Ticket(ticket) => {
                        let (buyer, herd) = (Arc::clone(&self), Arc::clone(herd));
                        follows.spawn(async move { buyer.follow(&herd, ticket).await });
                    }
                    Pressed::Challenged(url) => challenge = Some(url),
                    Pressed::Nothing => {}
                }
            }
            if let Some(url) = challenge {
                solution = self.claimed(herd, foe, &url).await;
            }
            press += at_once;
            herd.pause().await;
        }
        while let Some(ended) = follows.join_next().await {
            if ended.is_err() {
                herd.violations.add("a hostile buyer ended in a panic");
            }
        }
    }

    /// Who they say they are.
    fn guise(&self, foe: Foe) -> Guise {
        let own = || (self.user.clone(), self.token.clone(), None);
        let (user, token, forged) = match (foe.kind, foe.nth % 3) {
            (Kind::ForgedSession, 0) => (self.user.clone(), wrong_mac(&self.token), Some("wrong MAC")),
            (Kind::ForgedSession, 1) => {
                let user = other_user(&self.user);
                let token = other_subject(&self.token, &self.user, &user);
                (user, token, Some("altered subject"))
            }
            (Kind::ForgedSession, _) => (self.user.clone(), altered_end(&self.token), Some("altered end")),
            _ => own(),
        };
        Guise { user, token, forged }
    }

    /// What they answer a challenge with; `None` where they send nothing.
    async fn claimed(&self, herd: &Herd, foe: Foe, url: &str) -> Option<String> {
        match foe.kind {
            Kind::OneNetwork => self.solve(herd, url).await,
            Kind::UnsolvedChallenge if foe.nth % 2 == 1 => {
                let challenge: Value = serde_json::from_slice(&self.challenge(herd, url).await?).ok()?;
                let wrong = json!({ "counter": 1, "derivedKey": "00", "time": 1 });
                Some(STANDARD.encode(json!({ "challenge": challenge, "solution": wrong }).to_string()))
            }
            _ => None,
        }
    }

    async fn strike(
        &self,
        herd: &Herd,
        foe: Foe,
        guise: &Guise,
        key: u64,
        solution: Option<&str>,
    ) -> Pressed {
        let side = &herd.foes.side;
        let body = json!({
            "user_id": guise.user,
            "product_id": herd.product,
            "idempotency_key": format!("rehearsal-{}-{key}", self.number),
        });
        let mut ask = Ask::new(Method::POST, &herd.checkout_path)
            .header("authorization", format!("Bearer {}", guise.token))
            .header("x-forwarded-for", self.address.clone())
            .json(&body);
        if let Some(solution) = solution {
            ask = ask.header("challenge-solution", solution);
        }
        side.sent.fetch_add(1, Ordering::Relaxed);
        let asked = herd.clock.elapsed();
        match side.client.ask(&ask).await {
            Ok(answer) => {
                let took = herd.clock.elapsed().saturating_sub(asked);
                self.judge(herd, foe, guise, took, &answer)
            }
            Err(error) => {
                side.errors.add(&error);
                Pressed::Nothing
            }
        }
    }

    /// What an answer means: who has no right to a ticket must get none.
    fn judge(&self, herd: &Herd, foe: Foe, guise: &Guise, took: Duration, answer: &Answer) -> Pressed {
        let side = &herd.foes.side;
        side.all_answers.record(took);
        let (outcome, named) = match answers::read(answer) {
            Ok(read) => read,
            Err(wrong) => {
                herd.violations.add(wrong);
                return Pressed::Nothing;
            }
        };
        herd.foes.note(foe.kind, &named);
        let Outcome::Accepted { ticket, replayed } = outcome else {
            side.refused_answers.record(took);
            let Outcome::Challenged { url } = outcome else { return Pressed::Nothing };
            return Pressed::Challenged(url);
        };
        side.accepted_answers.record(took);
        for breach in breaches(foe.kind, guise.forged, herd.foes.all_are_asked) {
            herd.violations.add(breach);
        }
        herd.accept(replayed);
        if replayed {
            return Pressed::Nothing;
        }
        herd.foes.took(foe.kind);
        Pressed::Ticket(ticket)
    }
}

impl Herd {
    /// Whether hostile buyers are to stop.
    pub(crate) fn siege_is_over(&self) -> bool {
        self.foes.quit.is_cancelled() || self.is_over()
    }

    /// Between two attempts of somebody hostile.
    pub(crate) async fn pause(&self) {
        tokio::select! {
            () = self.rest(PAUSE) => {}
            () = self.foes.quit.cancelled() => {}
        }
    }
}

/// What a 202 to somebody hostile breaks. `forged` says how their session was, where it was.
fn breaches(kind: Kind, forged: Option<&str>, all_are_asked: bool) -> impl Iterator<Item = String> {
    let forged = forged.map(|way| format!("a forged session ({way}) was answered 202"));
    let solves = kind == Kind::OneNetwork;
    let unsolved =
        (all_are_asked && !solves).then(|| format!("{} got a 202 without a solved challenge", kind.name()));
    forged.into_iter().chain(unsolved)
}

/// A token with bytes changed; where it is no base64url, its text is.
fn changed(token: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let Ok(mut bytes) = URL_SAFE_NO_PAD.decode(token) else { return format!("{token}A") };
    change(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// One bit of the last byte is another.
fn wrong_mac(token: &str) -> String {
    changed(token, |bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    })
}

/// A user of the same form whom nobody gave a session.
fn other_user(user: &str) -> String {
    let last = if user.ends_with('0') { '1' } else { '0' };
    let mut other: String = user.chars().take(user.chars().count().saturating_sub(1)).collect();
    other.push(last);
    other
}

/// The token names another user of the same length.
fn other_subject(token: &str, user: &str, other: &str) -> String {
    changed(token, |bytes| {
        if let Some(at) = bytes.windows(user.len()).position(|window| window == user.as_bytes()) {
            bytes.splice(at..at + user.len(), other.bytes());
        }
    })
}

/// The end, which stands behind the first byte, is set back to 1970: it has expired, and its MAC is not that of its text.
fn altered_end(token: &str) -> String {
    changed(token, |bytes| bytes.iter_mut().skip(1).take(6).for_each(|byte| *byte = 0))
}

#[cfg(test)]
#[path = "hostile_tests.rs"]
mod tests;
