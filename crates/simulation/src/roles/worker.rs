//! Workers: what an order's state makes due is done in two steps, at the provider and in the ledger. Several may be at
//! one order, each with what it read.

use domain::id::TicketId;
use domain::order::{Order, Work};
use domain::payment::{Payment, PaymentSession, PaymentStage};
use domain::transition::{Change, ChangeRefusal, Closing};

use super::late_payment::Late;
use crate::mutant::Mutant;
use crate::stores::ledger::Applied;
use crate::stores::provider::Door;
use crate::violation::Checked;
use crate::world::World;

/// Workers that there are at once at most.
const MOST: usize = 4;

/// How long a provider that does not answer keeps units from going back, milliseconds.
const GRACE_MS: u64 = 50;

/// A worker with the order as it read it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) sale: usize,
    pub(crate) order: Order,
    pub(crate) work: Work,
    /// What the provider's answer leads to; the ledger does not know it yet.
    pub(crate) change: Option<Change>,
    pub(crate) late: Late,
}

impl World {
    pub(crate) fn work_on(&mut self) -> Checked<Option<usize>> {
        if self.workers.len() < MOST && (self.workers.is_empty() || self.dice.chance(300)) {
            let sale = self.any_sale();
            let order = self.sales[sale].pick(&mut self.dice, |order| order.work().is_some());
            self.workers.extend(order.and_then(|order| Worker::of(sale, order)));
            return Ok(None);
        }
        let at = self.dice.below(self.workers.len());
        let worker = self.workers.swap_remove(at);
        let sale = worker.sale;
        let left = self.work_step(worker)?;
        self.workers.extend(left);
        Ok(Some(sale))
    }

    pub(crate) fn work_step(&mut self, mut worker: Worker) -> Checked<Option<Worker>> {
        if worker.work == Work::LatePayment {
            return self.late_step(worker);
        }
        match worker.change.take() {
            Some(Change::Paid(payment)) => {
                self.paid(worker.sale, worker.order.ticket, payment.stage)?;
                return Ok(None);
            }
            Some(change) => {
                self.apply(worker.sale, worker.order.ticket, &change)?;
                return Ok(None);
            }
            None => {}
        }
        let silent = !self.calm && self.dice.chance(self.options.provider);
        let order = &worker.order;
        worker.change = match worker.work {
            Work::Address if order.address_deadline <= self.now => Some(Change::Close(Closing::Deadline)),
            Work::Address if silent => self.dice.chance(100).then_some(Change::ProviderRefused),
            Work::Address => Some(self.address(worker.sale, order)),
            Work::Close => self.door(worker.sale, order),
            Work::LateClose => self.left_open(worker.sale, order),
            Work::Capture if silent => None,
            Work::Capture => Some(self.capture(worker.sale, order)),
            Work::Refund if silent => None,
            Work::Refund => {
                self.sales[worker.sale].provider.give_back(order.ticket);
                Some(Change::MoneyReturned)
            }
            Work::LatePayment => None,
        };
        Ok(worker.change.is_some().then_some(worker))
    }

    fn address(&mut self, sale: usize, order: &Order) -> Change {
        self.sales[sale].provider.create(order.ticket);
        let session = PaymentSession { session: format!("{:?}", order.ticket), url: "u".to_owned() };
        Change::AddressReady { session, hold_ms: self.options.hold_ms }
    }

    /// Closes the door; `None` where the provider does not answer and the grace is not over.
    fn door(&mut self, sale: usize, order: &Order) -> Option<Change> {
        if order.session.is_none() {
            return Some(Change::DoorLeft);
        }
        if !self.calm && self.dice.chance(self.options.door) {
            let over = order.changed_at.plus_millis(GRACE_MS) <= self.now;
            let forgotten = self.mutants.has(Mutant::DoorForgotten);
            return over.then_some(if forgotten { Change::DoorClosed } else { Change::DoorLeft });
        }
        Some(self.closed(sale, order))
    }

    /// Closes a door that the end of the grace left open; `None` where the provider does not answer.
    fn left_open(&mut self, sale: usize, order: &Order) -> Option<Change> {
        let silent = !self.calm && self.dice.chance(self.options.door);
        (!silent).then(|| self.closed(sale, order))
    }

    fn closed(&mut self, sale: usize, order: &Order) -> Change {
        match self.sales[sale].provider.close(order.ticket) {
            Door::Paid(stage) if stage.has_money() => Change::Paid(payment(order, stage, false)),
            Door::Closed | Door::Paid(_) => Change::DoorClosed,
        }
    }

    fn capture(&mut self, sale: usize, order: &Order) -> Change {
        let provider = &mut self.sales[sale].provider;
        if !self.calm && self.dice.chance(50) {
            provider.lapse(order.ticket);
        }
        if provider.capture(order.ticket) { Change::Captured } else { Change::CaptureRefused }
    }

    pub(crate) fn apply(&mut self, sale: usize, ticket: TicketId, change: &Change) -> Checked<Applied> {
        let applied = self.sales[sale].apply(ticket, change, self.now, &mut self.figures)?;
        self.say(|| match &applied {
            Applied::Changed(order) => format!("s{sale} {ticket:?} {change:?} -> {:?}", order.state),
            other => format!("s{sale} {ticket:?} {change:?} -> {other:?}"),
        });
        Ok(applied)
    }

    /// Orders whose time is over are closed.
    pub(crate) fn expire(&mut self) -> Checked<Option<usize>> {
        let (sale, now) = (self.any_sale(), self.now);
        let due = |order: &Order| order.deadline().is_some_and(|deadline| deadline <= now);
        let Some(order) = self.sales[sale].pick(&mut self.dice, due) else { return Ok(None) };
        self.apply(sale, order.ticket, &Change::Close(Closing::Deadline))?;
        Ok(Some(sale))
    }

    /// One of the provider's news arrives; it may come again.
    pub(crate) fn news(&mut self) -> Checked<Option<usize>> {
        let sale = self.any_sale();
        let count = self.sales[sale].provider.news.len();
        if count == 0 {
            return Ok(None);
        }
        let (at, keep) = (self.dice.below(count), !self.calm && self.dice.chance(300));
        let (ticket, stage) = self.sales[sale].provider.news[at];
        if !keep {
            self.sales[sale].provider.news.swap_remove(at);
        }
        self.paid(sale, ticket, stage)?;
        Ok(Some(sale))
    }

    /// A payment decides its order; one of another amount than was asked for goes back.
    pub(crate) fn paid(&mut self, at: usize, ticket: TicketId, stage: PaymentStage) -> Checked {
        let sale = &self.sales[at];
        let Some(order) = sale.ledger.orders.get(&ticket) else { return Ok(()) };
        let wrong = sale.provider.sessions.get(&ticket).is_some_and(|session| session.wrong);
        let payment = payment(order, stage, wrong);
        match self.apply(at, ticket, &Change::Paid(payment.clone()))? {
            Applied::Refused(ChangeRefusal::WrongAmount) => {
                self.apply(at, ticket, &Change::WrongPayment(payment)).map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl Worker {
    pub(crate) fn of(sale: usize, order: Order) -> Option<Self> {
        let work = order.work()?;
        Some(Self { sale, order, work, change: None, late: Late::Begin })
    }
}

/// The payment of an order as the provider reports it.
fn payment(order: &Order, stage: PaymentStage, wrong: bool) -> Payment {
    let amount = if wrong { order.amount.times(2) } else { order.amount };
    Payment { payment: format!("{:?}", order.ticket), amount, stage }
}
