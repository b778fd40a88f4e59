//! The tables that people query: they follow the journal, slice by slice.

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

/// Writes rows inside one transaction.
pub(crate) struct Tables<'a> {
    transaction: &'a Transaction<'a>,
}

impl<'a> Tables<'a> {
    pub(crate) const fn new(transaction: &'a Transaction<'a>) -> Self {
        Self { transaction }
    }

    /// Writes what the tables have to follow.
    pub(crate) fn write(&self, book: &Book, behind: &Behind) -> rusqlite::Result<()> {
        match behind {
            Behind::Sale(sale) => book.sales.get(sale).map_or(Ok(()), |sale| self.sale(sale)),
            Behind::Order(ticket) => book.orders.get(ticket).map_or(Ok(()), |entry| self.order(entry)),
            Behind::Action(action) => {
                let sql =
                    "INSERT INTO actions (at_ms, actor, action, sale_id, detail) VALUES (?1, ?2, ?3, ?4, ?5)";
                let sale = action.sale.as_ref().map(|sale| sale.as_str());
                let values = params![action.at.as_millis(), action.actor, action.action, sale, action.detail];
                self.transaction.prepare_cached(sql)?.execute(values).map(drop)
            }
        }
    }

    /// Notes how far the tables follow the journal.
    pub(crate) fn followed(&self, seq: u64) -> rusqlite::Result<()> {
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

    fn order(&self, entry: &Entry) -> rusqlite::Result<()> {
        let order = &entry.order;
        let number = entry.number as i64;
        self.count(number, -1)?;
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
        self.units(entry.number, order)?;
        self.count(number, 1)
    }

    /// Adds the units that the order has in the table to the counters of its product, or takes them away.
    fn count(&self, number: i64, sign: i64) -> rusqlite::Result<()> {
        self.transaction
            .prepare_cached(
                "UPDATE product_stock SET held = product_stock.held + ?2 * units.held, \
                 sold = product_stock.sold + ?2 * units.sold FROM \
                 (SELECT sale_id, product_no, sum(1 - sold) AS held, sum(sold) AS sold FROM order_unit \
                  WHERE id BETWEEN ?1 * 128 AND ?1 * 128 + 127 GROUP BY sale_id, product_no) AS units \
                 WHERE product_stock.sale_id = units.sale_id AND product_stock.product_no = units.product_no",
            )?
            .execute([number, sign])
            .map(drop)
    }

    fn units(&self, number: u64, order: &Order) -> rusqlite::Result<()> {
        let first = (number * UNITS) as i64;
        self.transaction
            .prepare_cached("DELETE FROM order_unit WHERE id BETWEEN ?1 AND ?1 + 127")?
            .execute([first])?;
        if !order.live {
            return Ok(());
        }
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
