//! The inventory port: holds are decided in memory and answered from the disk.

use async_trait::async_trait;
use domain::hold::{Claim, Effect, Glance, HoldOutcome, HoldRequest, Intent, Settled, StockView};
use domain::id::{Epoch, ProductNo, SaleId, ShardId, TicketId};
use domain::inventory::{InventoryUnits, Look, UnpinnedClaim};
use domain::time::Timestamp;
use ports::Fault;
use ports::inventory::{Inventory, Unpinned};
use wire::record::Record;

use crate::Embedded;
use crate::core::Core;

#[async_trait]
impl Inventory for Embedded {
    fn view(&self, sale: &SaleId, product: ProductNo) -> Option<StockView> {
        // One shard a sale; see the sale's definition.
        let cell = self.shared.known(&ShardId { sale: sale.clone(), number: 0 })?;
        cell.views.load().get(product.index()).copied()
    }

    fn glance(&self, shard: &ShardId, request: &HoldRequest) -> Glance {
        let Some(cell) = self.shared.known(shard) else { return Glance::Unknown };
        let Some(selling) = cell.try_read() else { return Glance::Unknown };
        if !selling.open {
            return Glance::Unknown;
        }
        match selling.shard.look(request) {
            Look::Free | Look::Decided(HoldOutcome::Absent, _) => Glance::Absent,
            Look::Decided(outcome, mark) if mark <= self.shared.durable() => Glance::Decided(outcome),
            Look::Decided(..) => Glance::Unknown,
        }
    }

    async fn hold(&self, shard: &ShardId, requests: Vec<HoldRequest>) -> Result<Vec<HoldOutcome>, Fault> {
        let shard = shard.clone();
        self.call(move |core| hold(core, &shard, &requests)).await?
    }

    async fn settle(&self, shard: &ShardId, epoch: Epoch, effects: &[Effect]) -> Result<Vec<Settled>, Fault> {
        let (shard, effects) = (shard.clone(), effects.to_vec());
        self.call(move |core| {
            let cell = core.shared.cell(&shard);
            let mut selling = cell.write();
            if !selling.open || selling.shard.epoch() != epoch {
                return Err(Fault::Closed(shard));
            }
            let settled = effects.iter().map(|effect| selling.shard.settle(effect)).collect();
            drop(selling);
            core.touch(&shard);
            Ok(settled)
        })
        .await?
    }

    async fn unpinned(
        &self,
        shard: &ShardId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<Unpinned>, Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let claims = core.shared.cell(&shard).read().shard.unpinned(before, limit);
            claims.into_iter().filter_map(|claim| whole(core, &shard, claim)).collect()
        })
        .await
    }

    async fn touch(&self, shard: &ShardId, claims: &[TicketId]) -> Result<(), Fault> {
        let (shard, claims) = (shard.clone(), claims.to_vec());
        self.call(move |core| {
            let (cell, now) = (core.shared.cell(&shard), core.now());
            let mut selling = cell.write();
            if !selling.open {
                return Err(Fault::Closed(shard.clone()));
            }
            selling.shard.touch(&claims, now);
            Ok(())
        })
        .await?
    }

    async fn units(&self, shard: &ShardId) -> Result<Option<Vec<InventoryUnits>>, Fault> {
        let shard = shard.clone();
        self.call(move |core| {
            let cell = core.shared.cell(&shard);
            let selling = cell.read();
            let products = 0..selling.shard.products();
            let units = products.filter_map(|number| selling.shard.units(ProductNo(number as u16)));
            selling.open.then(|| units.collect())
        })
        .await
    }
}

/// The claim with what the inventory does not keep of its buyer.
fn whole(core: &Core, shard: &ShardId, unpinned: UnpinnedClaim) -> Option<Unpinned> {
    let UnpinnedClaim { claim, ticket, user, terms, grant } = unpinned;
    let book = core.book.shards.get(shard)?;
    let logged = book.log.iter().find(|logged| logged.ticket == claim).map(|logged| &logged.user_id);
    let user_id = logged.or_else(|| core.book.orders.get(&ticket).map(|entry| &entry.order.user_id))?;
    let claim = Claim {
        ticket: claim,
        shard: shard.clone(),
        epoch: grant.epoch,
        issued_at: grant.issued_at,
        user,
        user_id: user_id.clone(),
        terms,
        units: grant.units,
    };
    Some(Unpinned { claim, ticket })
}

fn hold(core: &mut Core, shard: &ShardId, requests: &[HoldRequest]) -> Result<Vec<HoldOutcome>, Fault> {
    let cell = core.shared.cell(shard);
    let mut selling = cell.write();
    if !selling.open {
        return Err(Fault::Closed(shard.clone()));
    }
    let now = core.now();
    let mut claims = Vec::with_capacity(requests.len());
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        // The journal's commit is the claim's record.
        let outcome = selling.shard.hold(request, now, core.seq, true);
        if let HoldOutcome::Held { grant, .. } = &outcome
            && request.intent == Intent::Take
        {
            claims.push(request.claim_of(shard, grant));
        }
        outcomes.push(outcome);
    }
    drop(selling);
    core.touch(shard);
    if !claims.is_empty() {
        core.record(Record::Claims { shard: shard.clone(), claims })?;
    }
    Ok(outcomes)
}
