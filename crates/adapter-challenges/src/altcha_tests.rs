//! Tests: the official library is the one who solves, and the official judge of what was made here.

use altcha::{Solution, SolveChallengeOptions, solve_challenge};
use domain::id::{SaleId, UserId};

use super::*;

const TTL_MS: u64 = 600_000;

#[expect(clippy::disallowed_methods, reason = "the library looks at the machine's clock as well")]
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis() as i64)
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

fn ours() -> Altcha {
    Altcha::new([7; 32], TTL_MS)
}

fn with_asked<T>(work: impl FnOnce(Asked<'_>) -> T) -> T {
    let (sale, user) = (SaleId::parse("drop").unwrap(), UserId::parse("ann").unwrap());
    work(Asked { sale: &sale, user: &user })
}

fn challenge(altcha: &Altcha, guesses: u32, random: u8) -> Challenge {
    let text = with_asked(|asked| altcha.issue(asked, guesses, [random; 16], now())).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn solve(challenge: &Challenge) -> Solution {
    solve_challenge(SolveChallengeOptions::new(challenge)).unwrap().unwrap()
}

fn sent(challenge: &Challenge, solution: &Solution) -> String {
    let payload = Payload { challenge: challenge.clone(), solution: solution.clone() };
    STANDARD.encode(serde_json::to_vec(&payload).unwrap())
}

fn judged(altcha: &Altcha, solution: &str) -> Verdict {
    with_asked(|asked| altcha.judge(solution, asked, &key("k"), now()))
}

#[test]
fn what_is_made_here_is_solved_and_judged_by_the_official_library() {
    let altcha = ours();
    let challenge = challenge(&altcha, 40, 1);
    let solution = solve(&challenge);
    assert!(solution.counter < 80, "{}", solution.counter);
    // Without the fast way the library derives the key anew, and finds the same.
    let whole = VerifySolutionOptions::new(&challenge, &solution, &altcha.signature);
    assert!(verify_solution(whole).unwrap().verified);
    assert_eq!(judged(&altcha, &sent(&challenge, &solution)), Verdict::Passed);
}

#[test]
fn the_same_random_bytes_make_the_same_challenge_and_others_another() {
    let altcha = ours();
    assert_eq!(altcha.made([1; 16], 100), altcha.made([1; 16], 100));
    assert_ne!(altcha.made([1; 16], 100), altcha.made([2; 16], 100));
    assert_ne!(altcha.made([1; 16], 100), Altcha::new([8; 32], TTL_MS).made([1; 16], 100));
    assert_eq!(altcha.made([1; 16], 0).2, 0, "no work at all is no reason to fall over");
}

#[test]
fn whoever_begins_late_or_gives_up_early_has_no_less_work() {
    let altcha = ours();
    let counters: Vec<u32> = (0..=255).map(|random| altcha.made([random; 16], 1_000).2).collect();
    // 64 of 256 in each quarter, less or more what chance does.
    for quarter in 0..4 {
        let within = counters.iter().filter(|counter| **counter / 500 == quarter).count();
        assert!((40..90).contains(&within), "{within} in quarter {quarter}");
    }
}

#[test]
fn whatever_a_forger_changes_is_noticed() {
    let altcha = ours();
    let honest = challenge(&altcha, 20, 2);
    let solution = solve(&honest);
    type Change = fn(&mut Challenge, &mut Solution);
    let changes: &[(&str, Change)] = &[
        ("less work", |challenge, _| challenge.parameters.key_prefix = "00".to_owned()),
        ("more time", |challenge, _| challenge.parameters.expires_at = Some(i64::MAX / 2_000)),
        ("no end", |challenge, _| challenge.parameters.expires_at = None),
        ("an end that has passed", |challenge, _| challenge.parameters.expires_at = Some(1)),
        ("an end before all times", |challenge, _| challenge.parameters.expires_at = Some(i64::MIN)),
        ("an end that is none", |challenge, _| challenge.parameters.expires_at = Some(0)),
        ("for somebody else", |challenge, _| {
            challenge.parameters.data = Some(BTreeMap::from([(FOR.to_owned(), "ff".into())]));
        }),
        ("for nobody", |challenge, _| challenge.parameters.data = None),
        ("the slow way", |challenge, _| challenge.parameters.key_signature = None),
        ("the slow way, once more", |challenge, _| challenge.parameters.key_signature = Some(String::new())),
        ("dear for the judge", |challenge, _| challenge.parameters.cost = u32::MAX),
        ("another nonce", |challenge, _| challenge.parameters.nonce = "00".repeat(16)),
        ("unsigned", |challenge, _| challenge.signature = None),
        ("signed by a guess", |challenge, _| challenge.signature = Some("00".repeat(32))),
        ("a guessed key", |_, solution| solution.derived_key = "00".repeat(32)),
        ("no key", |_, solution| solution.derived_key = String::new()),
        ("a key that is no number", |_, solution| solution.derived_key = "zz".to_owned()),
    ];
    for (what, change) in changes {
        let (mut challenge, mut solution) = (honest.clone(), solution.clone());
        change(&mut challenge, &mut solution);
        assert_eq!(judged(&altcha, &sent(&challenge, &solution)), Verdict::Wrong, "{what}");
    }
    // A challenge of another system's, rightly solved.
    let other = self::challenge(&Altcha::new([8; 32], TTL_MS), 20, 2);
    assert_eq!(judged(&altcha, &sent(&other, &solve(&other))), Verdict::Wrong);
    assert_eq!(judged(&altcha, &sent(&honest, &solution)), Verdict::Passed);
}

#[test]
fn one_of_ours_that_has_expired_is_told_from_one_that_is_made_up() {
    let altcha = Altcha::new([7; 32], 0);
    let text =
        with_asked(|asked| altcha.issue(asked, 20, [4; 16], Timestamp::from_millis(1_000_000))).unwrap();
    let old: Challenge = serde_json::from_str(&text).unwrap();
    let solution = solve(&old);
    assert_eq!(judged(&altcha, &sent(&old, &solution)), Verdict::Expired);
    assert_eq!(judged(&Altcha::new([8; 32], 0), &sent(&old, &solution)), Verdict::Wrong, "another system's");
}

#[test]
fn the_same_solution_written_in_another_way_is_no_other_solution() {
    let altcha = ours();
    let challenge = challenge(&altcha, 20, 3);
    let solution = solve(&challenge);
    let use_for = |solution: &Solution, key: &IdempotencyKey| {
        with_asked(|asked| altcha.judge(&sent(&challenge, solution), asked, key, now()))
    };
    assert_eq!(use_for(&solution, &key("k1")), Verdict::Passed);
    let upper = Solution { derived_key: solution.derived_key.to_uppercase(), ..solution.clone() };
    let later = Solution { counter: solution.counter + 1, time: Some(5.0), ..solution };
    assert_eq!(use_for(&upper, &key("k2")), Verdict::Spent);
    assert_eq!(use_for(&later, &key("k2")), Verdict::Spent);
}

#[test]
fn a_challenge_says_neither_who_is_asked_nor_the_counter() {
    let altcha = ours();
    let text = with_asked(|asked| altcha.issue(asked, 50, [9; 16], now())).unwrap();
    assert!(!text.contains("ann") && !text.contains("drop") && !text.contains("counter"), "{text}");
}
