//! Claims of the tests' own.

use std::sync::atomic::{AtomicU64, Ordering};

use adapter_kafka::Kafka;
use domain::fence::Position;
use domain::few::Few;
use domain::hold::{Claim, Terms};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::time::Timestamp;
use ports::claims::{ClaimBatch, ClaimLog as _};

/// A shard that no other test has.
pub fn shard() -> ShardId {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    ShardId { sale: SaleId::parse(&format!("sale-{}-{number}", std::process::id())).unwrap(), number: 0 }
}

/// The claim of this number.
pub fn claim(shard: &ShardId, number: u32) -> Claim {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Claim {
        ticket: TicketId(bytes),
        shard: shard.clone(),
        epoch: Epoch(1),
        issued_at: Timestamp::from_millis(1_764_064_800_000 + i64::from(number)),
        user: UserHash(bytes),
        user_id: UserId::parse(&format!("buyer-{number}")).unwrap(),
        terms: Terms { product: ProductNo(0), quantity: 1 },
        units: Few::One(number),
    }
}

/// The claims of these numbers.
pub fn claims(shard: &ShardId, numbers: std::ops::Range<u32>) -> Vec<Claim> {
    numbers.map(|number| claim(shard, number)).collect()
}

/// Reads from `from` to the end as it is now; each claim's unit, which is its number.
pub async fn read_all(log: &Kafka, shard: &ShardId, mut from: u64) -> Vec<u32> {
    let end = log.end(shard).await.unwrap();
    let mut numbers = Vec::new();
    while from < end.0 {
        let batch = log.read(shard, Position(from), 1_000).await.unwrap();
        assert!(batch.next.0 > from, "there is something to read before the end");
        for (at, claim) in &batch.claims {
            assert!(at.0 >= from && *at < batch.next);
            assert_eq!(*claim, self::claim(shard, claim.units[0]), "as it was written");
            numbers.push(claim.units[0]);
        }
        from = batch.next.0;
    }
    numbers
}

/// Reads `count` claims from `from` on. One reading gives what has come, which may be fewer.
pub async fn read(log: &Kafka, shard: &ShardId, from: Position, count: usize) -> ClaimBatch {
    let mut all = ClaimBatch { from, next: from, claims: Vec::new() };
    while all.claims.len() < count {
        let batch = log.read(shard, all.next, count - all.claims.len()).await.unwrap();
        assert!(batch.next > all.next, "there is something to read before the end");
        all.claims.extend(batch.claims);
        all.next = batch.next;
    }
    all
}
