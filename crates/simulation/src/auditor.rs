//! The auditor: keeps its own books of what buyers were told and what the ledger did, and uses none of the rules.

use std::collections::{BTreeMap, BTreeSet};

use domain::allocation::Allocation;
use domain::fence::Position;
use domain::hold::{Grant, Terms};
use domain::id::{Epoch, TicketId};
use domain::order::{Order, OrderState as S, Reason};
use domain::time::Timestamp;

use crate::figures::Figures;
use crate::stores::ledger::Ledger;
use crate::stores::log::Logged;
use crate::stores::provider::Session;
use crate::violation::{Checked, Violation, ensure};

/// The bytes of a ticket, as far as they differ: epoch and instant of its stamp.
pub(crate) type Bytes = (Epoch, Timestamp);

/// What a buyer was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told {
    pub(crate) bytes: Bytes,
    pub(crate) terms: Terms,
}

/// The books of one sale.
#[derive(Debug, Default)]
pub(crate) struct Auditor {
    pub(crate) told: BTreeMap<TicketId, Told>,
    /// Tickets whose first claim in the log was stale: the row has that twin's bytes.
    pub(crate) shadows: BTreeSet<TicketId>,
    forms: BTreeMap<TicketId, Bytes>,
    newest_snapshot: Epoch,
    decided: Position,
    opened: BTreeMap<Epoch, u32>,
    sold_out: BTreeSet<(usize, u32)>,
    /// Tickets that were named to buyers at their limit while they were on no record.
    hints: BTreeMap<TicketId, Bytes>,
}

fn broken<T>(rule: &'static str, what: String) -> Checked<T> {
    Err(Violation { rule, what })
}

impl Auditor {
    /// A 202 is sent.
    pub(crate) fn tell(
        &mut self,
        (ticket, grant, terms): (TicketId, &Grant, Terms),
        (log, ledger): (&[Logged], &Ledger),
        figures: &mut Figures,
    ) -> Checked {
        let bytes = (grant.epoch, grant.issued_at);
        let same = |logged: &Logged| (logged.claim.epoch, logged.claim.issued_at) == bytes;
        let logged = log.iter().any(|logged| logged.claim.ticket == ticket && same(logged));
        let row = ledger.orders.contains_key(&ticket);
        ensure(logged || row, "durable 202", || format!("{ticket:?} {bytes:?} is told and on no record"))?;
        let known = ledger.orders.get(&ticket).map(|order| (order.epoch, order.issued_at));
        let exempt = self.shadows.contains(&ticket) || self.is_stale(ticket, bytes);
        let same = exempt || known.is_none_or(|known| known == bytes);
        ensure(same, "stable bytes", || format!("{ticket:?}: row {known:?}, told {bytes:?}"))?;
        let Some(told) = self.told.get(&ticket).copied() else {
            figures.tickets += 1;
            self.told.insert(ticket, Told { bytes, terms });
            return Ok(());
        };
        figures.replays += 1;
        if self.is_stale(ticket, told.bytes) {
            self.told.insert(ticket, Told { bytes, terms });
            return Ok(());
        }
        ensure(exempt || told.terms == terms, "I5", || format!("{ticket:?}: told {told:?}, now {terms:?}"))?;
        let same = exempt || told.bytes == bytes;
        ensure(same, "stable bytes", || format!("{ticket:?}: told {told:?}, now {bytes:?}"))
    }

    /// Whether these bytes are those of a claim that the ledger did not take in and never will: its epoch is over.
    fn is_stale(&self, ticket: TicketId, bytes: Bytes) -> bool {
        bytes.0 < self.newest_snapshot && self.forms.get(&ticket) != Some(&bytes)
    }

    /// A buyer at the limit is told the ticket that they have.
    pub(crate) fn tell_limit(
        &mut self,
        (ticket, grant): (TicketId, &Grant),
        (log, ledger): (&[Logged], &Ledger),
        figures: &mut Figures,
    ) {
        let bytes = (grant.epoch, grant.issued_at);
        let same = |logged: &Logged| (logged.claim.epoch, logged.claim.issued_at) == bytes;
        let logged = log.iter().any(|logged| logged.claim.ticket == ticket && same(logged));
        figures.limit_answers += 1;
        if !logged && !ledger.orders.contains_key(&ticket) {
            figures.limit_unrecorded += 1;
            self.hints.insert(ticket, bytes);
        }
    }

    /// Counts, at the end, what became of tickets that were named to buyers at their limit.
    pub(crate) fn count_hints(&self, ledger: &Ledger, figures: &mut Figures) {
        for (ticket, bytes) in &self.hints {
            match ledger.orders.get(ticket).map(|order| (order.epoch, order.issued_at)) {
                None => figures.limit_lost += 1,
                Some(row) => figures.limit_changed += u64::from(row != *bytes),
            }
        }
    }

