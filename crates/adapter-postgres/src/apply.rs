//! Moving orders: rows are held in the order of their tickets, the rules decide at the database's clock, and order, units,
//! effect and story are written together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use domain::fence::{Term, TermState};
use domain::hold::{Effect, Units};
use domain::id::{Epoch, TicketId};
use domain::order::Order;
use domain::time::Timestamp;
use domain::transition::{Change, ChangeRefusal, Transition, transition};
use ports::ledger::Applied;
use tokio_postgres::Row;

use crate::Postgres;
use crate::columns::{insert_steps, retake, update_orders};
use crate::copy::OwnedUnits;
use crate::effects::insert_effects;
use crate::failure::Failure;
use crate::job::{Job, row, rows};
use crate::live::{Asked, Live, ProductKey};
use crate::queries;
use crate::rows;

/// Changes of orders.
pub(crate) struct Apply<'a> {
    pub(crate) store: &'a Postgres,
    pub(crate) changes: &'a [(TicketId, Change)],
}

/// An order that is held while changes are decided.
struct Held {
    sale: i32,
    order: Order,
    /// The version that is stored, and the claim.
    stored: (u32, TicketId),
    /// Units that the table of units has, and that are its no more.
    gave_up: Option<Units>,
    /// Units that it took meanwhile: since which version, and their places in the buyer's limit.
    took: Option<(u32, Vec<i16>)>,
}

impl Held {
    fn product(&self) -> ProductKey {
        (self.sale, self.order.terms.product)
    }
}

#[async_trait]
impl Job for Apply<'_> {
    type Answer = Vec<Applied>;

    async fn run(&self, inside: &Transaction<'_>) -> Result<Self::Answer, Failure> {
        let orders = hold(self.store, inside, self.changes).await?;
        let (terms, live) = late_facts(inside, self.changes, &orders).await?;
        let now = clock(row(inside, queries::CLOCK, &[]).await?.as_ref())?;
        let mut desk =
            Desk { orders, terms, live, now, effects: Vec::new(), steps: Vec::new(), addresses: 0 };
        let mut applied = Vec::with_capacity(self.changes.len());
        for (ticket, change) in self.changes {
            if desk.gave_up(*ticket, change) {
                desk.write(inside).await?;
                desk.begin_again();
            }
            applied.push(desk.apply(*ticket, change));
        }
        desk.write(inside).await?;
        Ok(applied)
    }
}

/// What the database's clock said.
pub(crate) fn clock(told: Option<&Row>) -> Result<Timestamp, Failure> {
    let now = told.map(|row| row.try_get(0)).transpose()?.map(rows::time);
    now.ok_or_else(|| Failure::damaged("the ledger", "its clock does not answer"))
}

/// The orders of the changes, held.
async fn hold(
    store: &Postgres,
    inside: &Transaction<'_>,
    changes: &[(TicketId, Change)],
) -> Result<HashMap<TicketId, Held>, Failure> {
    let tickets: BTreeSet<&[u8]> = changes.iter().map(|(ticket, _)| &ticket.0[..]).collect();
    let tickets: Vec<&[u8]> = tickets.into_iter().collect();
    let mut orders = HashMap::with_capacity(tickets.len());
    for row in rows(inside, queries::ORDERS_HOLD, &[&tickets]).await? {
        let sale: i32 = rows::cell(&row, "sale_no")?;
        let order = rows::order(&row, store.numbers.sale(inside, sale).await?)?;
        let (ticket, stored) = (order.ticket, (order.version, order.claim));
        orders.insert(ticket, Held { sale, order, stored, gave_up: None, took: None });
    }
    Ok(orders)
}

type ShardTerms = BTreeMap<(i32, u16), Term>;

/// What units that were taken again for late money depend on: the running terms, kept from moving, and who owns what.
async fn late_facts(
    inside: &Transaction<'_>,
    changes: &[(TicketId, Change)],
    orders: &HashMap<TicketId, Held>,
) -> Result<(ShardTerms, Live), Failure> {
    let mut asked = Asked::default();
    let mut shards = BTreeSet::new();
    for (ticket, change) in changes {
        if let (Change::LateHeld { units, .. }, Some(held)) = (change, orders.get(ticket)) {
            asked.about(held.product(), held.order.user, units);
            shards.insert((held.sale, held.order.shard.number));
        }
    }
    let mut terms = ShardTerms::new();
    if shards.is_empty() {
        return Ok((terms, Live::default()));
    }
    for (sale, shard) in shards {
        if let Some(row) = row(inside, queries::RUNNING_TERM, &[&sale, &i32::from(shard)]).await? {
            terms.insert((sale, shard), rows::term(&row)?);
        }
    }
    Ok((terms, Live::read(inside, &asked).await?))
}

/// Changes while they are decided.
struct Desk {
    orders: HashMap<TicketId, Held>,
    terms: ShardTerms,
    live: Live,
    now: Timestamp,
    effects: Vec<(i32, u16, Effect)>,
    /// Orders as they were after each change.
    steps: Vec<Order>,
    /// Payment addresses among the changes.
    addresses: i64,
}

