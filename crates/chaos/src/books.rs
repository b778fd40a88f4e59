//! What each store says of a sale by itself, read past tzero: units in Redis, the end of the log in Kafka, rows in PostgreSQL,
//! money at the provider.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use redis::Value;
use serde::Serialize;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};

use crate::fleet::KEY;
use crate::stores::{Stores, text};

const PATIENCE: Duration = Duration::from_secs(5);

/// Where the units of a sale's product are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// The epoch of the newest namespace.
    pub epoch: u64,
    /// Units that claims hold.
    pub held: BTreeSet<u32>,
    /// Units that were bought.
    pub sold: BTreeSet<u32>,
    /// Units in the list of free ones.
    pub free: u64,
    /// Units that two claims have.
    pub twice: Vec<u32>,
}

/// What the ledger says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Units that an order owns, and of confirmed orders.
    pub live: BTreeSet<u32>,
    /// Orders that are confirmed.
    pub confirmed: i64,
    /// Orders that have not ended, or have work left.
    pub unfinished: i64,
    /// Orders that had a payment session.
    pub sessions: i64,
    /// Orders that ended because a store failed.
    pub store_failover: i64,
    /// What the inventory was not told yet.
    pub effects: i64,
    /// How far claims are taken in.
    pub position: i64,
    /// The epoch of the shard.
    pub epoch: i64,
    /// When the last order was confirmed, milliseconds since the Unix epoch.
    pub last_confirmed_ms: Option<i64>,
}

/// What the provider says, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Reserved and not collected.
    pub authorised: i64,
    /// Collected.
    pub captured: i64,
    /// Given back.
    pub refunded: i64,
    /// Payment sessions, whatever became of them.
    pub sessions: i64,
    /// Payment sessions on which somebody can still pay.
    pub open: i64,
}

/// Reads units from Redis.
pub async fn inventory(stores: &Stores, root: &str) -> Result<Inventory, String> {
    let (primary, _) = stores.primary(root).await?;
    let epochs = list(stores.ask(primary.at, &["HKEYS", root]).await?);
    let epochs = epochs.iter().filter_map(|epoch| std::str::from_utf8(epoch).ok()?.parse().ok());
    let epoch: u64 = epochs.max().ok_or_else(|| format!("{root} has no namespace"))?;
    let records = list(stores.ask(primary.at, &["HVALS", &format!("{root}:{epoch}:r")]).await?);
    let mut found = Inventory { epoch, ..Inventory::default() };
    for record in &records {
        found.take(record).ok_or("a record that cannot be read")?;
    }
    let ranges = list(stores.ask(primary.at, &["LRANGE", &format!("{root}:{epoch}:f0"), "0", "-1"]).await?);
    found.free =
        ranges.iter().filter_map(|range| Some(u64::from(number(range, 4)? - number(range, 0)?))).sum();
    Ok(found)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

impl Inventory {
    /// One record, in the form that the first file of the function library describes.
    fn take(&mut self, record: &[u8]) -> Option<()> {
        const GONE: u8 = 2;
        let place = record.first()? & 3;
        let count = usize::from(*record.get(36)?);
        for at in 0..count {
            let unit = number(record, 37 + 4 * at)?;
            if place == GONE {
                continue;
            }
            if self.held.contains(&unit) || self.sold.contains(&unit) {
                self.twice.push(unit);
            }
            if place == 0 {
                self.held.insert(unit)
            } else {
                self.sold.insert(unit)
            };
        }
        Some(())
    }
}

/// The byte strings of a list; what is none is left out.
fn list(value: Value) -> Vec<Vec<u8>> {
    let values = match value {
        Value::Array(values) | Value::Set(values) => values,
        _ => Vec::new(),
    };
    let bytes = |value| match value {
        Value::BulkString(bytes) => Some(bytes),
        other => text(&other).map(String::into_bytes),
    };
    values.into_iter().filter_map(bytes).collect()
}

/// The end of the log of a sale's claims.
pub fn log_end(brokers: &[String], sale: &str) -> Result<i64, String> {
    let said = |error: rdkafka::error::KafkaError| format!("Kafka: {error}");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers.join(",")).set("group.id", "chaos-reads-the-end");
    let consumer: BaseConsumer = config.create().map_err(said)?;
    let topics = consumer.fetch_metadata(None, PATIENCE).map_err(said)?;
    let ending = format!(".claims.{sale}");
    let topic = topics.topics().iter().find(|topic| topic.name().ends_with(&ending));
    let topic = topic.ok_or_else(|| format!("Kafka has no topic for {sale}"))?;
    consumer.fetch_watermarks(topic.name(), 0, PATIENCE).map(|(_, end)| end).map_err(said)
}

