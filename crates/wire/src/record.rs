//! Records of the embedded journal: facts, in the order in which they became true.
//!
//! One blob of the journal holds the records of one group, one after another, each led by the number of its form.

use domain::allocation::Allocation;
use domain::challenge::ChallengeRule;
use domain::fence::{Position, Term, TermState};
use domain::few::Few;
use domain::hold::{Claim, Terms, Units};
use domain::id::{Epoch, IdempotencyKey, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::order::Order;
use domain::sale::Sale;
use domain::time::Timestamp;
use ports::sales::Action;

use crate::codec::{Malformed, Reader, Writer};
use crate::record_order::{read_order, read_reason, reason_number, write_order};
use crate::record_sale::{read_asking, read_sale, write_asking, write_sale};

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A sale as it is from now on.
    Sale(Box<Sale>),
    /// Units were added under a key; the sale follows as a record of its own.
    Restock {
        /// The sale.
        sale: SaleId,
        /// The product.
        product: ProductNo,
        /// How many units.
        units: u32,
        /// The key.
        key: IdempotencyKey,
    },
    /// The term of a shard as it is from now on.
    Term {
        /// The shard.
        shard: ShardId,
        /// Its term.
        term: Term,
    },
    /// Claims of one shard, as they lie in its log.
    Claims {
        /// The shard.
        shard: ShardId,
        /// The claims.
        claims: Vec<Claim>,
    },
    /// Claims were taken in: one decision for each claim from the shard's position on.
    Allocated {
        /// The shard.
        shard: ShardId,
        /// Where reading goes on.
        next: Position,
        /// By the ledger's clock.
        at: Timestamp,
        /// How long a payment address may take, milliseconds.
        address_deadline_ms: u64,
        /// The decisions.
        decisions: Vec<Allocation>,
    },
    /// An order as it is from now on.
    Order(Box<Order>),
    /// A provider's event was noted: a hash of provider and event.
    Event([u8; 16]),
    /// An operator's action.
    Action(Action),
}

/// The form's number of each record; never used for anything else again.
mod form {
    pub const SALE: u64 = 1;
    pub const RESTOCK: u64 = 2;
    pub const TERM: u64 = 3;
    pub const CLAIMS: u64 = 4;
    pub const ALLOCATED: u64 = 5;
    pub const ORDER: u64 = 6;
    pub const EVENT: u64 = 7;
    pub const ACTION: u64 = 8;
    /// A sale that asks some of its buyers to show that they are no program.
    pub const SALE_ASKING: u64 = 9;
}

impl Record {
    /// Appends the record.
    pub fn write(&self, to: &mut Writer) {
        match self {
            Self::Sale(sale) if sale.challenge != ChallengeRule::Never => {
                to.number(form::SALE_ASKING);
                write_asking(sale, to);
            }
            Self::Sale(sale) => {
                to.number(form::SALE);
                write_sale(sale, to);
            }
            Self::Restock { sale, product, units, key } => {
                to.number(form::RESTOCK);
                to.text(sale.as_str());
                to.number(u64::from(product.0));
                to.number(u64::from(*units));
                to.text(key.as_str());
            }
            Self::Term { shard, term } => {
                to.number(form::TERM);
                to.shard(shard);
                write_term(*term, to);
            }
            Self::Claims { shard, claims } => {
                to.number(form::CLAIMS);
                to.shard(shard);
                to.number(claims.len() as u64);
                claims.iter().for_each(|claim| write_claim(claim, to));
            }
            Self::Allocated { shard, next, at, address_deadline_ms, decisions } => {
                to.number(form::ALLOCATED);
                to.shard(shard);
                to.number(next.0);
                to.time(*at);
                to.number(*address_deadline_ms);
                to.number(decisions.len() as u64);
                decisions.iter().for_each(|decision| to.number(allocation_number(*decision)));
            }
            Self::Order(order) => {
                to.number(form::ORDER);
                write_order(order, to);
            }
            Self::Event(hash) => {
                to.number(form::EVENT);
                to.fixed(hash);
            }
            Self::Action(action) => {
                to.number(form::ACTION);
                write_action(action, to);
            }
        }
    }

