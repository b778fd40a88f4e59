//! What a challenge costs a gateway: to make one, and to judge a solution, right or forged.
//!
//! `cargo run --release -p adapter-challenges --example cost`

use std::io::Write;
use std::time::Duration;

use adapter_challenges::Altcha;
use altcha::{Challenge, Payload, SolveChallengeOptions, solve_challenge};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::{IdempotencyKey, SaleId, UserId};
use ports::challenges::{Asked, Challenges, Verdict};
use ports::clock::{Clock, SystemClock};

/// How often each is done.
const TIMES: u32 = 2_000;

fn each(clock: &SystemClock, mut work: impl FnMut(u32) -> Result<(), String>) -> Result<Duration, String> {
    let begun = clock.elapsed();
    (0..TIMES).try_for_each(&mut work)?;
    Ok((clock.elapsed() - begun) / TIMES)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), String> {
    let clock = SystemClock::start();
    let altcha = Altcha::new([7; 32], 600_000);
    let (sale, user) = (SaleId::parse("drop"), UserId::parse("ann"));
    let (sale, user) = (sale.map_err(|r| r.to_string())?, user.map_err(|r| r.to_string())?);
    let asked = Asked { sale: &sale, user: &user };
    let key = IdempotencyKey::parse("k").map_err(|r| r.to_string())?;
    let make = |number: u32| {
        let mut random = [0; 16];
        random[..4].copy_from_slice(&number.to_be_bytes());
        altcha.issue(asked, 1_000, random, clock.now()).map_err(|fault| fault.to_string())
    };
    let making = each(&clock, |number| make(number).map(drop))?;
    let challenge: Challenge = serde_json::from_str(&make(0)?).map_err(|error| error.to_string())?;
    let begun = clock.elapsed();
    let solved =
        solve_challenge(SolveChallengeOptions::new(&challenge)).map_err(|error| error.to_string())?;
    let mut payload = Payload { challenge, solution: solved.ok_or("it was not solved")? };
    let guess = (clock.elapsed() - begun) / (payload.solution.counter + 1);
    let sent = |payload: &Payload| serde_json::to_vec(payload).map(|bytes| STANDARD.encode(bytes));
    let right = sent(&payload).map_err(|error| error.to_string())?;
    payload.challenge.parameters.key_prefix = "00".to_owned();
    let forged = sent(&payload).map_err(|error| error.to_string())?;
    let mut lines = format!("making one      {making:>10.1?}\none guess       {guess:>10.1?}\n");
    for (name, solution, expected) in
        [("judging one    ", &right, Verdict::Passed), ("refusing a forged one", &forged, Verdict::Wrong)]
    {
        let begun = clock.elapsed();
        for _ in 0..TIMES {
            if altcha.verify(solution, asked, &key, clock.now()).await != expected {
                return Err(format!("{name}: another verdict than {expected:?}"));
            }
        }
        lines.push_str(&format!("{name} {:>10.1?}\n", (clock.elapsed() - begun) / TIMES));
    }
    std::io::stdout().write_all(lines.as_bytes()).map_err(|error| error.to_string())
}
