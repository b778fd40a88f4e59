//! Metrics in the Prometheus text form.

mod challenges;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use purchase::pulse::Progress;
use purchase::selling::Selling;

use crate::edge::Edge;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A checkout.
    Checkout,
    /// A status.
    Status,
    /// A sale.
    Sale,
    /// A buyer gives up or asks for more time.
    Order,
    /// A webhook.
    Webhook,
    /// A session.
    Session,
    /// The operator.
    Admin,
    /// Pages and assets.
    Page,
    /// Everything else.
    Other,
}

impl Route {
    const ALL: [Self; 9] = [
        Self::Checkout,
        Self::Status,
        Self::Sale,
        Self::Order,
        Self::Webhook,
        Self::Session,
        Self::Admin,
        Self::Page,
        Self::Other,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Status => "status",
            Self::Sale => "sale",
            Self::Order => "order",
            Self::Webhook => "webhook",
            Self::Session => "session",
            Self::Admin => "admin",
            Self::Page => "page",
            Self::Other => "other",
        }
    }
}

/// Upper bounds of the latency buckets, milliseconds; the contract's promise is 100.
const BOUNDS_MS: [u64; 12] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000];
/// Statuses that are counted one by one: 100 to 599.
const STATUSES: usize = 500;
/// Parts that are counted apart, so that cores do not write to one place; a power of two.
const STRIPES: usize = 8;

/// Counters of one stripe of one route.
struct Counters {
    statuses: Vec<AtomicU64>,
    latency: [AtomicU64; BOUNDS_MS.len() + 1],
    micros: AtomicU64,
}

impl Counters {
    fn new() -> Self {
        Self {
            statuses: (0..STATUSES).map(|_| AtomicU64::new(0)).collect(),
            latency: std::array::from_fn(|_| AtomicU64::new(0)),
            micros: AtomicU64::new(0),
        }
    }
}

/// Counts answers by route and status, and how long they took.
pub struct Metrics {
    routes: Vec<[Counters; STRIPES]>,
}

impl Default for Metrics {
    fn default() -> Self {
        let stripes = || std::array::from_fn(|_| Counters::new());
        Self { routes: Route::ALL.iter().map(|_| stripes()).collect() }
    }
}

impl Metrics {
    /// Counts one answer. `stripe` is any number that differs between connections.
    pub fn answered(&self, route: Route, status: u16, took: Duration, stripe: usize) {
        let counters = &self.routes[route as usize][stripe % STRIPES];
        let status = usize::from(status).saturating_sub(100).min(STATUSES - 1);
        counters.statuses[status].fetch_add(1, Ordering::Relaxed);
        let micros = took.as_micros() as u64;
        let bucket = BOUNDS_MS.iter().position(|bound| micros <= bound * 1_000).unwrap_or(BOUNDS_MS.len());
        counters.latency[bucket].fetch_add(1, Ordering::Relaxed);
        counters.micros.fetch_add(micros, Ordering::Relaxed);
    }

    fn sum(&self, route: Route, counter: impl Fn(&Counters) -> &AtomicU64) -> u64 {
        self.routes[route as usize].iter().map(|stripe| counter(stripe).load(Ordering::Relaxed)).sum()
    }

    fn write(&self, text: &mut String) {
        head(text, "tzero_http_requests_total", "counter", "Answers by route and status.");
        for route in Route::ALL {
            for status in 0..STATUSES {
                let count = self.sum(route, |counters| &counters.statuses[status]);
                if count > 0 {
                    let (route, status) = (route.as_str(), status + 100);
                    line(
                        text,
                        &format!("tzero_http_requests_total{{route=\"{route}\",status=\"{status}\"}}"),
                        count,
                    );
                }
            }
        }
        head(
            text,
            "tzero_http_request_duration_seconds",
            "histogram",
            "From the request's head to its answer.",
        );
        for route in Route::ALL {
            self.write_latency(text, route);
        }
    }

