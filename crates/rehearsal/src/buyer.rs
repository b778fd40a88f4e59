//! One buyer: presses Buy at their instant, follows the ticket, and does what the dice say.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::answers::{self, Outcome};
use crate::checks::{Ending, short};
use crate::client::{Answer, Ask};
use crate::foe::Foe;
use crate::herd::Herd;
use crate::side::Side;

/// What a buyer does with a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Pay,
    DeclineThenPay,
    Abandon,
    Cancel,
    PayLate,
}

/// A buyer.
pub(crate) struct Buyer {
    pub(crate) number: u32,
    pub(crate) user: String,
    pub(crate) token: String,
    pub(crate) address: String,
    /// What they are up to; `None` of somebody honest.
    pub(crate) foe: Option<Foe>,
    pub(crate) act: Act,
    pub(crate) double_click: bool,
    pub(crate) panic_retry: bool,
    /// A share from 0 to 1 that spreads this buyer's waits.
    pub(crate) spread: f64,
    /// The solution of a challenge, once one was asked for.
    pub(crate) solution: Option<String>,
}

/// What one checkout gave.
enum Pressed {
    Ticket(String),
    Wait(Duration),
    Challenged(String),
    Over,
}

/// Shortest wait between two attempts of somebody who persists.
const SHORTEST: Duration = Duration::from_millis(200);
/// How long a buyer who has paid looks at an order that ended otherwise.
const LATE_MONEY: Duration = Duration::from_secs(60);
/// Longest wait of somebody who persists: the clever ones do not wait for half a minute.
const LONGEST: Duration = Duration::from_secs(2);

