//! `tzero shards`: which shards sell, and which do not.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Environment, Outcome, ServerFlags, block_on, say};

/// What the exit codes mean.
pub const EXIT_CODES: &str = "Exit codes: 0 every shard sells, 1 the question could not be answered, 2 a shard is closed, or a store that is away \
                              leaves it unknown.";

/// Shows every shard.
pub fn run(flags: &ServerFlags, environment: &Environment) -> Outcome {
    block_on(async {
        let client = Client::new(flags, environment)?;
        let told = client.send(Method::GET, "shards", &[], None).await?;
        let shards = told.get("shards").and_then(Value::as_array).cloned().unwrap_or_default();
        if shards.is_empty() {
            say("There is no shard, because there is no sale.")?;
        }
        shards.iter().flat_map(lines).try_for_each(|line| say(&line))?;
        let open = shards.iter().all(|shard| shard["open"] == true);
        Ok(if open { ExitCode::SUCCESS } else { ExitCode::from(2) })
    })
}

/// A shard, and below it why it is closed and which store has not said anything.
fn lines(shard: &Value) -> Vec<String> {
    let text = |member: &str| shard[member].as_str().unwrap_or("-").to_owned();
    let number = |member: &str| shard[member].as_u64().map_or_else(|| "?".to_owned(), |n| n.to_string());
    let unanswered = shard["unanswered"].as_array().into_iter().flatten();
    let inventory_answered = unanswered.clone().all(|each| each["store"] != "inventory");
    let inventory = match shard["inventory_epoch"].as_u64() {
        Some(epoch) => epoch.to_string(),
        None if inventory_answered => "closed".to_owned(),
        None => "?".to_owned(),
    };
    let name = format!("{}.{}", text("sale_id"), number("shard"));
    let mut lines = vec![format!(
        "{name:<28} {:<9} epoch {:>4} ({})  inventory {inventory:>6}  log {} of {}, {} waiting",
        shard["open"].as_bool().map_or("not known", |open| if open { "open" } else { "closed" }),
        number("epoch"),
        shard["term"].as_str().unwrap_or("?"),
        number("log_position"),
        number("log_end"),
        number("claims_waiting"),
    )];
    lines.extend(shard["closed_because"].as_str().map(|why| format!("    closed: {why}")));
    lines.extend(unanswered.filter_map(|each| Some(format!("    {}", each["detail"].as_str()?))));
    lines
}

#[cfg(test)]
#[path = "shards_tests.rs"]
mod tests;
