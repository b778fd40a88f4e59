//! Rules that a mutant takes away. Without a mutant each of these is the project's own function, called as it is.

use domain::allocation::Facts;
use domain::fence::{Position, Term, TermState};
use domain::id::Epoch;

use crate::mutant::{Mutant, Mutants};

/// R1.
pub(crate) fn begin(term: Term, mutants: Mutants) -> Term {
    if mutants.has(Mutant::RaiseWhileFencing) {
        return Term { epoch: term.epoch.next(), state: TermState::Fencing, fence: None };
    }
    term.begin()
}

/// R3.
pub(crate) fn with_fence(term: Term, epoch: Epoch, end: Position, mutants: Mutants) -> Term {
    let again =
        mutants.has(Mutant::FenceRewritten) && term.epoch == epoch && term.state == TermState::Fencing;
    if again || mutants.has(Mutant::FenceOverwritten) {
        return Term { fence: Some(end), ..term };
    }
    term.with_fence(epoch, end)
}

/// R4.
pub(crate) fn snapshot(term: Term, epoch: Epoch, allocated: Position, mutants: Mutants) -> Option<Term> {
    if mutants.has(Mutant::SnapshotTooEarly) && term.epoch == epoch && term.state == TermState::Fencing {
        return Some(Term { state: TermState::Rebuild, ..term });
    }
    if mutants.has(Mutant::SnapshotTwice) && term.epoch == epoch && term.fence.is_some_and(|f| allocated >= f)
    {
        return Some(Term { state: TermState::Rebuild, ..term });
    }
    term.snapshot(epoch, allocated)
}

/// Whether a claim is taken in, mutants considered.
pub(crate) fn accepts(term: Term, epoch: Epoch, position: Position, mutants: Mutants) -> bool {
    let before = |fence: Option<Position>| fence.is_none_or(|fence| position < fence);
    if mutants.has(Mutant::AcceptStale) {
        return true;
    }
    if mutants.has(Mutant::LooseFence) {
        return epoch == term.epoch || (epoch < term.epoch && before(term.fence));
    }
    if mutants.has(Mutant::UnknownFenceRefuses) && epoch != term.epoch && term.fence.is_none() {
        return false;
    }
    term.accepts(epoch, position)
}

/// The facts as [`domain::allocation::decide`] gets them: where a mutant's rule differs from the project's, with a
/// term by which the project's rule says what the mutant's does.
pub(crate) fn bend<'a>(facts: Facts<'a>, epoch: Epoch, mutants: Mutants) -> Facts<'a> {
    let bent = accepts(facts.term, epoch, facts.position, mutants);
    if bent == facts.term.accepts(epoch, facts.position) {
        return facts;
    }
    let epoch = if bent { epoch } else { epoch.next().next() };
    Facts { term: Term { epoch, state: TermState::Open, fence: None }, ..facts }
}
