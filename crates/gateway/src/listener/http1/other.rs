//! Requests of every other route: handed over whole, their bodies part by part, and the answer sent as it comes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::mpsc::Sender;

use super::answer::{self, Delimited};
use super::body::{Handed, Incoming, Step};
use super::head::Plan;
use super::{CONTINUE, Connection, Received, Then};
use crate::listener::Service;

/// An answer's parts are sent from this size on, bytes; what comes at once goes out at once.
const SEND_AT: usize = 32 << 10;
/// What a client may send ahead while its answer streams, bytes.
const AHEAD: usize = 16 << 10;
/// An answer may take so long between two parts: whoever makes it sees to its pulse.
const LONGEST_SILENCE: Duration = Duration::from_secs(86_400);

type Answering<'a> = Pin<Box<dyn Future<Output = Response<Body>> + Send + 'a>>;

impl<S: Service> Connection<S> {
    /// Answers a request whose head is the start of what was received.
    pub(super) async fn other(&mut self, plan: Plan, request: Request<()>) -> Then {
        self.received.drain(..plan.head);
        let head_only = request.method() == Method::HEAD;
        let mut incoming = Incoming::from(plan.framing);
        if plan.expects
            && incoming != Incoming::Done
            && self.received.is_empty()
            && !self.send(CONTINUE).await
        {
            return Then::Over;
        }
        let (handing, body) = self.body(plan, &mut incoming);
        let shared = Arc::clone(&self.shared);
        let answering: Answering<'_> = Box::pin(shared.service.answer(request.map(|()| body), self.peer));
        let answer = match handing {
            None => answering.await,
            Some(handing) => self.hand_over(answering, handing, &mut incoming).await,
        };
        self.moved = self.shared.clock.elapsed();
        // A body that nobody wanted must not pass for the next request.
        while matches!(incoming.step(&mut self.received), Step::Data(_)) {}
        let keep_alive = plan.keep_alive && incoming == Incoming::Done && !self.stop.is_cancelled();
        self.send_answer(answer, keep_alive, plan.old, head_only).await
    }

    /// The body as the handler sees it: whole where it is here already.
    fn body(&mut self, plan: Plan, incoming: &mut Incoming) -> (Option<Sender<io::Result<Bytes>>>, Body) {
        match *incoming {
            Incoming::Done => (None, Body::empty()),
            Incoming::Length(length) if length <= self.received.len() as u64 => {
                match incoming.step(&mut self.received) {
                    Step::Data(data) => (None, Body::from(data)),
                    _ => (None, Body::empty()),
                }
            }
            _ => {
                let (sender, handed) = Handed::new(plan.framing);
                (Some(sender), Body::new(handed))
            }
        }
    }

    /// Hands the body over while the handler works.
    async fn hand_over(
        &mut self,
        mut answering: Answering<'_>,
        handing: Sender<io::Result<Bytes>>,
        incoming: &mut Incoming,
    ) -> Response<Body> {
        let broken = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidData, why.to_owned()));
        // The whole body is due, and not each part of it: otherwise drops would keep it open.
        let due = self.shared.clock.elapsed() + self.shared.limits.body_timeout;
        loop {
            let place = tokio::select! {
                biased;
                answer = &mut answering => return answer,
                place = handing.reserve() => place,
            };
            // The handler wants no more of it.
            let Ok(place) = place else { return answering.await };
            match incoming.step(&mut self.received) {
                Step::Data(data) => place.send(Ok(data)),
                Step::End => break,
                Step::Broken => {
                    place.send(broken("its chunks are malformed"));
                    break;
                }
                Step::More => {
                    let received = tokio::select! {
                        biased;
                        answer = &mut answering => return answer,
                        received = self.receive(due) => received,
                    };
                    if received != Received::Some {
                        place.send(broken("it breaks off"));
                        break;
                    }
                }
            }
        }
        drop(handing);
        answering.await
    }

    async fn send_answer(
        &mut self,
        answer: Response<Body>,
        keep_alive: bool,
        old: bool,
        head_only: bool,
    ) -> Then {
        let status = answer.status();
        let bodiless = head_only
            || status.is_informational()
            || status == StatusCode::NO_CONTENT
            || status == StatusCode::NOT_MODIFIED;
        let delimited = match answer.body().size_hint().exact() {
            _ if bodiless => Delimited::Absent,
            Some(length) => Delimited::Length(length),
            None if old => Delimited::Close,
            None => Delimited::Chunked,
        };
        let keep_alive = keep_alive && delimited != Delimited::Close;
        let mut out = Vec::with_capacity(1_024);
        answer::head(&mut out, &answer, delimited, self.manner(keep_alive, old));
        if delimited != Delimited::Absent && !self.send_body(answer.into_body(), &mut out, delimited).await {
            return Then::Over;
        }
        self.sent(&out, keep_alive).await
    }

    /// Sends a body; the rest, which is still to be sent, is left in `out`.
    async fn send_body(&mut self, mut body: Body, out: &mut Vec<u8>, delimited: Delimited) -> bool {
        let streams = !matches!(delimited, Delimited::Length(_));
        loop {
            let listens = streams && self.received.len() < AHEAD;
            let due = self.shared.clock.elapsed() + LONGEST_SILENCE;
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame,
                // Nothing more is there right now: what is ready goes out.
                () = std::future::ready(()), if !out.is_empty() => {
                    if !self.send(out).await {
                        return false;
                    }
                    out.clear();
                    continue;
                }
                received = self.receive(due), if listens => match received {
                    Received::Some => continue,
                    // Nobody listens any more.
                    Received::Closed | Received::Overdue => return false,
                },
            };
            match frame {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        answer::part(out, &data, delimited);
                    }
                }
                // Half an answer must not pass for a whole one: the connection breaks off.
                Some(Err(_)) => return false,
                None => break,
            }
            if out.len() >= SEND_AT {
                if !self.send(out).await {
                    return false;
                }
                out.clear();
            }
        }
        if delimited == Delimited::Chunked {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        true
    }
}
