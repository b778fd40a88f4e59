//! Checkout: the hot path. Decides at once where that is certain, and asks the shard otherwise.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use domain::challenge::ChallengeRule;
use domain::hold::{Glance, Grant, HoldOutcome, HoldRequest, Intent, StockView, Terms};
use domain::id::{ProductId, SaleId, ShardId};
use domain::sale::{GateRefusal, Sale};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use ports::Fault;
use ports::orders::{CancelAnswer, Checkout, CheckoutAnswer, CheckoutRefusal, ExtendAnswer, Orders};
use ports::status_board::Shown;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::batcher::{Batcher, stamp};
use crate::catalog::Catalog;
use crate::doubts::Doubts;
use crate::fate::{Fate, fate};
use crate::stores::{Settings, Stores};

/// The order service: serves buyers on this node.
pub struct OrderService {
    pub(crate) stores: Stores,
    pub(crate) settings: Settings,
    catalog: Arc<Catalog>,
    batchers: RwLock<foldhash::HashMap<ShardId, Batcher>>,
    tasks: TaskTracker,
    ledger_lane: Semaphore,
    doubts: Doubts,
}

/// How long the status board may take. A store that hangs is noticed by nothing else, and a gateway waits for this node
/// hardly longer than for a checkout: the ledger's answer must fit into the rest.
const BOARD: Duration = Duration::from_millis(300);

/// The status board, as a question found it.
enum Board {
    /// It answers: this is what it shows of the ticket.
    Shows(Option<Shown>),
    /// It does not.
    Away,
}

impl Board {
    /// What it shows.
    fn shown(&self) -> Option<&StatusDocument> {
        match self {
            Self::Shows(shown) => shown.as_ref().map(|shown| &shown.document),
            Self::Away => None,
        }
    }
}

impl OrderService {
    /// An order service whose batchers run in `tasks`.
    #[must_use]
    pub fn new(stores: Stores, settings: Settings, catalog: Arc<Catalog>, tasks: TaskTracker) -> Self {
        let ledger_lane = Semaphore::new(settings.ledger_lane);
        Self {
            stores,
            settings,
            catalog,
            batchers: RwLock::default(),
            tasks,
            ledger_lane,
            doubts: Doubts::default(),
        }
    }

    fn batcher(&self, shard: &ShardId) -> Batcher {
        let known =
            self.batchers.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(shard).cloned();
        known.unwrap_or_else(|| {
            let mut batchers = self.batchers.write().unwrap_or_else(std::sync::PoisonError::into_inner);
            let start = || Batcher::start(shard.clone(), &self.settings, self.stores.clone(), &self.tasks);
            batchers.entry(shard.clone()).or_insert_with(start).clone()
        })
    }

    /// Asks the shard, within the deadline. What it may have taken after that waits for the same key.
    async fn ask(&self, shard: &ShardId, request: HoldRequest) -> Result<HoldOutcome, Fault> {
        let deadline = Duration::from_millis(self.settings.checkout_deadline_ms);
        let late = || Fault::unavailable("the inventory", "no answer in time");
        tokio::time::timeout(deadline, self.batcher(shard).hold(request)).await.map_err(|_| late())?
    }

