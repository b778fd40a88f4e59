//! One batcher a shard: whatever waits leaves together, and the next batch leaves when the shard has decided the last one.
//!
//! It has two entrances. Through one, units are taken and their claims published. Through the other, which is for the time while
//! the log is away, the shard only says what it knows: who has a ticket is told so, and so is who would get no unit anyway.

use std::sync::Arc;
use std::time::Duration;

use domain::hold::{Claim, Grant, HoldOutcome, HoldRequest, Intent};
use domain::id::{ShardId, TicketId};
use domain::limits::MAX_BATCH;
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use ports::Fault;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use crate::breaker::{Breaker, End};
use crate::pulse::Progress;
use crate::stores::{Settings, Stores};

/// Batches that may be on their way to the log at once. With one, a buyer waits for the batch before as well; with many, batches
/// become small and dear.
const ON_THEIR_WAY: usize = 2;

type Answer = Result<HoldOutcome, Fault>;

struct Waiting {
    request: HoldRequest,
    answer: oneshot::Sender<Answer>,
}

/// The entrance to one shard.
#[derive(Clone)]
pub(crate) struct Batcher {
    taking: mpsc::Sender<Waiting>,
    asking: mpsc::Sender<Waiting>,
    desk: Arc<Desk>,
}

impl Batcher {
    /// Starts the batcher of `shard`; it ends when every clone of it is gone.
    pub(crate) fn start(shard: ShardId, settings: &Settings, stores: Stores, tasks: &TaskTracker) -> Self {
        let room = settings.checkout_queue.max(1);
        let ((taking, takers), (asking, askers)) = (mpsc::channel(room), mpsc::channel(room));
        let deadline = Duration::from_millis(settings.checkout_deadline_ms);
        let desk = Arc::new(Desk { shard, stores, deadline, log: Breaker::default() });
        tasks.spawn(take(Arc::clone(&desk), takers, tasks.clone()));
        tasks.spawn(ask(Arc::clone(&desk), askers));
        Self { taking, asking, desk }
    }

    /// Sends a request and waits for its answer. For a caller that gives up before its batch leaves nothing is taken; what was
    /// taken for one that gives up later waits for the same key. While the log is away hardly anybody takes a unit.
    pub(crate) async fn hold(&self, mut request: HoldRequest) -> Answer {
        if self.desk.log.admits(self.desk.stores.clock.elapsed()) {
            return send(&self.taking, request).await;
        }
        let takes = request.intent == Intent::Take;
        if takes {
            request.intent = Intent::Weigh;
        }
        match send(&self.asking, request).await? {
            HoldOutcome::Absent if takes => Err(away("no unit was taken")),
            // Its ticket is not good for anything yet, and trying again is for those who are admitted.
            outcome if unrecorded(&outcome).is_some() => Err(away("the unit waits for the same key")),
            outcome => Ok(outcome),
        }
    }
}

fn away(so: &str) -> Fault {
    Fault::unavailable("the claim log", format!("nothing is published; {so}"))
}

async fn send(entrance: &mpsc::Sender<Waiting>, request: HoldRequest) -> Answer {
    let (answer, answered) = oneshot::channel();
    let stopping = || Fault::unavailable("the inventory", "this node is stopping");
    entrance.try_send(Waiting { request, answer }).map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => Fault::Overloaded("the inventory's queue"),
        mpsc::error::TrySendError::Closed(_) => stopping(),
    })?;
    answered.await.unwrap_or_else(|_| Err(stopping()))
}

/// Whatever waits, without those who gave up while waiting: nothing is taken for them. `None` once the entrance is closed.
async fn next(waiting: &mut mpsc::Receiver<Waiting>) -> Option<Vec<Waiting>> {
    let mut batch = Vec::new();
    while batch.is_empty() {
        if waiting.recv_many(&mut batch, MAX_BATCH).await == 0 {
            return None;
        }
        batch.retain(|waiting| !waiting.answer.is_closed());
    }
    Some(batch)
}

/// Asks the shard for what waits, one batch after another. Nothing is published.
async fn ask(desk: Arc<Desk>, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(batch) = next(&mut waiting).await {
        if let Some(decided) = desk.decide(batch).await {
            decided
                .answers
                .into_iter()
                .zip(decided.outcomes)
                .for_each(|(answer, outcome)| drop(answer.send(Ok(outcome))));
        }
    }
}

