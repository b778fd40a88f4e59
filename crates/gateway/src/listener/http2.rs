//! HTTP/2 without TLS, for proxies that speak it: hyper's, with our limits.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::activity::{Activity, Watched};
use super::{Peer, Service, Shared, http1};

/// Streams of one connection at once.
const STREAMS: u32 = 64;
/// Bytes that one stream may send ahead; bodies are small here.
const WINDOW: u32 = 32 << 10;

/// Serves a connection to its end.
pub(super) async fn serve<S: Service>(shared: Arc<Shared<S>>, begun: http1::Http2, peer: Peer) {
    let limits = &shared.limits;
    let activity = Arc::new(Activity::new(Arc::clone(&shared.clock)));
    let (served, answering) = (Arc::clone(&activity), Arc::clone(&shared));
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let under_way = served.begin();
        let shared = Arc::clone(&answering);
        async move {
            let answer = shared.service.answer(request.map(Body::new), peer).await;
            drop(under_way);
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * 4)
        .max_header_list_size(limits.header_bytes as u32);
    let io = TokioIo::new(Watched::new(begun.stream, begun.received, Arc::clone(&activity)));
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut watching = pin!(activity.overdue(limits.header_timeout, limits.idle_timeout));
    let mut ending = false;
    loop {
        tokio::select! {
            // A broken connection is its client's affair.
            _ = serving.as_mut() => return,
            () = watching.as_mut() => {
                shared.gauges.cut.fetch_add(1, Ordering::Relaxed);
                return;
            }
            () = shared.stop.cancelled(), if !ending => {
                ending = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}
