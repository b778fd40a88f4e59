//! A buyer gives up, or asks for more time.

use bytes::Bytes;
use domain::transition::ChangeRefusal;
use http::StatusCode;
use ports::orders::{CancelAnswer, ExtendAnswer};

use super::status::{document, opened, unknown};
use crate::edge::Edge;
use crate::problem::{Answer, Code, Problem, fault};
use crate::reply;

/// Largest body, bytes.
const LARGEST: usize = 1_024;

/// `DELETE /v1/orders/{ticket}`.
///
/// # Errors
/// 404, 409 or 503.
pub async fn cancel(edge: &Edge, ticket: &str) -> Answer {
    let stamp = opened(edge, ticket)?;
    match edge.orders.cancel(&stamp).await {
        Ok(CancelAnswer::Cancelled(status) | CancelAnswer::Ended(status)) => {
            Ok(reply::json(StatusCode::OK, &document(edge, &status)))
        }
        Ok(CancelAnswer::Cancelling(status)) => {
            Ok(reply::json(StatusCode::ACCEPTED, &document(edge, &status)))
        }
        Ok(CancelAnswer::AlreadyConfirmed(_)) => {
            Err(Problem::new(Code::AlreadyConfirmed, "the order is paid; ask the shop for a refund"))
        }
        Ok(CancelAnswer::Unknown) => Err(unknown()),
        Err(failed) => Err(fault(edge, &failed)),
    }
}

/// `POST /v1/orders/{ticket}/extend`; there is nothing to say in its body.
///
/// # Errors
/// 400, 404, 409 or 503.
pub async fn extend<B>(edge: &Edge, ticket: &str, body: B) -> Answer
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let stamp = opened(edge, ticket)?;
    reply::nothing(&reply::body(edge, body, LARGEST).await?)?;
    match edge.orders.extend(&stamp).await {
        Ok(ExtendAnswer::Extended(status)) => Ok(reply::json(StatusCode::OK, &document(edge, &status))),
        Ok(ExtendAnswer::Refused(refusal)) => {
            let detail = match refusal {
                ChangeRefusal::NoExtension => {
                    "the sale gives no more time, or it was used, or the hold is not running"
                }
                _ => "the order is not waiting for its payment",
            };
            Err(Problem::new(Code::NoExtension, detail))
        }
        Ok(ExtendAnswer::Unknown) => Err(Problem::new(Code::NoExtension, "the hold is not running yet")),
        Err(failed) => Err(fault(edge, &failed)),
    }
}