impl Buyer {
    /// On whose side this buyer is.
    pub(crate) fn side<'a>(&self, herd: &'a Herd) -> &'a Side {
        if self.foe.is_some() { &herd.foes.side } else { &herd.honest }
    }

    /// The whole life of a buyer; `due` is when they press Buy.
    pub(crate) async fn live(mut self, herd: Arc<Herd>, due: Duration) {
        herd.until(due).await;
        let mut due = due;
        loop {
            if herd.is_over() {
                return;
            }
            self.side(&herd).behind.record(herd.clock.elapsed().saturating_sub(due));
            let pressed = if self.double_click {
                let (first, second) = tokio::join!(self.press(&herd, due), self.press(&herd, due));
                self.same(&herd, first, second)
            } else {
                self.press(&herd, due).await
            };
            match pressed {
                Pressed::Ticket(ticket) => return self.follow(&herd, ticket).await,
                Pressed::Over => return,
                Pressed::Challenged(url) => {
                    self.solution = self.solve(&herd, &url).await;
                    due = herd.clock.elapsed();
                }
                Pressed::Wait(wait) => {
                    let wait = wait.clamp(SHORTEST, LONGEST).mul_f64(0.75 + self.spread / 2.0);
                    due = herd.clock.elapsed() + wait;
                    herd.until(due).await;
                }
            }
        }
    }

    /// Two clicks with one key must give one ticket.
    fn same(&self, herd: &Herd, first: Pressed, second: Pressed) -> Pressed {
        match (first, second) {
            (Pressed::Ticket(one), Pressed::Ticket(other)) => {
                if one != other {
                    herd.violations.add(format!(
                        "a double click gave tickets {} and {}",
                        short(&one),
                        short(&other)
                    ));
                }
                Pressed::Ticket(one)
            }
            (Pressed::Ticket(ticket), _) | (_, Pressed::Ticket(ticket)) => Pressed::Ticket(ticket),
            (Pressed::Challenged(url), _) | (_, Pressed::Challenged(url)) => Pressed::Challenged(url),
            (Pressed::Wait(wait), _) | (_, Pressed::Wait(wait)) => Pressed::Wait(wait),
            (Pressed::Over, Pressed::Over) => Pressed::Over,
        }
    }

    async fn checkout(&self, herd: &Herd) -> Result<Answer, String> {
        let body = json!({
            "user_id": self.user,
            "product_id": herd.product,
            "idempotency_key": format!("rehearsal-{}", self.number),
        });
        let mut ask = Ask::new(Method::POST, &herd.checkout_path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("x-forwarded-for", self.address.clone())
            .json(&body);
        if let Some(solution) = &self.solution {
            ask = ask.header("challenge-solution", solution.clone());
        }
        self.side(herd).sent.fetch_add(1, Ordering::Relaxed);
        self.side(herd).client.ask(&ask).await
    }

    async fn press(&self, herd: &Herd, due: Duration) -> Pressed {
        let answer = self.checkout(herd).await;
        let took = herd.clock.elapsed().saturating_sub(due);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.side(herd).errors.add(&error);
                return Pressed::Wait(SHORTEST);
            }
        };
        herd.answered(took);
        let wait = answer.retry_after().unwrap_or(SHORTEST);
        match answers::read(&answer) {
            Err(wrong) => {
                herd.violations.add(wrong);
                Pressed::Over
            }
            Ok((outcome, named)) => {
                self.side(herd).outcomes.add(&named);
                match outcome {
                    Outcome::Accepted { ticket, replayed } => {
                        self.side(herd).accepted_answers.record(took);
                        herd.accept(replayed);
                        Pressed::Ticket(ticket)
                    }
                    other => {
                        self.side(herd).refused_answers.record(took);
                        self.refused(herd, &other, wait)
                    }
                }
            }
        }
    }

    fn refused(&self, herd: &Herd, outcome: &Outcome, wait: Duration) -> Pressed {
        match outcome {
            Outcome::SoldOut => {
                herd.saw_sold_out();
                Pressed::Over
            }
            Outcome::Challenged { url } => Pressed::Challenged(url.clone()),
            Outcome::Held if herd.plan.persist => Pressed::Wait(wait),
            Outcome::Again => Pressed::Wait(wait),
            Outcome::Limit => {
                herd.violations.add(format!("buyer {} reached a limit without having anything", self.number));
                Pressed::Over
            }
            Outcome::Held | Outcome::Refused | Outcome::Accepted { .. } => Pressed::Over,
        }
    }

    /// The status of the ticket; `None` where there is no answer.
    async fn status(&self, herd: &Herd, ticket: &str) -> Option<Value> {
        let path = format!("/v1/orders/status/{ticket}");
        let ask = Ask::new(Method::GET, &path).header("x-forwarded-for", self.address.clone());
        match self.side(herd).client.ask(&ask).await {
            Ok(answer) if answer.status == 200 => Some(answer.json()),
            Ok(answer) if answer.status == 503 || answer.status == 429 => {
                let status = answer.status.as_u16();
                self.side(herd).outcomes.add(&format!("status {status}"));
                if answer.retry_after().is_none() {
                    herd.violations.add(format!("a status was answered {status} without Retry-After"));
                }
                None
            }
            Ok(answer) => {
                herd.violations.add(format!(
                    "the status of ticket {} answered {}",
                    short(ticket),
                    answer.status
                ));
                None
            }
            Err(error) => {
                self.side(herd).errors.add(&error);
                None
            }
        }
    }

    pub(crate) async fn follow(&self, herd: &Herd, ticket: String) {
        let accepted = herd.clock.elapsed();
        if self.panic_retry {
            self.retry(herd, &ticket).await;
        }
        let mut acted = false;
        let (mut paid, mut ended) = (None, None);
        let mut version = 0;
        loop {
            let Some(status) = self.status(herd, &ticket).await else {
                if herd.is_over() {
                    herd.violations.add(format!("ticket {} has no status at the end", short(&ticket)));
                    return;
                }
                herd.rest(SHORTEST).await;
                continue;
            };
            let now = status["version"].as_u64().unwrap_or_default();
            if now < version {
                herd.violations
                    .add(format!("the version of ticket {} went from {version} to {now}", short(&ticket)));
            }
            version = now;
            if let Some(url) = status["checkout_url"].as_str()
                && !acted
            {
                acted = true;
                self.side(herd).address_made.record(herd.clock.elapsed().saturating_sub(accepted));
                paid = self.act(herd, &ticket, url, &status).await;
            }
            let phase = status["phase"].as_str().unwrap_or_default();
            if phase == "confirmed" || phase == "failed" {
                let refunding = status["reason"] == "refunding";
                let settled = ["confirmed", "refunded"].iter().any(|word| status["status"] == *word);
                let since = *ended.get_or_insert_with(|| herd.clock.elapsed());
                let long = herd.is_over() || herd.clock.elapsed().saturating_sub(since) > LATE_MONEY;
                // Who has paid for an order that ended looks on: the money buys it back, or goes back itself.
                if !refunding && (settled || paid.is_none() || long) {
                    return self.end(herd, ticket, &status, paid);
                }
            }
            if herd.is_over() {
                return herd.left_open(&ticket, &status);
            }
            let poll = status["poll_after_ms"].as_u64().unwrap_or(500);
            herd.rest(Duration::from_millis(poll)).await;
        }
    }

    fn end(&self, herd: &Herd, ticket: String, status: &Value, paid: Option<Duration>) {
        let word = status["status"].as_str().unwrap_or("?").to_owned();
        if let (Some(paid), "confirmed") = (paid, word.as_str()) {
            self.side(herd).confirmation.record(herd.clock.elapsed().saturating_sub(paid));
            herd.confirmed();
        }
        let units = status["units"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        herd.end(Ending { buyer: self.number, ticket, status: word, units, paid: paid.is_some() });
    }

    /// The same request again: the same ticket, byte for byte.
    async fn retry(&self, herd: &Herd, ticket: &str) {
        let due = herd.clock.elapsed();
        let answer = match self.checkout(herd).await {
            Ok(answer) => answer,
            Err(error) => return self.side(herd).errors.add(&error),
        };
        let took = herd.clock.elapsed().saturating_sub(due);
        herd.answered(took);
        match answers::read(&answer) {
            Ok((Outcome::Accepted { ticket: again, replayed }, named)) => {
                self.side(herd).outcomes.add(&named);
                self.side(herd).accepted_answers.record(took);
                if again != ticket {
                    herd.violations.add(format!("a retry gave {} and not {}", short(&again), short(ticket)));
                }
                if !replayed {
                    herd.violations.add(format!("a retry of {} is not marked as a replay", short(ticket)));
                }
            }
            Ok((Outcome::Again, named)) => {
                self.side(herd).outcomes.add(&named);
                self.side(herd).refused_answers.record(took);
            }
            Ok((_, named)) => {
                herd.violations.add(format!("a retry of ticket {} was answered {named}", short(ticket)));
            }
            Err(wrong) => herd.violations.add(wrong),
        }
    }

    /// Does what the dice say; gives when the payment went through.
    async fn act(&self, herd: &Herd, ticket: &str, url: &str, status: &Value) -> Option<Duration> {
        match self.act {
            Act::Pay => self.pay(herd, url, "pay").await,
            Act::DeclineThenPay => {
                self.pay(herd, url, "decline").await;
                herd.rest(SHORTEST).await;
                self.pay(herd, url, "pay").await
            }
            Act::Abandon => None,
            Act::Cancel => {
                self.cancel(herd, ticket).await;
                None
            }
            Act::PayLate => {
                let ends =
                    status["hold_expires_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
                let left = ends.map_or(0, |ends| ends.as_millisecond() - herd.server_now_ms());
                herd.rest(Duration::from_millis(left.max(0) as u64)).await;
                if herd.is_over() { None } else { self.pay(herd, url, "pay").await }
            }
        }
    }

    async fn cancel(&self, herd: &Herd, ticket: &str) {
        let path = format!("/v1/orders/{ticket}");
        let ask = Ask::new(Method::DELETE, &path).header("x-forwarded-for", self.address.clone());
        match self.side(herd).client.ask(&ask).await {
            Ok(answer) => {
                let status = answer.status.as_u16();
                self.side(herd).outcomes.add(&format!("cancel {status}"));
                if ![200, 202, 409, 503].contains(&status) {
                    herd.violations.add(format!("DELETE of ticket {} answered {status}", short(ticket)));
                }
            }
            Err(error) => self.side(herd).errors.add(&error),
        }
    }

    /// Goes to the provider's page. `None` where nothing was paid; where an answer was lost, it may have been.
    async fn pay(&self, herd: &Herd, url: &str, action: &str) -> Option<Duration> {
        let (client, path) = match herd.served(self.side(herd), url).await {
            Ok(served) => served,
            Err(error) => {
                herd.violations.add(format!("the payment page cannot be reached: {error}"));
                return None;
            }
        };
        let form = format!("action={action}");
        let mut ask =
            Ask::new(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        ask.body = form.into();
        let mut unsure = false;
        for _ in 0..5 {
            match client.ask(&ask).await {
                Ok(answer) => {
                    let status = answer.status.as_u16();
                    self.side(herd).outcomes.add(&format!("{action} {status}"));
                    match status {
                        303 => return (action == "pay").then(|| herd.clock.elapsed()),
                        410 => break,
                        503 => {}
                        other => {
                            herd.violations.add(format!("the payment page answered {other}"));
                            return None;
                        }
                    }
                }
                Err(error) => {
                    self.side(herd).errors.add(&error);
                    unsure = true;
                }
            }
            if herd.is_over() {
                break;
            }
            herd.rest(SHORTEST).await;
        }
        (unsure && action == "pay").then(|| herd.clock.elapsed())
    }
}
