//! What is done to the Redis primary of a sale and leaves it running, or takes its data: it is cut off, full, empty, or its
//! slot moves.

use std::time::Duration;

use redis::Value;
use tokio::time::sleep;

use crate::network::Cut;
use crate::stage::Stage;
use crate::stores::{Node, Stores, text};

/// Between two keys that move: for so long a request may find some of its keys here and some there.
const KEY_BY_KEY: Duration = Duration::from_millis(100);
/// How long a moved sale sells before it moves again.
const SETTLED: Duration = Duration::from_secs(3);

/// Nobody but its clients reaches it; then everybody does again.
pub async fn isolate_primary(stage: &mut Stage<'_>, seconds: u64) -> Result<(), String> {
    let (primary, _) = stage.stores.primary(stage.root).await?;
    let address = stage.stores.redis.get(primary.at).ok_or("the primary has no address")?;
    let (_, port) = address.rsplit_once(':').ok_or_else(|| format!("{address} has no port"))?;
    let source = setting(stage.stores, primary.at, "bind-source-addr").await?;
    if !source.starts_with("127.0.1.") {
        return Err(format!("{} does not come to the others from an address of its own", primary.name()));
    }
    let before = written(stage.stores, &primary).await?;
    stage.moment(&format!("cut {} off", primary.name())).await?;
    let cut = Cut::off(&source, port, primary.bus)?;
    sleep(Duration::from_secs(seconds)).await;
    let alone = written(stage.stores, &primary).await?.saturating_sub(before);
    cut.heal()?;
    crate::say(&format!("  {} wrote {alone} bytes since it was cut off", primary.name()));
    Ok(())
}

/// How much a node has written for its replicas so far, bytes.
async fn written(stores: &Stores, node: &Node) -> Result<u64, String> {
    info(stores, node.at, "replication", "master_repl_offset").await
}

/// A number of `INFO`.
async fn info(stores: &Stores, at: usize, section: &str, name: &str) -> Result<u64, String> {
    let told = text(&stores.ask(at, &["INFO", section]).await?).unwrap_or_default();
    let found = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')?.trim().parse().ok());
    found.ok_or_else(|| format!("INFO {section} has no number {name}"))
}

/// A setting of a node.
async fn setting(stores: &Stores, at: usize, name: &str) -> Result<String, String> {
    let value = match stores.ask(at, &["CONFIG", "GET", name]).await? {
        Value::Array(pair) => pair.get(1).and_then(text),
        Value::Map(pairs) => pairs.first().and_then(|(_, value)| text(value)),
        _ => None,
    };
    value.ok_or_else(|| format!("there is no setting {name}"))
}

/// Half of what it uses is all that it may use.
pub async fn fill_primary(stage: &mut Stage<'_>, seconds: u64) -> Result<(), String> {
    let (primary, _) = stage.stores.primary(stage.root).await?;
    let before = setting(stage.stores, primary.at, "maxmemory").await?;
    let half = info(stage.stores, primary.at, "memory", "used_memory").await? / 2;
    stage.moment(&format!("CONFIG SET maxmemory {half} at {}", primary.name())).await?;
    stage.stores.ask(primary.at, &["CONFIG", "SET", "maxmemory", &half.to_string()]).await?;
    sleep(Duration::from_secs(seconds)).await;
    stage.stores.ask(primary.at, &["CONFIG", "SET", "maxmemory", &before]).await.map(drop)
}

/// As after the loss of a disk. It is back before the others take it for failed, or it is not: both may be.
pub async fn empty_primary(stage: &mut Stage<'_>) -> Result<(), String> {
    let name = stage.stores.primary(stage.root).await?.0.name();
    stage.moment(&format!("kill {name}, delete its data")).await?;
    stage.stores.kill(&name).await?;
    stage.stores.restart_empty(&name).await
}

/// Takes back what a deed that failed half-way has set.
pub async fn mend(stage: &Stage<'_>) {
    for node in stage.stores.nodes().await {
        drop(stage.stores.ask(node.at, &["CONFIG", "SET", "maxmemory", "0"]).await);
        if let Ok(slot) = stage.stores.slot(node.at, stage.root).await {
            drop(stage.stores.ask(node.at, &["CLUSTER", "SETSLOT", &slot.to_string(), "STABLE"]).await);
        }
    }
}

/// To the next primary, and when the sale sells there, back.
pub async fn move_slot(stage: &mut Stage<'_>) -> Result<(), String> {
    let (home, _) = stage.stores.primary(stage.root).await?;
    let slot = stage.stores.slot(home.at, stage.root).await?;
    let nodes = stage.stores.nodes().await;
    let away = nodes.into_iter().find(|node| node.master.is_none() && node.id != home.id);
    let away = away.ok_or("there is no other primary")?;
    for (from, to) in [(&home, &away), (&away, &home)] {
        stage.moment(&format!("move slot {slot} from {} to {}", from.name(), to.name())).await?;
        carry(stage.stores, slot, from, to).await?;
        stage.sells_again(stage.gauge.elapsed()).await?;
        sleep(SETTLED).await;
    }
    Ok(())
}

/// Moves a slot as `redis-cli --cluster reshard` does, but for its pace.
async fn carry(stores: &Stores, slot: u16, from: &Node, to: &Node) -> Result<(), String> {
    let slot = slot.to_string();
    let address = stores.redis.get(to.at).ok_or("the node has no address")?;
    let (host, port) = address.rsplit_once(':').ok_or_else(|| format!("{address} has no port"))?;
    stores.ask(to.at, &["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from.id]).await?;
    stores.ask(from.at, &["CLUSTER", "SETSLOT", &slot, "MIGRATING", &to.id]).await?;
    loop {
        let keys = match stores.ask(from.at, &["CLUSTER", "GETKEYSINSLOT", &slot, "1"]).await? {
            Value::Array(keys) => keys,
            other => return Err(format!("CLUSTER GETKEYSINSLOT: {other:?}")),
        };
        let Some(key) = keys.first().and_then(text) else { break };
        stores.ask(from.at, &["MIGRATE", host, port, &key, "0", "2000", "REPLACE"]).await?;
        sleep(KEY_BY_KEY).await;
    }
    // The new owner first: until it knows, nobody else may believe it.
    stores.ask(to.at, &["CLUSTER", "SETSLOT", &slot, "NODE", &to.id]).await?;
    stores.ask(from.at, &["CLUSTER", "SETSLOT", &slot, "NODE", &to.id]).await?;
    for node in stores.nodes().await.iter().filter(|node| node.master.is_none()) {
        stores.ask(node.at, &["CLUSTER", "SETSLOT", &slot, "NODE", &to.id]).await?;
    }
    Ok(())
}
