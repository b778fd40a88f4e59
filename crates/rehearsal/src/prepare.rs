//! Before T-zero: the server's clock, a session for each buyer, and the sale.

use std::time::Duration;

use futures::StreamExt;
use http::Method;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use crate::buyer::{Act, Buyer};
use crate::client::{Ask, Client};
use crate::clock::Clock;
use crate::foe::{self, Kind};
use crate::hostile::ONE_NETWORK;
use crate::plan::Plan;
use crate::run::{Progress, Watcher};

/// Samples of the server's clock; the one with the shortest round trip counts.
const SAMPLES: u32 = 7;
/// How often a new sale is looked for, and the pause before the next look.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// The sale that is rehearsed.
pub(crate) struct Target {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) starts_ms: i64,
    /// Units, where the sale is the herd's own.
    pub(crate) stock: Option<u64>,
    pub(crate) max_per_user: u64,
    /// Whether everybody is asked for a challenge, as far as we are told.
    pub(crate) asks_all: bool,
}

/// By how much the server's clock is ahead of ours, milliseconds.
pub(crate) async fn offset(client: &Client, clock: &Clock) -> Result<i64, String> {
    let mut best = (Duration::MAX, 0);
    for _ in 0..SAMPLES {
        let sent = clock.elapsed();
        let answer = client.ask(&Ask::new(Method::GET, "/v1/time")).await?;
        let trip = clock.elapsed().saturating_sub(sent);
        let told = answer.json()["server_time"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let told = told.ok_or("/v1/time has no server_time")?.as_millisecond();
        if trip < best.0 {
            best = (trip, told + trip.as_millis() as i64 / 2 - Clock::wall_ms());
        }
    }
    Ok(best.1)
}

/// A client's address of its own, out of 10.0.0.0/8.
fn address(number: u32) -> String {
    let [_, b, c, d] = (number + 1).to_be_bytes();
    format!("10.{b}.{c}.{d}")
}

fn act(plan: &Plan, chance: f64) -> Act {
    let mut left = chance;
    for (share, act) in [
        (plan.decline, Act::DeclineThenPay),
        (plan.abandon, Act::Abandon),
        (plan.cancel, Act::Cancel),
        (plan.late, Act::PayLate),
    ] {
        if left < share {
            return act;
        }
        left -= share;
    }
    Act::Pay
}

/// A buyer with their session. Who is hostile pays for what they get, and has ways of their own for everything else.
fn buyer(plan: &Plan, number: u32, dice: [f64; 4], session: (String, String), address: String) -> Buyer {
    let [first, second, third, spread] = dice;
    let foe = foe::of(number, plan.hostile);
    let one_network = foe.is_some_and(|foe| foe.kind == Kind::OneNetwork);
    let honest = foe.is_none();
    Buyer {
        number,
        user: session.0,
        token: session.1,
        address: if one_network { ONE_NETWORK.to_owned() } else { address },
        foe,
        act: if honest { act(plan, first) } else { Act::Pay },
        double_click: honest && second < plan.double_click,
        panic_retry: honest && third < plan.panic_retry,
        spread,
        solution: None,
    }
}

/// Buyers, each with a session of their own.
pub(crate) async fn sessions(
    plan: &Plan,
    client: &Client,
    watcher: &dyn Watcher,
) -> Result<Vec<Buyer>, String> {
    let mut random = StdRng::seed_from_u64(plan.seed);
    let dice: Vec<[f64; 4]> = (0..plan.buyers).map(|_| std::array::from_fn(|_| random.random())).collect();
    let mut buyers = Vec::with_capacity(plan.buyers as usize);
    let made = futures::stream::iter(0..plan.buyers).map(|number| async move {
        let address = address(number);
        let ask = Ask::new(Method::POST, "/v1/sessions").header("x-forwarded-for", address.clone());
        let answer = client.ask(&ask).await?;
        if answer.status != 201 {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("POST /v1/sessions answered {}: {body}", answer.status));
        }
        Ok((number, address, answer.json()))
    });
    let mut made = made.buffer_unordered(plan.connections.min(256) as usize);
    while let Some(session) = made.next().await {
        let (number, address, session) = session?;
        let text = |name: &str| session[name].as_str().map(str::to_owned);
        let (Some(user), Some(token)) = (text("user_id"), text("session_token")) else {
            return Err("POST /v1/sessions gave no user_id or session_token".to_owned());
        };
        buyers.push(buyer(plan, number, dice[number as usize], (user, token), address));
        if buyers.len().is_multiple_of(500) {
            let (done, total) = (buyers.len() as u64, u64::from(plan.buyers));
            watcher.progress(&Progress {
                phase: "sessions",
                done,
                total,
                answered: 0,
                accepted: 0,
                confirmed: 0,
            });
        }
    }
    Ok(buyers)
}

