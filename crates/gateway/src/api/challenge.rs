//! `GET /v1/challenge`: a challenge for this buyer at one sale.

use std::net::IpAddr;

use domain::id::SaleId;
use http::{HeaderMap, StatusCode};

use super::checkout::{challenge_limit, network_limit, session};
use crate::edge::Edge;
use crate::hot::Given;
use crate::problem::{FieldError, Problem, fault};
use crate::query;
use crate::reply::Whole;

/// Issues a challenge for the sale that the query, `asked`, names.
///
/// # Errors
/// 401, 429, 400 where there is not one `sale_id`, 404 where there is no such sale.
pub async fn issue(
    edge: &Edge,
    asked: Option<&str>,
    client: IpAddr,
    headers: &HeaderMap,
) -> Result<Whole, Problem> {
    let session = session(edge, &Given::of(headers))?;
    challenge_limit(edge, &session)?;
    network_limit(edge, client)?;
    let sale = query::only(asked, "sale_id", "is missing: a challenge is for one sale")
        .map_err(|wrong| Problem::invalid(vec![wrong]))?;
    let sale = SaleId::parse(&sale)
        .map_err(|refusal| Problem::invalid(vec![FieldError::new("sale_id", refusal.to_string())]))?;
    let sale = edge.known_sale(&sale).await?;
    let body = edge.challenger.issue(edge, &sale, &session.user);
    let body = body.map_err(|failed| fault(edge, &failed))?;
    let media = "application/json";
    Ok(Whole { status: StatusCode::OK, media, body, retry_after_s: None, headers: Vec::new() })
}
