//! `tzero shards`: which shards sell, and which do not.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Environment, Outcome, ServerFlags, block_on, say};

/// What the exit codes mean.
pub const EXIT_CODES: &str =
    "Exit codes: 0 every shard sells, 1 the question could not be answered, 2 a shard is closed.";

/// Shows every shard.
pub fn run(flags: &ServerFlags, environment: &Environment) -> Outcome {
    block_on(async {
        let client = Client::new(flags, environment)?;
        let told = client.send(Method::GET, "shards", &[], None).await?;
        let shards = told.get("shards").and_then(Value::as_array).cloned().unwrap_or_default();
        if shards.is_empty() {
            say("There is no shard, because there is no sale.")?;
        }
        shards.iter().try_for_each(|shard| say(&line(shard)))?;
        let open = shards.iter().all(|shard| shard.get("open").and_then(Value::as_bool) == Some(true));
        Ok(if open { ExitCode::SUCCESS } else { ExitCode::from(2) })
    })
}

fn line(shard: &Value) -> String {
    let number = |member: &str| shard.get(member).and_then(Value::as_u64);
    let counted = |member: &str| number(member).unwrap_or_default();
    let name =
        format!("{}.{}", shard.get("sale_id").and_then(Value::as_str).unwrap_or("-"), counted("shard"));
    let open = shard.get("open").and_then(Value::as_bool) == Some(true);
    let term = shard.get("term").and_then(Value::as_str).unwrap_or("-");
    let inventory = number("inventory_epoch").map_or_else(|| "closed".to_owned(), |epoch| epoch.to_string());
    format!(
        "{name:<28} {:<6} epoch {:>4} ({term})  inventory {inventory:>6}  log {} of {}, {} waiting",
        if open { "open" } else { "closed" },
        counted("epoch"),
        counted("log_position"),
        counted("log_end"),
        counted("claims_waiting"),
    )
}
