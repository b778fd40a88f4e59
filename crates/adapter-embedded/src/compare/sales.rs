//! Compares the tables of sales, of their stock and of actions with what the journal says: rows that are gone, too.

use std::collections::{BTreeMap, HashSet};

use domain::audit::ViolationKind;
use rusqlite::Connection;

use super::Findings;
use crate::book::{Behind, Book, SaleBook};

/// The columns of a sale's row that must agree, as text.
fn expected(sale: &SaleBook) -> String {
    let sale = &sale.sale;
    let (starts, ends) = (sale.starts_at.as_millis(), sale.ends_at.as_millis());
    format!("{} {starts} {ends} {} {} {}", sale.name, sale.hold_ms, u8::from(sale.paused), sale.revision)
}

/// Compares them, apart from what the tables have yet to follow.
pub(super) fn compare(connection: &Connection, book: &Book, findings: &mut Findings) -> rusqlite::Result<()> {
    let behind: HashSet<&str> = book
        .behind
        .iter()
        .filter_map(|(_, what)| match what {
            Behind::Sale(sale) => Some(sale.as_str()),
            Behind::Order(_) | Behind::Action(_) => None,
        })
        .collect();
    let rows = rows(connection)?;
    let stocks = stocks(connection)?;
    for (id, sale) in book.sales.iter().filter(|(id, _)| !behind.contains(id.as_str())) {
        let wanted = expected(sale);
        let found = rows.get(id.as_str()).map_or("not there", String::as_str);
        if found != wanted {
            let detail = format!("the sale is '{found}' in the table sales and '{wanted}' in the journal");
            findings.add(id.as_str(), ViolationKind::TableDiffers, [], detail);
        }
        let products = (0u16..).zip(&sale.sale.products);
        for (number, product) in products.filter(|(number, _)| !stocks.contains(&(id.to_string(), *number))) {
            let detail =
                format!("product {number}, {}, is missing in the table product_stock", product.product_id);
            findings.add(id.as_str(), ViolationKind::TableDiffers, [], detail);
        }
    }
    for unknown in rows.keys().filter(|id| !book.sales.keys().any(|known| known.as_str() == **id)) {
        let detail = "the table sales has a sale that the journal does not have".to_owned();
        findings.add(unknown, ViolationKind::TableDiffers, [], detail);
    }
    actions(connection, book, findings)
}

fn rows(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare(
        "SELECT sale_id, name || ' ' || starts_at_ms || ' ' || ends_at_ms || ' ' || hold_ms || ' ' || paused || ' ' || \
         revision FROM sales",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn stocks(connection: &Connection) -> rusqlite::Result<HashSet<(String, u16)>> {
    let mut statement = connection.prepare("SELECT sale_id, product_no FROM product_stock")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn actions(connection: &Connection, book: &Book, findings: &mut Findings) -> rusqlite::Result<()> {
    let there: i64 = connection.query_row("SELECT count(*) FROM actions", [], |row| row.get(0))?;
    let behind = book.behind.iter().filter(|(_, what)| matches!(what, Behind::Action(_))).count() as u64;
    let wanted = book.actions.len() as u64 - behind;
    if there as u64 != wanted {
        let detail = format!("the table actions has {there} rows, and the journal {wanted} actions");
        findings.add("-", ViolationKind::TableDiffers, [], detail);
        return Ok(());
    }
    let sql = "SELECT id, at_ms, actor, action, coalesce(sale_id, '-'), detail FROM actions ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    // The newest come first in the book, and what the tables have yet to follow is newer than what they have.
    let mut wanted = book.actions.iter().rev();
    while let (Some(row), Some(action)) = (rows.next()?, wanted.next()) {
        let sale = action.sale.as_ref().map_or("-", |sale| sale.as_str());
        let same = row.get::<_, i64>(1)? == action.at.as_millis()
            && row.get_ref(2)?.as_str()? == action.actor
            && row.get_ref(3)?.as_str()? == action.action
            && row.get_ref(4)?.as_str()? == sale
            && row.get_ref(5)?.as_str()? == action.detail;
        if !same {
            let detail = format!(
                "the row {} of the table actions is not what the journal has in its place: {} by {}",
                row.get::<_, i64>(0)?,
                action.action,
                action.actor
            );
            findings.add(sale, ViolationKind::TableDiffers, [], detail);
        }
    }
    Ok(())
}
