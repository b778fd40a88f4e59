//! From requests to handlers: the three hot routes by hand, everything else through a router.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as AxumRequest, State};
use axum::routing::{any, get};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;
use tower::ServiceExt;

use crate::api::{challenge, order, payment, sale, sessions, status};
use crate::browsers::{open_to_browsers, preflight};
use crate::edge::Edge;
use crate::encoding::Coding;
use crate::hot::{self, Given, Hot, HotRequest, Told};
use crate::listener::{Peer, Service};
use crate::metrics::{self, Route};
use crate::page;
use crate::pages;
use crate::path_part::{PathPart, fits};
use crate::problem::{Answer, Code, Problem};
use crate::query;
use crate::reply::{self, Whole};

/// How long inventories may take to say whether they are open, for the metrics.
const INVENTORIES: Duration = Duration::from_millis(1_500);

/// Answers requests of one listener.
pub struct Routes {
    edge: Arc<Edge>,
    here: Here,
    rest: Router,
}

/// Who is served by a listener.
#[derive(Clone, Copy, Debug)]
struct Here {
    buyers: bool,
    operator: bool,
}

impl Here {
    /// Whether an address of `ALLOWED` is among those of this listener.
    fn serves(self, pattern: &str) -> bool {
        match pattern {
            "/healthz" | "/readyz" | "/metrics" | "/openapi.json" | "/assets/{}" => true,
            "/problems" | "/problems/{}" => true,
            "/console" => self.operator,
            other if other.starts_with("/admin/") => self.operator,
            _ => self.buyers,
        }
    }
}

/// The client's address, as a trusted proxy or the connection says.
#[derive(Clone, Copy, Debug)]
struct Client(IpAddr);

impl Routes {
    /// The public listener.
    #[must_use]
    pub fn public(edge: Arc<Edge>) -> Self {
        let mut router = public_routes();
        if edge.admin_here {
            router = router.merge(crate::admin::routes()).merge(console_routes());
        }
        let here = Here { buyers: true, operator: edge.admin_here };
        let guests = edge.guests.clone();
        let rest = router
            .method_not_allowed_fallback(unrouted)
            .fallback(unrouted)
            .with_state(Arc::clone(&edge))
            .merge(guests);
        Self { edge, here, rest }
    }

    /// A listener for the operator alone.
    #[must_use]
    pub fn admin(edge: Arc<Edge>) -> Self {
        let rest = crate::admin::routes()
            .merge(console_routes())
            .merge(machine_routes())
            .method_not_allowed_fallback(unrouted)
            .fallback(unrouted)
            .with_state(Arc::clone(&edge));
        Self { edge, here: Here { buyers: false, operator: true }, rest }
    }

    /// A listener for machines alone: a process that serves no buyers.
    #[must_use]
    pub fn machine(edge: Arc<Edge>) -> Self {
        let rest = machine_routes()
            .method_not_allowed_fallback(unrouted)
            .fallback(unrouted)
            .with_state(Arc::clone(&edge));
        Self { edge, here: Here { buyers: false, operator: false }, rest }
    }

    fn count(&self, route: Route, status: StatusCode, started: Duration, peer: Peer) {
        let took = self.edge.clock().elapsed().saturating_sub(started);
        self.edge.metrics.answered(route, status.as_u16(), took, usize::from(peer.address.port()));
    }

    async fn routed(&self, request: Request<Body>, peer: Peer) -> (Route, Response<Body>) {
        let edge = &self.edge;
        let told = request.headers().get_all(edge.address_header.name());
        let client = hot::client(edge, told.iter().map(HeaderValue::as_bytes), peer);
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if let Some(hot) = self.hot(head.method.as_str(), path) {
            return (hot.route(), self.hot_with_map(hot, &head, body, client).await);
        }
        let (route, versioned) = (kind(path), path.starts_with("/v1/"));
        if versioned && head.method == Method::OPTIONS {
            return (route, preflight());
        }
        if self.here.operator
            && let Err(problem) = query::check(edge, &head)
        {
            return (route, problem.reply(path));
        }
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(Client(client));
        request.extensions_mut().insert(self.here);
        let reply = self.rest.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        (route, if versioned { open_to_browsers(reply) } else { reply })
    }

