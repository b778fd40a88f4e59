//! Questions to the stores that anybody may cause, by `/readyz`, `/metrics` or a sale that nobody knows: however many ask at once, the
//! stores are asked once, and not again before a moment has passed. Nobody is given an answer of before they asked.

use std::time::Duration;

use ports::clock::Clock;
use tokio::sync::Mutex;

/// Between the beginnings of two rounds of questions.
const APART: Duration = Duration::from_millis(100);

/// A question, and its latest answer.
pub struct Asked<T>(Mutex<Option<Latest<T>>>);

struct Latest<T> {
    /// When it was asked.
    begun: Duration,
    answer: T,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Asked<T> {
    /// The answer to a question that was asked after this was called.
    pub async fn get(&self, clock: &dyn Clock, ask: impl Future<Output = T>) -> T {
        let called = clock.elapsed();
        let mut latest = self.0.lock().await;
        if let Some(latest) = &*latest {
            if latest.begun >= called {
                return latest.answer.clone();
            }
            tokio::time::sleep((latest.begun + APART).saturating_sub(clock.elapsed())).await;
        }
        let begun = clock.elapsed();
        let answer = ask.await;
        *latest = Some(Latest { begun, answer: answer.clone() });
        answer
    }
}

#[cfg(test)]
#[path = "asked_tests.rs"]
mod tests;
