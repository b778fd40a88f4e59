//! Loading a shard: only in memory, since the ledger has what is loaded.

use async_trait::async_trait;
use domain::id::{Epoch, ShardId};
use domain::snapshot::ShardSnapshot;
use ports::Fault;
use ports::inventory::{LoadKey, Rebuild};

use crate::Embedded;
use crate::cell::Loading;

#[async_trait]
impl Rebuild for Embedded {
    async fn running(&self, shard: &ShardId) -> Result<Option<Epoch>, Fault> {
        let cell = self.shared.cell(shard);
        let selling = cell.read();
        Ok(selling.open.then(|| selling.shard.epoch()))
    }

    async fn close(&self, shard: &ShardId) -> Result<(), Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            core.shared.cell(&shard).write().open = false;
            core.touch(&shard);
        })
        .await
    }

    async fn begin(&self, shard: &ShardId, epoch: Epoch) -> Result<LoadKey, Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let cell = core.shared.cell(&shard);
            let mut selling = cell.write();
            if selling.open && selling.shard.epoch() >= epoch {
                return Err(Fault::Closed(shard));
            }
            core.load_keys += 1;
            selling.open = false;
            selling.loading = Some(Loading { key: core.load_keys, epoch, chunks: 0, shard: None });
            drop(selling);
            core.touch(&shard);
            Ok(LoadKey(core.load_keys))
        })
        .await?
    }

    async fn load(
        &self,
        shard: &ShardId,
        key: LoadKey,
        number: u32,
        chunk: ShardSnapshot,
    ) -> Result<(), Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let cell = core.shared.cell(&shard);
            let mut selling = cell.write();
            match selling.loading.as_mut().filter(|loading| loading.key == key.0) {
                Some(loading) if number < loading.chunks => Ok(()),
                Some(loading) if number == loading.chunks => {
                    loading.take(chunk);
                    Ok(())
                }
                Some(_) | None => Err(Fault::Closed(shard)),
            }
        })
        .await?
    }

    async fn open(&self, shard: &ShardId, key: LoadKey, chunks: u32) -> Result<(), Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let cell = core.shared.cell(&shard);
            let mut selling = cell.write();
            let ready =
                selling.loading.as_ref().is_some_and(|load| load.key == key.0 && load.chunks == chunks);
            let loaded = if ready { selling.loading.take().and_then(|loading| loading.shard) } else { None };
            let Some(loaded) = loaded else { return Err(Fault::Closed(shard)) };
            selling.shard = loaded;
            selling.open = true;
            drop(selling);
            core.touch(&shard);
            Ok(())
        })
        .await?
    }
}
