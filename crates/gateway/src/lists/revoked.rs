//! Sessions that are valid no more, although whoever signed them said that they would be.

use domain::time::Timestamp;
use foldhash::{HashMap, HashSet};

use super::lines;
use crate::session::Session;

/// A list of revoked sessions.
#[derive(Clone, Debug, Default)]
pub struct Revoked {
    /// By user: all sessions that were issued before this instant; `None` for all there are and will be.
    users: HashMap<Box<str>, Option<Timestamp>>,
    /// Identifiers of single sessions (`jti`).
    ids: HashSet<Box<str>>,
}

impl Revoked {
    /// From lines: `user ann` (all sessions of this user), `user ann 2027-01-01T12:00:00Z` (those that were issued before this
    /// instant, and those that do not say when), `id 4f2a` (the session with this `jti`); `#` begins a remark.
    ///
    /// # Errors
    /// The line, and what would be right.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let mut revoked = Self::default();
        for (number, line) in lines(text)? {
            revoked.put(line).map_err(|wrong| format!("line {number}: {wrong}"))?;
        }
        Ok(revoked)
    }

    fn put(&mut self, line: &str) -> Result<(), String> {
        let form = || {
            format!("{line:?} must be such as \"user ann\", \"user ann 2027-01-01T12:00:00Z\" or \"id 4f2a\"")
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["id", id] => drop(self.ids.insert(id.into())),
            ["user", user] => drop(self.users.insert(user.into(), None)),
            ["user", user, instant] => {
                let instant: jiff::Timestamp = instant.parse().map_err(|_| form())?;
                let instant = Timestamp::from_millis(instant.as_millisecond());
                // Of several lines about one user, the one that revokes most.
                let known = self.users.entry(user.into()).or_insert(Some(instant));
                *known = known.map(|known| known.max(instant));
            }
            _ => return Err(form()),
        }
        Ok(())
    }

    /// Whether a session is on the list.
    #[must_use]
    pub fn has(&self, session: &Session) -> bool {
        let of_user = self.users.get(session.user.as_str()).is_some_and(|before| match before {
            None => true,
            Some(before) => session.issued_at.is_none_or(|issued| issued < *before),
        });
        of_user || session.id.as_deref().is_some_and(|id| self.ids.contains(id))
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len() + self.ids.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
#[path = "revoked_tests.rs"]
mod tests;
