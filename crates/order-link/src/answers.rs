//! The answers to a bundle as the body of a response: each leaves as soon as it is there, with those that are there too.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, Stream};
use hyper::body::{Body, Frame};
use wire::codec::Writer;

use crate::bundle::{write_lead, write_record};

/// Room for what usually leaves together, bytes.
const ROOM: usize = 256;
/// What leaves together at most, bytes: about one frame.
const FRAME: usize = 16 << 10;

/// The answer to the question at a place of the bundle.
pub(crate) type Answer = BoxFuture<'static, (usize, Bytes)>;

/// Answers under way. Whoever drops this gives them up.
pub(crate) struct Answers {
    under_way: FuturesUnordered<Answer>,
    led: bool,
}

impl Answers {
    pub(crate) fn of(under_way: impl Iterator<Item = Answer>) -> Self {
        Self { under_way: under_way.collect(), led: false }
    }
}

impl Body for Answers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut to = Writer::with_room(ROOM);
        if !self.led {
            write_lead(&mut to);
        }
        let lead = to.bytes().len();
        let mut ended = false;
        while to.bytes().len() < FRAME {
            match Pin::new(&mut self.under_way).poll_next(cx) {
                Poll::Ready(Some((place, answer))) => write_record(place, &answer, &mut to),
                Poll::Ready(None) => {
                    ended = true;
                    break;
                }
                Poll::Pending => break,
            }
        }
        if to.bytes().len() > lead {
            self.led = true;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from(to.into_bytes())))));
        }
        if ended { Poll::Ready(None) } else { Poll::Pending }
    }

    fn is_end_stream(&self) -> bool {
        self.under_way.is_empty()
    }
}
