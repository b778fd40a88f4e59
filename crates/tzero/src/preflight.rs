//! What can be told before a start, of the files that a gateway needs: each is read as the start reads it.

use crate::config::Config;
use crate::{keys, wiring};

/// Reads the files that a gateway of this configuration needs.
///
/// # Errors
/// What is wrong with each of them, a line each.
pub fn check(config: &Config) -> Result<(), String> {
    let wrong = [
        wiring::StoresTls::read(config).err(),
        wiring::shop(config).err(),
        wiring::ListFiles::open(config).err(),
        operator_token(config).err(),
    ];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    let lines = wrong.iter().flat_map(|wrong| wrong.lines());
    let placed: Vec<String> = lines.map(|line| placed(config, line)).collect();
    if placed.is_empty() { Ok(()) } else { Err(placed.join("\n")) }
}

/// A line that begins with a key, with the place where that was set before it.
fn placed(config: &Config, line: &str) -> String {
    let place = line.split_once(": ").and_then(|(key, _)| config.place_of(key));
    place.map_or_else(|| line.to_owned(), |place| format!("{place}: {line}"))
}

/// A token that was made and has been lost since would let nobody in.
fn operator_token(config: &Config) -> Result<(), String> {
    let file = keys::admin_token_file(&config.data.dir);
    let kept = std::fs::read_to_string(&file).ok().filter(|_| config.admin.token.is_none());
    if kept.is_some_and(|token| token.trim().is_empty()) {
        return Err(format!(
            "admin.token: {} is empty: delete it, and the next start makes a token",
            file.display()
        ));
    }
    Ok(())
}
