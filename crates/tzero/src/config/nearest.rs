//! The known name that is nearest to an unknown one.

/// Beyond this nobody meant it: a hint would mislead.
const FARTHEST: usize = 600;

/// The nearest of `known` to `name`, by the share of letters that must be edited; names may be dotted. `None` where
/// nothing is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let measured = known.into_iter().map(|candidate| (distance(name, candidate), candidate));
    let (distance, nearest) = measured.min_by_key(|(distance, _)| *distance)?;
    (distance <= FARTHEST).then_some(nearest)
}

/// The last parts weigh most (0 to 1000): a right key in a wrong section is nearer than its neighbour there.
fn distance(name: &str, candidate: &str) -> usize {
    let (section, last) = name.rsplit_once('.').unwrap_or(("", name));
    let (known_section, known_last) = candidate.rsplit_once('.').unwrap_or(("", candidate));
    let longest = last.chars().count().max(known_last.chars().count()).max(1);
    let share = 1_000 * strsim::damerau_levenshtein(last, known_last) / longest;
    share + 100 * strsim::damerau_levenshtein(section, known_section).min(2)
}

#[cfg(test)]
#[path = "nearest_tests.rs"]
mod tests;
