//! Whatever ends the memory of the process that handed out units ends its permission to; loads are taken once and in order.

use domain::hold::{EffectKind, Glance, HoldOutcome, Settled};
use domain::id::{Epoch, TicketId};
use ports::Fault;
use ports::inventory::{Inventory, LoadKey, Rebuild};

use crate::server::Server;
use crate::shard::{effect, fresh, held, open, request, sets, shard};

#[tokio::test]
async fn a_restarted_server_hands_out_nothing_until_it_was_opened_anew() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = server.store().await;
    let shard = shard("restart");
    open(&store, &shard, fresh(1, &[3])).await;
    let grant = held(&store, &shard, 1).await;
    server.restart(&["--appendonly", "yes"]);
    // Everything is there, the library too, but not the lease.
    assert!(server.keys().iter().any(|key| key.ends_with(":1:r")), "{:?}", server.keys());
    let closed = Err(Fault::Closed(shard.clone()));
    assert_eq!(store.hold(&shard, vec![request(2)]).await, closed);
    let release = [effect(EffectKind::Release, 1, &grant)];
    assert_eq!(store.settle(&shard, Epoch(1), &release).await, Err(Fault::Closed(shard.clone())));
    assert_eq!(store.touch(&shard, &[request(1).claim]).await, Err(Fault::Closed(shard.clone())));
    assert_eq!(store.units(&shard).await, Ok(None));
    assert_eq!(store.glance(&shard, &request(1)), Glance::Unknown);
    open(&store, &shard, fresh(2, &[3])).await;
    assert_eq!(held(&store, &shard, 2).await.epoch, Epoch(2));
    assert!(
        !server.keys().iter().any(|key| key.contains(":1:")),
        "the old namespace is gone: {:?}",
        server.keys()
    );
}

#[tokio::test]
async fn a_library_that_is_loaded_anew_hands_out_nothing() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("reload");
    open(&store, &shard, fresh(1, &[3])).await;
    held(&store, &shard, 1).await;
    server.ask::<String>(&["FUNCTION", "LOAD", "REPLACE", adapter_redis::library::TEXT]).unwrap();
    assert_eq!(store.hold(&shard, vec![request(2)]).await, Err(Fault::Closed(shard.clone())));
    open(&store, &shard, fresh(2, &[3])).await;
    held(&store, &shard, 2).await;
    server.ask::<String>(&["FUNCTION", "FLUSH"]).unwrap();
    assert_eq!(
        store.hold(&shard, vec![request(3)]).await,
        Err(Fault::Closed(shard.clone())),
        "no library at all"
    );
}

/// What a server does that keeps a library's memory for longer cannot be had here; what its leases name can be changed instead:
/// for this test a run of the server is called by a setting of it.
#[tokio::test]
async fn where_memory_outlives_its_process_a_lease_is_of_the_run_that_gave_it() {
    let library = adapter_redis::library::naming_runs();
    assert_ne!(library, adapter_redis::library::TEXT);
    let (asked, told) =
        ("redis.call('INFO', 'server'), 'run_id:(%x+)'", "redis.call('INFO', 'clients'), 'maxclients:(%d+)'");
    let changeable = library.replace(asked, told);
    assert_ne!(library, changeable);
    for library in [library, changeable] {
        let server = Server::start(&[]);
        server.ask::<String>(&["FUNCTION", "LOAD", &library]).unwrap();
        assert_eq!(server.ask::<String>(&["FCALL", "tz_version", "0"]).unwrap(), "2 naming runs");
        // An installation finds it there and leaves it.
        let store = server.store().await;
        let shard = shard("runs");
        open(&store, &shard, fresh(1, &[9])).await;
        let grant = held(&store, &shard, 1).await;
        server.ask::<String>(&["CONFIG", "SET", "maxclients", "777"]).unwrap();
        if library.contains("'run_id") {
            held(&store, &shard, 2).await;
            continue;
        }
        assert_eq!(store.hold(&shard, vec![request(2)]).await, Err(Fault::Closed(shard.clone())));
        let release = [effect(EffectKind::Release, 1, &grant)];
        assert_eq!(store.settle(&shard, Epoch(1), &release).await, Err(Fault::Closed(shard.clone())));
        // It is not back either where the name is, and a load of another run does not open.
        let key = store.begin(&shard, Epoch(2)).await.unwrap();
        store.load(&shard, key, 0, fresh(2, &[9])).await.unwrap();
        server.ask::<String>(&["CONFIG", "SET", "maxclients", "778"]).unwrap();
        assert_eq!(store.open(&shard, key, 1).await, Err(Fault::Closed(shard.clone())));
        open(&store, &shard, fresh(3, &[9])).await;
        assert_eq!(held(&store, &shard, 3).await.epoch, Epoch(3));
    }
}

