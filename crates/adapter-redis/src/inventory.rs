//! The inventory port: every decision is the function library's.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::hold::{Claim, Effect, Glance, HoldOutcome, HoldRequest, Settled, StockView};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId};
use domain::inventory::InventoryUnits;
use domain::time::Timestamp;
use futures::stream::{self, StreamExt as _};
use ports::Fault;
use ports::inventory::{Inventory, Unpinned};
use redis::Value;

use crate::codec::{self, Reader};
use crate::library::{Answer, WHAT, answer, call, list, number, text, unknown};
use crate::{Redis, Shared};

/// Requests or effects that one call takes: Redis serves nobody else meanwhile.
const BATCH: usize = 128;
/// Records that one call of the audit looks at.
const PAGE: usize = 4_096;
/// How often the audit begins again where the shard moves under it.
const TRIES: usize = 20;
/// The least time between two looks at what somebody asked for.
const LOOK: Duration = Duration::from_millis(100);
/// Looks that may be under way at once.
const LOOKS: usize = 64;

#[async_trait]
impl Inventory for Redis {
    fn view(&self, sale: &SaleId, product: ProductNo) -> Option<StockView> {
        // One shard a sale; see the sale's definition.
        self.shared.views.of(&ShardId { sale: sale.clone(), number: 0 }, product)
    }

    fn glance(&self, _shard: &ShardId, _request: &HoldRequest) -> Glance {
        Glance::Unknown
    }

