//! The ledger port: taking claims in, and moving orders.

use async_trait::async_trait;
use domain::allocation::{self, Allocation, Facts};
use domain::fence::{Position, TermState};
use domain::hold::Claim;
use domain::id::{ShardId, TicketId};
use domain::order::{Order, Work};
use domain::time::Timestamp;
use domain::transition::{Change, ChangeRefusal, Transition, transition};
use ports::Fault;
use ports::claims::ClaimBatch;
use ports::ledger::{AddressQueue, Allocations, Applied, Ledger, Step};
use wire::record::Record;

use crate::Embedded;
use crate::book::{OrderNo, work_index};
use crate::core::Core;

#[async_trait]
impl Allocations for Embedded {
    async fn position(&self, shard: &ShardId) -> Result<Position, Fault> {
        let shard = shard.clone();
        self.call(move |core| core.book.shard(&shard).position).await
    }

    async fn allocate(&self, shard: &ShardId, batch: ClaimBatch) -> Result<Option<Vec<Allocation>>, Fault> {
        let shard = shard.clone();
        self.call_soon(move |core| allocate(core, &shard, &batch)).await?
    }
}

/// Decides claim by claim, since each decision bears on the next; then records all of them as one fact.
fn allocate(core: &mut Core, shard: &ShardId, batch: &ClaimBatch) -> Result<Option<Vec<Allocation>>, Fault> {
    if core.book.shard(shard).position != batch.from {
        return Ok(None);
    }
    // Whatever cannot be decided shows before anything is changed.
    batch.claims.iter().try_for_each(|(_, claim)| product(core, claim).map(drop))?;
    let at = core.now();
    let deadline = core.address_deadline_ms;
    let mut decisions = Vec::with_capacity(batch.claims.len());
    for (position, claim) in &batch.claims {
        let (decision, effect) = decide(core, shard, *position, claim)?;
        core.book.take_in(core.seq, claim, decision, deadline, at)?;
        core.send(shard, effect);
        decisions.push(decision);
    }
    let book = core.book.shard(shard);
    let passed = (batch.next.0 - batch.from.0) as usize;
    book.log.drain(..passed.min(book.log.len()));
    core.book.pass(shard, batch.next);
    let record = Record::Allocated {
        shard: shard.clone(),
        next: batch.next,
        at,
        address_deadline_ms: deadline,
        decisions: decisions.clone(),
    };
    record.write(&mut core.group);
    Ok(Some(decisions))
}

fn decide(
    core: &Core,
    shard: &ShardId,
    position: Position,
    claim: &Claim,
) -> Result<(Allocation, domain::hold::Effect), Fault> {
    let product = product(core, claim)?;
    let book = core.book.shards.get(shard).ok_or_else(|| damaged(claim))?;
    let known = core.book.orders.get(&claim.ticket).map(|entry| (entry.order.live, &entry.order.units));
    let facts = Facts {
        term: book.term,
        position,
        known,
        stock: product.stock,
        taken: claim.units.iter().any(|unit| book.owner(claim.terms.product, *unit).is_some()),
        user_units: book.user_units(claim.user, claim.terms.product),
        limit: product.max_per_user,
    };
    Ok(allocation::decide(claim, &facts))
}

fn damaged(claim: &Claim) -> Fault {
    Fault::damaged("the claim log", format!("a claim of {} names something that does not exist", claim.shard))
}

fn product<'a>(core: &'a Core, claim: &Claim) -> Result<&'a domain::product::Product, Fault> {
    let sale = core.book.sales.get(&claim.shard.sale).ok_or_else(|| damaged(claim))?;
    sale.sale.products.get(claim.terms.product.index()).ok_or_else(|| damaged(claim))
}

#[async_trait]
impl Ledger for Embedded {
    async fn now(&self) -> Result<Timestamp, Fault> {
        self.call(|core| core.now()).await
    }

    async fn apply(&self, changes: Vec<(TicketId, Change)>) -> Result<Vec<Applied>, Fault> {
        self.call(move |core| {
            changes.into_iter().map(|(ticket, change)| apply(core, ticket, &change)).collect()
        })
        .await?
    }

