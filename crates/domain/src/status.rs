//! What a buyer is told of an order: phase, status and reason, as the HTTP contract words them.

use crate::hold::{Terms, Units};
use crate::order::{Order, OrderState, Reason};
use crate::ticket::TicketStamp;
use crate::time::Timestamp;

/// The coarse state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing to do yet.
    Pending,
    /// The buyer can pay, or has paid and the money is being collected.
    AwaitingPayment,
    /// Bought.
    Confirmed,
    /// Not bought.
    Failed,
}

impl Phase {
    /// The contract's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
        }
    }
}

/// The fine state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Units claimed, payment address being made.
    Queued,
    /// The payment address is there.
    AwaitingPayment,
    /// Paid.
    Confirmed,
    /// The provider refused for good.
    PaymentFailed,
    /// Not paid in time.
    Expired,
    /// Given up.
    Cancelled,
    /// The ledger had no unit.
    SoldOut,
    /// Money taken and given back, or on its way.
    Refunded,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::AwaitingPayment,
        Self::Confirmed,
        Self::PaymentFailed,
        Self::Expired,
        Self::Cancelled,
        Self::SoldOut,
        Self::Refunded,
    ];

    /// The contract's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::AwaitingPayment => "awaiting_payment",
            Self::Confirmed => "confirmed",
            Self::PaymentFailed => "payment_failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::SoldOut => "sold_out",
            Self::Refunded => "refunded",
        }
    }

    /// The phase it belongs to.
    #[must_use]
    pub const fn phase(self) -> Phase {
        match self {
            Self::Queued => Phase::Pending,
            Self::AwaitingPayment => Phase::AwaitingPayment,
            Self::Confirmed => Phase::Confirmed,
            Self::PaymentFailed | Self::Expired | Self::Cancelled | Self::SoldOut | Self::Refunded => {
                Phase::Failed
            }
        }
    }

    /// Of an order in `state` for `reason`.
    #[must_use]
    pub const fn of(state: OrderState, reason: Option<Reason>) -> Self {
        match (state, reason) {
            (OrderState::Allocated, _) => Self::Queued,
            (OrderState::PendingPayment | OrderState::Expiring | OrderState::Capturing, _) => {
                Self::AwaitingPayment
            }
            (OrderState::Confirmed, _) => Self::Confirmed,
            (OrderState::Expired, _) => Self::Expired,
            (OrderState::Cancelled, _) => Self::Cancelled,
            (OrderState::Rejected, Some(Reason::StoreFailover | Reason::LimitReached)) => Self::Cancelled,
            (OrderState::Rejected, Some(Reason::SoldOut)) => Self::SoldOut,
            (OrderState::Rejected, _) => Self::PaymentFailed,
            (OrderState::Refunding | OrderState::Refunded, _) => Self::Refunded,
        }
    }
}

/// The document that a buyer polls, apart from what only the edge knows (addresses, polling pace).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusDocument {
    /// The ticket's stamp.
    pub stamp: TicketStamp,
    /// The status.
    pub status: Status,
    /// Why, in the contract's words.
    pub reason: Option<&'static str>,
    /// Product and quantity; `None` where the ledger and the board both lost them.
    pub terms: Option<Terms>,
    /// Which units are theirs; empty until confirmed.
    pub units: Units,
    /// Where to pay, while they can.
    pub checkout_url: Option<String>,
    /// When the hold ends, while there is one to end.
    pub hold_expires_at: Option<Timestamp>,
    /// Nothing more happens unless money arrives or the operator acts.
    pub terminal: bool,
    /// Only grows; 0 before the ledger knows the claim.
    pub version: u32,
}

impl StatusDocument {
    /// Of a claim that the ledger has not taken in.
    #[must_use]
    pub const fn queued(stamp: TicketStamp, terms: Terms) -> Self {
        Self {
            stamp,
            status: Status::Queued,
            reason: None,
            terms: Some(terms),
            units: Units::new(),
            checkout_url: None,
            hold_expires_at: None,
            terminal: false,
            version: 0,
        }
    }

    /// Of a claim that the ledger can never take in any more, by [`crate::fence::Term::has_ended`].
    #[must_use]
    pub const fn lost(stamp: TicketStamp, terms: Option<Terms>) -> Self {
        Self {
            stamp,
            status: Status::of(OrderState::Rejected, Some(Reason::StoreFailover)),
            reason: Some(Reason::StoreFailover.as_str()),
            terms,
            units: Units::new(),
            checkout_url: None,
            hold_expires_at: None,
            terminal: true,
            version: 1,
        }
    }

    /// Of an order.
    #[must_use]
    pub fn of(order: &Order) -> Self {
        // While the money is being collected the document stays as it was: the next change is the end.
        let payable = matches!(order.state, OrderState::PendingPayment | OrderState::Capturing);
        let confirmed = order.state == OrderState::Confirmed;
        let session = order.session.as_ref().filter(|_| payable);
        Self {
            stamp: order.stamp(),
            status: order.status(),
            reason: reason(order),
            terms: Some(order.terms),
            units: if confirmed { order.units.clone() } else { Units::new() },
            checkout_url: session.map(|session| session.url.clone()),
            hold_expires_at: order.expires_at.filter(|_| payable),
            terminal: order.state.is_terminal(),
            version: order.version,
        }
    }
}

/// The contract's word for the reason, where it has one.
fn reason(order: &Order) -> Option<&'static str> {
    let reason = order.reason?;
    match (order.state, reason) {
        (OrderState::Refunding, _) => Some("refunding"),
        (OrderState::Expiring, Reason::ByBuyer | Reason::ByOperator) => Some("cancelling"),
        (OrderState::Expiring, _) => Some("expiring"),
        (OrderState::PendingPayment, Reason::PaymentDeclined)
        | (OrderState::Confirmed, Reason::LatePayment)
        | (OrderState::Expired, Reason::NoPaymentAddress)
        | (OrderState::Cancelled, Reason::ByBuyer | Reason::ByOperator)
        | (OrderState::Rejected, Reason::StoreFailover | Reason::LimitReached) => Some(reason.as_str()),
        _ => None,
    }
}
