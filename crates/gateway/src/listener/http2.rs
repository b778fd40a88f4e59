//! HTTP/2 without TLS, for proxies that speak it: hyper's, with our limits.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Response, Uri, header};
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::activity::{Activity, Watched};
use super::{LENGTHLESS, Limits, OTHER_SCHEME, Peer, Service, Shared, http1, is_of_the_web};
use crate::problem::{Code, Problem};

/// Streams of one connection at once.
const STREAMS: u32 = 64;
/// Bytes that one stream may send ahead; bodies are small here.
const WINDOW: u32 = 32 << 10;

/// Heads are refused by the same limits as those of HTTP/1.1, with the same answer; beyond so many times the limit, the
/// library ends them with an answer of its own.
const BACKSTOP: u32 = 4;

/// The answer without what the router said of the length of a body that cannot be there.
fn without_length(mut answer: Response<Body>) -> Response<Body> {
    if LENGTHLESS.contains(&answer.status()) {
        answer.headers_mut().remove(header::CONTENT_LENGTH);
    }
    answer
}

/// The refusal of a head that is beyond the limits.
fn too_large(headers: &HeaderMap, limits: &Limits) -> Option<Problem> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let fits = headers.len() <= limits.header_count && bytes <= limits.header_bytes;
    (!fits).then(|| limits.head_too_large())
}

/// The refusal of a request that names two servers, or none of the web (RFC 9113, section 8.3.1).
fn malformed(target: &Uri, headers: &HeaderMap) -> Option<Problem> {
    let detail = match target.authority() {
        _ if !is_of_the_web(target) => OTHER_SCHEME,
        Some(authority) if authority.as_str().contains('@') => {
            ":authority must be a host, with its port where it has one"
        }
        authority => {
            let told = authority.map(|authority| authority.as_str().as_bytes());
            let mut named =
                told.into_iter().chain(headers.get_all(header::HOST).iter().map(HeaderValue::as_bytes));
            let first = named.next().map(|name| without_port(name, target.scheme()));
            let differs = |name| {
                first.is_some_and(|first| !first.eq_ignore_ascii_case(without_port(name, target.scheme())))
            };
            named.any(differs).then_some("Host must name the same server as :authority")?
        }
    };
    Some(Problem::new(Code::InvalidRequest, detail))
}

/// A host without the port that its scheme has anyway.
fn without_port<'a>(host: &'a [u8], scheme: Option<&Scheme>) -> &'a [u8] {
    let port: &[u8] = if scheme == Some(&Scheme::HTTPS) { b":443" } else { b":80" };
    host.strip_suffix(port).unwrap_or(host)
}

/// Whether the connection was ended because its client asked for too much without waiting for answers, such as streams that
/// are begun and reset at once.
fn is_too_much(error: &hyper::Error) -> bool {
    let h2 = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<h2::Error>());
    h2.is_some_and(|error| error.is_library() && error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM))
}

/// Serves a connection to its end.
pub(super) async fn serve<S: Service>(shared: Arc<Shared<S>>, begun: http1::Http2, peer: Peer) {
    let limits = &shared.limits;
    let activity = Arc::new(Activity::new(Arc::clone(&shared.clock)));
    let (served, answering) = (Arc::clone(&activity), Arc::clone(&shared));
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let under_way = served.begin();
        let shared = Arc::clone(&answering);
        async move {
            let refused = too_large(request.headers(), &shared.limits)
                .or_else(|| malformed(request.uri(), request.headers()));
            let answer = match refused {
                Some(problem) => {
                    shared.gauges.refuse(&problem);
                    problem.reply(request.uri().path())
                }
                None => shared.service.answer(request.map(Body::new), peer).await,
            };
            drop(under_way);
            Ok::<_, std::convert::Infallible>(without_length(answer))
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * 4)
        .max_header_list_size(BACKSTOP * limits.header_bytes as u32);
    let io = TokioIo::new(Watched::new(begun.stream, begun.received, Arc::clone(&activity)));
    let mut serving = pin!(builder.serve_connection(io, service));
    let mut watching = pin!(activity.overdue(limits.header_timeout, limits.idle_timeout));
    let mut ending = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                // A broken connection is its client's affair; one that we broke off is counted.
                if ended.is_err_and(|error| is_too_much(&error)) {
                    shared.gauges.abused.fetch_add(1, Ordering::Relaxed);
                }
                return;
            }
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
