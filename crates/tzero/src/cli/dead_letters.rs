//! `tzero dead-letters`: what lay in the claim log of a fleet and was no claim.

use std::process::ExitCode;

use clap::Args;
use domain::time::Timestamp;
use serde_json::{Value, json};

use super::configuration::load;
use super::{ConfigFlags, Environment, Halt, Outcome, block_on, say};
use crate::wiring::{self, DeadLetter};

/// What the exit codes mean.
pub const EXIT_CODES: &str = "Reads the newest and changes nothing. What a record holds is not shown: it may be a buyer's.\n\
                              Exit codes: 0 they were read, also where there are none, 1 they could not be read.";

/// Characters of a key that are shown.
const KEY: usize = 64;

/// Which to list.
#[derive(Debug, Args)]
pub struct LetterFlags {
    #[command(flatten)]
    config: ConfigFlags,
    /// The newest so many
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    limit: u64,
    /// Prints them as JSON
    #[arg(long)]
    json: bool,
}

/// Lists them.
pub fn run(flags: &LetterFlags, environment: Environment) -> Outcome {
    let config = load(&flags.config, environment)?;
    let found = block_on(async { wiring::dead_letters(&config, flags.limit).await.map_err(Halt::from) })?;
    if flags.json {
        let letters: Vec<Value> = found.iter().flat_map(|found| &found.newest).map(in_json).collect();
        let (topic, total) =
            (found.as_ref().map(|found| &found.topic), found.as_ref().map_or(0, |found| found.total));
        say(&json!({ "topic": topic, "total": total, "dead_letters": letters }).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(found) = found else {
        say(
            "There are no dead letters: the embedded store writes its claims itself, and nobody else can put anything among them.",
        )?;
        return Ok(ExitCode::SUCCESS);
    };
    match (found.total, found.newest.len() as u64) {
        (0, _) => say(&format!("There are no dead letters in {}.", found.topic))?,
        (total, shown) if shown < total => {
            say(&format!("{total} dead letters in {}, of which these are the newest {shown}:", found.topic))?;
        }
        (total, _) => say(&format!("{total} dead letters in {}:", found.topic))?,
    }
    found.newest.iter().try_for_each(|letter| say(&line(letter)))?;
    Ok(ExitCode::SUCCESS)
}

fn at(letter: &DeadLetter) -> Option<String> {
    letter.at_ms.map(|ms| Timestamp::from_millis(ms).to_string())
}

/// The key as it is where it is plain text, else its bytes; those of a stranger may be anything.
fn key(letter: &DeadLetter) -> Option<String> {
    let key = letter.key.as_deref()?;
    let plain = key.iter().all(u8::is_ascii_graphic);
    let text = if plain {
        String::from_utf8_lossy(key).into_owned()
    } else {
        key.iter().take(KEY).map(|byte| format!("\\x{byte:02x}")).collect()
    };
    let more = text.chars().count() > KEY;
    Some(text.chars().take(KEY).chain(more.then_some('\u{2026}')).collect())
}

fn in_json(letter: &DeadLetter) -> Value {
    let [topic, partition, offset] = &letter.origin;
    let number = |text: &str| text.parse::<u64>().ok();
    json!({
        "position": letter.position,
        "at": at(letter),
        "topic": topic,
        "partition": number(partition),
        "offset": number(offset),
        "reason": letter.reason,
        "bytes": letter.bytes,
        "key": key(letter),
    })
}

fn line(letter: &DeadLetter) -> String {
    let [topic, partition, offset] = &letter.origin;
    let size = letter.bytes.map_or_else(|| "no value".to_owned(), |bytes| format!("{bytes} bytes"));
    format!(
        "{:>6}  {}  {topic} {partition} at {offset}  {size}  key {}  {}",
        letter.position,
        at(letter).unwrap_or_else(|| "-".to_owned()),
        key(letter).unwrap_or_else(|| "-".to_owned()),
        on_its_line(&letter.reason),
    )
}

/// What a stranger's record made the reader say, without what would move a terminal's cursor.
fn on_its_line(reason: &str) -> String {
    let shown = |sign: char| if sign.is_control() { sign.escape_default().to_string() } else { sign.into() };
    reason.chars().map(shown).collect()
}

#[cfg(test)]
#[path = "dead_letters_tests.rs"]
mod tests;
