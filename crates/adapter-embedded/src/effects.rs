//! Effects for the inventory, and the terms of shards.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use domain::fence::{Position, Term};
use domain::id::{Epoch, ProductNo, ShardId};
use domain::snapshot::{ProductSnapshot, RecordSnapshot, ShardSnapshot};
use domain::unit_set::UnitSet;
use ports::Fault;
use ports::ledger::{Effects, PendingEffect, Terms, Turn};
use wire::record::Record;

use crate::Embedded;
use crate::Shared;
use crate::core::Core;

#[async_trait]
impl Effects for Embedded {
    async fn pending(&self, shard: &ShardId, limit: usize) -> Result<(Epoch, Vec<PendingEffect>), Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let book = core.book.shard(&shard);
            (book.term.epoch, book.effects.iter().take(limit).cloned().collect())
        })
        .await
    }

    async fn forget(&self, shard: &ShardId, ids: Vec<u64>) -> Result<(), Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            core.book.shard(&shard).forget_effects(ids);
            core.book.touch(&shard.sale);
        })
        .await
    }

    async fn wait(&self, shard: &ShardId) {
        // Listening begins before the look, so that an effect in between wakes.
        let mut effects = self.shared.cell(shard).effects.subscribe();
        let waiting = {
            let shard = shard.clone();
            self.call(move |core| !core.book.shard(&shard).effects.is_empty()).await
        };
        if !waiting.unwrap_or(false) {
            drop(effects.changed().await);
        }
    }
}

/// One process has the file, so that turns are kept in its memory.
struct Held {
    shared: Arc<Shared>,
    shard: ShardId,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.shared.turns.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.shard);
    }
}

#[async_trait]
impl Terms for Embedded {
    async fn turn(&self, shard: &ShardId) -> Result<Option<Turn>, Fault> {
        let free = self.shared.turns.lock().unwrap_or_else(PoisonError::into_inner).insert(shard.clone());
        Ok(free.then(|| Turn::new(Held { shared: Arc::clone(&self.shared), shard: shard.clone() })))
    }

    async fn term(&self, shard: &ShardId) -> Result<Term, Fault> {
        let shard = shard.clone();
        self.call(move |core| core.book.shard(&shard).term).await
    }

    async fn fence(&self, shard: &ShardId) -> Result<Term, Fault> {
        let shard = shard.clone();
        self.call(move |core| turn(core, &shard, |term| Some(term.begin()))).await?
    }

    async fn set_fence(&self, shard: &ShardId, epoch: Epoch, end: Position) -> Result<Term, Fault> {
        let shard = shard.clone();
        self.call(move |core| turn(core, &shard, |term| Some(term.with_fence(epoch, end)))).await?
    }

    async fn snapshot(&self, shard: &ShardId, epoch: Epoch) -> Result<Option<ShardSnapshot>, Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let book = core.book.shard(&shard);
            let (before, position) = (book.term, book.position);
            let Some(term) = before.snapshot(epoch, position) else { return Ok(None) };
            core.record(Record::Term { shard: shard.clone(), term })?;
            core.book.shard(&shard).effects.clear();
            core.book.touch(&shard.sale);
            Ok(Some(picture(core, &shard, epoch)))
        })
        .await?
    }

    async fn opened(&self, shard: &ShardId, epoch: Epoch) -> Result<bool, Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let term = turn(core, &shard, |term| term.opened(epoch))?;
            Ok(term.opened(epoch).is_none()
                && term.epoch == epoch
                && term.state == domain::fence::TermState::Open)
        })
        .await?
    }
}

/// The term after `step`, recorded where it changed.
fn turn(core: &mut Core, shard: &ShardId, step: impl Fn(Term) -> Option<Term>) -> Result<Term, Fault> {
    let term = core.book.shard(shard).term;
    match step(term).filter(|next| *next != term) {
        Some(next) => {
            core.record(Record::Term { shard: shard.clone(), term: next })?;
            Ok(next)
        }
        None => Ok(term),
    }
}

/// The shard as the ledger knows it.
fn picture(core: &Core, shard: &ShardId, epoch: Epoch) -> ShardSnapshot {
    let products = core.book.sales.get(&shard.sale).map_or(&[][..], |sale| &sale.sale.products);
    let book = core.book.shards.get(shard);
    let product = |(number, product): (usize, &domain::product::Product)| {
        let owned = book.map(|book| UnitSet::collect(book.owned(ProductNo(number as u16))).0);
        ProductSnapshot {
            stock: product.stock,
            free: UnitSet::whole(product.stock).difference(&owned.unwrap_or_default()),
        }
    };
    ShardSnapshot {
        epoch,
        products: products.iter().enumerate().map(product).collect(),
        records: core.book.orders_of(shard).flat_map(RecordSnapshot::of).collect(),
    }
}