    /// Waits for a change of an order as long as for a checkout. It goes on without whoever waits: a ledger that hangs may have
    /// made it.
    async fn in_time<T: Send + 'static>(
        &self,
        change: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        let late = || Fault::unavailable("the ledger", "no answer in time");
        let deadline = Duration::from_millis(self.settings.checkout_deadline_ms);
        let changed = tokio::time::timeout(deadline, self.tasks.spawn(change)).await;
        changed.map_err(|_| late())?.unwrap_or_else(|_| Err(late()))
    }

    /// Puts the outcome into the contract's words.
    async fn answer(
        &self,
        shard: &ShardId,
        request: &HoldRequest,
        outcome: HoldOutcome,
    ) -> Result<CheckoutAnswer, Fault> {
        let refused = |refusal| Ok(CheckoutAnswer::Refused(refusal));
        match outcome {
            HoldOutcome::Held { grant, .. } => {
                self.stores.backlog.admit();
                let document = StatusDocument::queued(stamp(shard, request.claim, &grant), request.terms);
                Ok(CheckoutAnswer::Accepted { document: Box::new(document), replayed: false })
            }
            HoldOutcome::Replayed { grant, .. } => self.replay(shard, request, &grant).await,
            HoldOutcome::KeyReused => refused(CheckoutRefusal::KeyReused),
            HoldOutcome::LimitReached { newest, grant } => {
                refused(CheckoutRefusal::LimitReached { newest: stamp(shard, newest, &grant) })
            }
            HoldOutcome::Short { free } => refused(self.short(shard, request, free)),
            HoldOutcome::Absent => {
                Err(Fault::damaged("the inventory's answer", "absent, though units were asked for"))
            }
        }
    }

    /// The ticket that an earlier request made, with its status as it is now.
    async fn replay(
        &self,
        shard: &ShardId,
        request: &HoldRequest,
        grant: &Grant,
    ) -> Result<CheckoutAnswer, Fault> {
        let stamp = stamp(shard, request.claim, grant);
        let known = self.status(&stamp).await?;
        let document = known.unwrap_or_else(|| StatusDocument::queued(stamp, request.terms));
        Ok(CheckoutAnswer::Accepted { document: Box::new(document), replayed: true })
    }

    /// What the board shows. A board that does not answer soon is away: whoever polls is answered by the ledger then.
    async fn look(&self, stamp: &TicketStamp) -> Board {
        match tokio::time::timeout(BOARD, self.stores.board.look(&stamp.shard, stamp.ticket)).await {
            Ok(Ok(shown)) => Board::Shows(shown),
            Ok(Err(fault)) => {
                self.stores.board_is_away(&fault);
                Board::Away
            }
            Err(_) => {
                self.stores.board_is_away(&"no answer in time");
                Board::Away
            }
        }
    }

    /// The status as the ledger knows it, shown from here on where the board is there; few questions at once.
    async fn of_ledger(&self, stamp: &TicketStamp, board: &Board) -> Result<Option<StatusDocument>, Fault> {
        let Ok(_turn) = self.ledger_lane.try_acquire() else {
            return Err(Fault::Overloaded("the ledger's lane for statuses"));
        };
        // What was given again under the same ticket, after a loss, is shown under its newer stamp.
        let stamp = board.shown().map_or(stamp, |shown| &shown.stamp);
        match fate(&self.stores, stamp).await? {
            Fate::Known(order) => {
                if let Board::Shows(_) = board {
                    self.stores.show([&*order]).await;
                }
                Ok(Some(StatusDocument::of(&order)))
            }
            Fate::Lost => {
                let terms = board.shown().and_then(|shown| shown.terms);
                Ok(Some(StatusDocument::lost(stamp.clone(), terms)))
            }
            Fate::Unknown => Ok(None),
        }
    }

    /// Sold out needs proof; held needs only absence.
    fn short(&self, shard: &ShardId, request: &HoldRequest, free: u32) -> CheckoutRefusal {
        let view = self.stores.inventory.view(&shard.sale, request.terms.product).unwrap_or_default();
        let next_release_at = view.next_release_at;
        if view.sold_out() {
            CheckoutRefusal::SoldOut
        } else if free == 0 {
            CheckoutRefusal::AllHeld { next_release_at }
        } else {
            CheckoutRefusal::NotEnough { next_release_at }
        }
    }
}

/// Why the sale gives this buyer no unit, whatever there is: rows 11 to 14 of the contract.
fn closed(sale: &Sale, passed: bool, now: Timestamp) -> Option<CheckoutRefusal> {
    let asks = sale.challenge != ChallengeRule::Never && !passed;
    let gate = sale.gate(now).err().map(gate_refusal);
    gate.or_else(|| asks.then_some(CheckoutRefusal::ChallengeRequired))
}

fn gate_refusal(refusal: GateRefusal) -> CheckoutRefusal {
    match refusal {
        GateRefusal::Ended => CheckoutRefusal::SaleEnded,
        GateRefusal::NotStarted { starts_at } => CheckoutRefusal::NotStarted { starts_at },
        GateRefusal::Paused => CheckoutRefusal::Paused,
    }
}

