//! A cluster of three primaries: sales spread over them, and each needs the library.

use adapter_redis::{Address, Options, Redis, Refusal, SealKey, probe};
use domain::hold::{EffectKind, Settled};
use domain::id::Epoch;
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::inventory::Inventory;
use ports::status_board::StatusBoard;

use crate::server::Server;
use crate::shard::{effect, fresh, held, open, request, sets, shard};

/// Three primaries with a third of the slots each.
async fn cluster() -> Vec<Server> {
    let free =
        || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let buses: Vec<String> = (0..3).map(|_| free()).collect();
    let start = |bus: &String| Server::start(&["--cluster-enabled", "yes", "--cluster-port", bus]);
    let nodes: Vec<Server> = buses.iter().map(start).collect();
    for (node, slots) in nodes.iter().zip([["0", "5460"], ["5461", "10922"], ["10923", "16383"]]) {
        node.ask::<String>(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]).unwrap();
        nodes[0]
            .ask::<String>(&[
                "CLUSTER",
                "MEET",
                "127.0.0.1",
                &node.port.to_string(),
                &buses[index(&nodes, node)],
            ])
            .unwrap();
    }
    for node in &nodes {
        for tries in 0.. {
            let info: String = node.ask(&["CLUSTER", "INFO"]).unwrap();
            if info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3") {
                break;
            }
            assert!(tries < 600, "the cluster does not form: {info}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    nodes
}

fn index(nodes: &[Server], node: &Server) -> usize {
    nodes.iter().position(|each| each.port == node.port).unwrap()
}

#[tokio::test]
async fn sales_spread_over_the_primaries_and_each_needs_the_library() {
    let nodes = cluster().await;
    let address = Address::of(nodes.iter().flat_map(|node| node.address().nodes).collect());
    probe::install(&address).await.unwrap();
    let options = Options { address, seal: SealKey::new([3; 32]), name: String::new() };
    let store = Redis::connect(options.clone()).await.unwrap();
    for number in 0..12 {
        let shard = shard(&format!("spread-{number}"));
        open(&store, &shard, fresh(1, &[4])).await;
        let grant = held(&store, &shard, 1).await;
        let released = store.settle(&shard, Epoch(1), &[effect(EffectKind::Release, 1, &grant)]).await;
        assert_eq!(released, Ok(vec![Settled::Applied]));
        held(&store, &shard, 2).await;
        assert_eq!(sets(&store, &shard).await, [vec![0, 2, 3], vec![1], vec![]]);
        assert_eq!(store.unpinned(&shard, Timestamp::MAX, 9).await.unwrap().len(), 1);
        open(&store, &shard, fresh(2, &[4])).await;
        let stamp = TicketStamp {
            ticket: request(1).claim,
            shard: shard.clone(),
            epoch: Epoch(1),
            issued_at: Timestamp::EPOCH,
        };
        store.show(vec![StatusDocument::queued(stamp, request(1).terms)]).await.unwrap();
        assert!(store.look(&shard, request(1).claim).await.unwrap().is_some());
    }
    for node in &nodes {
        assert!(!node.keys().is_empty(), "every primary has some of the sales");
        assert!(node.keys().iter().all(|key| !key.contains(":1:")), "old namespaces are gone");
    }
    nodes[1].ask::<String>(&["FUNCTION", "FLUSH"]).unwrap();
    let refused = Redis::connect(options).await.err();
    assert!(matches!(refused, Some(Refusal::Library { .. })), "{refused:?}");
}