    /// A hot route's request that came with a map of headers: over HTTP/2, or in a form that is not the usual one.
    async fn hot_with_map(&self, hot: Hot<'_>, head: &Parts, body: Body, client: IpAddr) -> Response<Body> {
        let path = head.uri.path();
        let body = match reply::body(&self.edge, body, hot.largest_body()).await {
            Ok(body) => body,
            Err(problem) => return open_to_browsers(problem.reply(path)),
        };
        let given = Given::of(&head.headers);
        let request = HotRequest { hot, path, given, told: Told::default(), body: &body };
        open_to_browsers(hot::answer(&self.edge, &request, client).await.response())
    }
}

impl Service for Routes {
    fn hot<'a>(&self, method: &str, path: &'a str) -> Option<Hot<'a>> {
        self.here.buyers.then(|| Hot::of(method, path)).flatten()
    }

    async fn answer_hot(&self, request: &HotRequest<'_>, peer: Peer) -> Whole {
        let started = self.edge.clock().elapsed();
        let client = hot::client(&self.edge, request.told.line(self.edge.address_header).into_iter(), peer);
        let whole = hot::answer(&self.edge, request, client).await;
        self.count(request.hot.route(), whole.status, started, peer);
        whole
    }

    async fn answer(&self, request: Request<Body>, peer: Peer) -> Response<Body> {
        let started = self.edge.clock().elapsed();
        let (route, reply) = self.routed(request, peer).await;
        self.count(route, reply.status(), started, peer);
        reply
    }
}

fn kind(path: &str) -> Route {
    let begins = |prefix: &str| path.starts_with(prefix);
    match () {
        () if begins("/v1/sales/") => Route::Sale,
        () if begins("/v1/orders/") => Route::Order,
        () if begins("/v1/payments/") => Route::Webhook,
        () if begins("/v1/sessions") || path == "/v1/challenge" => Route::Session,
        () if begins("/admin/") => Route::Admin,
        () if path == "/"
            || begins("/s/")
            || begins("/return")
            || begins("/assets/")
            || begins("/console") =>
        {
            Route::Page
        }
        () => Route::Other,
    }
}

/// Lets a handler's answer or problem become a reply.
#[must_use]
pub fn finish(path: &str, answer: Answer) -> Response<Body> {
    answer.unwrap_or_else(|problem| problem.reply(path))
}

/// No such address, or not with this method.
pub async fn unrouted(request: AxumRequest) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let here = request.extensions().get::<Here>();
    let served = |pattern: &str| here.is_none_or(|here| here.serves(pattern));
    let known = ALLOWED.iter().find(|(pattern, _)| served(pattern) && fits(pattern, &path));
    let problem = match known {
        Some((_, methods)) => Problem::new(Code::MethodNotAllowed, format!("this address takes {methods}"))
            .header(header::ALLOW, HeaderValue::from_static(methods)),
        None => Problem::new(Code::NotFound, "there is nothing at this address"),
    };
    let versioned = path.starts_with("/v1/") || path.starts_with("/admin/");
    if pages::wanted(request.headers()) && !versioned && problem.code() == Code::NotFound {
        return reply::html(StatusCode::NOT_FOUND, page::not_found(&path, served("/")));
    }
    problem.reply(&path)
}

