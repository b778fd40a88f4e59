//! `GET /admin/v1/sales/{sale}/live`: the sale as a stream of events, one a second.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use domain::id::SaleId;
use http::request::Parts;
use http::{HeaderValue, Response, header};
use purchase::pulse::Progress;
use serde_json::{Map, Value, json};

use super::report::{money, operator_sale, orders};
use super::{answer, authorised};
use crate::edge::Edge;
use crate::path_part::PathPart;
use crate::problem::{Answer, known_id};

const PERIOD: Duration = Duration::from_secs(1);

/// The stream; it ends when the process stops.
pub async fn live(State(edge): State<Arc<Edge>>, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    let opened = async {
        authorised(&edge, &head.headers)?;
        let id = known_id(&sale)?;
        edge.known_sale(&id).await?;
        let stream = futures::stream::unfold((Arc::clone(&edge), id, true), step);
        let mut reply = Sse::new(stream).keep_alive(KeepAlive::new()).into_response();
        reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(reply)
    };
    let opened: Answer = opened.await;
    answer(head.uri.path(), opened)
}

type Watching = (Arc<Edge>, SaleId, bool);

async fn step((edge, id, first): Watching) -> Option<(Result<Event, Infallible>, Watching)> {
    if !first {
        tokio::select! {
            () = edge.stop.cancelled() => return None,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
    let event = Event::default().event("sale").json_data(picture(&edge, &id).await).unwrap_or_default();
    Some((Ok(event), (edge, id, false)))
}

/// For how long each kind of progress has been missing while it was wanted, milliseconds.
#[must_use]
pub fn stalls(edge: &Edge) -> Value {
    let now = edge.now();
    let stall = |kind: Progress| (kind.as_str().to_owned(), edge.stores.pulse.stalled_ms(kind, now).into());
    Value::Object(Progress::ALL.into_iter().map(stall).collect::<Map<_, _>>())
}

async fn picture(edge: &Edge, id: &SaleId) -> Value {
    let sale = edge.catalog.get(id).map(|sale| operator_sale(edge, &sale));
    edge.take_pulse().await;
    let mut picture = json!({
        "server_time": edge.now().to_string(),
        "sale": sale,
        "stalled_ms": stalls(edge),
    });
    match edge.operator.totals(id).await {
        Ok(totals) => {
            picture["orders"] = json!(orders(&totals));
            picture["money"] = json!(money(&totals));
            picture["claims_waiting"] = totals.claims_waiting.into();
            picture["effects_waiting"] = totals.effects_waiting.into();
        }
        Err(fault) => picture["fault"] = fault.to_string().into(),
    }
    picture
}