    fn write_latency(&self, text: &mut String, route: Route) {
        let name = "tzero_http_request_duration_seconds";
        let word = route.as_str();
        let mut count = 0;
        for (bucket, bound) in BOUNDS_MS.iter().enumerate() {
            count += self.sum(route, |counters| &counters.latency[bucket]);
            let bound = *bound as f64 / 1_000.0;
            line(text, &format!("{name}_bucket{{route=\"{word}\",le=\"{bound}\"}}"), count);
        }
        count += self.sum(route, |counters| &counters.latency[BOUNDS_MS.len()]);
        line(text, &format!("{name}_bucket{{route=\"{word}\",le=\"+Inf\"}}"), count);
        let seconds = self.sum(route, |counters| &counters.micros) as f64 / 1e6;
        line(text, &format!("{name}_sum{{route=\"{word}\"}}"), seconds);
        line(text, &format!("{name}_count{{route=\"{word}\"}}"), count);
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

fn line(text: &mut String, series: &str, value: impl std::fmt::Display) {
    text.push_str(&format!("{series} {value}\n"));
}

/// Everything that this process measures, besides the stock; `selling` is what the inventories say now.
#[must_use]
pub fn text(edge: &Edge, selling: &[Selling]) -> String {
    let mut text = String::with_capacity(16 << 10);
    edge.metrics.write(&mut text);
    shedding(edge, &mut text);
    shards(selling, &mut text);
    connections(edge, &mut text);
    progress(edge, &mut text);
    backlog(edge, &mut text);
    session_keys(edge, &mut text);
    dropped(edge, &mut text);
    faults(edge, &mut text);
    challenges::write(edge, &mut text);
    let put_aside = edge.stores.claims.count_put_aside();
    head(&mut text, "tzero_dead_letters_total", "counter", "Records in the claim log that were no claims.");
    line(&mut text, "tzero_dead_letters_total", put_aside);
    text
}

fn shedding(edge: &Edge, text: &mut String) {
    let shedding = &edge.shedding;
    head(text, "tzero_checkouts_under_way", "gauge", "Checkouts that wait for their answer.");
    line(text, "tzero_checkouts_under_way", shedding.under_way());
    let help = "Checkouts that may wait at once; follows the time that they are measured to take.";
    head(text, "tzero_checkout_places", "gauge", help);
    line(text, "tzero_checkout_places", shedding.places());
    head(text, "tzero_checkouts_shed_total", "counter", "Checkouts sent away because there was no place.");
    line(text, "tzero_checkouts_shed_total", shedding.sent_away());
    let help = "Checkouts that were shed late, because the processor was what is short.";
    head(text, "tzero_checkouts_shed_late_total", "counter", help);
    line(text, "tzero_checkouts_shed_late_total", shedding.held());
}

fn shards(selling: &[Selling], text: &mut String) {
    let help = "1 while the stock of a sale that is not over is handed out, as its inventory says when it is asked for this; 0 \
                while its shard is closed, or its inventory does not answer.";
    head(text, "tzero_shard_open", "gauge", help);
    for each in selling {
        line(text, &format!("tzero_shard_open{{sale=\"{}\"}}", each.sale), u8::from(each.is_open()));
    }
}

fn connections(edge: &Edge, text: &mut String) {
    let gauges = &edge.gauges;
    head(text, "tzero_connections_open", "gauge", "Open connections.");
    line(text, "tzero_connections_open", gauges.open.load(Ordering::Relaxed));
    head(text, "tzero_connections_accepted_total", "counter", "Connections accepted.");
    line(text, "tzero_connections_accepted_total", gauges.accepted.load(Ordering::Relaxed));
}

/// The failure to fear looks healthy while doing nothing.
fn progress(edge: &Edge, text: &mut String) {
    let now = edge.now();
    head(
        text,
        "tzero_progress_stalled_seconds",
        "gauge",
        "Seconds for which something of this kind has been wanted and none was made; 0 without demand.",
    );
    for kind in Progress::ALL {
        let mut stalled_ms = edge.stores.pulse.stalled_ms(kind, now);
        if kind == Progress::Allocation {
            // Others may go forward while the log of one sale stands still.
            stalled_ms = stalled_ms.max(edge.stores.backlog.still_ms());
        }
        let seconds = stalled_ms as f64 / 1_000.0;
        line(text, &format!("tzero_progress_stalled_seconds{{kind=\"{}\"}}", kind.as_str()), seconds);
    }
    head(text, "tzero_progress_total", "counter", "How often progress of this kind was made.");
    for kind in Progress::ALL {
        let count = edge.stores.pulse.count(kind);
        line(text, &format!("tzero_progress_total{{kind=\"{}\"}}", kind.as_str()), count);
    }
}

/// What was turned away before it cost anything, by reason; nothing of it is logged.
fn dropped(edge: &Edge, text: &mut String) {
    let (gauges, lists) = (&edge.gauges, &edge.lists);
    let name = "tzero_dropped_total";
    head(
        text,
        name,
        "counter",
        "Connections closed and requests refused at the door, by reason; requests that cannot be read are counted here alone.",
    );
    for (reason, count) in [
        ("denied-network-connection", &lists.denied_connections),
        ("denied-network-request", &lists.denied_requests),
        ("revoked-session", &lists.revoked_sessions),
        ("connections-of-one-address", &gauges.refused),
        ("slow-or-idle", &gauges.cut),
        ("http2-abuse", &gauges.abused),
        ("head-too-large", &gauges.large_heads),
        ("malformed-request", &gauges.malformed),
        ("body-too-large", &gauges.large_bodies),
        ("body-too-slow", &gauges.slow_bodies),
    ] {
        line(text, &format!("{name}{{reason=\"{reason}\"}}"), count.load(Ordering::Relaxed));
    }
    let name = "tzero_lists_failures_total";
    head(
        text,
        name,
        "counter",
        "Looks at a list (of networks, of revoked sessions) at which it could not be read or had a mistake.",
    );
    line(text, name, lists.failures.load(Ordering::Relaxed));
}

/// What failed, and what became of the requests and orders that met it; logged once in a while only.
fn faults(edge: &Edge, text: &mut String) {
    let name = "tzero_faults_total";
    let help = "Faults that requests and orders met, by what failed and what became of them.";
    head(text, name, "counter", help);
    for (what, outcome, count) in edge.stores.pulse.faults.counts() {
        let dependency = what.strip_prefix("the ").unwrap_or(what);
        line(text, &format!("{name}{{dependency=\"{dependency}\",outcome=\"{outcome}\"}}"), count);
    }
}

/// Keys that grow old are those of a shop that may have others by now.
fn session_keys(edge: &Edge, text: &mut String) {
    let Some(standing) = &edge.keys_standing else { return };
    let (age_s, failures) = standing();
    let (age, failed) = ("tzero_session_keys_age_seconds", "tzero_session_keys_failures_total");
    head(text, age, "gauge", "Seconds since the shop's keys were read.");
    line(text, age, age_s);
    head(text, failed, "counter", "Times that the shop's keys could not be read.");
    line(text, failed, failures);
}

fn backlog(edge: &Edge, text: &mut String) {
    let name = "tzero_payment_address_wait_seconds";
    head(
        text,
        name,
        "gauge",
        "How long a checkout that is accepted now would wait for its payment address, as estimated; the longest of all sales.",
    );
    line(text, name, edge.stores.backlog.estimate_ms() as f64 / 1_000.0);
}

/// The units of stock, exactly: for the operator alone.
pub fn stock(edge: &Edge, text: &mut String) {
    head(text, "tzero_units", "gauge", "Units of stock by place, as the inventory counts them.");
    for sale in edge.catalog.all() {
        for product in &sale.products {
            // What was not asked yet is not there, and no count of nothing.
            let Some(view) = edge.orders.view(&sale.sale_id, &product.product_id) else { continue };
            for (place, count) in [("available", view.available), ("held", view.held), ("sold", view.sold)] {
                let (sale, product) = (&sale.sale_id, &product.product_id);
                line(
                    text,
                    &format!("tzero_units{{sale=\"{sale}\",product=\"{product}\",place=\"{place}\"}}"),
                    count,
                );
            }
        }
    }
}
