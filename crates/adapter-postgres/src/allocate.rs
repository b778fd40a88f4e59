//! Taking claims in: a batch is one transaction, decided claim by claim, since each decision bears on the next.
//!
//! Nearly every claim is new, its units are nobody's and its buyer owns nothing. So a batch is first decided as if all were:
//! the unique indexes over tickets, live units and places of limits refuse it where one is not, and it is decided again by
//! what is there. Places are given from the first one on: where none of them is taken, no limit is exceeded.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::allocation::{self, Allocation, Facts};
use domain::fence::{Position, Term};
use domain::hold::{Claim, Effect, Units};
use domain::id::{ShardId, TicketId};
use domain::order::{Order, OrderTerms, Reason};
use domain::time::Timestamp;
use ports::Fault;
use ports::claims::ClaimBatch;
use ports::ledger::Allocations;

use crate::Postgres;
use crate::columns::insert_steps;
use crate::copy::{OwnedUnits, insert_orders};
use crate::effects::insert_effects;
use crate::failure::Failure;
use crate::job::{Job, row, rows};
use crate::live::{Asked, Live};
use crate::queries;
use crate::rows::{cell, small, term, ticket, time_of, unit_numbers};

#[async_trait]
impl Allocations for Postgres {
    async fn position(&self, shard: &ShardId) -> Result<Position, Fault> {
        let stored = self.stored_term(shard).await?;
        Ok(stored.map(|(_, position)| position).unwrap_or_default())
    }

    async fn allocate(&self, shard: &ShardId, batch: ClaimBatch) -> Result<Option<Vec<Allocation>>, Fault> {
        let job = Allocate { store: self, shard, batch: &batch, tried: AtomicBool::new(false) };
        let Some(taken) = self.run(&job).await? else { return Ok(None) };
        self.sent.raise(shard);
        for order in &taken.orders {
            self.deadlines.saw(order);
        }
        Ok(Some(taken.decisions))
    }
}

struct Allocate<'a> {
    store: &'a Postgres,
    shard: &'a ShardId,
    batch: &'a ClaimBatch,
    /// Whether it was decided once, and was refused.
    tried: AtomicBool,
}

/// Batches that are decided by what is there from the first on, after one that was refused: where one buyer comes again,
/// others do.
const CAREFUL: u32 = 32;

/// How many batches are still to be decided by what is there.
#[derive(Default)]
pub(crate) struct Care(AtomicU32);

impl Care {
    /// Whether a batch is to be decided by what is there; `refused` where it was decided otherwise and refused.
    fn look(&self, refused: bool) -> bool {
        if refused {
            self.0.store(CAREFUL, Ordering::Relaxed);
            return true;
        }
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

/// What was decided.
#[derive(Default)]
struct Taken {
    decisions: Vec<Allocation>,
    orders: Vec<Order>,
    /// By order: the places in its buyer's limit that its units take.
    places: Vec<Vec<i16>>,
    effects: Vec<Effect>,
}

#[async_trait]
impl Job for Allocate<'_> {
    type Answer = Option<Taken>;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let Some(sale) = self.store.numbers.number(inside, &self.shard.sale).await? else {
            return Err(self.damaged());
        };
        let (from, next) = (signed(self.batch.from)?, signed(self.batch.next)?);
        let shard = i32::from(self.shard.number);
        let moved = row(inside, queries::POSITION_MOVE, &[&sale, &shard, &from, &next]).await?;
        let Some(moved) = moved else { return Ok(None) };
        let (term, now) = (term(&moved)?, time_of(&moved, "now")?);
        let look = self.store.care.look(self.tried.swap(true, Ordering::Relaxed));
        let mut desk = self.decide(inside, Desk::new(sale, term, now), look).await?;
        // The one refusal that bears on another: whether a unit is taken is asked before the limit is.
        if !look && desk.taken.decisions.contains(&Allocation::Rejected(Reason::LimitReached)) {
            desk = self.decide(inside, Desk::new(sale, term, now), true).await?;
        }
        write(inside, self.shard, sale, &desk.taken).await?;
        Ok(Some(desk.taken))
    }
}

impl Allocate<'_> {
    /// Decides the batch: by what is there, or as if its claims were new and nobody owned anything.
    async fn decide(&self, inside: &Transaction<'_>, mut desk: Desk, look: bool) -> Result<Desk, Failure> {
        let mut asked = Asked::default();
        for (_, claim) in &self.batch.claims {
            asked.about((desk.sale, claim.terms.product), claim.user, &claim.units);
        }
        if look {
            desk.known = known(inside, &self.batch.claims).await?;
            desk.live = Live::read(inside, &asked).await?;
        } else {
            desk.live = Live::of_products(inside, &asked).await?;
        }
        for (position, claim) in &self.batch.claims {
            desk.take_in(self, *position, claim)?;
        }
        Ok(desk)
    }

    fn damaged(&self) -> Failure {
        let detail = format!("a claim of {} names something that does not exist", self.shard);
        Failure::damaged("the claim log", detail)
    }
}

