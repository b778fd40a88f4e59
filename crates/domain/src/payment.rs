//! Money at a provider, as far as the rules need to know it.

use crate::money::Money;

/// A provider's payment session: where the buyer pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentSession {
    /// The provider's identifier.
    pub session: String,
    /// The address at which the buyer pays; absolute.
    pub url: String,
}

/// How far a payment has come at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStage {
    /// The buyer's bank has promised the money; nothing has moved.
    Authorised,
    /// The money has moved to the shop.
    Captured,
    /// An authorisation was given up; nothing moved.
    Voided,
    /// Captured money was given back in full.
    Refunded,
}

impl PaymentStage {
    /// Whether there is money that is promised or was taken, and was not given back.
    #[must_use]
    pub const fn has_money(self) -> bool {
        matches!(self, Self::Authorised | Self::Captured)
    }
}

/// A payment as the provider reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The provider's identifier of the payment.
    pub payment: String,
    /// How much.
    pub amount: Money,
    /// How far it has come.
    pub stage: PaymentStage,
}
