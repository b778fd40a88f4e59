//! One sale: its buyers, the stores that serve it, and the auditor that watches it.

use domain::fence::Position;
use domain::hold::{HoldRequest, Intent, Terms};
use domain::id::{Epoch, IdSecret, IdempotencyKey, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::money::Money;
use domain::order::Order;
use domain::time::Timestamp;
use domain::transition::Change;

use crate::auditor::Auditor;
use crate::dice::Dice;
use crate::figures::Figures;
use crate::mutant::{Mutant, Mutants};
use crate::options::Options;
use crate::rules;
use crate::stores::ledger::{Applied, Ledger};
use crate::stores::log::Log;
use crate::stores::provider::Provider;
use crate::stores::server::Servers;
use crate::violation::Checked;

/// A checkout that a buyer may send, again and again.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) ticket: TicketId,
    pub(crate) user: UserHash,
    pub(crate) user_id: UserId,
    pub(crate) terms: Terms,
}

/// A sale with one shard.
#[derive(Debug)]
pub(crate) struct Sale {
    pub(crate) shard: ShardId,
    pub(crate) ids: IdSecret,
    pub(crate) users: Vec<UserHash>,
    pub(crate) wishes: Vec<Wish>,
    /// Every claim that there ever was a request for: tickets, then those of late money.
    pub(crate) claims: Vec<TicketId>,
    pub(crate) servers: Servers,
    pub(crate) log: Log,
    pub(crate) ledger: Ledger,
    pub(crate) provider: Provider,
    pub(crate) auditor: Auditor,
}

/// An identifier of the simulation's own making.
fn parsed<T, E>(parse: impl Fn(&str) -> Result<T, E>, text: &str) -> Option<T> {
    parse(text).ok()
}

impl Sale {
    /// A sale whose shard never opened; `None` where an identifier is malformed, which it is not.
    pub(crate) fn new(number: usize, options: &Options, mutants: Mutants, dice: &mut Dice) -> Option<Self> {
        let id = parsed(SaleId::parse, &format!("s{number}"))?;
        let ids = IdSecret::new([7; 32]);
        let price = Money::parse("1.00", "EUR").ok()?;
        let stock = vec![options.stock; usize::from(options.products)];
        let ledger = Ledger::new(stock, options.limit, price, options.address_ms, mutants);
        let mut sale = Self {
            shard: ShardId { sale: id, number: 0 },
            ids,
            users: Vec::new(),
            wishes: Vec::new(),
            claims: Vec::new(),
            servers: Servers::default(),
            log: Log::default(),
            ledger,
            provider: Provider::default(),
            auditor: Auditor::default(),
        };
        for user in 0..options.users {
            for key in 0..options.keys {
                let product = ProductNo(dice.below(usize::from(options.products)) as u16);
                let quantity = dice.between(1, u64::from(options.limit.min(2))) as u8;
                sale.add_wish(user, key, Terms { product, quantity })?;
            }
        }
        Some(sale)
    }

    /// One more checkout that somebody may send; the last of `wishes` afterwards.
    pub(crate) fn add_wish(&mut self, user: usize, key: usize, terms: Terms) -> Option<()> {
        let user_id = parsed(UserId::parse, &format!("u{user}"))?;
        let hash = self.ids.user(&self.shard.sale, &user_id);
        let key = parsed(IdempotencyKey::parse, &format!("k{key}"))?;
        let ticket = self.ids.ticket(&self.shard.sale, hash, &key);
        if !self.users.contains(&hash) {
            self.users.push(hash);
        }
        self.claims.push(ticket);
        self.wishes.push(Wish { ticket, user: hash, user_id, terms });
        Some(())
    }

    /// The claim of a late attempt.
    pub(crate) fn late_claim(&mut self, ticket: TicketId, attempt: u16) -> TicketId {
        let claim = self.ids.late_claim(ticket, attempt);
        if !self.claims.contains(&claim) {
            self.claims.push(claim);
        }
        claim
    }

    pub(crate) fn is_ticket(&self, claim: TicketId) -> bool {
        self.wishes.iter().any(|wish| wish.ticket == claim)
    }

    /// The request of a wish, with the terms asked for this time.
    pub(crate) fn request(&self, wish: &Wish, terms: Terms) -> HoldRequest {
        HoldRequest {
            claim: wish.ticket,
            ticket: wish.ticket,
            user: wish.user,
            user_id: wish.user_id.clone(),
            terms,
            limit: self.ledger.limit,
            intent: Intent::Take,
        }
    }

    /// One transaction of allocation; `false` where another reader was faster.
    pub(crate) fn allocate(
        &mut self,
        (from, next): (Position, Position),
        now: Timestamp,
        mutants: Mutants,
        figures: &mut Figures,
    ) -> Checked<bool> {
        if self.ledger.position != from && !mutants.has(Mutant::PositionNotCompared) {
            figures.readers_late += 1;
            return Ok(false);
        }
        for at in from.0..next.0 {
            self.take_in(Position(at), now, mutants, figures)?;
        }
        self.ledger.position = next;
        Ok(true)
    }

    fn take_in(&mut self, at: Position, now: Timestamp, mutants: Mutants, figures: &mut Figures) -> Checked {
        let Some(logged) = self.log.entries.get(at.0 as usize).cloned() else { return Ok(()) };
        let accepted = rules::accepts(self.ledger.term, logged.claim.epoch, at, mutants);
        let asked = self.is_ticket(logged.claim.ticket);
        let allocation = self.ledger.take_in(&logged.claim, at, now)?;
        let order = self.ledger.orders.get(&logged.claim.ticket);
        self.auditor.taken_in(&logged, at, accepted, asked, allocation, order, figures)
    }

    /// One change of one order.
    pub(crate) fn apply(
        &mut self,
        ticket: TicketId,
        change: &Change,
        now: Timestamp,
        figures: &mut Figures,
    ) -> Checked<Applied> {
        let before = self.ledger.orders.get(&ticket).cloned();
        let applied = self.ledger.apply(ticket, change, now)?;
        if let (Some(before), Applied::Changed(after)) = (&before, &applied) {
            self.auditor.changed(before, after, self.provider.sessions.get(&ticket), figures)?;
            self.auditor.proves_sold_out(&self.ledger);
        }
        Ok(applied)
    }

    /// R4, with what the checks must know of it.
    pub(crate) fn snapshot(
        &mut self,
        epoch: Epoch,
        now: Timestamp,
    ) -> Option<domain::snapshot::ShardSnapshot> {
        let picture = self.ledger.snapshot(epoch, now)?;
        self.auditor.snapshot_taken(epoch);
        Some(picture)
    }

    /// An order picked by chance, of those that fit.
    pub(crate) fn pick(&self, dice: &mut Dice, fits: impl Fn(&Order) -> bool) -> Option<Order> {
        let count = self.ledger.orders.values().filter(|order| fits(order)).count();
        if count == 0 {
            return None;
        }
        self.ledger.orders.values().filter(|order| fits(order)).nth(dice.below(count)).cloned()
    }
}
