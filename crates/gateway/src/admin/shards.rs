//! `GET /admin/v1/shards`: which shard sells, at which epoch, and how far its claims are taken in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use domain::fence::TermState;
use http::request::Parts;
use http::{Response, StatusCode};
use ports::Fault;
use purchase::operate::{ShardState, Standing};
use serde_json::{Value, json};

use super::{answer, authorised};
use crate::edge::Edge;
use crate::problem::Answer;
use crate::reply;

const fn word(state: TermState) -> &'static str {
    match state {
        TermState::Open => "open",
        TermState::Fencing => "fencing",
        TermState::Rebuild => "rebuild",
    }
}

/// `None` where it is not known.
const fn open(standing: Standing) -> Option<bool> {
    match standing {
        Standing::Open => Some(true),
        Standing::Closed => Some(false),
        Standing::Unknown => None,
    }
}

/// Why it does not sell, as far as the stores have said.
fn closed_because(state: &ShardState) -> Option<String> {
    match (&state.term, &state.running) {
        _ if state.standing() != Standing::Closed => None,
        (Ok(term), Ok(Some(running))) if term.state == TermState::Open => {
            let (running, epoch) = (running.0, term.epoch.0);
            Some(format!("its inventory is open at epoch {running}, and its term is epoch {epoch}"))
        }
        (Ok(term), _) if term.state != TermState::Open => {
            Some(format!("its term is being renewed ({})", word(term.state)))
        }
        _ => Some("its inventory hands nothing out".to_owned()),
    }
}

/// Stores that have not answered, by the names that they have in `/readyz`, each once.
fn silent(state: &ShardState) -> Vec<Value> {
    let ShardState { term, running, position, end, .. } = state;
    let said = |store: &str, fault: &Fault| json!({ "store": store, "detail": fault.to_string() });
    let ledger = term.as_ref().err().or_else(|| position.as_ref().err());
    let each = [("store", ledger), ("inventory", running.as_ref().err()), ("claims", end.as_ref().err())];
    each.into_iter().filter_map(|(store, fault)| Some(said(store, fault?))).collect()
}

fn shown(state: &ShardState) -> Value {
    let term = state.term.as_ref().ok();
    json!({
        "sale_id": state.shard.sale.to_string(),
        "shard": state.shard.number,
        "open": open(state.standing()),
        "closed_because": closed_because(state),
        "epoch": term.map(|term| term.epoch.0),
        "term": term.map(|term| word(term.state)),
        "fence": term.and_then(|term| term.fence).map(|fence| fence.0),
        "inventory_epoch": state.running.as_ref().ok().and_then(|running| running.map(|epoch| epoch.0)),
        "log_position": state.position.as_ref().ok().map(|position| position.0),
        "log_end": state.end.as_ref().ok().map(|end| end.0),
        "claims_waiting": state.claims_waiting(),
        "unanswered": silent(state),
    })
}

/// `GET /admin/v1/shards`.
pub async fn list(State(edge): State<Arc<Edge>>, head: Parts) -> Response<Body> {
    let listed = async {
        authorised(&edge, &head.headers)?;
        let shards: Vec<_> = edge.operator.shards().await.iter().map(shown).collect();
        Ok(reply::json(StatusCode::OK, &json!({ "shards": shards })))
    };
    let listed: Answer = listed.await;
    answer(head.uri.path(), listed)
}
