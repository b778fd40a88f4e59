//! Users of least right can do their work and nothing else; what Redis keeps of a buyer cannot be read there.

use adapter_redis::{Address, Options, Redis, SealKey, probe};
use domain::hold::EffectKind;
use domain::id::{Epoch, TicketId};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::Fault;
use ports::inventory::{Inventory, Rebuild};
use ports::status_board::StatusBoard;

use crate::server::Server;
use crate::shard::{effect, fresh, held, open, request, sets, shard};

fn address(server: &Server, user: &str) -> Address {
    Address::of(vec![format!("redis://{user}:secret@127.0.0.1:{}", server.port)])
}

fn refused(server: &Server, user: &str, words: &[&str]) -> bool {
    let client = redis::Client::open(address(server, user).nodes.remove(0)).unwrap();
    let mut connection = client.get_connection().unwrap();
    let answer = redis::cmd(words[0]).arg(&words[1..]).query::<redis::Value>(&mut connection);
    answer.is_err_and(|error| error.code() == Some("NOPERM"))
}

#[tokio::test]
async fn users_of_least_right_can_do_their_work_and_nothing_else() {
    let server = Server::start(&[]);
    let users = [
        probe::api_user("api", "secret"),
        probe::setup_user("setup", "secret"),
        probe::reconciler_user("reconciler", "secret"),
    ];
    for user in users {
        let words: Vec<&str> =
            ["ACL", "SETUSER"].into_iter().chain(user.iter().map(String::as_str)).collect();
        server.ask::<String>(&words).unwrap();
    }
    probe::install(&address(&server, "setup")).await.unwrap();
    let options =
        Options { address: address(&server, "api"), seal: SealKey::new([3; 32]), name: String::new() };
    let store = Redis::connect(options).await.unwrap();
    let shard = shard("rights");
    for epoch in [1, 2] {
        open(&store, &shard, fresh(epoch, &[9])).await;
        let (one, two) = (held(&store, &shard, 1).await, held(&store, &shard, 2).await);
        store.touch(&shard, &[request(1).claim]).await.unwrap();
        assert_eq!(store.unpinned(&shard, Timestamp::MAX, 9).await.unwrap().len(), 2);
        let effects = [effect(EffectKind::Pin, 1, &one), effect(EffectKind::Release, 2, &two)];
        store.settle(&shard, Epoch(epoch), &effects).await.unwrap();
        assert_eq!(sets(&store, &shard).await[1], [0]);
        store.close(&shard).await.unwrap();
    }
    let stamp = TicketStamp {
        ticket: TicketId([1; 16]),
        shard: shard.clone(),
        epoch: Epoch(1),
        issued_at: Timestamp::EPOCH,
    };
    store.show(vec![StatusDocument::queued(stamp, request(1).terms)]).await.unwrap();
    assert!(store.look(&shard, TicketId([1; 16])).await.unwrap().is_some());
    for words in [
        &["CONFIG", "GET", "maxmemory"][..],
        &["EVAL", "return 1", "0"],
        &["FUNCTION", "FLUSH"],
        &["FUNCTION", "LOAD", "REPLACE", "x"],
        &["FLUSHALL"],
        &["KEYS", "*"],
        &["DEL", "tz:{rights.0}"],
        &["HGET", "another", "key"],
        &["ACL", "LIST"],
        &["SHUTDOWN"],
    ] {
        assert!(refused(&server, "api", words), "{words:?}");
    }
    for words in [
        &["HGET", "tz:{rights.0}", "1"][..],
        &["FLUSHALL"],
        &["FUNCTION", "FLUSH"],
        &["EVAL", "return 1", "0"],
    ] {
        assert!(refused(&server, "setup", words), "{words:?}");
    }
}

