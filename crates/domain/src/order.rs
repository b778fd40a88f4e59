//! An order: what the ledger knows of one ticket.

use crate::few::Few;
use crate::hold::{Claim, Terms, Units};
use crate::id::{Epoch, ShardId, TicketId, UserHash, UserId};
use crate::money::Money;
use crate::payment::{Payment, PaymentSession};
use crate::status::Status;
use crate::ticket::TicketStamp;
use crate::time::Timestamp;

/// The states of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderState {
    /// The units are the order's; the payment address is being made.
    Allocated,
    /// The buyer can pay until the hold ends.
    PendingPayment,
    /// The provider's door is being closed; a payment that slips through still wins.
    Expiring,
    /// A verified payment has decided the order; the money is being collected.
    Capturing,
    /// Paid, captured: the units are the buyer's.
    Confirmed,
    /// Not paid in time.
    Expired,
    /// Given up by the buyer or the operator.
    Cancelled,
    /// Refused: by the provider, by the limit, by a fence, or for want of a unit.
    Rejected,
    /// Money is on its way back.
    Refunding,
    /// Money has been given back.
    Refunded,
}

impl OrderState {
    /// Every state, in the order of a purchase.
    pub const ALL: [Self; 10] = [
        Self::Allocated,
        Self::PendingPayment,
        Self::Expiring,
        Self::Capturing,
        Self::Confirmed,
        Self::Expired,
        Self::Cancelled,
        Self::Rejected,
        Self::Refunding,
        Self::Refunded,
    ];

    /// Ended without a sale, left only by late money.
    #[must_use]
    pub const fn is_dead(self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled | Self::Rejected)
    }

    /// Nothing more happens unless money arrives or the operator acts.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        self.is_dead() || matches!(self, Self::Confirmed | Self::Refunded)
    }

    /// Holding units that may still become free without anybody's money moving.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Allocated | Self::PendingPayment | Self::Expiring | Self::Capturing)
    }
}

/// Why an order is where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The payment was declined; the buyer may try again.
    PaymentDeclined,
    /// The provider refused for good.
    PaymentRefused,
    /// The hold ended unpaid.
    NotPaid,
    /// We failed to make a payment address in time.
    NoPaymentAddress,
    /// The buyer gave up.
    ByBuyer,
    /// The operator ended it.
    ByOperator,
    /// The claim was made under an epoch that a failover ended.
    StoreFailover,
    /// The limit of the buyer would be exceeded.
    LimitReached,
    /// The ledger had no unit for the claim.
    SoldOut,
    /// The money came after the hold.
    LatePayment,
    /// The provider reported another amount than was asked for.
    WrongAmount,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::PaymentDeclined,
        Self::PaymentRefused,
        Self::NotPaid,
        Self::NoPaymentAddress,
        Self::ByBuyer,
        Self::ByOperator,
        Self::StoreFailover,
        Self::LimitReached,
        Self::SoldOut,
        Self::LatePayment,
        Self::WrongAmount,
    ];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentDeclined => "payment-declined",
            Self::PaymentRefused => "payment-refused",
            Self::NotPaid => "not-paid",
            Self::NoPaymentAddress => "no-payment-address",
            Self::ByBuyer => "by-buyer",
            Self::ByOperator => "by-operator",
            Self::StoreFailover => "store-failover",
            Self::LimitReached => "limit-reached",
            Self::SoldOut => "sold-out",
            Self::LatePayment => "late-payment",
            Self::WrongAmount => "wrong-amount",
        }
    }
}

/// Work that somebody must do for an order; it stays due until the order moves on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Make the payment address.
    Address,
    /// Close the provider's door, so that the units can go back.
    Close,
    /// Collect the money.
    Capture,
    /// Take units again for money that came after the end, or give it back.
    LatePayment,
    /// Give the money back.
    Refund,
    /// Close the provider's door that the end of the grace left open; units wait for it no more.
    LateClose,
}

impl Work {
    /// Every kind of work.
    pub const ALL: [Self; 6] =
        [Self::Address, Self::Close, Self::Capture, Self::LatePayment, Self::Refund, Self::LateClose];
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The ticket.
    pub ticket: TicketId,
    /// The shard that held its units.
    pub shard: ShardId,
    /// The epoch of the stamp.
    pub epoch: Epoch,
    /// The instant of the stamp.
    pub issued_at: Timestamp,
    /// The buyer's hash.
    pub user: UserHash,
    /// The buyer as the shop knows them.
    pub user_id: UserId,
    /// Product and quantity.
    pub terms: Terms,
    /// What it costs, all units together.
    pub amount: Money,
    /// The claim under which the inventory knows the units: the ticket, or a late claim of it.
    pub claim: TicketId,
    /// The units, while `live`; afterwards those it had last.
    pub units: Units,
    /// Whether the units belong to this order.
    pub live: bool,
    /// The state.
    pub state: OrderState,
    /// Why.
    pub reason: Option<Reason>,
    /// When the ledger took the claim in.
    pub allocated_at: Timestamp,
    /// Until when the payment address must be there.
    pub address_deadline: Timestamp,
    /// When the hold ends; unknown until the payment address is there.
    pub expires_at: Option<Timestamp>,
    /// Whether the buyer used the one extension.
    pub extended: bool,
    /// The provider's session. Boxed, as the payment is: an order that waits for its address has neither, and many wait.
    pub session: Option<Box<PaymentSession>>,
    /// The payment.
    pub payment: Option<Box<Payment>>,
    /// How often late money has tried to take units again.
    pub late_attempts: u16,
    /// When the order last changed.
    pub changed_at: Timestamp,
    /// Grows by one with each change; the first is 1.
    pub version: u32,
}

