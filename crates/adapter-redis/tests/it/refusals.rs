//! Servers that this crate cannot work with are refused by name; full memory refuses holds and nothing else.

use adapter_redis::{Address, Options, Redis, Refusal, SealKey, library, probe};
use domain::hold::{EffectKind, Settled};
use domain::id::Epoch;
use ports::Fault;
use ports::inventory::Inventory;

use crate::server::Server;
use crate::shard::{effect, fresh, held, open, request, sets, shard};

async fn refusal(server: &Server) -> String {
    match Redis::connect(server.options()).await {
        Err(refusal) => refusal.to_string(),
        Ok(_) => panic!("it must be refused"),
    }
}

#[tokio::test]
async fn full_memory_refuses_holds_before_they_begin_and_nothing_else() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("full");
    open(&store, &shard, fresh(1, &[9])).await;
    let (one, two) = (held(&store, &shard, 1).await, held(&store, &shard, 2).await);
    let three = held(&store, &shard, 3).await;
    server.ask::<String>(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
    let refused = store.hold(&shard, vec![request(4)]).await;
    assert!(
        matches!(&refused, Err(Fault::Unavailable { detail, .. }) if detail.contains("OOM")),
        "{refused:?}"
    );
    let effects = [
        effect(EffectKind::Pin, 1, &one),
        effect(EffectKind::Release, 2, &two),
        effect(EffectKind::Confirm, 3, &three),
    ];
    assert_eq!(store.settle(&shard, Epoch(1), &effects).await, Ok(vec![Settled::Applied; 3]));
    assert_eq!(sets(&store, &shard).await, [vec![1, 3, 4, 5, 6, 7, 8], vec![0], vec![2]]);
    server.ask::<String>(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
    held(&store, &shard, 4).await;
}

#[tokio::test]
async fn a_server_without_the_library_or_with_another_is_refused() {
    let server = Server::start(&[]);
    let none = refusal(&server).await;
    assert!(none.contains("has no function library") && none.contains("install that version"), "{none}");
    let other = library::TEXT.replace("local VERSION = '2'", "local VERSION = '1'");
    assert_ne!(other, library::TEXT);
    server.ask::<String>(&["FUNCTION", "LOAD", &other]).unwrap();
    let other = refusal(&server).await;
    assert!(other.contains("has version 1, and this program speaks version 2"), "{other}");
    let installed = probe::install(&server.address()).await;
    assert!(matches!(&installed, Err(Refusal::Library { .. })), "it is not replaced unasked: {installed:?}");
    probe::replace(&server.address()).await.unwrap();
    assert_eq!(
        server.ask::<String>(&["FCALL", "tz_version", "0"]).unwrap(),
        "2",
        "whoever asks for it gets it"
    );
    let store = server.store().await;
    let shard = shard("replaced");
    open(&store, &shard, fresh(1, &[9])).await;
    held(&store, &shard, 1).await;
    probe::replace(&server.address()).await.unwrap();
    held(&store, &shard, 2).await;
}

#[tokio::test]
async fn installing_again_closes_nothing() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let shard = shard("again");
    open(&store, &shard, fresh(1, &[9])).await;
    probe::install(&server.address()).await.unwrap();
    held(&store, &shard, 1).await;
    let libraries: redis::Value = server.ask(&["FUNCTION", "LIST"]).unwrap();
    assert!(!format!("{libraries:?}").contains("trial"), "the trial leaves nothing behind: {libraries:?}");
}

#[tokio::test]
async fn a_server_that_evicts_is_refused() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]);
    let refused = probe::install(&server.address()).await.unwrap_err().to_string();
    assert!(refused.contains("maxmemory-policy allkeys-lru") && refused.contains("noeviction"), "{refused}");
    assert_eq!(refusal(&server).await, refused);
}

#[tokio::test]
async fn keys_of_another_system_are_left_alone() {
    let server = Server::start(&[]);
    probe::install(&server.address()).await.unwrap();
    let system = async |secret: u8, name: &str| {
        let (seal, name) = (SealKey::new([secret; 32]), name.to_owned());
        Redis::connect(Options { address: server.address(), seal, name }).await.map(drop)
    };
    for _ in 0..2 {
        assert_eq!(system(3, "shop").await, Ok(()), "its own, also again");
    }
    assert_eq!(system(4, "shop").await, Err(Refusal::Owned { key: "tz:shop:owner".to_owned() }));
    assert_eq!(system(4, "staging").await, Ok(()), "by another name");
    let removed: u8 = server.ask(&["DEL", "tz:shop:owner"]).unwrap();
    assert_eq!(removed, 1);
    assert_eq!(system(4, "shop").await, Ok(()), "where the first one is gone for good");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_fault_in_bounded_time() {
    let server = Server::start(&[]);
    let store = server.store().await;
    let address = server.address();
    drop(server);
    let shard = shard("away");
    let asked =
        tokio::time::timeout(std::time::Duration::from_secs(10), store.hold(&shard, vec![request(1)]));
    assert!(matches!(asked.await.unwrap(), Err(Fault::Unavailable { .. })));
    let options = Options { address, seal: SealKey::new([3; 32]), name: String::new() };
    assert!(matches!(Redis::connect(options).await, Err(Refusal::Unreachable(_))));
    let nowhere =
        Options { address: Address::of(Vec::new()), seal: SealKey::new([3; 32]), name: String::new() };
    assert!(matches!(Redis::connect(nowhere).await, Err(Refusal::Unreachable(_))));
}
