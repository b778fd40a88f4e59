//! The order service as its callers see it: the object itself, or a client of it over the network.

use async_trait::async_trait;
use domain::hold::StockView;
use domain::id::{IdempotencyKey, ProductId, SaleId, UserId};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use domain::transition::ChangeRefusal;

use crate::Fault;

/// A checkout, its form checked and its user authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Which sale.
    pub sale: SaleId,
    /// Who: the session's subject.
    pub user: UserId,
    /// What.
    pub product: ProductId,
    /// Under which key.
    pub key: IdempotencyKey,
    /// How many, 1..=100.
    pub quantity: u8,
    /// Whether units may be taken although the sale asks for a challenge: it was passed, or this buyer is not asked. Looked
    /// at by sales that ask alone.
    pub passed: bool,
}

/// The answer to a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutAnswer {
    /// Units are held, now or since an earlier request with this key.
    Accepted {
        /// The status of the ticket.
        document: Box<StatusDocument>,
        /// Whether an earlier request made the ticket.
        replayed: bool,
    },
    /// The rules said no.
    Refused(CheckoutRefusal),
}

/// Why there is no hold. In the order of the HTTP contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckoutRefusal {
    /// No such sale.
    UnknownSale,
    /// The sale has no such product.
    UnknownProduct,
    /// More than one buyer may have.
    OverLimitQuantity {
        /// `max_per_user`.
        max_per_user: u8,
    },
    /// The key was used with another product or quantity.
    KeyReused,
    /// The sale is over.
    SaleEnded,
    /// The sale has not begun.
    NotStarted {
        /// T-zero.
        starts_at: Timestamp,
    },
    /// The operator has stopped new checkouts.
    Paused,
    /// The sale asks for a challenge, and none was passed.
    ChallengeRequired,
    /// What the buyer holds and owns would exceed the limit.
    LimitReached {
        /// The newest ticket that the buyer has.
        newest: TicketStamp,
    },
    /// Every unit is confirmed.
    SoldOut,
    /// Nothing is free now.
    AllHeld {
        /// When the next hold may lapse.
        next_release_at: Option<Timestamp>,
    },
    /// Less is free than asked for.
    NotEnough {
        /// When the next hold may lapse.
        next_release_at: Option<Timestamp>,
    },
}

/// The answer to a buyer who gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelAnswer {
    /// Given up, the units are back.
    Cancelled(Box<StatusDocument>),
    /// On its way: the provider's door is being closed.
    Cancelling(Box<StatusDocument>),
    /// The order is paid.
    AlreadyConfirmed(Box<StatusDocument>),
    /// The order ended before, otherwise than by being given up.
    Ended(Box<StatusDocument>),
    /// No such ticket.
    Unknown,
}

/// The answer to a buyer who asks for more time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExtendAnswer {
    /// More time was given.
    Extended(Box<StatusDocument>),
    /// Not possible.
    Refused(ChangeRefusal),
    /// No such ticket.
    Unknown,
}

/// Serves buyers.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Tries to hold units.
    ///
    /// # Errors
    /// A fault; the same checkout may be sent again and claims whatever was taken.
    async fn checkout(&self, checkout: Checkout) -> Result<CheckoutAnswer, Fault>;

    /// The status of a ticket; `None` where nothing is known of it.
    ///
    /// # Errors
    /// A fault of board and ledger.
    async fn status(&self, stamp: &TicketStamp) -> Result<Option<StatusDocument>, Fault>;

    /// Waits until the status of a ticket may be newer than `version`; may return early.
    async fn wait(&self, stamp: &TicketStamp, version: u32);

    /// The buyer gives up.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn cancel(&self, stamp: &TicketStamp) -> Result<CancelAnswer, Fault>;

    /// The buyer asks for more time.
    ///
    /// # Errors
    /// A fault of the ledger.
    async fn extend(&self, stamp: &TicketStamp) -> Result<ExtendAnswer, Fault>;

    /// Counts of a product: a hint.
    fn view(&self, sale: &SaleId, product: &ProductId) -> Option<StockView>;
}