/// Takes units for what waits, one batch after another. The shard decides them one at a time; what it decided may still be on its
/// way to the log when the next batch leaves.
async fn take(desk: Arc<Desk>, mut waiting: mpsc::Receiver<Waiting>, tasks: TaskTracker) {
    let turns = Arc::new(Semaphore::new(ON_THEIR_WAY));
    // Whoever comes while all turns are taken leaves with the next batch.
    while let Ok(turn) = Arc::clone(&turns).acquire_owned().await
        && let Some(batch) = next(&mut waiting).await
    {
        let Some(decided) = desk.decide(batch).await else { continue };
        if decided.claims.is_empty() {
            desk.finish(decided).await;
        } else {
            let desk = Arc::clone(&desk);
            tasks.spawn(async move {
                desk.finish(decided).await;
                drop(turn);
            });
        }
    }
}

/// What the shard decided on a batch.
struct Decided {
    outcomes: Vec<HoldOutcome>,
    answers: Vec<oneshot::Sender<Answer>>,
    /// Those that the decision itself did not put on record.
    claims: Vec<Claim>,
    /// New tickets.
    queued: Vec<StatusDocument>,
}

/// Serves the batches of one shard.
struct Desk {
    shard: ShardId,
    stores: Stores,
    /// For so long a checkout waits.
    deadline: Duration,
    log: Breaker,
}

impl Desk {
    /// Asks the shard. Where that fails everybody is told so.
    async fn decide(&self, batch: Vec<Waiting>) -> Option<Decided> {
        let (requests, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.request, waiting.answer)).unzip();
        let outcomes = match self.stores.inventory.hold(&self.shard, requests.clone()).await {
            Ok(outcomes) => outcomes,
            Err(fault) => {
                answers.into_iter().for_each(|answer| drop(answer.send(Err(fault.clone()))));
                return None;
            }
        };
        // An answered batch is progress, whatever the answers: the shard decides.
        self.stores.pulse.progress(Progress::Hold, self.stores.clock.now(), held(&outcomes));
        let each = || requests.iter().zip(&outcomes);
        let claims = each()
            .filter_map(|(request, outcome)| {
                unrecorded(outcome).map(|grant| request.claim_of(&self.shard, grant))
            })
            .collect();
        let queued = each().filter_map(|(request, outcome)| self.queued(request, outcome)).collect();
        Some(Decided { outcomes, answers, claims, queued })
    }

    /// A new ticket.
    fn queued(&self, request: &HoldRequest, outcome: &HoldOutcome) -> Option<StatusDocument> {
        let HoldOutcome::Held { grant, .. } = outcome else { return None };
        Some(StatusDocument::queued(stamp(&self.shard, request.claim, grant), request.terms))
    }

    /// Puts on record what is not, and tells everybody. A failure means unknown: nothing is taken back.
    async fn finish(&self, decided: Decided) {
        let Decided { outcomes, answers, claims, queued } = decided;
        let (published, ()) = tokio::join!(self.publish(claims), self.show(queued));
        for (outcome, answer) in outcomes.into_iter().zip(answers) {
            let unpublished = unrecorded(&outcome).is_some();
            let reply = match &published {
                Err(fault) if unpublished => Err(fault.clone()),
                Ok(()) | Err(_) => Ok(outcome),
            };
            drop(answer.send(reply));
        }
    }

    /// Publishes, and lets the breaker know how that ends, or that it lasts longer than anybody waits.
    async fn publish(&self, claims: Vec<Claim>) -> Result<(), Fault> {
        if claims.is_empty() {
            return Ok(());
        }
        self.log.begin();
        let mut publication = self.stores.claims.publish(&self.shard, claims);
        let published = match tokio::time::timeout(self.deadline, &mut publication).await {
            Ok(published) => published,
            Err(_) => {
                self.log.outlasted(self.stores.clock.elapsed());
                publication.await
            }
        };
        let end = match &published {
            Ok(()) => End::Published,
            Err(Fault::Overloaded(_)) => End::Untried,
            Err(_) => End::Failed,
        };
        self.log.end(end, self.stores.clock.elapsed());
        published
    }

    /// Shows new tickets as queued, so that a status asked before the ledger has them finds its product. Nobody knows a ticket
    /// that was not answered, so it may be shown before its claim is on record.
    async fn show(&self, queued: Vec<StatusDocument>) {
        if !queued.is_empty()
            && let Err(fault) = self.stores.board.show(queued).await
        {
            self.stores.board_is_away(&fault);
        }
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

/// The stamp of a ticket that was granted.
pub(crate) fn stamp(shard: &ShardId, ticket: TicketId, grant: &Grant) -> TicketStamp {
    TicketStamp { ticket, shard: shard.clone(), epoch: grant.epoch, issued_at: grant.issued_at }
}
