//! The tables that people query: they follow the journal, slice by slice.

use std::collections::BTreeMap;

use domain::id::SaleId;
use domain::order::{Order, OrderState, Reason};
use rusqlite::{Transaction, params};

use crate::book::{Behind, Book, Entry, SaleBook};

/// Units of one order at most: the numbers of its rows in `order_unit` are `number * UNITS + place`.
pub(crate) const UNITS: u64 = 128;

/// The word for a state.
pub(crate) const fn state_word(state: OrderState) -> &'static str {
    match state {
        OrderState::Allocated => "allocated",
        OrderState::PendingPayment => "pending_payment",
        OrderState::Expiring => "expiring",
        OrderState::Capturing => "capturing",
        OrderState::Confirmed => "confirmed",
        OrderState::Expired => "expired",
        OrderState::Cancelled => "cancelled",
        OrderState::Rejected => "rejected",
        OrderState::Refunding => "refunding",
        OrderState::Refunded => "refunded",
    }
}

/// The word for a reason.
pub(crate) const fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::PaymentDeclined => "payment_declined",
        Reason::PaymentRefused => "payment_refused",
        Reason::NotPaid => "not_paid",
        Reason::NoPaymentAddress => "no_payment_address",
        Reason::ByBuyer => "by_buyer",
        Reason::ByOperator => "by_operator",
        Reason::StoreFailover => "store_failover",
        Reason::LimitReached => "limit_reached",
        Reason::SoldOut => "sold_out",
        Reason::LatePayment => "late_payment",
        Reason::WrongAmount => "wrong_amount",
    }
}

/// What the tables have of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tabled {
    /// Nothing yet.
    #[default]
    Nothing,
    /// Rows with so many units, held and sold.
    Units([u8; 2]),
    /// Rows of an earlier run, which are behind.
    Unknown,
}

impl Tabled {
    /// What they have once they have followed the order as it is.
    pub(crate) fn of(order: &Order) -> Self {
        let count = if order.live { order.units.len() as u8 } else { 0 };
        Self::Units(if order.is_sold() { [0, count] } else { [count, 0] })
    }
}

/// Writes rows inside one transaction.
pub(crate) struct Tables<'a> {
    transaction: &'a Transaction<'a>,
    /// By sale and product: what the counters have yet to follow, held and sold.
    moved: BTreeMap<(SaleId, u16), [i64; 2]>,
}

impl<'a> Tables<'a> {
    pub(crate) const fn new(transaction: &'a Transaction<'a>) -> Self {
        Self { transaction, moved: BTreeMap::new() }
    }

    /// Writes what the tables have to follow; `before` is what they have of the order, where it is one.
    pub(crate) fn write(&mut self, book: &Book, behind: &Behind, before: Tabled) -> rusqlite::Result<()> {
        match behind {
            Behind::Sale(sale) => {
                // The counters are made anew from the rows, which have moved already.
                self.count()?;
                book.sales.get(sale).map_or(Ok(()), |sale| self.sale(sale))
            }
            Behind::Order(number) => {
                book.orders.at(*number).map_or(Ok(()), |entry| self.order(entry, before))
            }
            Behind::Action(action) => {
                let sql =
                    "INSERT INTO actions (at_ms, actor, action, sale_id, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
                let sale = action.sale.as_ref().map(|sale| sale.as_str());
                let values = params![action.at.as_millis(), action.actor, action.action, sale, action.detail];
                self.transaction.prepare_cached(sql)?.execute(values).map(drop)
            }
        }
    }

    /// Moves the counters, and notes how far the tables follow the journal.
    pub(crate) fn followed(&mut self, seq: u64) -> rusqlite::Result<()> {
        self.count()?;
        self.transaction.prepare_cached("UPDATE followed SET seq = ?1")?.execute([seq as i64]).map(drop)
    }

    /// Empties every table, to be written anew.
    pub(crate) fn clear(&self) -> rusqlite::Result<()> {
        self.transaction.execute_batch(
            "DELETE FROM sales; DELETE FROM product_stock; DELETE FROM orders; DELETE FROM order_unit; DELETE FROM actions;",
        )
    }

