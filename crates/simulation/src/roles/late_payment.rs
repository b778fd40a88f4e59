//! Late money: takes units again under a number that is durable first, or goes back.

use domain::hold::{Effect, EffectKind, Grant, HoldOutcome, HoldRequest, Intent};
use domain::id::TicketId;
use domain::transition::Change;

use super::worker::Worker;
use crate::mutant::Mutant;
use crate::stores::ledger::Applied;
use crate::stores::server::{Answer, Message, find};
use crate::violation::Checked;
use crate::world::World;

/// How often units are tried for before the money goes back.
const ATTEMPTS: u16 = 5;

/// The next step of an attempt.
#[derive(Debug)]
pub(crate) enum Late {
    /// Makes the attempt's number durable.
    Begin,
    /// Looks for what an older attempt took.
    Find(u16),
    /// Gives that back.
    GiveUp(u16, Grant),
    /// Takes units.
    Hold,
    /// The ledger takes them in.
    Take(TicketId, Grant),
    /// The ledger did not: they go back.
    Release(TicketId, Grant),
    /// The money goes back.
    GiveBack,
}

/// What comes once the attempts before `older` are looked at: all of them, then this one, if it is not one too many.
const fn older_or_hold(older: u16, attempt: u16) -> Late {
    if older < attempt {
        Late::Find(older)
    } else if attempt > ATTEMPTS {
        Late::GiveBack
    } else {
        Late::Hold
    }
}

impl World {
    /// One step of an attempt; a fault ends it, and the work comes back under the next number.
    pub(crate) fn late_step(&mut self, mut worker: Worker) -> Checked<Option<Worker>> {
        let (sale, ticket) = (worker.sale, worker.order.ticket);
        let attempt = worker.order.late_attempts;
        let next = match std::mem::replace(&mut worker.late, Late::Begin) {
            Late::Begin => match self.apply(sale, ticket, &Change::LateAttempt)? {
                Applied::Changed(order) => {
                    worker.order = *order;
                    Some(older_or_hold(1, worker.order.late_attempts))
                }
                _ => None,
            },
            Late::Find(older) => self.find_older(&worker, older)?,
            Late::GiveUp(older, grant) => {
                let claim = self.sales[sale].late_claim(ticket, older);
                self.give_units_back(&worker, claim, grant)?.map(|()| older_or_hold(older + 1, attempt))
            }
            Late::Hold => self.take_late(&worker)?,
            Late::Take(claim, grant) => {
                let units = grant.units.clone();
                let change = Change::LateHeld { claim, attempt, units, epoch: grant.epoch };
                match self.apply(sale, ticket, &change)? {
                    Applied::Changed(_) | Applied::Replay => None,
                    Applied::Refused(_) | Applied::Unknown => {
                        self.figures.late_refused += 1;
                        Some(Late::Release(claim, grant))
                    }
                }
            }
            Late::Release(claim, grant) => {
                self.give_units_back(&worker, claim, grant)?;
                None
            }
            Late::GiveBack => {
                self.apply(sale, ticket, &Change::GiveBack)?;
                None
            }
        };
        Ok(next.map(|late| Worker { late, ..worker }))
    }

    fn find_older(&mut self, worker: &Worker, older: u16) -> Checked<Option<Late>> {
        let (sale, order) = (worker.sale, &worker.order);
        let claim = self.sales[sale].late_claim(order.ticket, older);
        let request = find(claim, order.user, order.user_id.clone(), order.terms);
        let Some(Answer::Outcomes(mut outcomes)) = self.call(sale, Message::Hold(vec![request]))? else {
            return Ok(None);
        };
        Ok(Some(match outcomes.pop() {
            Some(HoldOutcome::Replayed { grant, .. }) if !grant.units.is_empty() => {
                Late::GiveUp(older, grant)
            }
            _ => older_or_hold(older + 1, order.late_attempts),
        }))
    }

    fn take_late(&mut self, worker: &Worker) -> Checked<Option<Late>> {
        let (sale, order) = (worker.sale, &worker.order);
        let claim = self.sales[sale].late_claim(order.ticket, order.late_attempts);
        let limit = if self.mutants.has(Mutant::LateNoLimit) { 100 } else { self.sales[sale].ledger.limit };
        let request = HoldRequest {
            claim,
            ticket: order.ticket,
            user: order.user,
            user_id: order.user_id.clone(),
            terms: order.terms,
            limit,
            intent: Intent::TakeLate,
        };
        let Some(Answer::Outcomes(mut outcomes)) = self.call(sale, Message::Hold(vec![request]))? else {
            return Ok(None);
        };
        Ok(Some(match outcomes.pop() {
            Some(HoldOutcome::Held { grant, .. } | HoldOutcome::Replayed { grant, .. }) => {
                Late::Take(claim, grant)
            }
            _ => Late::GiveBack,
        }))
    }

    /// Sends a release under the epoch of the grant; `None` where nobody knows whether it arrived. A closed shard is
    /// being rebuilt from the ledger, which knows nothing of the claim.
    fn give_units_back(&mut self, worker: &Worker, claim: TicketId, grant: Grant) -> Checked<Option<()>> {
        let product = worker.order.terms.product;
        let effect = Effect { kind: EffectKind::Release, product, claim, units: grant.units };
        let answer = self.call(worker.sale, Message::Settle(grant.epoch, vec![effect]))?;
        Ok(answer.map(drop))
    }
}
