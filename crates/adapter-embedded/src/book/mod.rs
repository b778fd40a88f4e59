//! The ledger in memory: sales, shards, orders, and the indexes over them. Everything here follows from records, in
//! order: what lives and what is replayed go through the same functions.

mod order;
mod orders;
mod sale;
mod shard;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use domain::allocation::Allocation;
use domain::fence::Position;
use domain::hold::Claim;
use domain::id::{SaleId, ShardId};
use domain::order::{Order, OrderTerms, Work};
use domain::time::Timestamp;
use ports::Fault;
use ports::sales::Action;
use wire::record::Record;

pub(crate) use order::{Entry, work_index};
pub(crate) use orders::{OrderNo, Orders};
pub(crate) use sale::SaleBook;
pub(crate) use shard::ShardBook;

/// The ledger in memory.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) sales: BTreeMap<SaleId, SaleBook>,
    /// Their names are operators' own: a quick hash is enough.
    pub(crate) shards: foldhash::HashMap<ShardId, ShardBook>,
    pub(crate) orders: Orders,
    pub(crate) events: HashSet<[u8; 16]>,
    /// Newest first. Operators act rarely: all of them are kept.
    pub(crate) actions: VecDeque<Action>,
    /// By kind of work: when it is due, and in which order the orders came.
    pub(crate) work: [BTreeSet<(Timestamp, OrderNo)>; Work::ALL.len()],
    /// What the tables have yet to follow, in the order in which it became true.
    pub(crate) behind: VecDeque<(u64, Behind)>,
    /// Payment addresses made since this process began.
    pub(crate) addresses: u64,
}

/// Something that a table has to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Sale(SaleId),
    Order(OrderNo),
    Action(Box<Action>),
}

impl Book {
    /// Takes a record in. `seq` is the journal's number for it.
    ///
    /// # Errors
    /// The record does not fit what came before it: the journal is damaged.
    pub(crate) fn apply(&mut self, seq: u64, record: Record) -> Result<(), Fault> {
        match record {
            Record::Sale(sale) => self.put_sale(seq, *sale),
            Record::Restock { sale, product, units, key } => {
                let book = self.sales.get_mut(&sale).ok_or_else(|| missing("a sale"))?;
                book.restocks.insert(key, (product, units));
            }
            Record::Term { shard, term } => self.shard(&shard).term = term,
            Record::Claims { shard, claims } => {
                self.touch(&shard.sale);
                self.shard(&shard).log.extend(claims);
            }
            Record::Allocated { shard, next, at, address_deadline_ms, decisions } => {
                let book = self.shard(&shard);
                let first = book.position;
                if next.0.checked_sub(first.0) != Some(decisions.len() as u64)
                    || book.log.len() < decisions.len()
                {
                    return Err(missing("a claim"));
                }
                let claims: Vec<Claim> = book.log.drain(..decisions.len()).collect();
                for (claim, decision) in claims.iter().zip(decisions) {
                    self.take_in(seq, claim, decision, address_deadline_ms, at)?;
                }
                self.pass(&shard, next);
            }
            Record::Order(order) => self.change_order(seq, *order)?,
            Record::Event(hash) => drop(self.events.insert(hash)),
            Record::Action(action) => {
                self.behind.push_back((seq, Behind::Action(Box::new(action.clone()))));
                self.actions.push_front(action);
            }
        }
        Ok(())
    }

    /// The shard's part, made where there is none.
    pub(crate) fn shard(&mut self, shard: &ShardId) -> &mut ShardBook {
        if !self.shards.contains_key(shard) {
            self.shards.insert(shard.clone(), ShardBook::new());
        }
        self.shards.entry(shard.clone()).or_insert_with(ShardBook::new)
    }

    /// The orders of a shard, in the order in which they were taken in.
    pub(crate) fn orders_of<'a>(&'a self, shard: &'a ShardId) -> impl Iterator<Item = &'a Order> {
        let numbers = self.sales.get(&shard.sale).map_or(&[][..], |sale| &sale.numbers);
        let orders = numbers.iter().filter_map(|number| self.orders.at(*number)).map(|entry| &entry.order);
        orders.filter(move |order| order.shard == *shard)
    }

    /// Allocation has passed everything before `next`.
    pub(crate) fn pass(&mut self, shard: &ShardId, next: Position) {
        self.shard(shard).position = next;
    }

    /// Something of the sale moved.
    pub(crate) fn touch(&mut self, sale: &SaleId) {
        if let Some(sale) = self.sales.get_mut(sale) {
            sale.revision += 1;
        }
    }

    fn put_sale(&mut self, seq: u64, sale: domain::sale::Sale) {
        self.behind.push_back((seq, Behind::Sale(sale.sale_id.clone())));
        match self.sales.get_mut(&sale.sale_id) {
            Some(known) => known.redefine(sale),
            None => drop(self.sales.insert(sale.sale_id.clone(), SaleBook::new(sale))),
        }
    }

    /// Takes one claim in as `decision` says. Its effect on the inventory is the caller's to send.
    pub(crate) fn take_in(
        &mut self,
        seq: u64,
        claim: &Claim,
        decision: Allocation,
        address_deadline_ms: u64,
        at: Timestamp,
    ) -> Result<(), Fault> {
        let refused = match decision {
            Allocation::Known => return Ok(()),
            Allocation::Allocated => None,
            Allocation::Rejected(reason) => Some(reason),
        };
        let sale = self.sales.get(&claim.shard.sale).ok_or_else(|| missing("a sale"))?;
        let product =
            sale.sale.products.get(claim.terms.product.index()).ok_or_else(|| missing("a product"))?;
        let terms = OrderTerms { amount: product.price.times(claim.terms.quantity), address_deadline_ms };
        self.add_order(seq, Order::from_claim(claim, terms, refused, at))
    }
}

fn missing(what: &str) -> Fault {
    Fault::damaged("the journal", format!("a record names {what} that no record before it has"))
}