#[tokio::test]
async fn another_epoch_than_the_leases_is_refused() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("stale");
    open(&store, &shard, fresh(5, &[3])).await;
    let grant = held(&store, &shard, 1).await;
    let release = [effect(EffectKind::Release, 1, &grant)];
    for epoch in [4, 6] {
        assert_eq!(store.settle(&shard, Epoch(epoch), &release).await, Err(Fault::Closed(shard.clone())));
    }
    for epoch in [4, 5] {
        assert_eq!(store.begin(&shard, Epoch(epoch)).await, Err(Fault::Closed(shard.clone())), "open at 5");
    }
    // Another node, which believes in an older epoch, learns the running one.
    let other = server.store().await;
    open(&other, &shard, fresh(6, &[3])).await;
    assert_eq!(held(&store, &shard, 2).await.epoch, Epoch(6));
    assert_eq!(store.settle(&shard, Epoch(5), &release).await, Err(Fault::Closed(shard.clone())));
    assert_eq!(sets(&store, &shard).await, [vec![1, 2], vec![0], vec![]]);
}

#[tokio::test]
async fn of_two_loaders_the_older_can_neither_load_nor_open() {
    let server = Server::start(&[]);
    let (one, two) = (server.store().await, server.store().await);
    let shard = shard("loaders");
    let closed = Err(Fault::Closed(shard.clone()));
    let older = one.begin(&shard, Epoch(1)).await.unwrap();
    one.load(&shard, older, 0, fresh(1, &[9])).await.unwrap();
    let newer = two.begin(&shard, Epoch(1)).await.unwrap();
    assert!(newer.0 > older.0);
    assert_eq!(one.load(&shard, older, 1, fresh(1, &[])).await, closed);
    assert_eq!(one.open(&shard, older, 1).await, closed);
    two.load(&shard, newer, 0, fresh(1, &[2])).await.unwrap();
    assert_eq!(one.open(&shard, older, 1).await, closed);
    two.open(&shard, newer, 1).await.unwrap();
    assert_eq!(two.open(&shard, newer, 1).await, closed, "a load opens once");
    assert_eq!(sets(&one, &shard).await[0], [0, 1], "nothing of the older load is left");
    // Also after it was closed: a late copy of `open` must not give permission back.
    two.close(&shard).await.unwrap();
    assert_eq!(two.open(&shard, newer, 1).await, closed);
    assert_eq!(two.open(&shard, LoadKey(7), 1).await, closed);
}

#[tokio::test]
async fn a_repeated_chunk_counts_once_and_none_may_be_missing() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("chunks");
    let closed = Err(Fault::Closed(shard.clone()));
    let key = store.begin(&shard, Epoch(1)).await.unwrap();
    assert_eq!(store.open(&shard, key, 0).await, closed, "no chunk at all");
    assert_eq!(store.load(&shard, key, 1, fresh(1, &[])).await, closed, "the first is missing");
    for _ in 0..3 {
        store.load(&shard, key, 0, fresh(1, &[4])).await.unwrap();
    }
    store.load(&shard, key, 1, fresh(1, &[])).await.unwrap();
    store.load(&shard, key, 0, fresh(1, &[4])).await.unwrap();
    for chunks in [0, 1, 3] {
        assert_eq!(store.open(&shard, key, chunks).await, closed);
    }
    store.open(&shard, key, 2).await.unwrap();
    assert_eq!(sets(&store, &shard).await, [vec![0, 1, 2, 3], vec![], vec![]]);
}

#[tokio::test]
async fn a_key_that_is_not_what_it_was_closes_the_shard() {
    let server = Server::start(&[]);
    let store = server.store().await;
    for (number, spoil) in [
        &["SET", "{root}:1:u", "x"][..],
        &["DEL", "{root}:1:m"],
        &["DEL", "{root}:1:f0"],
        &["HSET", "{root}:1:m", "n", "7"],
        &["FLUSHALL", "SYNC"],
    ]
    .into_iter()
    .enumerate()
    {
        let shard = shard(&format!("spoilt-{number}"));
        open(&store, &shard, fresh(1, &[9])).await;
        held(&store, &shard, 1).await;
        let root = format!("tz:{{{shard}}}");
        let words: Vec<String> = spoil.iter().map(|word| word.replace("{root}", &root)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        server.ask::<redis::Value>(&words).unwrap();
        let first = store.hold(&shard, vec![request(2)]).await;
        assert!(
            matches!(&first, Err(Fault::Unavailable { detail, .. }) if detail.contains("SELFFENCE")),
            "{first:?}"
        );
        assert_eq!(
            store.hold(&shard, vec![request(3)]).await,
            Err(Fault::Closed(shard.clone())),
            "{spoil:?}"
        );
        open(&store, &shard, fresh(2, &[9])).await;
        held(&store, &shard, 3).await;
    }
}

#[tokio::test]
async fn an_effect_that_was_sent_twice_applies_once() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("twice");
    open(&store, &shard, fresh(1, &[2])).await;
    let grant = held(&store, &shard, 1).await;
    let release = effect(EffectKind::Release, 1, &grant);
    let settled = store.settle(&shard, Epoch(1), &[release.clone(), release]).await;
    assert_eq!(settled, Ok(vec![Settled::Applied, Settled::NoOp]));
    assert_eq!(sets(&store, &shard).await, [vec![0, 1], vec![], vec![]]);
    let again = store.hold(&shard, vec![request(1)]).await.unwrap().remove(0);
    assert!(matches!(again, HoldOutcome::Replayed { grant, recorded: true } if grant.units.is_empty()));
    store.touch(&shard, &[TicketId([0; 16])]).await.unwrap();
}
