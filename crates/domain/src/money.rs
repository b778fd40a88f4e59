//! Money: whole minor units of one currency, never a float.

use std::fmt;

/// ISO 4217 alphabetic codes whose minor unit is a hundredth.
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD \
CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG \
HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS \
SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD YER ZAR ZMW ZWG";
/// ISO 4217 alphabetic codes without a minor unit.
const NO_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
/// ISO 4217 alphabetic codes whose minor unit is a thousandth.
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

impl Currency {
    /// From an ISO 4217 code in capitals; `None` for any other text.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        let listed = |list: &str| list.split_ascii_whitespace().any(|each| each == code);
        let decimals = match () {
            () if listed(TWO_DECIMALS) => 2,
            () if listed(NO_DECIMALS) => 0,
            () if listed(THREE_DECIMALS) => 3,
            () => return None,
        };
        Some(Self { code: bytes, decimals })
    }

    /// Every currency.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes =
            [NO_DECIMALS, TWO_DECIMALS, THREE_DECIMALS].into_iter().flat_map(str::split_ascii_whitespace);
        codes.filter_map(Self::parse)
    }

    /// The ISO 4217 code in capitals.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Digits after the decimal point.
    #[must_use]
    pub const fn decimals(&self) -> u8 {
        self.decimals
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a text is no amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyRefusal {
    /// Not a plain decimal number.
    #[error("must be a decimal string of digits such as \"49.90\", without sign, spaces or exponent")]
    Form,
    /// More digits after the point than the currency has.
    #[error("has more digits after the point than {currency} allows ({decimals})")]
    Precision {
        /// The currency's code.
        currency: Currency,
        /// Digits after the point that it allows.
        decimals: u8,
    },
    /// Beyond [`crate::limits::MAX_PRICE_MINOR`].
    #[error("is too large")]
    TooLarge,
    /// Not a currency.
    #[error("must be an ISO 4217 code in capitals such as \"EUR\"")]
    Currency,
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units, e.g. cents.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl MoneyRefusal {
    /// Which of the two is wrong: `amount` or `currency`.
    #[must_use]
    pub fn member(&self) -> &'static str {
        if *self == Self::Currency { "currency" } else { "amount" }
    }
}

/// Digits before the point and after it.
fn parts(amount: &str) -> Result<(&str, &str), MoneyRefusal> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let dangling = amount.contains('.') && fraction.is_empty();
    if whole.is_empty() || dangling || !digits(whole) || !digits(fraction) {
        return Err(MoneyRefusal::Form);
    }
    Ok((whole, fraction))
}

impl Money {
    /// From a decimal string such as `49.90` and an ISO 4217 code.
    ///
    /// # Errors
    /// A refusal that says what is wrong with which of the two.
    pub fn parse(amount: &str, currency: &str) -> Result<Self, MoneyRefusal> {
        Self::of(amount, Currency::parse(currency).ok_or(MoneyRefusal::Currency)?)
    }

    /// Everything that is wrong with a decimal string and a currency's code, of which one may be missing: the amount is judged
    /// by its currency as far as that is known.
    #[must_use]
    pub fn refusals(amount: Option<&str>, currency: Option<&str>) -> Vec<MoneyRefusal> {
        let known = currency.and_then(Currency::parse);
        let of_amount = amount.and_then(|amount| match known {
            Some(currency) => Self::of(amount, currency).err(),
            None => parts(amount).err(),
        });
        let of_currency = (currency.is_some() && known.is_none()).then_some(MoneyRefusal::Currency);
        of_amount.into_iter().chain(of_currency).collect()
    }

    fn of(amount: &str, currency: Currency) -> Result<Self, MoneyRefusal> {
        let (whole, fraction) = parts(amount)?;
        let decimals = currency.decimals();
        if fraction.len() > usize::from(decimals) {
            return Err(MoneyRefusal::Precision { currency, decimals });
        }
        let padding = "0".repeat(usize::from(decimals) - fraction.len());
        let minor: i64 = format!("{whole}{fraction}{padding}").parse().map_err(|_| MoneyRefusal::TooLarge)?;
        if minor > crate::limits::MAX_PRICE_MINOR {
            return Err(MoneyRefusal::TooLarge);
        }
        Ok(Self { minor, currency })
    }

    /// This amount `quantity` times. Stays in range for every price and quantity within [`crate::limits`].
    #[must_use]
    pub const fn times(self, quantity: u8) -> Self {
        Self { minor: self.minor.saturating_mul(quantity as i64), currency: self.currency }
    }

    /// The decimal string without the currency, e.g. `49.90`.
    #[must_use]
    pub fn amount(&self) -> String {
        let decimals = usize::from(self.currency.decimals());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}