#[async_trait]
impl Orders for OrderService {
    async fn checkout(&self, checkout: Checkout) -> Result<CheckoutAnswer, Fault> {
        let refused = |refusal| Ok(CheckoutAnswer::Refused(refusal));
        let sales = &*self.stores.sales;
        let Some(sale) = self.catalog.find(&checkout.sale, sales, &*self.stores.clock).await? else {
            return refused(CheckoutRefusal::UnknownSale);
        };
        let Some((product, definition)) = sale.product(&checkout.product) else {
            return refused(CheckoutRefusal::UnknownProduct);
        };
        let max_per_user = definition.max_per_user;
        if checkout.quantity > max_per_user {
            return refused(CheckoutRefusal::OverLimitQuantity { max_per_user });
        }
        // Only who has a ticket is answered otherwise than by this.
        let closed = closed(&sale, checkout.passed, self.stores.clock.now());
        let user = self.stores.ids.user(&sale.sale_id, &checkout.user);
        let shard = self.stores.ids.shard(&sale.sale_id, user, sale.shards);
        let late = self.stores.backlog.estimate_of(&shard) > self.settings.address_deadline_ms;
        let ticket = self.stores.ids.ticket(&sale.sale_id, user, &checkout.key);
        let request = HoldRequest {
            claim: ticket,
            ticket,
            user,
            user_id: checkout.user,
            terms: Terms { product, quantity: checkout.quantity },
            limit: max_per_user,
            intent: match closed {
                Some(_) => Intent::Find,
                None if late => Intent::Weigh,
                None => Intent::Take,
            },
        };
        let outcome = match (self.stores.inventory.glance(&shard, &request), &closed) {
            (Glance::Decided(outcome), _) => outcome,
            (Glance::Absent, Some(_)) => HoldOutcome::Absent,
            // From memory, too: whoever is sent away must cost less than who is served.
            (Glance::Absent, None) if late => HoldOutcome::Absent,
            (Glance::Absent | Glance::Unknown, _) => self.ask(&shard, request.clone()).await?,
        };
        match (outcome, closed) {
            (HoldOutcome::Absent, Some(closed)) => refused(closed),
            (HoldOutcome::Absent, None) if late => Err(Fault::Overloaded("the way to a payment address")),
            (outcome, _) => self.answer(&shard, &request, outcome).await,
        }
    }

    async fn status(&self, stamp: &TicketStamp) -> Result<Option<StatusDocument>, Fault> {
        let board = self.look(stamp).await;
        let Board::Shows(Some(shown)) = &board else { return self.of_ledger(stamp, &board).await };
        let Shown { document: shown, doubted } = shown;
        let behind = || {
            let may_be = !shown.terminal && self.stores.board.may_stay_behind();
            may_be && self.doubts.are_due(stamp.ticket, self.stores.clock.elapsed())
        };
        if !doubted && !behind() {
            return Ok(Some(shown.clone()));
        }
        // What is shown stands where the ledger is away or knows nothing newer.
        let known = self.of_ledger(stamp, &board).await.ok().flatten();
        let newer = known.filter(|known| known.version > shown.version);
        if newer.is_some() {
            self.doubts.remain(stamp.ticket);
        }
        Ok(Some(newer.unwrap_or_else(|| shown.clone())))
    }

    async fn wait(&self, stamp: &TicketStamp, version: u32) {
        self.stores.board.wait(&stamp.shard, stamp.ticket, version).await;
    }

    async fn cancel(&self, stamp: &TicketStamp) -> Result<CancelAnswer, Fault> {
        let (stores, settings, stamp) = (self.stores.clone(), self.settings.clone(), stamp.clone());
        self.in_time(async move { crate::cancel::cancel(&stores, &settings, &stamp).await }).await
    }

    async fn extend(&self, stamp: &TicketStamp) -> Result<ExtendAnswer, Fault> {
        let extension_ms = self.catalog.get(&stamp.shard.sale).map_or(0, |sale| sale.extension_ms);
        let (stores, ticket) = (self.stores.clone(), stamp.ticket);
        self.in_time(async move { crate::cancel::extend(&stores, ticket, extension_ms).await }).await
    }

    fn view(&self, sale: &SaleId, product: &ProductId) -> Option<StockView> {
        let (number, _) = self.catalog.get(sale)?.product(product).map(|(number, p)| (number, p.stock))?;
        self.stores.inventory.view(sale, number)
    }
}