/// The sale, made where the plan names none.
pub(crate) async fn sale(plan: &Plan, client: &Client, offset_ms: i64) -> Result<Target, String> {
    let id = match &plan.sale {
        Some(id) => id.clone(),
        None => create(plan, client, offset_ms).await?,
    };
    let path = format!("/v1/sales/{id}");
    let ask = Ask::new(Method::GET, &path);
    let mut answer = client.ask(&ask).await?;
    for _ in 0..LOOKS {
        if answer.status == 200 {
            break;
        }
        // Another gateway made it: this one learns of it in a moment.
        tokio::time::sleep(PAUSE).await;
        answer = client.ask(&ask).await?;
    }
    if answer.status != 200 {
        return Err(format!("there is no sale {id}: GET {path} answered {}", answer.status));
    }
    let sale = answer.json();
    let product = &sale["products"][0];
    let starts = sale["starts_at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let asks_all = rule(plan, client, &id).await? == "always";
    Ok(Target {
        asks_all,
        product: product["product_id"].as_str().ok_or("the sale has no product")?.to_owned(),
        starts_ms: starts.ok_or("the sale has no starts_at")?.as_millisecond(),
        stock: plan.sale.is_none().then_some(u64::from(plan.stock)),
        max_per_user: product["max_per_user"].as_u64().unwrap_or(1),
        id,
    })
}

/// Whom the sale asks for a challenge; buyers are not told, and without the operator's token nobody is.
async fn rule(plan: &Plan, client: &Client, id: &str) -> Result<String, String> {
    let Some(token) = plan.admin_token.as_ref().filter(|_| plan.sale.is_some()) else {
        return Ok(if plan.sale.is_none() { plan.challenge.clone() } else { String::new() });
    };
    let path = format!("/admin/v1/sales/{id}");
    let ask = Ask::new(Method::GET, &path).header("authorization", format!("Bearer {token}"));
    let admin = admin(plan).await?;
    let answer = admin.as_ref().unwrap_or(client).ask(&ask).await?;
    Ok(answer.json()["challenge"].as_str().unwrap_or_default().to_owned())
}

async fn create(plan: &Plan, client: &Client, offset_ms: i64) -> Result<String, String> {
    let now = Clock::wall_ms() + offset_ms;
    let id = format!("rehearsal-{now}");
    let starts =
        jiff::Timestamp::from_millisecond(now + plan.lead_ms as i64).map_err(|error| error.to_string())?;
    let body = json!({
        "sale_id": id,
        "name": "Rehearsal",
        "starts_at": starts.to_string(),
        "hold_ms": plan.hold_ms,
        "challenge": plan.challenge,
        "products": [{
            "product_id": "unit", "name": "A unit", "price": { "amount": "10.00", "currency": "EUR" },
            "stock": plan.stock, "max_per_user": plan.max_per_user,
        }],
    });
    let admin = admin(plan).await?;
    let token = plan.admin_token.clone().unwrap_or_default();
    let ask = Ask::new(Method::POST, "/admin/v1/sales")
        .header("authorization", format!("Bearer {token}"))
        .json(&body);
    let answer = match &admin {
        Some(admin) => admin.ask(&ask).await?,
        None => client.ask(&ask).await?,
    };
    if answer.status == 201 {
        return Ok(id);
    }
    Err(format!("the sale was not created: {} {}", answer.status, String::from_utf8_lossy(&answer.body)))
}

/// A client of the operator's listener, where it is another one.
pub(crate) async fn admin(plan: &Plan) -> Result<Option<Client>, String> {
    match &plan.admin_url {
        Some(url) => Client::new(url, 4, 1).await.map(Some),
        None => Ok(None),
    }
}
