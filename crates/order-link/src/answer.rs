//! One request at an orders node: who asks, what is asked, and the bytes of the answer.

use std::sync::Arc;

use bytes::Bytes;
use domain::ticket::TicketStamp;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use ports::orders::Orders;
use tokio_util::sync::CancellationToken;

use crate::document::read_stamp;
use crate::gather::{Spoilt, gather};
use crate::key::Bearer;
use crate::message::{
    ProductOf, Unreadable, VERSION, message, read_checkout, read_message, read_products, read_wait,
    write_answer, write_known, write_views,
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

type Answer = Response<Full<Bytes>>;

fn answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer
}

impl Answering {
    /// Answers a request. Nobody without the key learns more than that it is wanting.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: &Peer) -> Answer {
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

    async fn body(&self, body: Incoming) -> Result<Bytes, Answer> {
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

    async fn call(&self, route: Route, body: &[u8]) -> Answer {
        let called = match route {
            Route::Checkout => self.checkout(body).await,
            Route::Status => self.status(body).await,
            Route::Wait => self.wait(body).await,
            Route::Cancel => self.cancel(body).await,
            Route::Extend => self.extend(body).await,
            Route::Views => read_message(body, read_products).map(|products| self.views(&products)),
            Route::Health => return self.health(),
        };
        called.map_or_else(
            |unreadable| answer(StatusCode::BAD_REQUEST, unreadable.to_string()),
            |body| answer(StatusCode::OK, body),
        )
    }

    /// The versions that this node speaks, a byte each; or that it is about to stop.
    fn health(&self) -> Answer {
        if self.stop.is_cancelled() {
            return answer(StatusCode::SERVICE_UNAVAILABLE, "it is stopping");
        }
        answer(StatusCode::OK, vec![VERSION as u8])
    }

    async fn checkout(&self, body: &[u8]) -> Result<Bytes, Unreadable> {
        let checkout = read_message(body, read_checkout)?;
        let answer = self.orders.checkout(checkout).await;
        Ok(message(|to| write_answer(answer, write_checkout_answer, to)))
    }

    async fn status(&self, body: &[u8]) -> Result<Bytes, Unreadable> {
        let answer = self.orders.status(&stamp(body)?).await;
        Ok(message(|to| write_answer(answer, write_known, to)))
    }

    async fn cancel(&self, body: &[u8]) -> Result<Bytes, Unreadable> {
        let answer = self.orders.cancel(&stamp(body)?).await;
        Ok(message(|to| write_answer(answer, write_cancel_answer, to)))
    }

    async fn extend(&self, body: &[u8]) -> Result<Bytes, Unreadable> {
        let answer = self.orders.extend(&stamp(body)?).await;
        Ok(message(|to| write_answer(answer, write_extend_answer, to)))
    }

    async fn wait(&self, body: &[u8]) -> Result<Bytes, Unreadable> {
        let (stamp, version) = read_message(body, read_wait)?;
        tokio::select! {
            () = self.orders.wait(&stamp, version) => {}
            () = tokio::time::sleep(self.limits.wait_limit) => {}
            () = self.stop.cancelled() => {}
        }
        Ok(message(|to| write_answer(Ok(()), |(), _| {}, to)))
    }

    fn views(&self, products: &[ProductOf]) -> Bytes {
        let views = products.iter().map(|(sale, product)| self.orders.view(sale, product)).collect();
        message(|to| write_answer(Ok(views), write_views, to))
    }
}

fn stamp(body: &[u8]) -> Result<TicketStamp, Unreadable> {
    read_message(body, read_stamp)
}
