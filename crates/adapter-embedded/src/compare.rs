//! Compares the tables with the memory that the journal made, row by row, and names every unit that differs.

mod sales;

use std::collections::{BTreeMap, HashMap};

use domain::audit::{Violation, ViolationKind};
use domain::id::SaleId;
use domain::unit_set::UnitSet;
use rusqlite::Connection;

use crate::book::{Book, Entry};
use crate::replay::live_units;
use crate::tables::{reason_word, state_word};

/// What was found, by sale.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    by_sale: BTreeMap<String, Vec<Violation>>,
}

impl Findings {
    /// Findings of one sale, and those that belong to no sale that exists.
    pub(crate) fn of(&self, sale: &SaleId, book: &Book) -> Vec<Violation> {
        let exists = |id: &str| book.sales.keys().any(|known| known.as_str() == id);
        let mine = self.by_sale.iter().filter(|(id, _)| id.as_str() == sale.as_str() || !exists(id));
        mine.flat_map(|(_, violations)| violations.iter().cloned()).collect()
    }

    /// Every finding in words.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |(sale, violation): (&String, &Violation)| format!("{sale}: {}", violation.detail);
        let all = self.by_sale.iter().flat_map(|(sale, list)| list.iter().map(move |each| (sale, each)));
        all.map(line).collect()
    }

    /// An entry of the journal is not as it was written.
    pub(crate) fn damaged(&mut self, entry: u64) {
        let detail = format!("entry {entry} of the journal was changed or taken away while the process runs");
        self.add("-", ViolationKind::TableDiffers, [], detail);
    }

    fn add(&mut self, sale: &str, kind: ViolationKind, units: impl IntoIterator<Item = u32>, detail: String) {
        let (units, _) = UnitSet::collect(units);
        self.by_sale.entry(sale.to_owned()).or_default().push(Violation { kind, units, detail });
    }
}

/// How far the tables follow the journal.
pub(crate) fn followed(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT seq FROM followed", [], |row| row.get::<_, i64>(0)).map(|seq| seq as u64)
}

/// Compares everything that the tables claim to follow.
pub(crate) fn run(connection: &Connection, book: &Book) -> rusqlite::Result<Findings> {
    let mut findings = Findings::default();
    let followed = followed(connection)?;
    let numbers: HashMap<u64, &Entry> = book.orders.iter().map(|entry| (entry.number.get(), entry)).collect();
    orders(connection, &numbers, followed, &mut findings)?;
    units(connection, &numbers, followed, &mut findings)?;
    counters(connection, book, &mut findings)?;
    sales::compare(connection, book, &mut findings)?;
    Ok(findings)
}

/// The columns of a row that must agree, as text.
fn expected(entry: &Entry) -> String {
    let order = &entry.order;
    format!(
        "{} {} {} {} {} {} {} {} {} {} {} {} {} {} {}",
        order.shard.sale,
        order.terms.product.0,
        order.terms.quantity,
        order.user_id,
        state_word(order.state),
        order.reason.map_or("-", reason_word),
        u8::from(order.live),
        order.amount.minor,
        order.amount.currency,
        order.payment.as_ref().map_or("-", |payment| payment.payment.as_str()),
        order.version,
        reference(&order.ticket.0),
        order.allocated_at.as_millis(),
        order.expires_at.map_or_else(|| "-".to_owned(), |at| at.as_millis().to_string()),
        order.changed_at.as_millis(),
    )
}

fn reference(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn orders(
    connection: &Connection,
    numbers: &HashMap<u64, &Entry>,
    followed: u64,
    findings: &mut Findings,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT number, sale_id, sale_id || ' ' || product_no || ' ' || quantity || ' ' || user_id || ' ' || state || ' ' || \
         coalesce(reason, '-') || ' ' || live || ' ' || amount_minor || ' ' || currency || ' ' || \
         coalesce(payment, '-') || ' ' || version || ' ' || lower(hex(ticket)) || ' ' || allocated_at_ms || ' ' || \
         coalesce(expires_at_ms, '-') || ' ' || changed_at_ms FROM orders",
    )?;
    let mut rows = statement.query([])?;
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        let (number, sale, found): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match numbers.get(&(number as u64)) {
            None => findings.add(
                &sale,
                ViolationKind::TableDiffers,
                [],
                format!("the table orders has number {number}, which the journal does not have"),
            ),
            Some(entry) if entry.seq > followed => {}
            Some(entry) => {
                seen += 1;
                if found != expected(entry) {
                    let units = live_units(&entry.order).iter().copied();
                    let wanted = expected(entry);
                    let detail = format!(
                        "order {number} is '{found}' in the table orders and '{wanted}' in the journal"
                    );
                    findings.add(entry.order.shard.sale.as_str(), ViolationKind::TableDiffers, units, detail);
                }
            }
        }
    }
    let due = numbers.values().filter(|entry| entry.seq <= followed).count();
    if seen < due {
        missing_orders(connection, numbers, followed, findings)?;
    }
    Ok(())
}

