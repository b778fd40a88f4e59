//! Order nodes: one batch a sale at a time; hold, publish, answer.

use domain::hold::{Claim, Grant, HoldOutcome, HoldRequest};

use crate::mutant::{Mutant, Mutants};
use crate::stores::server::{Answer, Message};
use crate::violation::Checked;
use crate::world::World;

/// A batch on its way.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) node: usize,
    pub(crate) sale: usize,
    requests: Vec<HoldRequest>,
    outcomes: Option<Vec<HoldOutcome>>,
    /// Whether the publication was acknowledged.
    published: Option<bool>,
}

impl Batch {
    pub(crate) const fn new(node: usize, sale: usize, requests: Vec<HoldRequest>) -> Self {
        Self { node, sale, requests, outcomes: None, published: None }
    }
}

/// What was given without its event being on record.
const fn unrecorded(outcome: &HoldOutcome, mutants: Mutants) -> Option<&Grant> {
    match outcome {
        HoldOutcome::Replayed { .. } if mutants.has(Mutant::ReplayUnpublished) => None,
        HoldOutcome::Held { grant, recorded: false } | HoldOutcome::Replayed { grant, recorded: false } => {
            Some(grant)
        }
        _ => None,
    }
}

impl World {
    pub(crate) fn serve(&mut self) -> Checked<Option<usize>> {
        if self.batches.is_empty() {
            return Ok(None);
        }
        let at = self.dice.below(self.batches.len());
        let batch = self.batches.swap_remove(at);
        let sale = batch.sale;
        let left = self.serve_step(batch)?;
        self.batches.extend(left);
        Ok(Some(sale))
    }

    pub(crate) fn serve_step(&mut self, mut batch: Batch) -> Checked<Option<Batch>> {
        let Some(outcomes) = &batch.outcomes else {
            // Without an answer, or closed: the buyers are asked to try again.
            let Some(Answer::Outcomes(outcomes)) =
                self.call(batch.sale, Message::Hold(batch.requests.clone()))?
            else {
                return Ok(None);
            };
            batch.outcomes = Some(outcomes);
            return Ok(Some(batch));
        };
        if batch.published.is_none() {
            let shard = &self.sales[batch.sale].shard;
            let claims: Vec<Claim> = batch
                .requests
                .iter()
                .zip(outcomes)
                .filter_map(|(request, outcome)| {
                    unrecorded(outcome, self.mutants).map(|grant| request.claim_of(shard, grant))
                })
                .collect();
            let whole = self.publish(batch.sale, &claims);
            batch.published = Some(whole || self.mutants.has(Mutant::UnknownPublished));
            return Ok(Some(batch));
        }
        for (request, outcome) in batch.requests.iter().zip(outcomes) {
            if batch.published == Some(true) || unrecorded(outcome, self.mutants).is_none() {
                self.answer(batch.sale, request, outcome)?;
            }
        }
        Ok(None)
    }

    /// A buyer is told; what was told goes into the auditor's books.
    fn answer(&mut self, at: usize, request: &HoldRequest, outcome: &HoldOutcome) -> Checked {
        self.say(|| format!("s{at} {:?} is told {outcome:?}", request.ticket));
        let sale = &mut self.sales[at];
        match outcome {
            HoldOutcome::Held { grant, .. } | HoldOutcome::Replayed { grant, .. } => {
                let told = (request.ticket, grant, request.terms);
                sale.auditor.tell(told, (&sale.log.entries, &sale.ledger), &mut self.figures)
            }
            HoldOutcome::KeyReused => {
                self.figures.keys_reused += 1;
                Ok(())
            }
            HoldOutcome::LimitReached { newest, grant } => {
                let records = (&sale.log.entries[..], &sale.ledger);
                sale.auditor.tell_limit((*newest, grant), records, &mut self.figures);
                Ok(())
            }
            HoldOutcome::Short { .. } => self.short(at, request),
            HoldOutcome::Absent => Ok(()),
        }
    }

    /// Sold out needs proof: what this node saw last of the shard says so.
    fn short(&mut self, at: usize, request: &HoldRequest) -> Checked {
        let sale = &self.sales[at];
        let servers: Vec<_> = std::iter::once(&sale.servers.primary).chain(&sale.servers.isolated).collect();
        let seen = servers[self.dice.below(servers.len())];
        let product = request.terms.product;
        let Some(view) = seen.open().and_then(|shard| shard.view(product)).filter(|view| view.sold_out())
        else {
            return Ok(());
        };
        self.figures.sold_out += 1;
        sale.auditor.tell_sold_out(product.index(), view.stock)
    }
}
