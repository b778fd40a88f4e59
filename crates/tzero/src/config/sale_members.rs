//! The members of a sale, of a product and of an amount of money: which are needed, and what each may be.

use domain::challenge::ChallengeRule;
use domain::id::{ProductId, SaleId};
use domain::limits::{
    MAX_EXTENSION_MS, MAX_HOLD_MS, MAX_NAME_CHARS, MAX_PER_USER, MAX_STOCK, MAX_TEXT_CHARS, MAX_URL_CHARS,
    MIN_HOLD_MS, is_one_line,
};
use domain::time::Timestamp;
use serde_json::Value;

use super::document::Node;

/// One member.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it may be.
    pub form: Form,
}

/// What a member may be.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// A sale's identifier.
    SaleId,
    /// A product's identifier.
    ProductId,
    /// A text of at least one and at most so many characters.
    Name(usize),
    /// A text of at most so many characters.
    Prose(usize),
    /// An instant.
    Instant,
    /// An address of a picture.
    Address,
    /// How buyers are put in order.
    Mode,
    /// Whom the sale asks to show that they are no program.
    Challenge,
    /// Over how many shards the stock is spread.
    Shards,
    /// A whole number within these bounds.
    Whole(u64, u64),
    /// A decimal number in quotes; judged together with its currency.
    Amount,
    /// A currency's code; judged together with its amount.
    Currency,
    /// A table of amount and currency.
    Money,
    /// The list of products.
    Products,
}

const fn required(name: &'static str, form: Form) -> Rule {
    Rule { name, required: true, form }
}

const fn optional(name: &'static str, form: Form) -> Rule {
    Rule { name, required: false, form }
}

/// The members of a sale.
pub const SALE: &[Rule] = &[
    required("sale_id", Form::SaleId),
    required("name", Form::Name(MAX_NAME_CHARS)),
    optional("description", Form::Prose(MAX_TEXT_CHARS)),
    required("starts_at", Form::Instant),
    optional("ends_at", Form::Instant),
    optional("mode", Form::Mode),
    optional("hold_ms", Form::Whole(MIN_HOLD_MS, MAX_HOLD_MS)),
    optional("extension_ms", Form::Whole(0, MAX_EXTENSION_MS)),
    optional("challenge", Form::Challenge),
    optional("shards", Form::Shards),
    required("products", Form::Products),
];

/// The members of a product.
pub const PRODUCT: &[Rule] = &[
    required("product_id", Form::ProductId),
    required("name", Form::Name(MAX_NAME_CHARS)),
    optional("description", Form::Prose(MAX_TEXT_CHARS)),
    optional("image_url", Form::Address),
    required("price", Form::Money),
    optional("compare_at", Form::Money),
    required("stock", Form::Whole(0, MAX_STOCK as u64)),
    optional("max_per_user", Form::Whole(1, MAX_PER_USER as u64)),
];

/// The members of an amount of money.
pub const MONEY: &[Rule] = &[required("amount", Form::Amount), required("currency", Form::Currency)];

impl Form {
    /// The value as JSON, or what is wrong with it and what would be right.
    pub fn json(self, node: &Node) -> Result<Value, String> {
        self.plain(node).ok_or_else(|| format!("{}, and not {}", self.expected(), node.described()))
    }

    fn plain(self, node: &Node) -> Option<Value> {
        match (self, node) {
            (Self::Whole(least, most), Node::Integer(number)) => {
                let number = u64::try_from(*number).ok().filter(|number| (least..=most).contains(number))?;
                Some(number.into())
            }
            (Self::Shards, Node::Integer(1)) => Some(1.into()),
            (Self::Instant, Node::Date(date)) => instant(&date.to_string()),
            (Self::Instant, Node::Text(text)) => instant(text),
            (_, Node::Text(text)) => self.fits(text).then(|| text.as_str().into()),
            _ => None,
        }
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::SaleId => SaleId::parse(text).is_ok(),
            Self::ProductId => ProductId::parse(text).is_ok(),
            Self::Name(most) => !text.trim().is_empty() && text.chars().count() <= most && is_one_line(text),
            Self::Prose(most) => text.chars().count() <= most,
            Self::Address => {
                let whole = domain::product::is_image_url(text);
                whole && text.len() <= MAX_URL_CHARS && !text.contains(char::is_whitespace)
            }
            Self::Mode => text == "rush",
            Self::Challenge => ChallengeRule::parse(text).is_some(),
            Self::Amount | Self::Currency => true,
            Self::Instant | Self::Whole(..) | Self::Shards | Self::Money | Self::Products => false,
        }
    }

    /// What would be right, as in "must be …".
    pub fn expected(self) -> String {
        match self {
            Self::SaleId | Self::ProductId => {
                "must be 1 to 64 of a-z, 0-9 and '-' in quotes, and begin with a letter or digit".to_owned()
            }
            Self::Name(most) => format!(
                "must be a text of 1 to {most} characters, without line breaks or marks that turn its direction"
            ),
            Self::Prose(most) => format!("must be a text of at most {most} characters"),
            Self::Instant => {
                "must be an instant from 1970 to 9999 with its offset, such as 2026-11-27T09:00:00Z"
                    .to_owned()
            }
            Self::Address => format!(
                "must be an address that begins with https:// or / and has at most {MAX_URL_CHARS} characters"
            ),
            Self::Mode => {
                "must be \"rush\" (first come, first served), the one mode that is served".to_owned()
            }
            Self::Challenge => "must be \"never\" (nobody is asked), \"suspects\" or \"always\"".to_owned(),
            Self::Shards => "must be 1: one shard serves a sale".to_owned(),
            Self::Whole(least, most) => format!("must be a whole number from {least} to {most}"),
            Self::Amount => "must be a decimal number in quotes, such as \"49.90\"".to_owned(),
            Self::Currency => "must be an ISO 4217 code in quotes, such as \"EUR\"".to_owned(),
            Self::Money => "must be a table such as { amount = \"49.90\", currency = \"EUR\" }".to_owned(),
            Self::Products => {
                "must be a list of one or more products, in TOML each under a line [[products]]".to_owned()
            }
        }
    }
}

/// An instant with an offset, in UTC with milliseconds.
fn instant(text: &str) -> Option<Value> {
    Timestamp::parse(text).map(|instant| instant.to_string().into())
}