fn missing_orders(
    connection: &Connection,
    numbers: &HashMap<u64, &Entry>,
    followed: u64,
    findings: &mut Findings,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT 1 FROM orders WHERE number = ?1")?;
    for (number, entry) in numbers.iter().filter(|(_, entry)| entry.seq <= followed) {
        if !statement.exists([*number as i64])? {
            let units = live_units(&entry.order).iter().copied();
            let detail = format!("order {number} is missing in the table orders");
            findings.add(entry.order.shard.sale.as_str(), ViolationKind::TableDiffers, units, detail);
        }
    }
    Ok(())
}

fn units(
    connection: &Connection,
    numbers: &HashMap<u64, &Entry>,
    followed: u64,
    findings: &mut Findings,
) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare("SELECT number, sale_id, product_no, unit, sold FROM order_unit ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut owners: HashMap<(String, u16, u32), i64> = HashMap::new();
    let mut found: HashMap<u64, Vec<u32>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (number, sale, product, unit, sold): (i64, String, u16, u32, bool) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        if let Some(other) = owners.insert((sale.clone(), product, unit), number) {
            let detail =
                format!("unit {unit} belongs to order {other} and to order {number} in the table order_unit");
            findings.add(&sale, ViolationKind::SoldTwice, [unit], detail);
        }
        let entry = numbers.get(&(number as u64)).filter(|entry| entry.seq <= followed);
        if let Some(entry) = entry
            && sold != entry.order.is_sold()
        {
            let detail = format!("unit {unit} of order {number} is sold on one side only");
            findings.add(&sale, ViolationKind::SoldOnOneSide, [unit], detail);
        }
        if let Some(entry) = entry
            && (entry.order.shard.sale.as_str() != sale || entry.order.terms.product.0 != product)
        {
            let detail = format!(
                "unit {unit} of order {number} is one of product {product} of sale {sale} in the table order_unit, \
                 and not in the journal"
            );
            findings.add(entry.order.shard.sale.as_str(), ViolationKind::TableDiffers, [unit], detail);
        }
        found.entry(number as u64).or_default().push(unit);
    }
    for (number, entry) in numbers.iter().filter(|(_, entry)| entry.seq <= followed) {
        let there = found.remove(number).unwrap_or_default();
        name_units(*number, entry, &there, findings);
    }
    for (number, units) in found.into_iter().filter(|(number, _)| !numbers.contains_key(number)) {
        let first = units.first().copied().unwrap_or_default();
        let detail = format!("unit {first} belongs to order {number}, which the journal does not have");
        findings.add("-", ViolationKind::TableDiffers, units, detail);
    }
    Ok(())
}

fn name_units(number: u64, entry: &Entry, there: &[u32], findings: &mut Findings) {
    let wanted = live_units(&entry.order);
    let sale = entry.order.shard.sale.as_str();
    for unit in wanted.iter().filter(|unit| !there.contains(unit)) {
        let detail = format!("unit {unit} of order {number} is nowhere in the table order_unit");
        findings.add(sale, ViolationKind::Nowhere, [*unit], detail);
    }
    for unit in there.iter().filter(|unit| !wanted.contains(unit)) {
        let detail =
            format!("unit {unit} is with order {number} in the table order_unit, and not in the journal");
        findings.add(sale, ViolationKind::TableDiffers, [*unit], detail);
    }
}

fn counters(connection: &Connection, book: &Book, findings: &mut Findings) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT p.sale_id, p.product_no, p.stock, p.held, p.sold, coalesce(sum(1 - u.sold), 0), coalesce(sum(u.sold), 0) \
         FROM product_stock p LEFT JOIN order_unit u ON u.sale_id = p.sale_id AND u.product_no = p.product_no \
         GROUP BY p.sale_id, p.product_no",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (sale, product): (String, u16) = (row.get(0)?, row.get(1)?);
        let (stock, held, sold): (u32, i64, i64) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let (rows_held, rows_sold): (i64, i64) = (row.get(5)?, row.get(6)?);
        for (word, counter, there) in [("held", held, rows_held), ("sold", sold, rows_sold)] {
            if counter != there {
                let detail =
                    format!("product {product}: the {word} counter says {counter}, there are {there} units");
                findings.add(&sale, ViolationKind::WrongCount, [], detail);
            }
        }
        let behind = book
            .behind
            .iter()
            .any(|(_, what)| matches!(what, crate::book::Behind::Sale(id) if id.as_str() == sale));
        let known = book.sales.iter().find(|(id, _)| id.as_str() == sale).map(|(_, sale)| &sale.sale);
        let wanted =
            known.and_then(|sale| sale.products.get(usize::from(product))).map(|product| product.stock);
        if !behind && wanted != Some(stock) {
            let wanted = wanted.map_or_else(|| "nothing of it".to_owned(), |stock| stock.to_string());
            let detail = format!(
                "product {product}: the table product_stock says stock {stock}, the journal {wanted}"
            );
            findings.add(&sale, ViolationKind::StockDiffers, [], detail);
        }
    }
    Ok(())
}
