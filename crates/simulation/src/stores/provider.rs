//! The payment provider: one session a ticket, money that moves once, news that come late and twice.

use std::collections::BTreeMap;

use domain::id::TicketId;
use domain::payment::PaymentStage;

/// A session: where a buyer pays, and what became of the money.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Session {
    pub(crate) closed: bool,
    pub(crate) payment: Option<PaymentStage>,
    /// Whether another amount was paid than was asked for.
    pub(crate) wrong: bool,
    /// How often money was taken and given back; each at most once.
    pub(crate) captures: u32,
    pub(crate) refunds: u32,
}

impl Session {
    /// Whether money was taken that was not given back.
    pub(crate) const fn keeps_money(&self) -> bool {
        self.captures > self.refunds
    }
}

/// What closing a session came to.
pub(crate) enum Door {
    Closed,
    Paid(PaymentStage),
}

/// The provider's own books.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(crate) sessions: BTreeMap<TicketId, Session>,
    /// Payments that were announced to us and have not arrived.
    pub(crate) news: Vec<(TicketId, PaymentStage)>,
}

impl Provider {
    /// Makes a session, or finds the one that this ticket made.
    pub(crate) fn create(&mut self, ticket: TicketId) {
        self.sessions.entry(ticket).or_default();
    }

    /// A buyer pays; `false` where the door is closed, or somebody has paid.
    pub(crate) fn pay(&mut self, ticket: TicketId, (at_once, wrong): (bool, bool)) -> bool {
        let open = |session: &&mut Session| !session.closed && session.payment.is_none();
        let Some(session) = self.sessions.get_mut(&ticket).filter(open) else { return false };
        let stage = if at_once { PaymentStage::Captured } else { PaymentStage::Authorised };
        session.payment = Some(stage);
        session.wrong = wrong;
        session.captures += u32::from(at_once);
        self.news.push((ticket, stage));
        true
    }

    pub(crate) fn close(&mut self, ticket: TicketId) -> Door {
        let session = self.sessions.entry(ticket).or_default();
        if let Some(stage) = session.payment {
            return Door::Paid(stage);
        }
        session.closed = true;
        Door::Closed
    }

    /// Collects authorised money; `false` where it will never move.
    pub(crate) fn capture(&mut self, ticket: TicketId) -> bool {
        let Some(session) = self.sessions.get_mut(&ticket) else { return false };
        match session.payment {
            Some(PaymentStage::Authorised) => {
                session.payment = Some(PaymentStage::Captured);
                session.captures += 1;
                true
            }
            Some(PaymentStage::Captured | PaymentStage::Refunded) => true,
            Some(PaymentStage::Voided) | None => false,
        }
    }

    /// Gives money back: up an authorisation, or what was captured; once.
    pub(crate) fn give_back(&mut self, ticket: TicketId) {
        let Some(session) = self.sessions.get_mut(&ticket) else { return };
        match session.payment {
            Some(PaymentStage::Authorised) => session.payment = Some(PaymentStage::Voided),
            Some(PaymentStage::Captured) => {
                session.payment = Some(PaymentStage::Refunded);
                session.refunds += 1;
            }
            Some(PaymentStage::Voided | PaymentStage::Refunded) | None => {}
        }
    }

    /// An authorisation lapses by itself.
    pub(crate) fn lapse(&mut self, ticket: TicketId) {
        if let Some(session) = self.sessions.get_mut(&ticket)
            && session.payment == Some(PaymentStage::Authorised)
        {
            session.payment = Some(PaymentStage::Voided);
        }
    }
}