/// Positions are numbers of 63 bits in the tables.
pub(crate) fn signed(position: Position) -> Result<i64, Failure> {
    let number = i64::try_from(position.0);
    number.map_err(|_| Failure::damaged("the claim log", format!("{} is no position", position.0)))
}

type Known = HashMap<TicketId, (bool, Units)>;

/// Orders that tickets of the batch have already.
async fn known(inside: &Transaction<'_>, claims: &[(Position, Claim)]) -> Result<Known, Failure> {
    let tickets: Vec<&[u8]> = claims.iter().map(|(_, claim)| &claim.ticket.0[..]).collect();
    let rows = rows(inside, queries::ORDERS_KNOWN, &[&tickets]).await?;
    rows.iter().map(|row| Ok((ticket(row)?, (cell(row, "live")?, unit_numbers(row, "units")?)))).collect()
}

/// A batch while it is decided.
struct Desk {
    sale: i32,
    term: Term,
    now: Timestamp,
    known: Known,
    live: Live,
    taken: Taken,
}

impl Desk {
    fn new(sale: i32, term: Term, now: Timestamp) -> Self {
        Self { sale, term, now, known: Known::new(), live: Live::default(), taken: Taken::default() }
    }

    fn take_in(&mut self, job: &Allocate<'_>, position: Position, claim: &Claim) -> Result<(), Failure> {
        let key = (self.sale, claim.terms.product);
        let product = self.live.product(key).filter(|_| claim.shard == *job.shard);
        let product = product.ok_or_else(|| job.damaged())?;
        let facts = Facts {
            term: self.term,
            position,
            known: self.known.get(&claim.ticket).map(|(live, units)| (*live, units)),
            stock: product.stock,
            taken: self.live.taken(key, &claim.units),
            user_units: self.live.user_units(key, claim.user),
            limit: product.max_per_user,
        };
        let (decision, effect) = allocation::decide(claim, &facts);
        let refused = match decision {
            Allocation::Known => None,
            Allocation::Allocated => Some(None),
            Allocation::Rejected(reason) => Some(Some(reason)),
        };
        if let Some(refused) = refused {
            let terms = OrderTerms {
                amount: product.price.times(claim.terms.quantity),
                address_deadline_ms: job.store.address_deadline_ms,
            };
            self.open(claim, terms, refused)?;
        }
        self.taken.decisions.push(decision);
        self.taken.effects.push(effect);
        Ok(())
    }

    fn open(&mut self, claim: &Claim, terms: OrderTerms, refused: Option<Reason>) -> Result<(), Failure> {
        let order = Order::from_claim(claim, terms, refused, self.now);
        let key = (self.sale, claim.terms.product);
        let places = if order.live {
            let places = self.live.own(key, order.user, order.ticket, &order.units);
            places.ok_or_else(|| {
                Failure::damaged("the ledger", "the places of a buyer's limit differ from it")
            })?
        } else {
            Vec::new()
        };
        self.known.insert(order.ticket, (order.live, order.units.clone()));
        self.taken.orders.push(order);
        self.taken.places.push(places);
        Ok(())
    }
}

/// Writes what was decided: one statement a table.
async fn write(inside: &Transaction<'_>, shard: &ShardId, sale: i32, taken: &Taken) -> Result<(), Failure> {
    let mut owned = OwnedUnits::default();
    for (order, places) in taken.orders.iter().zip(&taken.places) {
        owned.push(sale, order, order.version, places);
    }
    // The first step of an order that was allocated is its own row.
    let steps: Vec<Order> = taken.orders.iter().filter(|order| !order.live).cloned().collect();
    let effects = taken.effects.iter().map(|effect| (sale, shard.number, effect.clone()));
    let effects: Vec<(i32, u16, Effect)> = effects.collect();
    insert_orders(inside, sale, shard.number, &taken.orders).await?;
    owned.insert(inside).await?;
    insert_steps(inside, &steps).await?;
    insert_effects(inside, &effects).await
}

impl Postgres {
    /// The term of a shard and its position; `None` where the shard never was.
    pub(crate) async fn stored_term(&self, shard: &ShardId) -> Result<Option<(Term, Position)>, Fault> {
        let Some(sale) = self.sale_number(&shard.sale).await? else { return Ok(None) };
        let rows = self.ask(queries::TERM, &[&sale, &i32::from(shard.number)]).await?;
        let read = |row| Ok((term(row)?, Position(small(cell(row, "position")?, "position")?)));
        rows.first().map(read).transpose().map_err(|failure| self.fault(failure))
    }

    /// The number of a sale; `None` where there is no such sale.
    pub(crate) async fn sale_number(&self, sale: &domain::id::SaleId) -> Result<Option<i32>, Fault> {
        if let Some(number) = self.numbers.seen(sale) {
            return Ok(Some(number));
        }
        let client = self.client().await.map_err(|failure| self.fault(failure))?;
        self.numbers.number(&client, sale).await.map_err(|failure| self.fault(failure))
    }
}