/// Addresses and the methods that each takes; `{}` stands for one part.
const ALLOWED: &[(&str, &str)] = &[
    ("/v1/sales/{}", "GET, HEAD, OPTIONS"),
    ("/v1/sales/{}/checkout", "POST, OPTIONS"),
    ("/v1/time", "GET, HEAD, OPTIONS"),
    ("/v1/sessions", "POST, OPTIONS"),
    ("/v1/challenge", "GET, HEAD, OPTIONS"),
    ("/v1/orders/status/{}", "GET, HEAD, OPTIONS"),
    ("/v1/orders/status/{}/events", "GET, HEAD, OPTIONS"),
    ("/v1/orders/{}", "DELETE, OPTIONS"),
    ("/v1/orders/{}/extend", "POST, OPTIONS"),
    ("/v1/payments/webhooks/{}", "POST, OPTIONS"),
    ("/admin/v1/sales", "GET, HEAD, POST"),
    ("/admin/v1/sales/{}", "GET, HEAD, PATCH"),
    ("/admin/v1/sales/{}/pause", "POST"),
    ("/admin/v1/sales/{}/resume", "POST"),
    ("/admin/v1/sales/{}/end", "POST"),
    ("/admin/v1/sales/{}/restock", "POST"),
    ("/admin/v1/sales/{}/message", "POST"),
    ("/admin/v1/sales/{}/audit", "GET, HEAD"),
    ("/admin/v1/sales/{}/orders", "GET, HEAD"),
    ("/admin/v1/sales/{}/orders.csv", "GET, HEAD"),
    ("/admin/v1/sales/{}/live", "GET, HEAD"),
    ("/admin/v1/orders/{}", "GET, HEAD"),
    ("/admin/v1/orders/{}/refund", "POST"),
    ("/admin/v1/shards", "GET, HEAD"),
    ("/admin/v1/actions", "GET, HEAD"),
    ("/healthz", "GET, HEAD"),
    ("/readyz", "GET, HEAD"),
    ("/metrics", "GET, HEAD"),
    ("/openapi.json", "GET, HEAD"),
    ("/", "GET, HEAD"),
    ("/s/{}", "GET, HEAD"),
    ("/return", "GET, HEAD"),
    ("/console", "GET, HEAD"),
    ("/problems", "GET, HEAD"),
    ("/problems/{}", "GET, HEAD"),
    ("/assets/{}", "GET, HEAD"),
];

type Shared = State<Arc<Edge>>;

fn machine_routes() -> Router<Arc<Edge>> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics_text))
        .route("/openapi.json", get(openapi))
        .route("/assets/{name}", get(pages::asset))
        // Every problem document links to them, whichever listener it comes from.
        .route("/problems", get(pages::problems))
        .route("/problems/{code}", get(pages::problem_page))
}

/// The operator's page, where the operator's endpoints are.
fn console_routes() -> Router<Arc<Edge>> {
    Router::new().route("/console", get(pages::console))
}

fn public_routes() -> Router<Arc<Edge>> {
    machine_routes()
        .route("/v1/sales/{sale}", get(sale_document))
        .route("/v1/time", get(time))
        .route("/v1/sessions", axum::routing::post(new_session))
        .route("/v1/challenge", get(new_challenge))
        .route("/v1/orders/status/{ticket}", get(status_document))
        .route("/v1/orders/status/{ticket}/events", get(events))
        .route("/v1/orders/{ticket}", axum::routing::delete(cancel))
        .route("/v1/orders/{ticket}/extend", axum::routing::post(extend))
        .route("/v1/payments/webhooks/{provider}", axum::routing::post(webhook))
        .route("/", get(pages::front))
        .route("/s/{sale}", get(pages::sale_page))
        .route("/return", get(pages::return_page))
        .route("/favicon.ico", any(no_icon))
}

async fn no_icon() -> Response<Body> {
    reply::empty(StatusCode::NO_CONTENT)
}

async fn sale_document(State(edge): Shared, PathPart(sale): PathPart, head: Parts) -> Response<Body> {
    finish(head.uri.path(), sale::sale(&edge, &sale, &head.headers).await)
}

async fn time(State(edge): Shared) -> Response<Body> {
    reply::json(StatusCode::OK, &json!({ "server_time": edge.now().to_string() }))
}