    fn sale(&self, sale: &SaleBook) -> rusqlite::Result<()> {
        let definition = &sale.sale;
        let id = definition.sale_id.as_str();
        self.transaction
            .prepare_cached("INSERT OR REPLACE INTO sales VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
            .execute(params![
                id,
                definition.name,
                definition.starts_at.as_millis(),
                definition.ends_at.as_millis(),
                definition.hold_ms as i64,
                definition.paused,
                definition.revision as i64
            ])?;
        self.transaction.prepare_cached("DELETE FROM product_stock WHERE sale_id = ?1")?.execute([id])?;
        for (number, product) in definition.products.iter().enumerate() {
            // Counters follow the rows of `order_unit`, which may be behind the ledger.
            self.transaction
                .prepare_cached(
                    "INSERT INTO product_stock SELECT ?1, ?2, ?3, ?4, coalesce(sum(1 - sold), 0), coalesce(sum(sold), 0) \
                     FROM order_unit WHERE sale_id = ?1 AND product_no = ?2",
                )?
                .execute(params![id, number as i64, product.product_id.as_str(), product.stock])?;
        }
        Ok(())
    }

    fn order(&mut self, entry: &Entry, before: Tabled) -> rusqlite::Result<()> {
        let order = &entry.order;
        let number = entry.number.get() as i64;
        let old = match before {
            Tabled::Nothing => [0, 0],
            Tabled::Units(units) => units.map(i64::from),
            Tabled::Unknown => self.tabled(number)?,
        };
        if before != Tabled::Nothing {
            self.transaction
                .prepare_cached("DELETE FROM order_unit WHERE id BETWEEN ?1 * 128 AND ?1 * 128 + 127")?
                .execute([number])?;
        }
        self.transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO orders VALUES \
                 (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
            )?
            .execute(params![
                number,
                entry.seq as i64,
                order.ticket.0,
                order.shard.sale.as_str(),
                order.terms.product.0,
                order.terms.quantity,
                order.user_id.as_str(),
                state_word(order.state),
                order.reason.map(reason_word),
                order.live,
                order.amount.minor,
                order.amount.currency.code(),
                order.payment.as_ref().map(|payment| payment.payment.as_str()),
                order.allocated_at.as_millis(),
                order.expires_at.map(domain::time::Timestamp::as_millis),
                order.changed_at.as_millis(),
                order.version
            ])?;
        self.units(entry.number.get(), order)?;
        if let Tabled::Units(new) = Tabled::of(order) {
            let product = (order.shard.sale.clone(), order.terms.product.0);
            let moved = self.moved.entry(product).or_default();
            for (moved, (new, old)) in moved.iter_mut().zip(new.into_iter().zip(old)) {
                *moved += i64::from(new) - old;
            }
        }
        Ok(())
    }

    /// The units that the tables have of an order, held and sold.
    fn tabled(&self, number: i64) -> rusqlite::Result<[i64; 2]> {
        self.transaction
            .prepare_cached(
                "SELECT coalesce(sum(1 - sold), 0), coalesce(sum(sold), 0) FROM order_unit \
                 WHERE id BETWEEN ?1 * 128 AND ?1 * 128 + 127",
            )?
            .query_row([number], |row| Ok([row.get(0)?, row.get(1)?]))
    }

    /// Moves the counters of the products by what their rows have moved.
    fn count(&mut self) -> rusqlite::Result<()> {
        for ((sale, product), [held, sold]) in std::mem::take(&mut self.moved) {
            self.transaction
                .prepare_cached(
                    "UPDATE product_stock SET held = held + ?3, sold = sold + ?4 \
                     WHERE sale_id = ?1 AND product_no = ?2",
                )?
                .execute(params![sale.as_str(), product, held, sold])?;
        }
        Ok(())
    }

    fn units(&self, number: u64, order: &Order) -> rusqlite::Result<()> {
        if !order.live {
            return Ok(());
        }
        let first = (number * UNITS) as i64;
        for (place, unit) in order.units.iter().enumerate() {
            self.transaction
                .prepare_cached("INSERT INTO order_unit VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                .execute(params![
                    first + place as i64,
                    number as i64,
                    order.shard.sale.as_str(),
                    order.terms.product.0,
                    unit,
                    order.is_sold()
                ])?;
        }
        Ok(())
    }
}