    async fn note_event(&self, provider: &str, event: &str) -> Result<bool, Fault> {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(&(provider.len() as u32).to_be_bytes())
            .update(provider.as_bytes())
            .update(event.as_bytes());
        let mut hash = [0; 16];
        hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        self.call(move |core| {
            let new = !core.book.events.contains(&hash);
            if new { core.record(Record::Event(hash)).map(|()| true) } else { Ok(false) }
        })
        .await?
    }

    async fn order(&self, ticket: TicketId) -> Result<Option<Order>, Fault> {
        self.call(move |core| core.book.orders.get(&ticket).map(|entry| entry.order.clone())).await
    }

    async fn story(&self, ticket: TicketId) -> Result<Vec<Step>, Fault> {
        self.call(move |core| {
            core.book.orders.get(&ticket).map(|entry| entry.story.to_vec()).unwrap_or_default()
        })
        .await
    }

    async fn take_work(&self, work: Work, limit: usize, lease_ms: u64) -> Result<Vec<Order>, Fault> {
        self.call(move |core| {
            let now = core.now();
            let queue = &core.book.work[work_index(work)];
            let due = queue.iter().take_while(|(at, _)| *at <= now).take(limit);
            let due = due.filter_map(|(_, number)| Some(core.book.orders.at(*number)?.order.clone()));
            let due: Vec<Order> = due.collect();
            let until = now.plus_millis(lease_ms);
            due.iter().for_each(|order| core.book.put_off(order.ticket, work, until));
            due
        })
        .await
    }

    async fn address_queue(&self) -> Result<AddressQueue, Fault> {
        self.call(|core| {
            let (queue, now) = (&core.book.work[work_index(Work::Address)], core.now());
            let idle = queue.iter().take_while(|(at, _)| *at <= now).count() as u64;
            AddressQueue { waiting: queue.len() as u64, idle, made: core.book.addresses }
        })
        .await
    }

    async fn put_off(&self, ticket: TicketId, work: Work, at: Timestamp) -> Result<(), Fault> {
        self.call(move |core| core.book.put_off(ticket, work, at)).await
    }

    async fn overdue(&self, limit: usize) -> Result<Vec<TicketId>, Fault> {
        self.call(move |core| {
            let now = core.now();
            let queues = core.book.sales.values().flat_map(|sale| &sale.deadlines);
            let due = queues.flat_map(|queue| queue.iter().take_while(|(at, _)| *at <= now).take(limit));
            let mut due: Vec<(Timestamp, OrderNo)> = due.copied().collect();
            due.sort_unstable();
            due.truncate(limit);
            let ticket = |(_, number)| core.book.orders.at(number).map(|entry| entry.order.ticket);
            due.into_iter().filter_map(ticket).collect()
        })
        .await
    }
}

fn apply(core: &mut Core, ticket: TicketId, change: &Change) -> Result<Applied, Fault> {
    let Some(entry) = core.book.orders.get(&ticket) else { return Ok(Applied::Unknown) };
    let order = &entry.order;
    if let Change::LateHeld { claim, units, epoch, .. } = change
        && !(order.live && order.claim == *claim)
        && !may_hold_late(core, order, units, *epoch)
    {
        return Ok(Applied::Refused(ChangeRefusal::Ended, Box::new(order.clone())));
    }
    match transition(order, change, core.now()) {
        Err(refusal) => Ok(Applied::Refused(refusal, Box::new(order.clone()))),
        Ok(Transition::Replay) => Ok(Applied::Replay(Box::new(order.clone()))),
        Ok(Transition::Changed(next, effect)) => {
            let shard = next.shard.clone();
            core.book.addresses += u64::from(next.has_new_address(order.state));
            core.record(Record::Order(next.clone()))?;
            core.touch(&shard);
            if let Some(effect) = effect {
                core.send(&shard, effect);
            }
            Ok(Applied::Changed(next))
        }
    }
}

/// Units taken again for late money count only under the shard's running epoch, and only if nobody owns them.
fn may_hold_late(core: &Core, order: &Order, units: &domain::hold::Units, epoch: domain::id::Epoch) -> bool {
    core.book.shards.get(&order.shard).is_some_and(|shard| {
        let running = shard.term.epoch == epoch && shard.term.state == TermState::Open;
        running && units.iter().all(|unit| shard.owner(order.terms.product, *unit).is_none())
    })
}