impl Desk {
    /// Whether the change takes units for an order that gives its own up in the same batch: that is written first, since a
    /// claim does not change while it is live.
    fn gave_up(&self, ticket: TicketId, change: &Change) -> bool {
        let held = self.orders.get(&ticket);
        matches!(change, Change::LateHeld { .. }) && held.is_some_and(|held| held.gave_up.is_some())
    }

    /// All of it is written.
    fn begin_again(&mut self) {
        for held in self.orders.values_mut() {
            (held.stored, held.gave_up, held.took) = ((held.order.version, held.order.claim), None, None);
        }
        self.effects.clear();
        self.steps.clear();
        self.addresses = 0;
    }

    fn apply(&mut self, ticket: TicketId, change: &Change) -> Applied {
        let Some(held) = self.orders.get_mut(&ticket) else { return Applied::Unknown };
        let late = late(&held.order, change);
        let refused =
            late.filter(|(units, epoch)| !may_hold_late(&self.terms, &self.live, held, units, *epoch));
        if refused.is_some() {
            return Applied::Refused(ChangeRefusal::Ended, Box::new(held.order.clone()));
        }
        match transition(&held.order, change, self.now) {
            Err(refusal) => Applied::Refused(refusal, Box::new(held.order.clone())),
            Ok(Transition::Replay) => Applied::Replay(Box::new(held.order.clone())),
            Ok(Transition::Changed(next, effect)) => {
                if late.is_some() {
                    let places = self.live.own(held.product(), next.user, ticket, &next.units);
                    let Some(places) = places else {
                        return Applied::Refused(ChangeRefusal::Ended, Box::new(held.order.clone()));
                    };
                    held.took = Some((next.version, places));
                } else if held.order.live && !next.live {
                    // Units that were taken a moment ago are in no table yet.
                    if held.took.take().is_none() {
                        held.gave_up = Some(held.order.units.clone());
                    }
                    self.live.disown(ticket);
                }
                self.addresses += i64::from(next.has_new_address(held.order.state));
                self.effects.extend(effect.map(|effect| (held.sale, next.shard.number, effect)));
                self.steps.push((*next).clone());
                held.order = (*next).clone();
                Applied::Changed(next)
            }
        }
    }

    /// Writes what was decided: one statement a table. Units are given back before others are taken.
    async fn write(&self, inside: &Transaction<'_>) -> Result<(), Failure> {
        let changed = self.orders.values().filter(|held| held.order.version != held.stored.0);
        let changed: Vec<&Held> = changed.collect();
        let orders: Vec<&Order> = changed.iter().map(|held| &held.order).collect();
        let mut owned = OwnedUnits::default();
        for held in &changed {
            if let Some((since, places)) = &held.took {
                owned.push(held.sale, &held.order, *since, places);
            }
        }
        for held in changed.iter().filter(|held| held.order.claim != held.stored.1) {
            retake(inside, &held.order).await?;
        }
        update_orders(inside, &orders).await?;
        end_units(inside, &changed).await?;
        owned.insert(inside).await?;
        insert_steps(inside, &self.steps).await?;
        if self.addresses > 0 {
            rows(inside, queries::ADDRESSES_COUNT, &[&self.addresses]).await?;
        }
        insert_effects(inside, &self.effects).await
    }
}

/// Ends the rows of units that orders gave up.
async fn end_units(inside: &Transaction<'_>, changed: &[&Held]) -> Result<(), Failure> {
    let ended = || {
        let gave_up = changed.iter().filter_map(|held| Some((*held, held.gave_up.as_ref()?)));
        gave_up.flat_map(|(held, units)| units.iter().map(move |unit| (held, unit.cast_signed())))
    };
    let units: Vec<i32> = ended().map(|(_, unit)| unit).collect();
    if units.is_empty() {
        return Ok(());
    }
    let tickets: Vec<&[u8]> = ended().map(|(held, _)| &held.order.ticket.0[..]).collect();
    let sales: Vec<i32> = ended().map(|(held, _)| held.sale).collect();
    let products: Vec<i32> = ended().map(|(held, _)| i32::from(held.order.terms.product.0)).collect();
    rows(inside, queries::UNITS_END, &[&tickets, &sales, &products, &units]).await.map(drop)
}

/// Units of a change that would take them again for late money, and their epoch; not where they are the order's already.
fn late<'a>(order: &Order, change: &'a Change) -> Option<(&'a Units, Epoch)> {
    match change {
        Change::LateHeld { claim, .. } if order.live && order.claim == *claim => None,
        Change::LateHeld { units, epoch, .. } => Some((units, *epoch)),
        _ => None,
    }
}

/// Units taken again for late money count only under the shard's running epoch, and only if nobody owns them.
fn may_hold_late(terms: &ShardTerms, live: &Live, held: &Held, units: &Units, epoch: Epoch) -> bool {
    let term = terms.get(&(held.sale, held.order.shard.number));
    let running = term.is_some_and(|term| term.epoch == epoch && term.state == TermState::Open);
    running && !live.taken(held.product(), units)
}
