//! Bytes of a bundle: questions of one kind that cross together, and their answers, each as soon as it is there.
//!
//! A request of its own costs both ends far more than the few bytes of a question do, so that those which are there at the
//! same moment share one. None waits for another: answers come in the order in which they are ready, each with the place
//! of its question in the bundle.

use bytes::{Bytes, BytesMut};
use wire::codec::{Malformed, Reader, Writer};

use crate::message::{Unreadable, VERSION, read_message, read_version};

/// Questions that cross together at most: as large as they come, they fit well into 64 KiB.
pub(crate) const MOST: usize = 100;
/// The largest answer, bytes.
const ANSWER_BYTES: usize = 256 << 10;

/// The request of a bundle.
pub(crate) fn bundle<'a>(questions: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Bytes {
    let room: usize = questions.clone().map(|question| question.len() + 2).sum();
    let mut to = Writer::with_room(room + 3);
    to.number(VERSION);
    to.number(questions.len() as u64);
    questions.for_each(|question| to.blob(question));
    Bytes::from(to.into_bytes())
}

/// The questions of a bundle.
pub(crate) fn read_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, Unreadable> {
    read_message(bytes, |from| {
        let questions = from.list(Reader::blob)?;
        let fits = (1..=MOST).contains(&questions.len());
        if fits { Ok(questions) } else { Err(Malformed::Value("the size of a bundle")) }
    })
}

/// What leads the answers.
pub(crate) fn write_lead(to: &mut Writer) {
    to.number(VERSION);
}

/// One answer.
pub(crate) fn write_record(place: usize, answer: &[u8], to: &mut Writer) {
    to.number(place as u64);
    to.blob(answer);
}

/// Puts answers together out of the pieces in which they come.
#[derive(Debug, Default)]
pub(crate) struct Records {
    led: bool,
    rest: Bytes,
}

impl Records {
    /// Takes in the next piece.
    pub(crate) fn piece(&mut self, piece: Bytes) {
        if self.rest.is_empty() {
            self.rest = piece;
        } else {
            let mut whole = BytesMut::from(self.rest.as_ref());
            whole.extend_from_slice(&piece);
            self.rest = whole.freeze();
        }
    }

    /// The next answer that is whole, and the place of its question; `None` where more pieces are needed.
    pub(crate) fn next(&mut self) -> Result<Option<(usize, Bytes)>, Unreadable> {
        let mut from = Reader::new(&self.rest);
        match read_record(self.led, &mut from) {
            Ok((place, length)) => {
                let end = self.rest.len() - from.left();
                let answer = self.rest.slice(end - length..end);
                self.rest = self.rest.slice(end..);
                self.led = true;
                Ok(Some((place, answer)))
            }
            Err(Unreadable::Malformed(Malformed::Short)) if self.rest.len() <= ANSWER_BYTES => Ok(None),
            Err(unreadable) => Err(unreadable),
        }
    }
}

/// The place of a question, and the length of its answer.
fn read_record(led: bool, from: &mut Reader<'_>) -> Result<(usize, usize), Unreadable> {
    if !led {
        read_version(from)?;
    }
    Ok((from.small("a place in a bundle")?, from.blob()?.len()))
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
