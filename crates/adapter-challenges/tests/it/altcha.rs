//! ALTCHA keeps the port's promises.

use std::sync::Arc;

use adapter_challenges::Altcha;
use altcha::{Challenge, Payload, SolveChallengeOptions, solve_challenge};
use async_trait::async_trait;
use base64::Engine as _;
use domain::time::Timestamp;
use ports::challenges::Challenges;
use ports::contract::Contender;

use crate::service::now;

const TTL_MS: u64 = 60_000;

struct Work(Arc<Altcha>);

#[async_trait]
impl Contender for Work {
    fn challenges(&self) -> Arc<dyn Challenges> {
        self.0.clone()
    }

    fn now(&self) -> Timestamp {
        now()
    }

    async fn solve(&self, document: &str) -> String {
        let challenge: Challenge = serde_json::from_str(document).unwrap();
        let solution = solve_challenge(SolveChallengeOptions::new(&challenge)).unwrap().unwrap();
        let payload = serde_json::to_vec(&Payload { challenge, solution }).unwrap();
        base64::engine::general_purpose::STANDARD.encode(payload)
    }

    async fn age(&self, _solution: &str) -> Timestamp {
        now().plus_millis(TTL_MS + 1)
    }
}

async fn contender() -> Work {
    Work(Arc::new(Altcha::new([3; 32], TTL_MS)))
}

ports::challenges_suite!(contender);
