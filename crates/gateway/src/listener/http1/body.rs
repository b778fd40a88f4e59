//! A request's body on its way in: by length or in chunks (RFC 9112, section 7.1), and as the handlers see it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::sync::mpsc;

use super::head::Framing;

/// Longest line of a chunk's size with its extensions, bytes.
const LONGEST_SIZE_LINE: usize = 256;
/// Most bytes of trailers; they are read and left out.
const MOST_TRAILERS: usize = 4_096;

/// What is still to come of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    /// So many bytes.
    Length(u64),
    /// A chunk's size.
    Size,
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The line end after a chunk.
    ChunkEnd,
    /// Trailers, of which so many bytes were read.
    Trailers(usize),
    /// Nothing.
    Done,
}

/// A step through a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Some of it.
    Data(Bytes),
    /// More must be received first.
    More,
    /// That was all.
    End,
    /// These are no chunks.
    Broken,
}

impl From<Framing> for Incoming {
    fn from(framing: Framing) -> Self {
        match framing {
            Framing::Length(0) => Self::Done,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Size,
        }
    }
}

impl Incoming {
    /// Takes what it can from the front of `received`.
    pub(super) fn step(&mut self, received: &mut Vec<u8>) -> Step {
        loop {
            match *self {
                Self::Done => return Step::End,
                Self::Length(left) => return self.data(received, left, Self::Length, Self::Done),
                Self::Chunk(left) => return self.data(received, left, Self::Chunk, Self::ChunkEnd),
                Self::ChunkEnd => match received.get(..2) {
                    Some(b"\r\n") => {
                        received.drain(..2);
                        *self = Self::Size;
                    }
                    Some(_) => return Step::Broken,
                    None => return Step::More,
                },
                Self::Size => match line(received, LONGEST_SIZE_LINE) {
                    Ok(Some(end)) => {
                        let Some(size) = size(&received[..end]) else { return Step::Broken };
                        received.drain(..end + 2);
                        *self = if size == 0 { Self::Trailers(0) } else { Self::Chunk(size) };
                    }
                    Ok(None) => return Step::More,
                    Err(()) => return Step::Broken,
                },
                Self::Trailers(before) => match line(received, MOST_TRAILERS - before) {
                    Ok(Some(end)) => {
                        received.drain(..end + 2);
                        let read = before + end + 2;
                        *self = match end {
                            0 => Self::Done,
                            _ if read < MOST_TRAILERS => Self::Trailers(read),
                            _ => return Step::Broken,
                        };
                    }
                    Ok(None) => return Step::More,
                    Err(()) => return Step::Broken,
                },
            }
        }
    }

    fn data(&mut self, received: &mut Vec<u8>, left: u64, more: fn(u64) -> Self, then: Self) -> Step {
        let count = received.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 {
            return Step::More;
        }
        let data = Bytes::copy_from_slice(&received[..count]);
        received.drain(..count);
        let left = left - count as u64;
        *self = if left == 0 { then } else { more(left) };
        Step::Data(data)
    }
}

/// Where the first line ends, which must be with CR LF; `Err` where it is longer than `most`.
fn line(received: &[u8], most: usize) -> Result<Option<usize>, ()> {
    match received.iter().position(|byte| *byte == b'\n') {
        Some(0) => Err(()),
        Some(end) if end > most || received[end - 1] != b'\r' => Err(()),
        Some(end) => Ok(Some(end - 1)),
        None if received.len() > most => Err(()),
        None => Ok(None),
    }
}

/// The size of a chunk in hexadecimal digits; extensions are left out.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii_end();
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A body whose parts the connection hands over while a handler reads them.
pub(super) struct Handed {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    length: Option<u64>,
}

impl Handed {
    /// With the end at which the connection puts the parts; one waits at a time.
    pub(super) fn new(framing: Framing) -> (mpsc::Sender<io::Result<Bytes>>, Self) {
        let (sender, parts) = mpsc::channel(1);
        let length = match framing {
            Framing::Length(length) => Some(length),
            Framing::Chunked => None,
        };
        (sender, Self { parts, length })
    }
}

impl http_body::Body for Handed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.parts.poll_recv(cx).map(|part| part.map(|part| part.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
