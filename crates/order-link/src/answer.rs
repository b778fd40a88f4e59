//! One request at an orders node: who asks, what is asked, and the bytes of the answer.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use domain::ticket::TicketStamp;
use futures::FutureExt;
use http::{Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use ports::Fault;
use ports::orders::Orders;
use tokio_util::sync::CancellationToken;
use wire::codec::Malformed;

use crate::answers::Answers;
use crate::bundle::read_bundle;
use crate::document::read_stamp;
use crate::gather::{Spoilt, gather};
use crate::key::Bearer;
use crate::message::{
    ProductOf, Unreadable, VERSION, message, part, read_checkout, read_message, read_part, read_products,
    read_wait, write_answer, write_known, write_views,
};
use crate::outcome::{write_cancel_answer, write_checkout_answer, write_extend_answer};
use crate::peer::Peer;
use crate::route::Route;
use crate::server::Limits;

/// What every connection of a server shares.
pub(crate) struct Answering {
    pub(crate) orders: Arc<dyn Orders>,
    pub(crate) bearer: Bearer,
    pub(crate) limits: Limits,
    pub(crate) stop: CancellationToken,
}

/// The body of an answer: whole, or in parts as they come.
pub(crate) type Said = Either<Full<Bytes>, Answers>;

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Response<Said> {
    let mut answer = Response::new(Either::Left(Full::new(body.into())));
    *answer.status_mut() = status;
    answer
}

impl Answering {
    /// Answers a request. Nobody without the key learns more than that it is wanting.
    pub(crate) async fn answer(self: &Arc<Self>, request: Request<Incoming>, peer: &Peer) -> Response<Said> {
        if !self.bearer.admits(request.headers()) {
            peer.refuse();
            return answer(StatusCode::UNAUTHORIZED, Bytes::new());
        }
        peer.admit();
        let Some(route) = Route::of(request.method(), request.uri().path()) else {
            return answer(StatusCode::NOT_FOUND, "there is nothing at this address");
        };
        match self.body(request.into_body()).await {
            Ok(body) => self.call(route, &body).await,
            Err(refusal) => refusal,
        }
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Response<Said>> {
        let gathered = gather(body, self.limits.body_bytes);
        match tokio::time::timeout(self.limits.body_limit, gathered).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(spoilt @ Spoilt::TooLarge(_))) => {
                Err(answer(StatusCode::PAYLOAD_TOO_LARGE, spoilt.to_string()))
            }
            Ok(Err(spoilt @ Spoilt::Broken(_))) => Err(answer(StatusCode::BAD_REQUEST, spoilt.to_string())),
            Err(_) => Err(answer(StatusCode::REQUEST_TIMEOUT, "the body took too long")),
        }
    }

    async fn call(self: &Arc<Self>, route: Route, body: &Bytes) -> Response<Said> {
        let called = match route {
            Route::Health => return self.health(),
            Route::Wait => self.wait(body).await,
            Route::Checkout | Route::Status | Route::Cancel | Route::Extend | Route::Views => {
                self.answers(route, body)
            }
        };
        called.unwrap_or_else(|unreadable| answer(StatusCode::BAD_REQUEST, unreadable.to_string()))
    }

    /// The answers to a bundle: all of it is under way at once.
    fn answers(self: &Arc<Self>, route: Route, body: &Bytes) -> Result<Response<Said>, Unreadable> {
        let questions = read_bundle(body)?.into_iter().map(|question| body.slice_ref(question));
        let under_way = questions.enumerate().map(|(place, question)| {
            let answering = Arc::clone(self);
            async move { (place, answering.whole(route, &question).await) }.boxed()
        });
        Ok(Response::new(Either::Right(Answers::of(under_way))))
    }

    /// The answer to one question, also where it makes this node fail: its neighbours in the bundle have theirs, and no
    /// other node is made to fail by it.
    async fn whole(&self, route: Route, question: &[u8]) -> Bytes {
        let replied = AssertUnwindSafe(self.reply(route, question)).catch_unwind().await;
        replied.unwrap_or_else(|_| damaged("it made the node fail"))
    }

    /// The answer to one question.
    async fn reply(&self, route: Route, question: &[u8]) -> Bytes {
        let replied = match route {
            Route::Checkout => self.checkout(question).await,
            Route::Status => self.status(question).await,
            Route::Cancel => self.cancel(question).await,
            Route::Extend => self.extend(question).await,
            Route::Views => read_part(question, read_products).map(|products| self.views(&products)),
            Route::Wait | Route::Health => Err(Malformed::Value("a question of this kind in a bundle")),
        };
        replied.unwrap_or_else(damaged)
    }

    /// The versions that this node speaks, a byte each; or that it is about to stop.
    fn health(&self) -> Response<Said> {
        if self.stop.is_cancelled() {
            return answer(StatusCode::SERVICE_UNAVAILABLE, "it is stopping");
        }
        answer(StatusCode::OK, vec![VERSION as u8])
    }

    async fn checkout(&self, body: &[u8]) -> Result<Bytes, Malformed> {
        let checkout = read_part(body, read_checkout)?;
        let answer = self.orders.checkout(checkout).await;
        Ok(part(|to| write_answer(answer, write_checkout_answer, to)))
    }

    async fn status(&self, body: &[u8]) -> Result<Bytes, Malformed> {
        let answer = self.orders.status(&stamp(body)?).await;
        Ok(part(|to| write_answer(answer, write_known, to)))
    }

    async fn cancel(&self, body: &[u8]) -> Result<Bytes, Malformed> {
        let answer = self.orders.cancel(&stamp(body)?).await;
        Ok(part(|to| write_answer(answer, write_cancel_answer, to)))
    }

    async fn extend(&self, body: &[u8]) -> Result<Bytes, Malformed> {
        let answer = self.orders.extend(&stamp(body)?).await;
        Ok(part(|to| write_answer(answer, write_extend_answer, to)))
    }

    async fn wait(&self, body: &[u8]) -> Result<Response<Said>, Unreadable> {
        let (stamp, version) = read_message(body, read_wait)?;
        tokio::select! {
            () = self.orders.wait(&stamp, version) => {}
            () = tokio::time::sleep(self.limits.wait_limit) => {}
            () = self.stop.cancelled() => {}
        }
        Ok(answer(StatusCode::OK, message(|to| write_answer(Ok(()), |(), _| {}, to))))
    }

    fn views(&self, products: &[ProductOf]) -> Bytes {
        let views = products.iter().map(|(sale, product)| self.orders.view(sale, product)).collect();
        part(|to| write_answer(Ok(views), write_views, to))
    }
}

/// The answer to a question that cannot be answered.
fn damaged(detail: impl Display) -> Bytes {
    let fault = Fault::damaged("a question over the link", detail);
    part(|to| write_answer::<()>(Err(fault), |(), _| {}, to))
}

fn stamp(body: &[u8]) -> Result<TicketStamp, Malformed> {
    read_part(body, read_stamp)
}