    /// Reads one record.
    ///
    /// # Errors
    /// The bytes are not what [`Record::write`] wrote.
    pub fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.number()? {
            form::SALE => Ok(Self::Sale(Box::new(read_sale(from)?))),
            form::SALE_ASKING => Ok(Self::Sale(Box::new(read_asking(from)?))),
            form::RESTOCK => Ok(Self::Restock {
                sale: from.sale()?,
                product: ProductNo(from.small("a product's number")?),
                units: from.small("a count of units")?,
                key: IdempotencyKey::parse(from.text()?).map_err(|_| Malformed::Value("a key"))?,
            }),
            form::TERM => Ok(Self::Term { shard: from.shard()?, term: read_term(from)? }),
            form::CLAIMS => {
                let shard = from.shard()?;
                let claims = from.list(|from| read_claim(&shard, from))?;
                Ok(Self::Claims { shard, claims })
            }
            form::ALLOCATED => Ok(Self::Allocated {
                shard: from.shard()?,
                next: Position(from.number()?),
                at: from.time()?,
                address_deadline_ms: from.number()?,
                decisions: from.list(read_allocation)?,
            }),
            form::ORDER => Ok(Self::Order(Box::new(read_order(from)?))),
            form::EVENT => Ok(Self::Event(*from.fixed()?)),
            form::ACTION => Ok(Self::Action(read_action(from)?)),
            other => Err(Malformed::Form(other)),
        }
    }
}

/// Appends a claim without its shard.
pub fn write_claim(claim: &Claim, to: &mut Writer) {
    to.fixed(&claim.ticket.0);
    to.number(u64::from(claim.epoch.0));
    to.time(claim.issued_at);
    to.fixed(&claim.user.0);
    to.text(claim.user_id.as_str());
    write_terms(claim.terms, to);
    write_units(&claim.units, to);
}

fn read_claim(shard: &ShardId, from: &mut Reader<'_>) -> Result<Claim, Malformed> {
    Ok(Claim {
        ticket: TicketId(*from.fixed()?),
        shard: shard.clone(),
        epoch: Epoch(from.small("an epoch")?),
        issued_at: from.time()?,
        user: UserHash(*from.fixed()?),
        user_id: read_user(from)?,
        terms: read_terms(from)?,
        units: read_units(from)?,
    })
}

pub(crate) fn read_user(from: &mut Reader<'_>) -> Result<UserId, Malformed> {
    UserId::parse(from.text()?).map_err(|_| Malformed::Value("a user's identifier"))
}

pub(crate) fn write_terms(terms: Terms, to: &mut Writer) {
    to.number(u64::from(terms.product.0));
    to.number(u64::from(terms.quantity));
}

pub(crate) fn read_terms(from: &mut Reader<'_>) -> Result<Terms, Malformed> {
    Ok(Terms { product: ProductNo(from.small("a product's number")?), quantity: from.small("a quantity")? })
}

pub(crate) fn write_units(units: &Units, to: &mut Writer) {
    to.number(units.len() as u64);
    units.iter().for_each(|unit| to.number(u64::from(*unit)));
}

pub(crate) fn read_units(from: &mut Reader<'_>) -> Result<Units, Malformed> {
    match from.number()? {
        1 => Ok(Few::One(from.small("a unit's number")?)),
        count => (0..count).map(|_| from.small("a unit's number")).collect(),
    }
}

fn write_term(term: Term, to: &mut Writer) {
    to.number(u64::from(term.epoch.0));
    to.number(match term.state {
        TermState::Open => 0,
        TermState::Fencing => 1,
        TermState::Rebuild => 2,
    });
    to.optional(term.fence, |to, fence| to.number(fence.0));
}

fn read_term(from: &mut Reader<'_>) -> Result<Term, Malformed> {
    Ok(Term {
        epoch: Epoch(from.small("an epoch")?),
        state: match from.number()? {
            0 => TermState::Open,
            1 => TermState::Fencing,
            2 => TermState::Rebuild,
            _ => return Err(Malformed::Value("a term's state")),
        },
        fence: from.optional(|from| from.number().map(Position))?,
    })
}

const fn allocation_number(allocation: Allocation) -> u64 {
    match allocation {
        Allocation::Allocated => 0,
        Allocation::Known => 1,
        Allocation::Rejected(reason) => 2 + reason_number(reason),
    }
}

fn read_allocation(from: &mut Reader<'_>) -> Result<Allocation, Malformed> {
    match from.number()? {
        0 => Ok(Allocation::Allocated),
        1 => Ok(Allocation::Known),
        number => read_reason(number - 2).map(Allocation::Rejected),
    }
}

fn write_action(action: &Action, to: &mut Writer) {
    to.time(action.at);
    to.text(&action.actor);
    to.text(&action.action);
    to.optional(action.sale.as_ref(), |to, sale| to.text(sale.as_str()));
    to.text(&action.detail);
}

fn read_action(from: &mut Reader<'_>) -> Result<Action, Malformed> {
    Ok(Action {
        at: from.time()?,
        actor: from.text()?.to_owned(),
        action: from.text()?.to_owned(),
        sale: from.optional(Reader::sale)?,
        detail: from.text()?.to_owned(),
    })
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
