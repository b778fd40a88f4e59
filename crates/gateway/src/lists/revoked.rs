//! Sessions that are valid no more, although whoever signed them said that they would be.

use domain::id::UserId;
use domain::time::Timestamp;
use foldhash::{HashMap, HashSet};

use super::text::{Mistakes, lines, shown};
use crate::session::{LONGEST, Session};

/// Bytes of the longest `jti` that a token can carry: it is written in base64, four characters for three bytes.
const LONGEST_ID: usize = LONGEST / 4 * 3;

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
    /// instant, and those that do not say when), `id 4f2a` (the session with this `jti`); `#` begins a remark at the start of
    /// a line and after white space.
    ///
    /// # Errors
    /// The first wrong lines, and what would be right.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let (mut revoked, mut mistakes) = (Self::default(), Mistakes::default());
        for (number, line) in lines(text)? {
            if let Err(wrong) = revoked.put(line) {
                mistakes.add(number, &wrong);
            }
        }
        mistakes.or(revoked)
    }

    fn put(&mut self, line: &str) -> Result<(), String> {
        let form = || {
            let line = shown(line);
            format!("{line} must be such as \"user ann\", \"user ann 2027-01-01T12:00:00Z\" or \"id 4f2a\"")
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["user", user, ..] = words[..]
            && let Err(form) = UserId::parse(user)
        {
            return Err(format!("{} is nobody's user_id: {form}", shown(user)));
        }
        match words[..] {
            ["id", id] if id.len() > LONGEST_ID => {
                return Err(format!(
                    "{} is in no token: it has {} bytes, and tokens have {LONGEST} characters at most, so that a jti has \
                     {LONGEST_ID} bytes at most",
                    shown(id),
                    id.len(),
                ));
            }
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
