//! What every list is written in: lines, remarks, and how its mistakes are told.

use super::MOST;

/// Wrong lines that are named; the others are counted.
const NAMED: usize = 10;
/// Characters of a wrong line that are shown.
const SHOWN: usize = 80;

/// The lines of a list that say something, with their numbers; `#` begins a remark at the start of a line and after white
/// space.
///
/// # Errors
/// The text is not UTF-8, or has more lines than [`MOST`].
pub(super) fn lines(text: &[u8]) -> Result<impl Iterator<Item = (usize, &str)>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "must be text in UTF-8".to_owned())?;
    let entries = (1..).zip(text.lines().map(entry)).filter(|(_, line)| !line.is_empty());
    let count = entries.clone().count();
    if count > MOST { Err(format!("has {count} entries, and may have {MOST}")) } else { Ok(entries) }
}

/// A line without its remark.
fn entry(line: &str) -> &str {
    let begins = |at: usize| line[..at].chars().next_back().is_none_or(char::is_whitespace);
    let remark = line.match_indices('#').map(|(at, _)| at).find(|at| begins(*at));
    line[..remark.unwrap_or(line.len())].trim()
}

/// A text of a list for a message: its beginning, escaped.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{:?}…", &text[..at]),
        None => format!("{text:?}"),
    }
}

/// The wrong lines of a list.
#[derive(Default)]
pub(super) struct Mistakes {
    named: Vec<String>,
    more: usize,
}

impl Mistakes {
    /// One more: what is wrong with a line, and what would be right.
    pub(super) fn add(&mut self, line: usize, wrong: &str) {
        if self.named.len() < NAMED {
            self.named.push(format!("line {line}: {wrong}"));
        } else {
            self.more += 1;
        }
    }

    /// What was read, where nothing is wrong.
    ///
    /// # Errors
    /// The first wrong lines, and how many more there are.
    pub(super) fn or<T>(mut self, read: T) -> Result<T, String> {
        if self.more > 0 {
            self.named.push(format!("and {} more lines are wrong", self.more));
        }
        if self.named.is_empty() { Ok(read) } else { Err(self.named.join("; ")) }
    }
}
