//! One batcher a shard: whatever waits leaves together, and the next batch leaves when the last has returned.

use std::sync::Arc;

use domain::hold::{Claim, Grant, HoldOutcome, HoldRequest};
use domain::id::{ShardId, TicketId};
use domain::limits::MAX_BATCH;
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use ports::Fault;
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::pulse::Progress;
use crate::stores::Stores;

type Answer = Result<HoldOutcome, Fault>;

struct Waiting {
    request: HoldRequest,
    answer: oneshot::Sender<Answer>,
}

/// The entrance to one shard.
#[derive(Clone)]
pub(crate) struct Batcher {
    entrance: mpsc::Sender<Waiting>,
}

impl Batcher {
    /// Starts the batcher of `shard`; it ends when every clone of it is gone.
    pub(crate) fn start(shard: ShardId, queue: usize, stores: Stores, tasks: &TaskTracker) -> Self {
        let (entrance, waiting) = mpsc::channel(queue.max(1));
        tasks.spawn(run(Arc::new(shard), stores, waiting));
        Self { entrance }
    }

    /// Sends a request and waits for its answer. The answer's sender may be dropped by a caller that gave up: what was
    /// taken then waits for the same key.
    pub(crate) async fn hold(&self, request: HoldRequest) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.entrance.try_send(Waiting { request, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Fault::Overloaded("the inventory's queue"),
            mpsc::error::TrySendError::Closed(_) => {
                Fault::unavailable("the inventory", "this node is stopping")
            }
        })?;
        answered.await.unwrap_or_else(|_| Err(Fault::unavailable("the inventory", "this node is stopping")))
    }
}

async fn run(shard: Arc<ShardId>, stores: Stores, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, MAX_BATCH).await > 0 {
        serve(&shard, &stores, std::mem::take(&mut batch)).await;
    }
}

async fn serve(shard: &ShardId, stores: &Stores, batch: Vec<Waiting>) {
    let (requests, answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.request, waiting.answer)).unzip();
    let outcomes = match stores.inventory.hold(shard, requests.clone()).await {
        Ok(outcomes) => outcomes,
        Err(fault) => {
            answers.into_iter().for_each(|answer| drop(answer.send(Err(fault.clone()))));
            return;
        }
    };
    // An answered batch is progress, whatever the answers: the shard decides.
    stores.pulse.progress(Progress::Hold, stores.clock.now(), held(&outcomes));
    let published = publish(shard, stores, &requests, &outcomes).await;
    show_queued(shard, stores, &requests, &outcomes).await;
    for (outcome, answer) in outcomes.into_iter().zip(answers) {
        let unpublished = unrecorded(&outcome).is_some();
        let reply = match &published {
            Err(fault) if unpublished => Err(fault.clone()),
            Ok(()) | Err(_) => Ok(outcome),
        };
        drop(answer.send(reply));
    }
}

fn held(outcomes: &[HoldOutcome]) -> u64 {
    outcomes.iter().filter(|outcome| matches!(outcome, HoldOutcome::Held { .. })).count() as u64
}

/// What was given without its event being on record: now, or by an attempt whose publication nobody saw succeed.
const fn unrecorded(outcome: &HoldOutcome) -> Option<&Grant> {
    match outcome {
        HoldOutcome::Held { grant, recorded: false } | HoldOutcome::Replayed { grant, recorded: false } => {
            Some(grant)
        }
        _ => None,
    }
}

/// Publishes the claims that the hold itself did not record. A failure means unknown: nothing is taken back.
async fn publish(
    shard: &ShardId,
    stores: &Stores,
    requests: &[HoldRequest],
    outcomes: &[HoldOutcome],
) -> Result<(), Fault> {
    let unrecorded = requests
        .iter()
        .zip(outcomes)
        .filter_map(|(request, outcome)| unrecorded(outcome).map(|grant| request.claim_of(shard, grant)));
    let claims: Vec<Claim> = unrecorded.collect();
    if claims.is_empty() { Ok(()) } else { stores.claims.publish(shard, claims).await }
}

/// Shows new tickets as queued, so that a status asked before the ledger has them finds its product.
async fn show_queued(shard: &ShardId, stores: &Stores, requests: &[HoldRequest], outcomes: &[HoldOutcome]) {
    let new = requests.iter().zip(outcomes).filter_map(|(request, outcome)| match outcome {
        HoldOutcome::Held { grant, .. } => {
            let stamp = stamp(shard, request.claim, grant);
            Some(StatusDocument::queued(stamp, request.terms))
        }
        _ => None,
    });
    let documents: Vec<_> = new.collect();
    if !documents.is_empty()
        && let Err(fault) = stores.board.show(documents).await
    {
        tracing::warn!(%fault, "status board");
    }
}

/// The stamp of a ticket that was granted.
pub(crate) fn stamp(shard: &ShardId, ticket: TicketId, grant: &domain::hold::Grant) -> TicketStamp {
    TicketStamp { ticket, shard: shard.clone(), epoch: grant.epoch, issued_at: grant.issued_at }
}
