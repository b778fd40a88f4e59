//! `kill -9` under load: whatever was answered is known afterwards, and nothing else has happened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use crate::harness::{Buyer, PATIENCE, Server};

/// How often the program is killed; less often on servers, where a start takes longer.
fn kills() -> usize {
    if crate::stores::servers().is_none() { 50 } else { 8 }
}
/// Buyers who press at once in each round.
const BUYERS: usize = 32;

/// Tickets that were answered, by buyer and key; and when the last one was, milliseconds of the round.
type Answered = Arc<Mutex<HashMap<(usize, String), String>>>;

async fn press(
    server: &Server,
    buyers: &[Buyer],
    round: usize,
    answered: &Answered,
    last: &Arc<Mutex<std::time::Duration>>,
    clock: tokio::time::Instant,
) {
    let mut pressing = JoinSet::new();
    for (number, buyer) in buyers.iter().enumerate() {
        let (answered, last) = (Arc::clone(answered), Arc::clone(last));
        let requests: Vec<_> = (0..200)
            .map(|at| {
                let key = format!("{round}-{at}");
                (key.clone(), server.checkout("s", buyer, &key, 1))
            })
            .collect();
        pressing.spawn(async move {
            for (key, request) in requests {
                let Ok(answer) = request.send().await else { return };
                let (status, body) = (answer.status(), answer.json::<serde_json::Value>().await);
                let Ok(body) = body else { return };
                if status == 202 {
                    let ticket = body["queue_ticket_id"].as_str().expect("a ticket").to_owned();
                    answered.lock().expect("lock").insert((number, key), ticket);
                    *last.lock().expect("lock") = clock.elapsed();
                }
            }
        });
    }
    while pressing.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::disallowed_methods, reason = "a test measures how long ago the last answer came")]
async fn kills_under_load_lose_nothing_that_was_answered() {
    let settings = ["limits.user_per_s=0", "processor.rate_per_s=200"];
    let mut server = Server::start(&settings);
    server.sale("s", 1_000_000, json!({ "max_per_user": 100, "hold_ms": 600_000 })).await;
    let answered: Answered = Arc::default();
    let mut rounds: Vec<Vec<Buyer>> = Vec::new();
    for round in 0..kills() {
        let buyers = server.buyers(BUYERS).await;
        let before = answered.lock().expect("lock").len();
        let last = Arc::new(Mutex::new(Duration::ZERO));
        let clock = tokio::time::Instant::now();
        let offset = round * BUYERS;
        let mine: Answered = Arc::default();
        let pids = server.pids();
        let killing = async {
            // After another number of answers in each round, long before the last one and just after one: how fast they
            // come is the machine's affair, and one that is busy elsewhere may have paused them.
            let enough = 20 + (round * 37) % (BUYERS * 10);
            let few = || mine.lock().expect("lock").len() < enough;
            let long_ago =
                || clock.elapsed().saturating_sub(*last.lock().expect("lock")) > Duration::from_millis(10);
            let answering = async {
                while few() || long_ago() {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(PATIENCE, answering).await.expect("202s come");
            for pid in pids {
                let pid = rustix::process::Pid::from_raw(pid as i32).expect("a process");
                rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is killed");
            }
            clock.elapsed()
        };
        let ((), at) = tokio::join!(press(&server, &buyers, round, &mine, &last, clock), killing);
        let mine = std::mem::take(&mut *mine.lock().expect("lock"));
        let last = *last.lock().expect("lock");
        assert!(!mine.is_empty(), "round {round}: something was answered before the kill");
        assert!(
            at.saturating_sub(last) < Duration::from_millis(100),
            "round {round}: a 202 came just before the kill"
        );
        let mine = mine.into_iter().map(|((number, key), ticket)| ((offset + number, key), ticket));
        answered.lock().expect("lock").extend(mine);
        assert!(answered.lock().expect("lock").len() > before);
        rounds.push(buyers);
        server.kill();
        server.restart();
        check(&server, &rounds, &answered, round).await;
    }
    let product = server.clean_audit("s").await;
    let held = product["held"].as_u64().expect("a number");
    assert!(held >= answered.lock().expect("lock").len() as u64, "no unit of an answered ticket is lost");
}

/// Every ticket of the last round is known, and the same request gives it again, byte for byte.
async fn check(server: &Server, rounds: &[Vec<Buyer>], answered: &Answered, round: usize) {
    let mine: Vec<_> = {
        let all = answered.lock().expect("lock");
        let mine = all.iter().filter(|((_, key), _)| key.starts_with(&format!("{round}-")));
        mine.map(|((buyer, key), ticket)| (*buyer, key.clone(), ticket.clone())).collect()
    };
    for (number, (buyer, key, ticket)) in mine.into_iter().enumerate() {
        server.status(&ticket).await;
        if number % 8 == 0 {
            let buyer = &rounds[buyer / BUYERS][buyer % BUYERS];
            let again = server.buy("s", buyer, &key).await;
            assert_eq!((again.status, again.ticket()), (202, ticket));
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
        }
    }
    server.clean_audit("s").await;
}