const ORDERS: &str = "SELECT count(*) FILTER (WHERE state = 'confirmed'), \
     count(*) FILTER (WHERE state IN ('allocated', 'pending_payment', 'expiring', 'capturing', 'refunding') \
       OR work IS NOT NULL), \
     count(*) FILTER (WHERE reason = 'store-failover'), count(session_id) \
     FROM tzero.orders JOIN tzero.sale USING (sale_no) WHERE sale_id = $1";
const UNITS: &str =
    "SELECT unit_no FROM tzero.order_unit JOIN tzero.sale USING (sale_no) WHERE sale_id = $1 AND live";
const TERM: &str = "SELECT position, epoch, (SELECT count(*) FROM tzero.effect e WHERE e.sale_no = t.sale_no) \
     FROM tzero.shard_term t JOIN tzero.sale USING (sale_no) WHERE sale_id = $1 AND shard = 0";
const LAST: &str = "SELECT (extract(epoch FROM max(s.at)) * 1000)::bigint FROM tzero.step s \
     JOIN tzero.orders USING (ticket) JOIN tzero.sale USING (sale_no) WHERE sale_id = $1 AND s.state = 'confirmed'";

/// Reads the ledger.
pub async fn ledger(url: &str, sale: &str) -> Result<Ledger, String> {
    let (mut found, only) = (Ledger::default(), "a row is missing");
    let orders = query(url, ORDERS, &[&sale]).await?;
    let row = orders.first().ok_or(only)?;
    (found.confirmed, found.unfinished, found.store_failover) = (row.get(0), row.get(1), row.get(2));
    found.sessions = row.get(3);
    let units = query(url, UNITS, &[&sale]).await?;
    found.live = units.iter().map(|row| row.get::<_, i32>(0).cast_unsigned()).collect();
    let terms = query(url, TERM, &[&sale]).await?;
    let row = terms.first().ok_or(only)?;
    (found.position, found.epoch, found.effects) = (row.get(0), row.get(1), row.get(2));
    let last = query(url, LAST, &[&sale]).await?;
    found.last_confirmed_ms = last.first().ok_or(only)?.get(0);
    Ok(found)
}

async fn query(url: &str, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, String> {
    let said = |error: tokio_postgres::Error| format!("PostgreSQL: {error:?}");
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(said)?;
    tokio::select! {
        rows = client.query(text, values) => rows.map_err(said),
        _ = connection => Err("PostgreSQL closed the connection".to_owned()),
    }
}

/// Reads the provider's ledger of money; all of it is one currency's.
pub async fn money(http: &reqwest::Client, provider: &str) -> Result<Money, String> {
    let said = |error: reqwest::Error| format!("the provider's ledger: {error}");
    let asked = http.get(format!("{provider}/ledger")).bearer_auth(KEY).send().await.map_err(said)?;
    let books: serde_json::Value = asked.json().await.map_err(said)?;
    let sum = |name: &str| books["currencies"]["EUR"][name].as_i64().unwrap_or_default();
    let count = |name: &str| books["sessions"][name].as_i64().unwrap_or_default();
    let open = count("open");
    Ok(Money {
        authorised: sum("authorised"),
        captured: sum("captured"),
        refunded: sum("refunded"),
        sessions: open + count("complete") + count("expired"),
        open,
    })
}

#[cfg(test)]
#[path = "books_tests.rs"]
mod tests;