/// What the sale says that bears on a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderTerms {
    /// What it costs, all units together.
    pub amount: Money,
    /// How long we may take to make a payment address, milliseconds.
    pub address_deadline_ms: u64,
}

impl Order {
    /// The order that a claim becomes, allocated (`refused` none) or dead from the start.
    #[must_use]
    pub fn from_claim(claim: &Claim, terms: OrderTerms, refused: Option<Reason>, now: Timestamp) -> Self {
        Self {
            ticket: claim.ticket,
            shard: claim.shard.clone(),
            epoch: claim.epoch,
            issued_at: claim.issued_at,
            user: claim.user,
            user_id: claim.user_id.clone(),
            terms: claim.terms,
            amount: terms.amount,
            claim: claim.ticket,
            units: if refused.is_none() { claim.units.clone() } else { Few::new() },
            live: refused.is_none(),
            state: if refused.is_none() { OrderState::Allocated } else { OrderState::Rejected },
            reason: refused,
            allocated_at: now,
            address_deadline: now.plus_millis(terms.address_deadline_ms),
            expires_at: None,
            extended: false,
            session: None,
            payment: None,
            late_attempts: 0,
            changed_at: now,
            version: 1,
        }
    }

    /// Whether `session` is where its buyer pays.
    #[must_use]
    pub fn has_session(&self, session: &PaymentSession) -> bool {
        self.session.as_ref().is_some_and(|own| own.session == session.session)
    }

    /// Whether its buyer may still be able to pay at the provider although it has ended: the grace was over before the
    /// provider said that its door is closed. An ended order keeps the address only while that is so.
    #[must_use]
    pub fn has_open_door(&self) -> bool {
        let ended = matches!(self.state, OrderState::Expired | OrderState::Cancelled);
        ended && self.payment.is_none() && self.session.as_ref().is_some_and(|own| !own.url.is_empty())
    }

    /// What its signed ticket carries.
    #[must_use]
    pub fn stamp(&self) -> TicketStamp {
        TicketStamp {
            ticket: self.ticket,
            shard: self.shard.clone(),
            epoch: self.epoch,
            issued_at: self.issued_at,
        }
    }

    /// Whether a claim that was made for its late money is, or may still become, the one that its units are under; `newest`
    /// is the claim of the newest attempt. Every other one may be given back.
    #[must_use]
    pub fn may_use_late(&self, claim: TicketId, newest: TicketId) -> bool {
        let used = self.live && self.claim == claim;
        used || (claim == newest && self.work() == Some(Work::LatePayment))
    }

    /// Whether it has its payment address since the change that led here from `before`.
    #[must_use]
    pub fn has_new_address(&self, before: OrderState) -> bool {
        before == OrderState::Allocated && self.state == OrderState::PendingPayment
    }

    /// The work that is due for the order now, if any.
    #[must_use]
    pub fn work(&self) -> Option<Work> {
        match self.state {
            OrderState::Allocated => Some(Work::Address),
            OrderState::Expiring => Some(Work::Close),
            OrderState::Capturing => Some(Work::Capture),
            OrderState::Refunding => Some(Work::Refund),
            OrderState::Expired | OrderState::Cancelled | OrderState::Rejected if self.is_late() => {
                Some(Work::Capture)
            }
            OrderState::Expired | OrderState::Cancelled | OrderState::Rejected if self.wants_units() => {
                Some(Work::LatePayment)
            }
            OrderState::Expired | OrderState::Cancelled if self.has_open_door() => Some(Work::LateClose),
            OrderState::PendingPayment
            | OrderState::Confirmed
            | OrderState::Expired
            | OrderState::Cancelled
            | OrderState::Rejected
            | OrderState::Refunded => None,
        }
    }

    /// When the order's time is over, if it has a limit: for the payment address, then for the payment.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            OrderState::Allocated => Some(self.address_deadline),
            OrderState::PendingPayment => self.expires_at,
            OrderState::Expiring
            | OrderState::Capturing
            | OrderState::Confirmed
            | OrderState::Expired
            | OrderState::Cancelled
            | OrderState::Rejected
            | OrderState::Refunding
            | OrderState::Refunded => None,
        }
    }

    /// Whether the provider has, or has promised, money of this order that was not given back.
    #[must_use]
    pub fn has_money(&self) -> bool {
        self.payment.as_ref().is_some_and(|payment| payment.stage.has_money())
    }

    /// Ended, and money came afterwards for which no units were taken yet.
    #[must_use]
    pub fn wants_units(&self) -> bool {
        self.state.is_dead() && self.has_money() && !self.live
    }

    /// Ended, and units were taken again for money that came afterwards: it is confirmed once that is collected.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.state.is_dead() && self.has_money() && self.live
    }

    /// Whether money of it is on its way: to be collected, to find a unit, or to go back.
    #[must_use]
    pub fn money_moves(&self) -> bool {
        matches!(self.work(), Some(Work::Capture | Work::LatePayment | Work::Refund))
    }

    /// Its status, in the words that its buyer gets.
    #[must_use]
    pub const fn status(&self) -> Status {
        Status::of(self.state, self.reason)
    }

    /// Whether its units count as sold: confirmed, or refunded by the operator without the goods coming back.
    #[must_use]
    pub const fn is_sold(&self) -> bool {
        self.live
            && matches!(self.state, OrderState::Confirmed | OrderState::Refunding | OrderState::Refunded)
    }
}
