//! Rows of the tables as what the rules speak of.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use domain::fence::{Position, Term};
use domain::few::Few;
use domain::hold::{Terms, Units};
use domain::id::{Epoch, ProductId, ProductNo, SaleId, ShardId, TicketId, UserHash, UserId};
use domain::money::{Currency, Money};
use domain::order::{Order, OrderState, Reason};
use domain::payment::{Payment, PaymentSession};
use domain::product::Product;
use domain::sale::Sale;
use domain::time::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use crate::failure::Failure;
use crate::words;

/// One value of a row.
pub(crate) fn cell<'r, T: FromSql<'r>>(row: &'r Row, column: &str) -> Result<T, Failure> {
    Ok(row.try_get(column)?)
}

/// One number of a row that must fit a smaller type.
pub(crate) fn small<T: TryFrom<i64>>(number: i64, what: &'static str) -> Result<T, Failure> {
    T::try_from(number).map_err(|_| Failure::damaged("the ledger", format!("{number} is no {what}")))
}

/// An instant as the database has it.
pub(crate) fn instant(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.as_millis().unsigned_abs())
}

/// The database's instant.
pub(crate) fn time(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

pub(crate) fn time_of(row: &Row, column: &str) -> Result<Timestamp, Failure> {
    cell(row, column).map(time)
}

fn time_if_any(row: &Row, column: &str) -> Result<Option<Timestamp>, Failure> {
    Ok(cell::<Option<SystemTime>>(row, column)?.map(time))
}

fn hash(row: &Row, column: &str) -> Result<[u8; 16], Failure> {
    let bytes: &[u8] = cell(row, column)?;
    bytes.try_into().map_err(|_| Failure::damaged("the ledger", format!("a {column} has not 16 bytes")))
}

pub(crate) fn ticket(row: &Row) -> Result<TicketId, Failure> {
    hash(row, "ticket").map(TicketId)
}

pub(crate) fn claim(row: &Row) -> Result<TicketId, Failure> {
    hash(row, "claim").map(TicketId)
}

pub(crate) fn user(row: &Row) -> Result<UserHash, Failure> {
    hash(row, "user_hash").map(UserHash)
}

pub(crate) fn product_no(row: &Row) -> Result<ProductNo, Failure> {
    small(i64::from(cell::<i32>(row, "product_no")?), "number of a product").map(ProductNo)
}

pub(crate) fn unit_numbers(row: &Row, column: &str) -> Result<Units, Failure> {
    let numbers: Vec<i32> = cell(row, column)?;
    let units: Result<Few<u32>, Failure> =
        numbers.into_iter().map(|unit| small(i64::from(unit), "unit")).collect();
    units
}

pub(crate) fn currency(code: &str) -> Result<Currency, Failure> {
    Currency::parse(code).ok_or_else(|| Failure::damaged("the ledger", format!("'{code}' is no currency")))
}

fn money(minor: i64, code: &str) -> Result<Money, Failure> {
    Ok(Money { minor, currency: currency(code)? })
}

/// The state of an order and why, of any row that has both.
pub(crate) fn state_and_reason(row: &Row) -> Result<(OrderState, Option<Reason>), Failure> {
    let reason = cell::<Option<&str>>(row, "reason")?.map(words::read_reason).transpose()?;
    Ok((words::read_state(cell(row, "state")?)?, reason))
}

/// The term of a shard, of a row that has one.
pub(crate) fn term(row: &Row) -> Result<Term, Failure> {
    let fence: Option<i64> = cell(row, "fence")?;
    Ok(Term {
        epoch: Epoch(small(cell(row, "epoch")?, "epoch")?),
        state: words::read_term(cell(row, "state")?)?,
        fence: fence.map(|fence| small(fence, "position")).transpose()?.map(Position),
    })
}

/// An order. `sale` is the one of its number.
pub(crate) fn order(row: &Row, sale: SaleId) -> Result<Order, Failure> {
    let (state, reason) = state_and_reason(row)?;
    let user_id = UserId::parse(cell(row, "user_id")?);
    Ok(Order {
        ticket: ticket(row)?,
        shard: ShardId { sale, number: small(i64::from(cell::<i32>(row, "shard")?), "number of a shard")? },
        epoch: Epoch(small(cell(row, "epoch")?, "epoch")?),
        issued_at: time_of(row, "issued_at")?,
        user: user(row)?,
        user_id: user_id.map_err(|refusal| Failure::damaged("a user's identifier", refusal))?,
        terms: Terms {
            product: product_no(row)?,
            quantity: small(i64::from(cell::<i16>(row, "quantity")?), "quantity")?,
        },
        amount: money(cell(row, "amount_minor")?, cell(row, "currency")?)?,
        claim: claim(row)?,
        units: unit_numbers(row, "units")?,
        live: cell(row, "live")?,
        state,
        reason,
        allocated_at: time_of(row, "allocated_at")?,
        address_deadline: time_of(row, "address_deadline")?,
        expires_at: time_if_any(row, "expires_at")?,
        extended: cell(row, "extended")?,
        session: session(row)?.map(Box::new),
        payment: payment(row)?.map(Box::new),
        late_attempts: small(i64::from(cell::<i32>(row, "late_attempts")?), "count of attempts")?,
        changed_at: time_of(row, "changed_at")?,
        version: small(cell(row, "version")?, "version")?,
    })
}

fn session(row: &Row) -> Result<Option<PaymentSession>, Failure> {
    let (session, url): (Option<String>, Option<String>) =
        (cell(row, "session_id")?, cell(row, "session_url")?);
    Ok(session.zip(url).map(|(session, url)| PaymentSession { session, url }))
}

fn payment(row: &Row) -> Result<Option<Payment>, Failure> {
    let Some(payment) = cell::<Option<String>>(row, "payment_id")? else { return Ok(None) };
    Ok(Some(Payment {
        payment,
        amount: money(cell(row, "payment_minor")?, cell(row, "payment_currency")?)?,
        stage: words::read_stage(cell(row, "payment_stage")?)?,
    }))
}

/// Whether the columns that follow from the rest say what the rules say.
pub(crate) fn follows(row: &Row, order: &Order) -> Result<bool, Failure> {
    let work = cell::<Option<&str>>(row, "work")?;
    let deadline = time_if_any(row, "deadline")?;
    Ok(work == order.work().map(words::work) && deadline == order.deadline())
}

/// A sale without its products.
pub(crate) fn sale(row: &Row) -> Result<Sale, Failure> {
    let sale_id = SaleId::parse(cell(row, "sale_id")?);
    Ok(Sale {
        sale_id: sale_id.map_err(|refusal| Failure::damaged("a sale's identifier", refusal))?,
        name: cell(row, "name")?,
        description: cell(row, "description")?,
        message: cell(row, "message")?,
        starts_at: time_of(row, "starts_at")?,
        ends_at: time_of(row, "ends_at")?,
        mode: words::read_mode(cell(row, "mode")?)?,
        hold_ms: small(cell(row, "hold_ms")?, "time")?,
        extension_ms: small(cell(row, "extension_ms")?, "time")?,
        challenge: words::read_challenge(cell(row, "challenge")?)?,
        shards: small(i64::from(cell::<i32>(row, "shards")?), "count of shards")?,
        paused: cell(row, "paused")?,
        products: Vec::new(),
        revision: small(cell(row, "revision")?, "revision")?,
    })
}

/// A product of a sale.
pub(crate) fn product(row: &Row) -> Result<Product, Failure> {
    let product_id = ProductId::parse(cell(row, "product_id")?);
    let compare: Option<i64> = cell(row, "compare_minor")?;
    let compare_currency: Option<&str> = cell(row, "compare_currency")?;
    Ok(Product {
        product_id: product_id.map_err(|refusal| Failure::damaged("a product's identifier", refusal))?,
        name: cell(row, "name")?,
        description: cell(row, "description")?,
        image_url: cell(row, "image_url")?,
        price: money(cell(row, "price_minor")?, cell(row, "currency")?)?,
        compare_at: compare.zip(compare_currency).map(|(minor, code)| money(minor, code)).transpose()?,
        stock: small(i64::from(cell::<i32>(row, "stock")?), "stock")?,
        max_per_user: small(i64::from(cell::<i16>(row, "max_per_user")?), "limit")?,
    })
}
