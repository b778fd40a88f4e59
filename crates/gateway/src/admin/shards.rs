//! `GET /admin/v1/shards`: which shard sells, at which epoch, and how far its claims are taken in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use domain::fence::TermState;
use http::request::Parts;
use http::{Response, StatusCode};
use purchase::operate::ShardState;
use serde_json::{Value, json};

use super::{answer, authorised};
use crate::edge::Edge;
use crate::problem::{Answer, fault};
use crate::reply;

const fn word(state: TermState) -> &'static str {
    match state {
        TermState::Open => "open",
        TermState::Fencing => "fencing",
        TermState::Rebuild => "rebuild",
    }
}

fn shown(state: &ShardState) -> Value {
    json!({
        "sale_id": state.shard.sale.to_string(),
        "shard": state.shard.number,
        "open": state.is_open(),
        "epoch": state.term.epoch.0,
        "term": word(state.term.state),
        "fence": state.term.fence.map(|fence| fence.0),
        "inventory_epoch": state.running.map(|epoch| epoch.0),
        "log_position": state.position.0,
        "log_end": state.end.0,
        "claims_waiting": state.claims_waiting(),
    })
}

/// `GET /admin/v1/shards`.
pub async fn list(State(edge): State<Arc<Edge>>, head: Parts) -> Response<Body> {
    let listed = async {
        authorised(&edge, &head.headers)?;
        let failed = |failed: ports::Fault| fault(&edge, &failed);
        let shards = edge.operator.shards().await.map_err(failed)?;
        let shards: Vec<_> = shards.iter().map(shown).collect();
        Ok(reply::json(StatusCode::OK, &json!({ "shards": shards })))
    };
    let listed: Answer = listed.await;
    answer(head.uri.path(), listed)
}