#[tokio::test]
async fn whoever_renews_shards_loads_a_library_that_is_gone() {
    let server = Server::start(&[]);
    for user in [probe::api_user("api", "secret"), probe::reconciler_user("reconciler", "secret")] {
        let words: Vec<&str> =
            ["ACL", "SETUSER"].into_iter().chain(user.iter().map(String::as_str)).collect();
        server.ask::<String>(&words).unwrap();
    }
    probe::install(&address(&server, "reconciler")).await.unwrap();
    let options =
        |user| Options { address: address(&server, user), seal: SealKey::new([3; 32]), name: String::new() };
    let (api, reconciler) =
        (Redis::connect(options("api")).await.unwrap(), Redis::connect(options("reconciler")).await.unwrap());
    let shard = shard("reloaded");
    server.ask::<String>(&["FUNCTION", "FLUSH"]).unwrap();
    let denied = api.close(&shard).await.unwrap_err().to_string();
    assert!(denied.contains("refuses this user"), "{denied}");
    open(&reconciler, &shard, fresh(1, &[9])).await;
    held(&api, &shard, 1).await;
    for words in [&["FUNCTION", "FLUSH"][..], &["EVAL", "return 1", "0"], &["HGET", "another", "key"]] {
        assert!(refused(&server, "reconciler", words), "{words:?}");
    }
}

/// An operator copies what the document says.
#[test]
fn the_document_has_the_rules_of_each_user() {
    let document = include_str!("../../../../docs/fleet.md");
    let (api, reloading, setup) = (probe::API_RULES, probe::RELOADING_RULES, probe::SETUP_RULES);
    for line in [
        format!("ACL SETUSER sale on >… {api}\n"),
        format!("ACL SETUSER sale_reconciler on >… {api} {reloading}\n"),
        format!("ACL SETUSER sale_setup on >… {setup}\n"),
    ] {
        assert!(document.contains(&line), "{line}");
    }
}

/// Everything that can be read of every key.
fn everything(server: &Server) -> Vec<u8> {
    let mut all = Vec::new();
    for key in server.keys() {
        let kind: String = server.ask(&["TYPE", &key]).unwrap();
        let words: &[&str] = match kind.as_str() {
            "hash" => &["HGETALL", &key],
            "list" => &["LRANGE", &key, "0", "-1"],
            "zset" => &["ZRANGE", &key, "0", "-1"],
            other => panic!("{key} is a {other}"),
        };
        all.extend(key.bytes());
        server.ask::<Vec<Vec<u8>>>(words).unwrap().iter().for_each(|value| all.extend(value));
    }
    all
}

#[tokio::test]
async fn no_key_has_an_identifier_of_a_buyer_and_it_comes_back_whole() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("sealed");
    open(&store, &shard, fresh(1, &[9])).await;
    let mut whole = request(1);
    whole.user_id = domain::id::UserId::parse("somebody@example.org").unwrap();
    store.hold(&shard, vec![whole.clone(), request(2)]).await.unwrap();
    let has = |all: &[u8], text: &str| all.windows(text.len()).any(|part| part == text.as_bytes());
    let all = everything(&server);
    assert!(has(&all, "tz:{sealed.0}:1:r"), "something was read");
    assert!(all.windows(16).any(|part| part == whole.claim.0), "the claims too");
    for text in ["somebody", "example", "buyer-2"] {
        assert!(!has(&all, text), "{text}");
    }
    let unpinned = store.unpinned(&shard, Timestamp::MAX, 9).await.unwrap();
    assert_eq!(unpinned[0].claim.user_id, whole.user_id);
    let one = unpinned[0].claim.units.clone();
    // Another key cannot read them, and says so, also to whoever took these for keys of its own.
    let removed: u8 = server.ask(&["DEL", "tz:owner"]).unwrap();
    assert_eq!(removed, 1);
    let other = Redis::connect(Options {
        address: server.address(),
        seal: SealKey::new([4; 32]),
        name: String::new(),
    })
    .await
    .unwrap();
    let damaged = other.unpinned(&shard, Timestamp::MAX, 9).await;
    assert!(matches!(damaged, Err(Fault::Damaged { .. })), "{damaged:?}");
    // Once it is acknowledged, nothing of it is kept.
    let length = || server.ask::<Vec<Vec<u8>>>(&["HVALS", "tz:{sealed.0}:1:r"]).unwrap().concat().len();
    let before = length();
    let pin = domain::hold::Effect {
        kind: EffectKind::Pin,
        product: whole.terms.product,
        claim: whole.claim,
        units: one,
    };
    store.settle(&shard, Epoch(1), &[pin]).await.unwrap();
    assert_eq!(before - length(), 32 + 8, "twenty letters and their length in whole sixteens, and the tag");
}