    /// A claim was decided.
    #[expect(clippy::too_many_arguments, reason = "everything that one decision is judged by")]
    pub(crate) fn taken_in(
        &mut self,
        logged: &Logged,
        at: Position,
        accepted: bool,
        asked: bool,
        allocation: Allocation,
        order: Option<&Order>,
        figures: &mut Figures,
    ) -> Checked {
        let (ticket, bytes) = (logged.claim.ticket, (logged.claim.epoch, logged.claim.issued_at));
        ensure(asked, "I5", || format!("{ticket:?} is in the log and nobody's ticket"))?;
        // A claim that is read again was decided when it was read first.
        let again = at < self.decided;
        self.decided = self.decided.max(Position(at.0 + 1));
        let kept = accepted || !logged.in_time || again;
        ensure(kept, "I13", || format!("{ticket:?} at {at:?} was published before the fence and is stale"))?;
        if accepted {
            let form = *self.forms.entry(ticket).or_insert(bytes);
            ensure(form == bytes, "stable bytes", || {
                format!("{ticket:?} is valid as {form:?} and {bytes:?}")
            })?;
        }
        match allocation {
            Allocation::Allocated => {
                figures.allocated += 1;
                let fenced = logged.claim.epoch < self.newest_snapshot;
                ensure(!fenced, "I12", || format!("{ticket:?} {bytes:?} is taken in after the snapshot"))
            }
            Allocation::Rejected(_) => {
                figures.stale += 1;
                figures.stale_ticketed += u64::from(self.told.contains_key(&ticket));
                self.shadows.insert(ticket);
                Ok(())
            }
            Allocation::Known => self.known(accepted, bytes, order, figures),
        }
    }

    fn known(&self, accepted: bool, bytes: Bytes, order: Option<&Order>, figures: &mut Figures) -> Checked {
        let Some(order) = order else { return broken("I5", "a known order has no row".to_owned()) };
        let shadow = self.shadows.contains(&order.ticket);
        figures.shadowed += u64::from(accepted && shadow && order.reason == Some(Reason::StoreFailover));
        let row = (order.epoch, order.issued_at);
        let same = !accepted || shadow || row == bytes;
        ensure(same, "stable bytes", || format!("{:?}: row {row:?}, valid claim {bytes:?}", order.ticket))
    }

    pub(crate) fn snapshot_taken(&mut self, epoch: Epoch) {
        self.newest_snapshot = self.newest_snapshot.max(epoch);
    }

    /// A process was given the permission to hand out units of an epoch.
    pub(crate) fn issuer(&mut self, epoch: Epoch, server: u32) -> Checked {
        match self.opened.insert(epoch, server) {
            Some(other) => broken("I4", format!("{epoch:?} was opened by server {other} and by {server}")),
            None => Ok(()),
        }
    }

    /// An order moved.
    pub(crate) fn changed(
        &mut self,
        before: &Order,
        after: &Order,
        session: Option<&Session>,
        figures: &mut Figures,
    ) -> Checked {
        let (ticket, from, to) = (after.ticket, before.state, after.state);
        let next = after.version == before.version + 1;
        ensure(next, "I14", || format!("{ticket:?}: version {} after {}", after.version, before.version))?;
        ensure(may_follow(from, to), "I6", || format!("{ticket:?}: {from:?} to {to:?}"))?;
        let late = to == S::Confirmed && from.is_dead();
        let money = after.has_money() || !from.is_dead() || from == to;
        ensure(money, "I6", || format!("{ticket:?} left {from:?} for {to:?} without money"))?;
        let same = before.issued_at == after.issued_at && before.epoch == after.epoch;
        ensure(same, "stable bytes", || format!("{ticket:?}: the row's stamp changed"))?;
        let paid = session.is_some_and(Session::keeps_money);
        if to == S::Confirmed {
            ensure(paid, "I9", || format!("{ticket:?} is confirmed and its money is not here"))?;
        }
        if to == S::Refunded && from != to {
            ensure(!paid, "I9", || format!("{ticket:?} is refunded and its money is still here"))?;
        }
        figures.confirmed += u64::from(to == S::Confirmed);
        figures.late += u64::from(late);
        figures.ended += u64::from(to.is_dead() && from != to);
        figures.refunded += u64::from(to == S::Refunded && from != to);
        Ok(())
    }

    /// Notes the products all of whose units are sold now.
    pub(crate) fn proves_sold_out(&mut self, ledger: &Ledger) {
        for (product, stock) in ledger.stock.iter().enumerate() {
            let sold = ledger.orders.values().filter(|o| o.is_sold() && o.terms.product.index() == product);
            if sold.map(|order| order.units.len() as u32).sum::<u32>() == *stock {
                self.sold_out.insert((product, *stock));
            }
        }
    }

    /// A buyer is told that all `stock` units of a product are sold.
    pub(crate) fn tell_sold_out(&self, product: usize, stock: u32) -> Checked {
        let proven = self.sold_out.contains(&(product, stock));
        ensure(proven, "I11", || format!("product {product}: {stock} units are called sold and never were"))
    }
}

/// The edges of the order's life, written down here once more.
const fn may_follow(from: S, to: S) -> bool {
    let paid = matches!(to, S::Capturing | S::Confirmed | S::Refunding);
    match from {
        S::Allocated | S::PendingPayment => {
            paid || matches!(to, S::PendingPayment | S::Rejected | S::Expiring)
        }
        S::Expiring => paid || matches!(to, S::Expiring | S::Expired | S::Cancelled),
        S::Capturing => matches!(to, S::Confirmed | S::Rejected),
        S::Confirmed => matches!(to, S::Refunding),
        S::Expired => matches!(to, S::Expired | S::Confirmed | S::Refunding),
        S::Cancelled => matches!(to, S::Cancelled | S::Confirmed | S::Refunding),
        S::Rejected => matches!(to, S::Rejected | S::Confirmed | S::Refunding),
        S::Refunding => matches!(to, S::Refunding | S::Refunded),
        S::Refunded => matches!(to, S::Refunded),
    }
}
