//! A shard of the tests' own, and what they ask of it.

use adapter_redis::Redis;
use domain::hold::{Effect, EffectKind, Grant, HoldOutcome, HoldRequest, Intent, Terms};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::snapshot::{ProductSnapshot, ShardSnapshot};
use domain::unit_set::UnitSet;
use ports::inventory::{Inventory, Rebuild};

pub fn shard(sale: &str) -> ShardId {
    ShardId { sale: SaleId::parse(sale).unwrap(), number: 0 }
}

/// Products of these stocks, all free.
pub fn fresh(epoch: u32, stocks: &[u32]) -> ShardSnapshot {
    let product = |stock: &u32| ProductSnapshot { stock: *stock, free: UnitSet::whole(*stock) };
    ShardSnapshot { epoch: Epoch(epoch), products: stocks.iter().map(product).collect(), records: Vec::new() }
}

/// Loads and opens.
pub async fn open(store: &Redis, shard: &ShardId, snapshot: ShardSnapshot) {
    let key = store.begin(shard, snapshot.epoch).await.unwrap();
    store.load(shard, key, 0, snapshot).await.unwrap();
    store.open(shard, key, 1).await.unwrap();
}

/// A checkout of one unit of the first product; the claim is made of `number`.
pub fn request(number: u32) -> HoldRequest {
    let mut claim = [0; 16];
    claim[..4].copy_from_slice(&number.to_be_bytes());
    claim[15] = 1;
    HoldRequest {
        claim: TicketId(claim),
        ticket: TicketId(claim),
        user: UserHash(claim),
        user_id: UserId::parse(&format!("buyer-{number}")).unwrap(),
        terms: Terms { product: ProductNo(0), quantity: 1 },
        limit: 2,
        intent: Intent::Take,
    }
}

pub async fn held(store: &Redis, shard: &ShardId, number: u32) -> Grant {
    match store.hold(shard, vec![request(number)]).await.unwrap().remove(0) {
        HoldOutcome::Held { grant, .. } => grant,
        other => panic!("the unit was free: {other:?}"),
    }
}

pub fn effect(kind: EffectKind, number: u32, grant: &Grant) -> Effect {
    Effect { kind, product: ProductNo(0), claim: request(number).claim, units: grant.units.clone() }
}

/// Free, held and sold units of the first product, sorted; the shard is open.
pub async fn sets(store: &Redis, shard: &ShardId) -> [Vec<u32>; 3] {
    let units = store.units(shard).await.unwrap().unwrap().remove(0);
    assert_eq!(units.counted, units.sizes(), "counters are the sizes of the sets");
    [units.free.into_iter().flatten().collect(), units.held, units.sold].map(|mut set: Vec<u32>| {
        set.sort_unstable();
        set
    })
}
