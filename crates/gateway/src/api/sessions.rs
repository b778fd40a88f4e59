//! `POST /v1/sessions`: the built-in issuer, for one's own machine, demos and rehearsals.

use std::net::IpAddr;

use bytes::Bytes;
use http::StatusCode;
use serde::Serialize;

use super::checkout::network_limit;
use crate::edge::Edge;
use crate::problem::{Answer, Code, Problem};
use crate::reply;
use crate::session::Sessions;

/// Largest body, bytes.
const LARGEST: usize = 1_024;

/// A new session.
#[derive(Serialize, utoipa::ToSchema)]
pub struct NewSession {
    /// Who the session is for.
    user_id: String,
    /// What to send as `Authorization: Bearer …`.
    session_token: String,
    /// Until when.
    expires_at: String,
}

/// Gives a session to a new guest.
///
/// # Errors
/// 404 where the shop signs sessions, 429, 400.
pub async fn create<B>(edge: &Edge, client: IpAddr, body: B) -> Answer
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let body = reply::body(edge, body, LARGEST).await?;
    let Sessions::Builtin(issuer) = &edge.sessions else {
        return Err(Problem::new(Code::NotFound, "the shop signs sessions here"));
    };
    network_limit(edge, client)?;
    reply::nothing(&body)?;
    let now = edge.now();
    let user = crate::session::fresh_user((edge.random)());
    let ttl_ms = edge.settings.session_ttl_ms;
    let session = NewSession {
        session_token: issuer.issue(&user, now),
        user_id: user.as_str().to_owned(),
        expires_at: now.plus_millis(ttl_ms).to_string(),
    };
    Ok(reply::json(StatusCode::CREATED, &session))
}
