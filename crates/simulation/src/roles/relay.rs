//! The relay: claims that the ledger has not acknowledged are published again; what an attempt at late money took and
//! will never use is given back.

use domain::hold::{Claim, Effect, EffectKind};
use domain::id::{Epoch, TicketId, UserId};
use domain::inventory::UnpinnedClaim;

use crate::mutant::Mutant;
use crate::stores::server::{Answer, Message};
use crate::violation::Checked;
use crate::world::World;

/// Relays that there are at once at most.
const MOST: usize = 2;

/// A relay with what it has read.
#[derive(Debug)]
pub(crate) struct Relay {
    sale: usize,
    epoch: Epoch,
    claims: Vec<UnpinnedClaim>,
    published: Vec<TicketId>,
    /// Units that go back: decided, not yet sent.
    back: Vec<Effect>,
}

impl World {
    pub(crate) fn relay_on(&mut self) -> Checked<Option<usize>> {
        if self.relays.len() < MOST && (self.relays.is_empty() || self.dice.chance(200)) {
            let sale = self.any_sale();
            let relay = self.read_unpinned(sale)?;
            self.relays.extend(relay);
            return Ok(None);
        }
        let at = self.dice.below(self.relays.len());
        let relay = self.relays.swap_remove(at);
        let sale = relay.sale;
        let left = self.relay_step(relay)?;
        self.relays.extend(left);
        Ok(Some(sale))
    }

    /// What waits for the ledger at some server of the shard; `None` where nothing does.
    pub(crate) fn read_unpinned(&mut self, sale: usize) -> Checked<Option<Relay>> {
        // Any age may count as old: the rules must not depend on it.
        let before = self.now.plus_millis(self.options.skew_ms + 1);
        let Some(Answer::Unpinned(epoch, claims)) = self.call(sale, Message::Unpinned(before))? else {
            return Ok(None);
        };
        let relay = Relay { sale, epoch, claims, published: Vec::new(), back: Vec::new() };
        Ok((!relay.claims.is_empty()).then_some(relay))
    }

    pub(crate) fn relay_step(&mut self, mut relay: Relay) -> Checked<Option<Relay>> {
        let sale = relay.sale;
        if let Some(effect) = relay.back.pop() {
            self.figures.late_swept += 1;
            self.call(sale, Message::Settle(relay.epoch, vec![effect]))?;
            return Ok(Some(relay));
        }
        let Some(waiting) = relay.claims.pop() else {
            if !relay.published.is_empty() {
                self.call(sale, Message::Touch(relay.published))?;
            }
            return Ok(None);
        };
        if waiting.claim != waiting.ticket && !self.mutants.has(Mutant::LatePublished) {
            relay.back.extend(self.unused(sale, &waiting));
        } else if self.mutants.has(Mutant::InventoryExpires) {
            let known = self.sales[sale].ledger.orders.contains_key(&waiting.claim);
            relay.back.extend((!known).then(|| release(&waiting)));
        } else if !self.mutants.has(Mutant::NoRelay) {
            let Some(claim) = self.claim_of(sale, &waiting) else { return Ok(Some(relay)) };
            self.publish(sale, &[claim]);
            relay.published.push(waiting.claim);
        }
        Ok(Some(relay))
    }

    fn claim_of(&self, sale: usize, waiting: &UnpinnedClaim) -> Option<Claim> {
        let sale = &self.sales[sale];
        let user_id: UserId = sale.wishes.iter().find(|wish| wish.user == waiting.user)?.user_id.clone();
        Some(Claim {
            ticket: waiting.claim,
            shard: sale.shard.clone(),
            epoch: waiting.grant.epoch,
            issued_at: waiting.grant.issued_at,
            user: waiting.user,
            user_id,
            terms: waiting.terms,
            units: waiting.grant.units.clone(),
        })
    }

    /// The release of a late claim that can never succeed: the ledger has taken another, a newer attempt has begun, or
    /// no units are wanted any more. `None` where it may yet.
    fn unused(&mut self, sale: usize, waiting: &UnpinnedClaim) -> Option<Effect> {
        if self.mutants.has(Mutant::LateUnswept) {
            return None;
        }
        let order = self.sales[sale].ledger.orders.get(&waiting.ticket)?.clone();
        let newest = self.sales[sale].late_claim(order.ticket, order.late_attempts);
        let used = order.live && order.claim == waiting.claim;
        let may_succeed = waiting.claim == newest && order.wants_units();
        let kept = may_succeed && !self.mutants.has(Mutant::LateNewestSwept);
        (!used && !kept).then(|| release(waiting))
    }
}

fn release(waiting: &UnpinnedClaim) -> Effect {
    Effect {
        kind: EffectKind::Release,
        product: waiting.terms.product,
        claim: waiting.claim,
        units: waiting.grant.units.clone(),
    }
}
