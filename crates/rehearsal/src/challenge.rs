//! Challenges: a buyer who is asked solves one as their browser would, with the official library and their own processor.

use std::sync::Arc;
use std::time::Duration;

use altcha::{Payload, SolveChallengeOptions, solve_challenge};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use tokio::sync::Semaphore;

use crate::buyer::Buyer;
use crate::client::Ask;
use crate::herd::Herd;
use crate::measure::Timing;

/// Longest that one challenge is worked at, milliseconds.
const PATIENCE_MS: u64 = 60_000;

/// Where the herd works. Real buyers have a processor each; here they share this machine's, so the time that it takes says
/// what one challenge costs and not how long a buyer would wait.
pub(crate) struct Workshop {
    places: Arc<Semaphore>,
    /// Working time of each challenge that was solved.
    pub(crate) work: Timing,
}

impl Workshop {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { places: Arc::new(Semaphore::new(processors)), work: Timing::new() }
    }

    /// Solves a challenge; the header's value.
    async fn solve(&self, document: Vec<u8>, elapsed: impl Fn() -> Duration) -> Result<String, String> {
        let challenge = serde_json::from_slice(&document)
            .map_err(|error| format!("a challenge that is none in the ALTCHA form: {error}"))?;
        let _place = self.places.acquire().await.map_err(|_| "the workshop is closed".to_owned())?;
        let begun = elapsed();
        let worked = tokio::task::spawn_blocking(move || {
            let mut options = SolveChallengeOptions::new(&challenge);
            options.timeout_ms = PATIENCE_MS;
            let solution = solve_challenge(options).map_err(|error| format!("a challenge: {error}"))?;
            let solution = solution.ok_or("a challenge was not solved in a minute")?;
            serde_json::to_vec(&Payload { challenge, solution }).map_err(|error| error.to_string())
        });
        let payload = worked.await.map_err(|error| format!("a challenge: {error}"))??;
        self.work.record(elapsed().saturating_sub(begun));
        Ok(STANDARD.encode(payload))
    }
}

impl Buyer {
    /// The solution of the challenge at `url`. Where there is none, the buyer asks again without.
    pub(crate) async fn solve(&self, herd: &Herd, url: &str) -> Option<String> {
        let document = self.challenge(herd, url).await?;
        match herd.workshop.solve(document, || herd.clock.elapsed()).await {
            Ok(solution) => Some(solution),
            Err(wrong) => {
                herd.violations.add(wrong);
                herd.rest(Duration::from_secs(1)).await;
                None
            }
        }
    }

    /// The challenge at `url`, as it came.
    pub(crate) async fn challenge(&self, herd: &Herd, url: &str) -> Option<Vec<u8>> {
        let ask = Ask::new(Method::GET, url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("x-forwarded-for", self.address.clone());
        match self.side(herd).client.ask(&ask).await {
            Ok(answer) if answer.status == 200 => return Some(answer.body.to_vec()),
            Ok(answer) => {
                self.side(herd).outcomes.add(&format!("challenge {}", answer.status.as_u16()));
                herd.rest(answer.retry_after().unwrap_or(Duration::from_secs(1))).await;
            }
            Err(error) => self.side(herd).errors.add(&error),
        }
        None
    }
}
