//! The promises of a form of challenge. An adapter gives a [`Contender`] and writes `ports::challenges_suite!(contender);`.

use std::sync::Arc;

use async_trait::async_trait;
use domain::id::{IdempotencyKey, SaleId, UserId};
use domain::time::Timestamp;

use super::world::parsed;
use crate::challenges::{Asked, Challenges, Verdict};

/// One form of challenge with somebody who solves it.
#[async_trait]
pub trait Contender: Send + Sync {
    /// See [`Challenges`].
    fn challenges(&self) -> Arc<dyn Challenges>;
    /// The machine's clock.
    fn now(&self) -> Timestamp;
    /// What a person's browser makes of a challenge's document.
    async fn solve(&self, document: &str) -> String;
    /// Makes a solution too old; gives the instant at which it is.
    async fn age(&self, solution: &str) -> Timestamp;
}

/// Runs the whole suite. `$contender` is an `async fn() -> impl Contender`.
#[macro_export]
macro_rules! challenges_suite {
    ($contender:path) => {
        $crate::challenges_suite!(@tests $contender;
            a_solution_passes_for_one_key_however_often,
            a_solution_passes_for_nobody_else,
            a_solution_that_comes_too_late_has_expired,
            what_is_no_solution_is_wrong,
        );
    };
    (@tests $contender:path; $($name:ident,)*) => {
        $(#[tokio::test]
        async fn $name() {
            let contender = $contender().await;
            $crate::contract::$name(&contender).await;
        })*
    };
}

fn sale(text: &str) -> SaleId {
    parsed(SaleId::parse(text))
}

fn user(text: &str) -> UserId {
    parsed(UserId::parse(text))
}

fn key(text: &str) -> IdempotencyKey {
    parsed(IdempotencyKey::parse(text))
}

async fn solved(contender: &dyn Contender, sale: &SaleId, user: &UserId, random: u8) -> String {
    let asked = Asked { sale, user };
    let document = contender.challenges().issue(asked, 20, [random; 16], contender.now());
    contender.solve(&parsed(document)).await
}

/// Whoever repeats a checkout goes on with the solution; whoever wants another order needs another.
pub async fn a_solution_passes_for_one_key_however_often(contender: &dyn Contender) {
    let (challenges, now) = (contender.challenges(), contender.now());
    let (sale, user) = (sale("drop"), user("ann"));
    let asked = Asked { sale: &sale, user: &user };
    let solution = solved(contender, &sale, &user, 1).await;
    for _ in 0..3 {
        assert_eq!(challenges.verify(&solution, asked, &key("k1"), now).await, Verdict::Passed);
    }
    assert_eq!(challenges.verify(&solution, asked, &key("k2"), now).await, Verdict::Spent);
    assert_eq!(challenges.verify(&solution, asked, &key("k1"), now).await, Verdict::Passed);
    let another = solved(contender, &sale, &user, 2).await;
    assert_ne!(another, solution);
    assert_eq!(challenges.verify(&another, asked, &key("k2"), now).await, Verdict::Passed);
}

/// Neither another user, nor at another sale.
pub async fn a_solution_passes_for_nobody_else(contender: &dyn Contender) {
    let (challenges, now) = (contender.challenges(), contender.now());
    let (drop, other, ann, bob) = (sale("drop"), sale("other"), user("ann"), user("bob"));
    for (sale, user) in [(&drop, &bob), (&other, &ann), (&other, &bob)] {
        let solution = solved(contender, &drop, &ann, 3).await;
        let asked = Asked { sale, user };
        assert_eq!(challenges.verify(&solution, asked, &key("k"), now).await, Verdict::Wrong, "{asked:?}");
    }
}

/// Also one that was passed before, for the same key.
pub async fn a_solution_that_comes_too_late_has_expired(contender: &dyn Contender) {
    let challenges = contender.challenges();
    let (sale, user) = (sale("drop"), user("ann"));
    let asked = Asked { sale: &sale, user: &user };
    let solution = solved(contender, &sale, &user, 4).await;
    assert_eq!(challenges.verify(&solution, asked, &key("k"), contender.now()).await, Verdict::Passed);
    let late = contender.age(&solution).await;
    assert_eq!(challenges.verify(&solution, asked, &key("k"), late).await, Verdict::Expired);
    let unused = solved(contender, &sale, &user, 5).await;
    let late = contender.age(&unused).await;
    assert_eq!(challenges.verify(&unused, asked, &key("k"), late).await, Verdict::Expired);
}

/// Of any length and content.
pub async fn what_is_no_solution_is_wrong(contender: &dyn Contender) {
    let (challenges, now) = (contender.challenges(), contender.now());
    let (sale, user) = (sale("drop"), user("ann"));
    let asked = Asked { sale: &sale, user: &user };
    let long = "A".repeat(100_000);
    for nonsense in ["", " ", "x", "e30=", "bnVsbA==", "////", "\u{fffd}", &long] {
        let verdict = challenges.verify(nonsense, asked, &key("k"), now).await;
        assert_eq!(verdict, Verdict::Wrong, "{}", &nonsense[..nonsense.len().min(20)]);
    }
}
