//! What has been read ahead of one shard: records in order, kept while there is room, so that reading takes nothing away.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::fence::Position;
use domain::hold::Claim;
use ports::claims::ClaimBatch;

use crate::dead_letters::Letter;

/// One record.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// A claim.
    Claim(Claim),
    /// Something else, not yet put aside.
    Letter(Arc<Letter>),
    /// Something else that was put aside, or padding.
    Passed,
}

/// What a reader sees.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Records that lie there.
    Batch(ClaimBatch),
    /// The next record is none to read and must be put aside first.
    Letter(u64, Arc<Letter>),
    /// Nothing yet: the next record to come is the one that is asked for.
    Nothing,
    /// The shelf is at another place of the log.
    Elsewhere,
}

/// What became of a record that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is the next one, and has room.
    Taken,
    /// There is no room: nobody has read what lies there.
    Full,
    /// It had come before.
    Known,
    /// Another one was to come first.
    TooEarly,
}

/// The records of one shard that are at hand.
#[derive(Debug)]
pub(crate) struct Shelf {
    /// From here on everything that was read ahead lies there.
    first: u64,
    /// The position of the record that comes next.
    next: u64,
    records: VecDeque<(u64, Record)>,
    /// Where the newest reader stands.
    asked: u64,
    /// Records that have room.
    room: usize,
}

impl Shelf {
    pub(crate) fn new(room: usize) -> Self {
        Self { first: 0, next: 0, records: VecDeque::new(), asked: 0, room: room.max(1) }
    }

    /// The position of the record that comes next.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Goes on at `from`, and forgets what lies there unless that is where it ends.
    pub(crate) fn begin(&mut self, from: u64) {
        if from != self.next {
            self.records.clear();
            (self.first, self.next) = (from, from);
        }
        self.asked = from;
    }

    /// Whether a record may lie at `from` or will come next there.
    pub(crate) const fn covers(&self, from: u64) -> bool {
        self.first <= from && from <= self.next
    }

    /// Whether something lies at or after `from`.
    pub(crate) const fn has(&self, from: u64) -> bool {
        self.first <= from && from < self.next
    }

    /// Whether half of the room is free for what comes.
    pub(crate) fn has_room(&self) -> bool {
        self.records.len() - self.index(self.asked) <= self.room / 2
    }

    fn index(&self, from: u64) -> usize {
        self.records.partition_point(|(at, _)| *at < from)
    }

    /// Up to `limit` claims from `from` on, as far as the first record that must be put aside.
    pub(crate) fn look(&mut self, from: u64, limit: usize) -> Seen {
        if !self.covers(from) {
            return Seen::Elsewhere;
        }
        self.asked = from;
        if from == self.next {
            return Seen::Nothing;
        }
        let (mut claims, mut next) = (Vec::new(), self.next);
        for (at, record) in self.records.range(self.index(from)..) {
            match record {
                Record::Letter(letter) if claims.is_empty() => return Seen::Letter(*at, Arc::clone(letter)),
                Record::Claim(claim) if claims.len() < limit => claims.push((Position(*at), claim.clone())),
                Record::Passed => {}
                Record::Letter(_) | Record::Claim(_) => {
                    next = *at;
                    break;
                }
            }
        }
        Seen::Batch(ClaimBatch { from: Position(from), next: Position(next), claims })
    }

    /// Whether a record that came is taken; makes room for it where that was read.
    pub(crate) fn place(&mut self, at: u64) -> Put {
        match at.cmp(&self.next) {
            std::cmp::Ordering::Less => return Put::Known,
            std::cmp::Ordering::Greater => return Put::TooEarly,
            std::cmp::Ordering::Equal => {}
        }
        if self.records.len() < self.room {
            return Put::Taken;
        }
        match self.records.front() {
            Some((oldest, _)) if *oldest < self.asked => {
                self.first = oldest + 1;
                self.records.pop_front();
                Put::Taken
            }
            _ => Put::Full,
        }
    }

    /// Takes the next record, for which [`Shelf::place`] found room.
    pub(crate) fn put(&mut self, record: Record) {
        self.records.push_back((self.next, record));
        self.next += 1;
    }

    /// Nothing lies before `at` that is not here: positions may be left out, by markers of transactions.
    pub(crate) fn skip_to(&mut self, at: u64) {
        self.next = self.next.max(at);
    }

    /// The record at this position was put aside.
    pub(crate) fn pass(&mut self, at: u64) {
        let index = self.index(at);
        if let Some((there, record)) = self.records.get_mut(index)
            && *there == at
        {
            *record = Record::Passed;
        }
    }
}

#[cfg(test)]
#[path = "shelf_tests.rs"]
mod tests;