    async fn hold(&self, shard: &ShardId, requests: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, Fault> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for batch in requests.chunks(BATCH) {
            match self.shared.hold(shard, batch).await {
                Ok(decided) => outcomes.extend(decided),
                Err(Fault::Closed(_)) if !outcomes.is_empty() => {
                    return Err(Fault::unavailable(WHAT, "the shard closed between two parts of a batch"));
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(outcomes)
    }

    async fn settle(&self, shard: &ShardId, epoch: Epoch, effects: &[Effect]) -> Result<Vec<Settled>, Fault> {
        let mut settled = Vec::with_capacity(effects.len());
        // A shard that closes in between forgets what the parts before did: then nothing happened.
        for batch in effects.chunks(BATCH) {
            settled.extend(self.shared.settle(shard, epoch, batch).await?);
        }
        if effects.is_empty() && self.shared.look(shard).await? != epoch {
            return Err(Fault::Closed(shard.clone()));
        }
        Ok(settled)
    }

    async fn unpinned(
        &self,
        shard: &ShardId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Unpinned>, Fault> {
        self.shared.unpinned(shard, before, limit).await
    }

    async fn touch(&self, shard: &ShardId, claims: &[TicketId]) -> Result<(), Fault> {
        for batch in claims.chunks(BATCH) {
            let build = |epoch: Epoch| {
                let mut command = call("tz_touch", &self.shared.keys.namespace(shard, epoch, &[]));
                command.arg(epoch.0).arg("");
                for claim in batch {
                    command.arg(&claim.0[..]);
                }
                command
            };
            self.shared.call_open(shard, build).await?;
        }
        Ok(())
    }

    async fn units(&self, shard: &ShardId) -> Result<Option<Vec<InventoryUnits>>, Fault> {
        for _ in 0..TRIES {
            match self.shared.units(shard).await {
                Ok(None) => {}
                Ok(units) => return Ok(units),
                Err(Fault::Closed(_)) => return Ok(None),
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::unavailable(
            WHAT,
            "the shard moves faster than its units can be read: ask at a quieter moment",
        ))
    }
}

/// The products of `each`, once, and the place of one among them from 1.
fn products(each: impl Iterator<Item = ProductNo>) -> Vec<ProductNo> {
    let mut products: Vec<ProductNo> = each.collect();
    products.sort_unstable();
    products.dedup();
    products
}

fn place(products: &[ProductNo], product: ProductNo) -> u8 {
    // At most one a request, so at most `BATCH`.
    products.partition_point(|each| *each <= product) as u8
}

impl Shared {
    async fn hold(&self, shard: &ShardId, requests: &[HoldRequest]) -> Result<Vec<HoldOutcome>, Fault> {
        let products = products(requests.iter().map(|request| request.terms.product));
        let build = |epoch: Epoch| {
            let mut command = call("tz_hold", &self.keys.namespace(shard, epoch, &products));
            command.arg(epoch.0).arg(codec::named(&products));
            for request in requests {
                let sealed = self.seal.seal(request.claim, &request.user_id);
                let ask = codec::ask(request, place(&products, request.terms.product), &sealed);
                command.arg(&request.claim.0[..]).arg(codec::standing(request.user, request.terms.product));
                command.arg(ask);
            }
            command
        };
        let (epoch, values) = self.call_open(shard, build).await?;
        let answers = self.counted(shard, epoch, &products, &values)?;
        let outcomes: Option<Vec<_>> = answers.iter().map(|answer| codec::outcome(text(answer))).collect();
        outcomes.filter(|outcomes| outcomes.len() == requests.len()).ok_or_else(unknown)
    }

    async fn settle(&self, shard: &ShardId, epoch: Epoch, effects: &[Effect]) -> Result<Vec<Settled>, Fault> {
        let products = products(effects.iter().map(|effect| effect.product));
        let mut command = call("tz_settle", &self.keys.namespace(shard, epoch, &products));
        command.arg(epoch.0).arg(codec::named(&products));
        for effect in effects {
            command.arg(&effect.claim.0[..]).arg(codec::body(effect, place(&products, effect.product)));
        }
        let Answer::Done(values) = answer(self.client.send(&command).await)? else {
            return Err(Fault::Closed(shard.clone()));
        };
        let applied = self.counted(shard, epoch, &products, &values)?;
        if applied.len() != effects.len() {
            return Err(unknown());
        }
        let settled = |value| if number(value) == Some(1) { Settled::Applied } else { Settled::NoOp };
        Ok(applied.iter().map(settled).collect())
    }

    /// Remembers the counters of an answer, and gives what follows them.
    fn counted<'a>(
        &self,
        shard: &ShardId,
        epoch: Epoch,
        products: &[ProductNo],
        values: &'a [Value],
    ) -> Result<&'a [Value], Fault> {
        let [writes, counters, rest @ ..] = values else { return Err(unknown()) };
        let writes = number(writes).ok_or_else(unknown)?;
        let views = products.iter().zip(list(counters));
        let views = views.filter_map(|(product, bytes)| Some((*product, codec::counters(text(bytes))?)));
        self.views.saw(shard, (epoch, writes), views);
        Ok(rest.first().map(list).unwrap_or_default())
    }

    /// Looks at every counter; gives the epoch at which the shard is open.
    pub(crate) async fn look(&self, shard: &ShardId) -> Result<Epoch, Fault> {
        self.counters(shard).await.map(|(epoch, _)| epoch)
    }

    async fn counters(&self, shard: &ShardId) -> Result<(Epoch, usize), Fault> {
        let build = |epoch: Epoch| {
            let mut command = call("tz_view", &self.keys.head(shard, epoch));
            command.arg(epoch.0);
            command
        };
        let (epoch, values) = self.call_open(shard, build).await?;
        let count = values.get(1).map(list).unwrap_or_default().len();
        let products: Vec<_> = (0..count).map(|number| ProductNo(number as u16)).collect();
        self.counted(shard, epoch, &products, &values)?;
        Ok((epoch, count))
    }

    async fn unpinned(
        &self,
        shard: &ShardId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Unpinned>, Fault> {
        let (mut found, mut seen, mut after) = (Vec::new(), HashSet::new(), Some(0));
        while let (Some(batch), true) = (after, found.len() < limit) {
            let build = |epoch: Epoch| {
                let mut command = call("tz_unpinned", &self.keys.namespace(shard, epoch, &[]));
                command.arg(epoch.0).arg(before.as_millis()).arg(batch).arg(limit - found.len());
                command
            };
            let (_, values) = self.call_open(shard, build).await?;
            let [next, claims @ ..] = &values[..] else { return Err(unknown()) };
            after = number(next);
            for pair in claims.chunks_exact(2) {
                let unpinned = self.whole(shard, text(&pair[0]), text(&pair[1]))?;
                // A claim that was touched between two calls comes again at the end.
                if seen.insert(unpinned.claim.ticket) {
                    found.push(unpinned);
                }
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// The claim with its buyer's identifier.
    fn whole(&self, shard: &ShardId, claim: &[u8], record: &[u8]) -> Result<Unpinned, Fault> {
        let claim = TicketId(Reader(claim).array().ok_or_else(unknown)?);
        let record = codec::unacknowledged(claim, record).ok_or_else(unknown)?;
        let user_id = self.seal.unseal(claim, record.sealed);
        let user_id = user_id.ok_or_else(|| {
            Fault::damaged(
                WHAT,
                "a buyer's identifier was sealed under another key: every node needs the same",
            )
        })?;
        let claim = Claim {
            ticket: claim,
            shard: shard.clone(),
            epoch: record.grant.epoch,
            issued_at: record.grant.issued_at,
            user: record.user,
            user_id,
            terms: record.terms,
            units: record.grant.units,
        };
        Ok(Unpinned { claim, ticket: record.ticket })
    }

    /// One try to read every unit; `None` where the shard moved between two pages.
    async fn units(&self, shard: &ShardId) -> Result<Option<Vec<InventoryUnits>>, Fault> {
        let (epoch, count) = self.counters(shard).await?;
        let products: Vec<_> = (0..count).map(|number| ProductNo(number as u16)).collect();
        let (mut units, mut seen, mut stand) = (Vec::new(), HashSet::new(), None);
        let mut cursor = b"0".to_vec();
        loop {
            let mut command = call("tz_units", &self.keys.namespace(shard, epoch, &products));
            command.arg(epoch.0).arg(&cursor).arg(PAGE);
            let Answer::Done(values) = answer(self.client.send(&command).await)? else {
                return Err(Fault::Closed(shard.clone()));
            };
            let [writes, next, counters, free, records @ ..] = &values[..] else { return Err(unknown()) };
            if *stand.get_or_insert(number(writes)) != number(writes) {
                return Ok(None);
            }
            if cursor == b"0" {
                units = free_units(list(counters), list(free)).ok_or_else(unknown)?;
            }
            for pair in records.chunks_exact(2) {
                // A page may have what another one had.
                if seen.insert(text(&pair[0]).to_vec()) {
                    place_units(&mut units, text(&pair[1])).ok_or_else(unknown)?;
                }
            }
            cursor = text(next).to_vec();
            if cursor == b"0" {
                return Ok(Some(units));
            }
        }
    }
}

fn free_units(counters: &[Value], free: &[Value]) -> Option<Vec<InventoryUnits>> {
    let product = |(counters, free): (&Value, &Value)| {
        let view = codec::counters(text(counters))?;
        let ranges = Reader(text(free)).units()?;
        let free = ranges.chunks_exact(2).map(|range| range[0]..range[1]).collect();
        let counted = [view.available, view.held, view.sold];
        Some(InventoryUnits { stock: view.stock, free, counted, ..InventoryUnits::default() })
    };
    counters.iter().zip(free).map(product).collect()
}

fn place_units(units: &mut [InventoryUnits], record: &[u8]) -> Option<()> {
    let mut reader = Reader(record);
    let sold = reader.u8()? == 1;
    // A claim of a product that is not there is in no place.
    let Some(product) = units.get_mut(usize::from(reader.u16()?)) else { return Some(()) };
    let place = if sold { &mut product.sold } else { &mut product.held };
    place.extend(reader.units()?);
    Some(())
}

/// Looks at the shards that somebody asked for, at most every 100 ms.
pub(crate) async fn look_where_asked(shared: Arc<Shared>) {
    loop {
        shared.views.asked.notified().await;
        // Side by side: a primary that hangs keeps nobody waiting for the counts of other sales.
        let looks = shared.views.wanted().into_iter().map(|shard| {
            let shared = Arc::clone(&shared);
            async move {
                if let Err(fault) = shared.look(&shard).await {
                    tracing::debug!(%shard, %fault, "the counts stay as they were seen last");
                }
            }
        });
        stream::iter(looks).for_each_concurrent(LOOKS, |look| look).await;
        tokio::time::sleep(LOOK).await;
    }
}
