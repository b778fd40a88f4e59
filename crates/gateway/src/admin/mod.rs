//! The operator's endpoints, `/admin/v1`: bearer token, never cached.

pub mod live;
pub mod orders;
pub mod report;
pub mod sale_form;
pub mod sales;
pub mod shards;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http::{HeaderMap, Response};
use subtle::ConstantTimeEq;

use crate::api::bearer;
use crate::edge::Edge;
use crate::hot::only;
use crate::problem::{Answer, Code, Problem};
use crate::routes::{finish, unrouted};

/// Who acts: one credential, one name.
pub const ACTOR: &str = "operator";

/// The routes.
pub fn routes() -> Router<Arc<Edge>> {
    let router = Router::new()
        .route("/admin/v1/sales", get(sales::list).post(sales::create))
        .route("/admin/v1/sales/{sale}", get(sales::show).patch(sales::patch))
        .route("/admin/v1/sales/{sale}/pause", post(sales::pause))
        .route("/admin/v1/sales/{sale}/resume", post(sales::resume))
        .route("/admin/v1/sales/{sale}/end", post(sales::end))
        .route("/admin/v1/sales/{sale}/restock", post(sales::restock))
        .route("/admin/v1/sales/{sale}/message", post(sales::message))
        .route("/admin/v1/sales/{sale}/audit", get(report::audit))
        .route("/admin/v1/sales/{sale}/orders", get(orders::list))
        .route("/admin/v1/sales/{sale}/orders.csv", get(orders::csv))
        .route("/admin/v1/sales/{sale}/live", get(live::live))
        .route("/admin/v1/orders/{ticket}", get(orders::story))
        .route("/admin/v1/orders/{ticket}/refund", post(orders::refund))
        .route("/admin/v1/shards", get(shards::list))
        .route("/admin/v1/actions", get(orders::actions));
    router.method_not_allowed_fallback(unrouted)
}

/// Whether the request carries the operator's token.
///
/// # Errors
/// 401.
pub fn authorised(edge: &Edge, headers: &HeaderMap) -> Result<(), Problem> {
    let sent = bearer(only(headers, &http::header::AUTHORIZATION)).unwrap_or_default();
    let hash = |text: &str| *blake3::hash(text.as_bytes()).as_bytes();
    // Hashes, so that neither content nor length shows in the time it takes.
    if !sent.is_empty() && bool::from(hash(sent).ct_eq(&hash(&edge.admin_token))) {
        return Ok(());
    }
    Err(Problem::new(Code::NotAuthorised, "send the operator's token as 'Authorization: Bearer …'"))
}

/// Lets a handler's answer or problem become a reply.
pub(crate) fn answer(path: &str, answer: Answer) -> Response<Body> {
    finish(path, answer)
}