async fn new_challenge(State(edge): Shared, request: AxumRequest) -> Response<Body> {
    let (client, (head, _)) = (client_of(&request), request.into_parts());
    let issued = challenge::issue(&edge, head.uri.query(), client, &head.headers).await;
    issued.unwrap_or_else(|problem| problem.whole(head.uri.path())).response()
}

fn client_of(request: &AxumRequest) -> IpAddr {
    request.extensions().get::<Client>().map_or(IpAddr::from([127, 0, 0, 1]), |client| client.0)
}

async fn new_session(State(edge): Shared, request: AxumRequest) -> Response<Body> {
    let client = client_of(&request);
    let path = request.uri().path().to_owned();
    finish(&path, sessions::create(&edge, client, request.into_body()).await)
}

/// `HEAD`: a `GET` is answered by hand.
async fn status_document(
    State(edge): Shared,
    PathPart(ticket): PathPart,
    request: AxumRequest,
) -> Response<Body> {
    let path = request.uri().path();
    status::status(&edge, &ticket).await.unwrap_or_else(|problem| problem.whole(path)).response()
}

async fn events(State(edge): Shared, PathPart(ticket): PathPart, request: AxumRequest) -> Response<Body> {
    finish(request.uri().path(), status::events(edge, &ticket).await)
}

async fn cancel(State(edge): Shared, PathPart(ticket): PathPart, request: AxumRequest) -> Response<Body> {
    finish(request.uri().path(), order::cancel(&edge, &ticket).await)
}

async fn extend(State(edge): Shared, PathPart(ticket): PathPart, request: AxumRequest) -> Response<Body> {
    let (head, body) = request.into_parts();
    finish(head.uri.path(), order::extend(&edge, &ticket, body).await)
}

async fn webhook(State(edge): Shared, PathPart(provider): PathPart, request: AxumRequest) -> Response<Body> {
    let (head, body) = request.into_parts();
    finish(head.uri.path(), payment::webhook(&edge, &provider, &head.headers, body).await)
}

async fn healthz() -> Response<Body> {
    reply::json(StatusCode::OK, &json!({ "status": "alive" }))
}

/// Asks every dependency; each is there or away within a time of its own.
async fn readyz(State(edge): Shared) -> Response<Body> {
    let found = edge.readiness.get(edge.clock(), (edge.probe)()).await;
    let down = found.iter().any(|each| each.vital && !each.ready) || edge.stop.is_cancelled();
    let degraded = found.iter().any(|each| !each.ready);
    let dependencies: serde_json::Map<_, _> = found
        .iter()
        .map(|each| (each.name.to_owned(), json!({ "ready": each.ready, "detail": each.detail })))
        .collect();
    let status = if down { "unavailable" } else { "ready" };
    let body = json!({ "status": status, "degraded": degraded, "dependencies": dependencies });
    let code = if down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    reply::json(code, &body)
}

async fn metrics_text(State(edge): Shared, request: AxumRequest) -> Response<Body> {
    let asked = async {
        let (selling, ()) = tokio::join!(edge.operator.selling(INVENTORIES), edge.take_pulse());
        selling
    };
    let selling = edge.selling.get(edge.clock(), asked).await;
    let mut text = metrics::text(&edge, &selling);
    // Exact counts are never public: where buyers are served, they take the operator's token.
    let apart = request.extensions().get::<Here>().is_some_and(|here| !here.buyers);
    if apart || crate::admin::authorised(&edge, request.headers()).is_ok() {
        metrics::stock(&edge, &mut text);
    }
    let mut reply = Response::new(Body::from(text));
    let media = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(header::CONTENT_TYPE, media);
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

async fn openapi(request: AxumRequest) -> Response<Body> {
    let wished = Coding::wished(request.headers());
    reply::for_all("application/json", "public, max-age=60", crate::openapi::document(), wished).1
}
