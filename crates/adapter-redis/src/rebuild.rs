//! The rebuild port: a chunk goes in numbered parts, so that no call takes long.

use async_trait::async_trait;
use domain::id::{Epoch, ProductNo, ShardId};
use domain::snapshot::{ProductSnapshot, ShardSnapshot};
use ports::Fault;
use ports::inventory::{LoadKey, Rebuild};
use redis::Cmd;

use crate::keys::Keys;
use crate::library::{Answer, WHAT, answer, call, lacks_library, number, unknown};
use crate::probe::{check_slot, install};
use crate::{Redis, Shared, codec};

/// Entries of a part.
const PART: usize = 128;
/// Ranges of free units in one entry.
const RANGES: usize = 1_024;

/// What a part is made of: two arguments each, and the free list that it goes to.
struct Entry {
    head: Vec<u8>,
    body: Vec<u8>,
    free: Option<ProductNo>,
}

#[async_trait]
impl Rebuild for Redis {
    async fn running(&self, shard: &ShardId) -> Result<Option<Epoch>, Fault> {
        match self.shared.look(shard).await {
            Ok(epoch) => Ok(Some(epoch)),
            Err(Fault::Closed(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn close(&self, shard: &ShardId) -> Result<(), Fault> {
        let mut command = call("tz_close", &[self.shared.keys.root(shard)]);
        self.shared.rebuilding(shard, command.arg(0)).await?;
        self.shared.views.closed(shard);
        Ok(())
    }

    async fn begin(&self, shard: &ShardId, epoch: Epoch) -> Result<LoadKey, Fault> {
        let mut command = call("tz_begin", &self.shared.keys.head(shard, epoch));
        let values = self.shared.rebuilding(shard, command.arg(epoch.0)).await?;
        self.shared.views.closed(shard);
        // Asked once the command has found the right primary: a question without keys is not redirected.
        check_slot(&self.shared.client, Keys::slot(shard))
            .await
            .map_err(|refusal| Fault::unavailable(WHAT, refusal))?;
        self.shared.loads().insert(shard.clone(), epoch);
        values.first().and_then(number).map(LoadKey).ok_or_else(unknown)
    }

    async fn load(
        &self,
        shard: &ShardId,
        key: LoadKey,
        number: u32,
        chunk: ShardSnapshot,
    ) -> Result<(), Fault> {
        let epoch = self.shared.begun(shard)?;
        let entries = entries(number, &chunk)?;
        // An empty chunk is a part too.
        let parts = entries.len().div_ceil(PART).max(1);
        for part in 0..parts {
            let from = part * PART;
            let mine = entries.get(from..entries.len().min(from + PART)).unwrap_or_default();
            let command = load_part(
                &self.shared.keys,
                shard,
                epoch,
                key,
                [number, part as u32, u32::from(part + 1 == parts)],
                mine,
            );
            self.shared.rebuilding(shard, &command).await?;
        }
        Ok(())
    }

    async fn open(&self, shard: &ShardId, key: LoadKey, chunks: u32) -> Result<(), Fault> {
        let epoch = self.shared.begun(shard)?;
        let mut command = call("tz_open", &self.shared.keys.head(shard, epoch));
        command.arg(epoch.0).arg(key.0).arg(chunks);
        self.shared.rebuilding(shard, &command).await?;
        self.shared.epochs().insert(shard.clone(), epoch);
        // The counts are known here from now on; where the look fails, the next one finds them.
        if let Err(fault) = self.shared.look(shard).await {
            tracing::debug!(%shard, %fault, "its counts are not known yet");
        }
        Ok(())
    }
}

impl Shared {
    /// Sends a command of a rebuild. A primary that has no function library, because it was added or its functions were
    /// flushed, is given it first.
    ///
    /// # Errors
    /// [`Fault::Closed`] where the library refuses it, or a fault of the store.
    async fn rebuilding(&self, shard: &ShardId, command: &Cmd) -> Result<Vec<redis::Value>, Fault> {
        let mut sent = self.client.send(command).await;
        if lacks_library(&sent) {
            install(&self.address).await.map_err(|refusal| Fault::unavailable(WHAT, refusal))?;
            sent = self.client.send(command).await;
        }
        match answer(sent)? {
            Answer::Done(values) => Ok(values),
            Answer::Fenced(_) => Err(Fault::Closed(shard.clone())),
        }
    }

    /// The epoch of the newest load that this node began: a key of another node's is worth nothing here.
    fn begun(&self, shard: &ShardId) -> Result<Epoch, Fault> {
        self.loads().get(shard).copied().ok_or_else(|| Fault::Closed(shard.clone()))
    }
}

fn entries(number: u32, chunk: &ShardSnapshot) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    // The first chunk brings the products.
    let products: &[ProductSnapshot] = if number == 0 { &chunk.products } else { &[] };
    for product in products {
        let body = product.stock.to_be_bytes().to_vec();
        entries.push(Entry { head: b"P".to_vec(), body, free: None });
    }
    for (at, product) in products.iter().enumerate() {
        for ranges in product.free.ranges().chunks(RANGES) {
            let body = ranges.iter().flat_map(|range| [range.start, range.end]).flat_map(u32::to_be_bytes);
            entries.push(Entry { head: Vec::new(), body: body.collect(), free: Some(ProductNo(at as u16)) });
        }
    }
    for record in &chunk.records {
        entries.push(Entry { head: record.claim.0.to_vec(), body: codec::record(record)?, free: None });
    }
    Ok(entries)
}

/// `at` is the chunk's number, the part's, and 1 in the last part.
fn load_part(
    keys: &Keys,
    shard: &ShardId,
    epoch: Epoch,
    key: LoadKey,
    at: [u32; 3],
    entries: &[Entry],
) -> Cmd {
    let mut products: Vec<ProductNo> = entries.iter().filter_map(|entry| entry.free).collect();
    products.dedup();
    let mut command = call("tz_load", &keys.namespace(shard, epoch, &products));
    command.arg(epoch.0).arg(key.0).arg(&at[..]);
    for Entry { head, body, free } in entries {
        if let Some(product) = free {
            // They come in order, and at most `PART` of them.
            let place = products.partition_point(|each| each <= product) as u8;
            let [high, low] = product.0.to_be_bytes();
            command.arg(&[b'F', place, high, low][..]).arg(body);
        } else {
            command.arg(head).arg(body);
        }
    }
    command
}
