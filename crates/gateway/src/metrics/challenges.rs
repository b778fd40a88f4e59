//! What is measured of challenges: how many, what became of them, and what was noticed, by kind and about nobody.

use std::sync::atomic::Ordering;

use domain::challenge::Signal;
use ports::challenges::Verdict;

use super::{head, line};
use crate::edge::Edge;

pub(super) fn write(edge: &Edge, text: &mut String) {
    let (challenger, counts) = (&edge.challenger, &edge.challenger.counts);
    let name = "tzero_challenges_issued_total";
    head(text, name, "counter", "Challenges that were given out.");
    line(text, name, counts.issued.load(Ordering::Relaxed));
    let name = "tzero_challenge_guesses";
    head(text, name, "gauge", "Work of a challenge that is given out now, in guesses.");
    line(text, name, challenger.guesses(edge));
    let name = "tzero_challenge_guesses_max";
    head(text, name, "gauge", "Work of the hardest challenge, in guesses.");
    line(text, name, challenger.most_guesses());
    let name = "tzero_challenges_total";
    let help = "Checkouts at sales that ask for challenges: those of buyers who were asked, by what they sent, and vouched ones.";
    head(text, name, "counter", help);
    let verdicts = Verdict::ALL.map(|verdict| (verdict.as_str(), &counts.verdicts[verdict as usize]));
    for (outcome, count) in
        verdicts.into_iter().chain([("missing", &counts.missing), ("vouched", &counts.vouched)])
    {
        line(text, &format!("{name}{{outcome=\"{outcome}\"}}"), count.load(Ordering::Relaxed));
    }
    let name = "tzero_signals_total";
    head(text, name, "counter", "What was noticed about buyers, by kind.");
    for signal in Signal::ALL {
        line(text, &format!("{name}{{kind=\"{}\"}}", signal.as_str()), challenger.signals.counted(signal));
    }
}
