//! What a rehearsal says before it begins about challenges: buyers solve theirs on devices of their own, the herd all of them here.

use std::time::Duration;

use altcha::{Challenge, CreateChallengeOptions, SolveChallengeOptions, create_challenge, solve_challenge};
use http::Method;

use crate::buyer::Buyer;
use crate::client::{Ask, Client};
use crate::clock::Clock;
use crate::plan::Plan;
use crate::prepare;

/// Guesses by which the price of one is measured.
const SAMPLE: u32 = 200;
/// The metric that says how many guesses the hardest challenge takes on average.
const MOST: &str = "tzero_challenge_guesses_max ";

/// What the challenges of a sale that asks everybody will cost this machine; `None` where its challenges are not solved by work.
pub(crate) async fn forecast(
    plan: &Plan,
    client: &Client,
    sale: &str,
    buyer: &Buyer,
    clock: &Clock,
) -> Option<String> {
    let path = format!("/v1/challenge?sale_id={sale}");
    let ask = Ask::new(Method::GET, &path)
        .header("authorization", format!("Bearer {}", buyer.token))
        .header("x-forwarded-for", buyer.address.clone());
    let given: Challenge = serde_json::from_slice(&client.ask(&ask).await.ok()?.body).ok()?;
    let guess = guess(&given, clock)?;
    // Where buyers come in, a CDN may stand before it.
    let admin = prepare::admin(plan).await.ok().flatten();
    let metrics = admin.as_ref().unwrap_or(client).ask(&Ask::new(Method::GET, "/metrics")).await.ok();
    let most = metrics.and_then(|answer| most(&String::from_utf8_lossy(&answer.body)));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Some(said(plan, guess, most, processors))
}

/// What one guess of such a challenge takes here.
fn guess(given: &Challenge, clock: &Clock) -> Option<Duration> {
    let sample = create_challenge(CreateChallengeOptions {
        algorithm: given.parameters.algorithm.clone(),
        cost: given.parameters.cost,
        key_length: given.parameters.key_length,
        counter: Some(SAMPLE - 1),
        ..CreateChallengeOptions::default()
    });
    let sample = sample.ok()?;
    let begun = clock.elapsed();
    solve_challenge(SolveChallengeOptions::new(&sample)).ok()??;
    Some(clock.elapsed().saturating_sub(begun) / SAMPLE)
}

fn most(metrics: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(MOST)?.trim().parse().ok())
}

fn said(plan: &Plan, guess: Duration, most: Option<f64>, processors: usize) -> String {
    let each = format!("{:.2} ms a guess", guess.as_secs_f64() * 1e3);
    let Some(most) = most else {
        return format!(
            "challenges: {} buyers solve theirs on this machine, at {each}; /metrics does not say how many guesses the hardest \
             takes. Real buyers' devices solve their own",
            plan.buyers
        );
    };
    let work = guess.mul_f64(most * f64::from(plan.buyers));
    let lasts = work.div_f64(processors as f64);
    let late = if lasts > Duration::from_millis(plan.limit_ms) { ": longer than --limit-ms" } else { "" };
    format!(
        "challenges: {} buyers solve theirs on this machine, up to {most} guesses each on average at {each}: up to about {:.1} s of \
         processor time, {:.1} s with its {processors} processors{late}. Real buyers' devices solve their own",
        plan.buyers,
        work.as_secs_f64(),
        lasts.as_secs_f64()
    )
}

#[cfg(test)]
#[path = "forecast_tests.rs"]
mod tests;
