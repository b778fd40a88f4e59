//! The known name that is nearest to an unknown one.

/// The nearest of `known` to `name`, by the edits that turn one into the other; names that are dotted count
/// as near where their last part is. `None` only where nothing is known.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().min_by_key(|candidate| distance(name, candidate))
}

/// Edits between the last parts weigh most: a right key in a wrong section is nearer than its neighbour there.
fn distance(name: &str, candidate: &str) -> usize {
    let (section, last) = name.rsplit_once('.').unwrap_or(("", name));
    let (known_section, known_last) = candidate.rsplit_once('.').unwrap_or(("", candidate));
    let sections = strsim::damerau_levenshtein(section, known_section).min(2);
    2 * strsim::damerau_levenshtein(last, known_last) + sections
}

#[cfg(test)]
#[path = "nearest_tests.rs"]
mod tests;
