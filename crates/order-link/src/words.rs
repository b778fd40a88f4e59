//! Words of another process for which the types here want a text that lives as long as this one.
//!
//! A fault names what failed, and a document its reason, by a text of the program. The other end may be of another
//! release with words that are not in this one, so each new word is kept for good; how many is bounded.

use std::collections::BTreeSet;
use std::sync::{PoisonError, RwLock};

/// Different words that are kept at most: several times what one release has.
const MOST: usize = 256;
/// The longest word that is kept, bytes.
const LONGEST: usize = 128;

static KEPT: RwLock<BTreeSet<&'static str>> = RwLock::new(BTreeSet::new());

/// The word for good; `None` where it is too long, or too many are kept already.
pub(crate) fn kept(word: &str) -> Option<&'static str> {
    let known = KEPT.read().unwrap_or_else(PoisonError::into_inner).get(word).copied();
    known.or_else(|| keep(word))
}

fn keep(word: &str) -> Option<&'static str> {
    let mut words = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = words.get(word) {
        return Some(known);
    }
    if words.len() >= MOST || word.len() > LONGEST {
        return None;
    }
    let word: &'static str = Box::leak(word.into());
    words.insert(word);
    Some(word)
}
