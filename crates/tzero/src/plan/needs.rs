//! What a herd needs, figure by figure: each with its unit and where it comes from.

use super::address::{Bound, Rates, in_time, last_claim_s, last_wait_s, sold_after_s};
use super::costs::{Cost, Costs};
use super::herd::{Herd, Load};

/// What is sold, and by which rules.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goods {
    /// Orders that the stock is enough for.
    pub supply: u64,
    /// Time to pay, from the payment address on, seconds.
    pub hold_s: f64,
    /// From the sale's start to its end, seconds.
    pub lasts_s: f64,
    /// Shards of the sale.
    pub shards: u16,
}

/// Where it is sold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Whether the stores are those of a fleet.
    pub fleet: bool,
    /// Whether the shop signs sessions: the first sight of each costs a signature.
    pub signed: bool,
    /// Cores of this machine.
    pub cores: usize,
    /// Files that a process may have open here; `None`: no limit.
    pub descriptors: Option<u64>,
    /// Connections that a process serves: as configured, or as descriptors allow.
    pub room: usize,
    /// Share of a core that is busy at most.
    pub busy: f64,
    /// `limits.sale_per_s`; `None`: no limit.
    pub sale_per_s: Option<f64>,
    /// `limits.user_burst`; `None`: users have no limit.
    pub user_burst: Option<u32>,
    /// `limits.checkout_deadline_ms`, seconds.
    pub answer_s: f64,
    /// `processor.payment_address_deadline_ms`, seconds.
    pub deadline_s: f64,
    /// What bounds how many payment addresses are made.
    pub rates: Rates,
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Under which heading.
    pub group: &'static str,
    /// Its name in JSON.
    pub name: &'static str,
    /// What it is, in words.
    pub words: &'static str,
    /// In its unit; `None` where a cost that it follows from was not measured.
    pub value: Option<f64>,
    /// In which unit.
    pub unit: &'static str,
    /// Where it comes from.
    pub source: String,
}

/// What a herd needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Needs {
    /// CPU time of the busiest second, seconds; `None` where a cost is not known.
    pub cpu_s: Option<f64>,
    /// Cores that are busy for as much of their time as they should be.
    pub cores: Option<f64>,
    /// Open connections at once.
    pub connections: u64,
    /// Processes with the role `gateway` for them.
    pub processes: u64,
    /// Payment addresses a second, and what bounds them.
    pub rate: (f64, Bound),
    /// Until the last winner has a payment address, seconds.
    pub last_wait_s: f64,
    /// Winners whose address is there before the deadline.
    pub in_time: u64,
    /// Orders that will be paid for, at most.
    pub paid: f64,
    /// Until the last units are claimed that will be paid for, seconds; `None` where too few buyers pay.
    pub last_claim_s: Option<f64>,
    /// Until all is sold, seconds; `None` where too few buyers pay.
    pub sold_after_s: Option<f64>,
    /// Every figure.
    pub rows: Vec<Row>,
}

/// Collects figures under a heading.
struct Rows {
    group: &'static str,
    rows: Vec<Row>,
}

impl Rows {
    fn add(
        &mut self,
        (name, words): (&'static str, &'static str),
        value: impl Into<Option<f64>>,
        unit: &'static str,
        source: impl Into<String>,
    ) {
        let (group, value, source) = (self.group, value.into(), source.into());
        self.rows.push(Row { group, name, words, value, unit, source });
    }

    /// A number of times a cost, in another unit that has `per` of the cost's.
    fn times(
        &mut self,
        named: (&'static str, &'static str),
        (count, what): (f64, &str),
        (cost, per, unit): (Option<f64>, f64, &'static str),
        of: &str,
    ) -> Option<f64> {
        let value = cost.map(|cost| count * cost / per);
        let source = if value.is_some() { format!("{what} × {of}") } else { format!("not measured: {of}") };
        self.add(named, value, unit, source);
        value
    }
}

const US: f64 = 1e6;
const MIB: f64 = 1_048_576.0;
/// Bytes a second in a megabit a second.
const MBIT: f64 = 125_000.0;

/// What `herd` needs that comes for `goods` to `place`.
#[must_use]
pub fn needs(herd: &Herd, load: &Load, goods: &Goods, place: &Place, costs: &Costs) -> Needs {
    let mut rows = Rows { group: "The herd", rows: Vec::new() };
    of_the_herd(&mut rows, herd, load);
    rows.group = "CPU of gateways and orders, in the busiest second";
    let cpu_s = of_cpu(&mut rows, load, place.signed, costs);
    let cores = cpu_s.map(|cpu| cpu / place.busy);
    rows.add(("cores", "cores to have"), cores, "cores", format!("÷ --busy {}", place.busy));
    rows.group = "Connections and memory";
    let connections = (f64::from(herd.buyers) * herd.connections).ceil() as u64;
    let processes = connections.div_ceil(place.room.max(1) as u64);
    of_connections(&mut rows, connections, processes, load, place, costs);
    rows.group = "Stores";
    of_stores(&mut rows, load, goods, place, costs);
    rows.group = "Payment addresses";
    let rate = place.rates.least();
    let last = last_wait_s(load.orders, rate.0);
    let served = in_time(load.orders, rate.0, place.deadline_s);
    let paid = f64::from(herd.buyers) * herd.pay_share;
    let enough = paid >= goods.supply as f64;
    let sold = enough.then(|| sold_after_s(goods.supply, rate.0, herd.pay_share, goods.hold_s));
    of_payment(&mut rows, rate, (last, served, sold), goods, place);
    rows.group = "Network, in the busiest second";
    of_network(&mut rows, load, costs);
    let rows = rows.rows;
    Needs {
        cpu_s,
        cores,
        connections,
        processes,
        rate,
        last_wait_s: last,
        in_time: served,
        paid,
        last_claim_s: enough.then(|| last_claim_s(goods.supply, rate.0, herd.pay_share, goods.hold_s)),
        sold_after_s: sold,
        rows,
    }
}

fn of_the_herd(rows: &mut Rows, herd: &Herd, load: &Load) {
    rows.add(("buyers", "buyers"), f64::from(herd.buyers), "buyers", "--buyers");
    rows.add(
        ("checkouts", "checkouts"),
        load.checkouts,
        "requests",
        format!("buyers × --presses {}", herd.presses),
    );
    rows.add(
        ("checkouts_peak", "checkouts"),
        load.peak,
        "requests/s",
        format!("over --ramp {} s", herd.ramp_s),
    );
    rows.add(
        ("orders", "orders at once"),
        load.orders as f64,
        "orders",
        format!("stock in orders of --units {}", herd.units),
    );
    let told =
        if herd.poll_s.is_some() { "--poll" } else { "as status.poll_min_ms and poll_max_ms let it grow" };
    rows.add(("poll_pause", "pause between two looks"), load.pause_s, "s", told);
    rows.add(("polls_peak", "looks at a status"), load.polls, "requests/s", "orders at once ÷ pause");
}

fn of_cpu(rows: &mut Rows, load: &Load, signed: bool, costs: &Costs) -> Option<f64> {
    let lanes = [
        (("cpu_granted", "checkouts that are given units"), (load.granted, "their number"), Cost::GrantedCpu),
        (("cpu_refused", "checkouts that are refused"), (load.refused, "their number"), Cost::RefusedCpu),
        (("cpu_polls", "looks at a status"), (load.polls, "their number"), Cost::PollCpu),
    ];
    let mut sum = Some(0.0);
    for (named, count, cost) in lanes {
        let used = rows.times(named, count, (costs.value(cost), US, "core-s"), cost.name());
        sum = sum.zip(used).map(|(sum, used)| sum + used);
    }
    // Where this system issues sessions, their cost is in every checkout's.
    let cost = costs.value(Cost::SessionCpu);
    if signed || cost.is_some() {
        let named = ("cpu_sessions", "sessions that are seen first");
        let used = rows.times(named, (load.comers, "buyers"), (cost, US, "core-s"), Cost::SessionCpu.name());
        sum = sum.zip(used).map(|(sum, used)| sum + used);
    }
    rows.add(("cpu", "together"), sum, "core-s", "sum");
    sum
}

fn of_connections(
    rows: &mut Rows,
    connections: u64,
    processes: u64,
    load: &Load,
    place: &Place,
    costs: &Costs,
) {
    let open = connections as f64;
    rows.add(("connections", "open connections"), open, "connections", "buyers × --connections-per-buyer");
    rows.add(
        ("connections_room", "a process serves"),
        place.room as f64,
        "connections",
        "server.max_connections, and what the limit of open files allows here",
    );
    rows.add(
        ("gateways", "processes with the role gateway"),
        processes as f64,
        "processes",
        "open connections ÷ a process serves",
    );
    let each = connections.div_ceil(processes.max(1)) + crate::descriptors::RESERVED;
    let reserve = crate::descriptors::RESERVED;
    rows.add(
        ("descriptors", "open files of each"),
        each as f64,
        "files",
        format!("its connections, and {reserve} for stores and provider"),
    );
    let limit = place.descriptors.map(|limit| limit as f64);
    let limited =
        if limit.is_some() { "the system's hard limit (ulimit -Hn)" } else { "the system has no limit" };
    rows.add(("descriptors_limit", "open files allowed here"), limit, "files", limited);
    let memory = |cost| (costs.value(cost), MIB, "MiB");
    let named = ("memory_connections", "memory of open connections");
    rows.times(
        named,
        (open, "connections"),
        memory(Cost::ConnectionMemory),
        "connection_memory; the kernel's buffers are not in it",
    );
    let named = ("memory_orders", "memory of orders");
    rows.times(named, (load.orders as f64, "orders at once"), memory(Cost::OrderMemory), "order_memory");
}

fn of_stores(rows: &mut Rows, load: &Load, goods: &Goods, place: &Place, costs: &Costs) {
    let orders = load.orders as f64;
    rows.add(
        ("shards", "shards of the sale"),
        f64::from(goods.shards),
        "shards",
        "this build serves one a sale",
    );
    if place.fleet {
        rows.add(("partitions", "Kafka partitions"), f64::from(goods.shards), "partitions", "one a shard");
        for (named, cost) in [
            (("redis", "CPU of Redis until all is held"), Cost::RedisCpu),
            (("postgres", "CPU of PostgreSQL until all is taken in"), Cost::PostgresCpu),
        ] {
            rows.times(named, (orders, "orders at once"), (costs.value(cost), US, "core-s"), cost.name());
        }
    } else {
        let named = ("disk", "disk of claims that are taken in");
        let of = "order_disk; payment and end of an order come on top";
        rows.times(named, (orders, "orders at once"), (costs.value(Cost::OrderDisk), MIB, "MiB"), of);
    }
}

fn of_payment(
    rows: &mut Rows,
    (per_s, bound): (f64, Bound),
    (last, served, sold): (f64, u64, Option<f64>),
    goods: &Goods,
    place: &Place,
) {
    rows.add(("addresses_rate", "payment addresses"), per_s, "addresses/s", bound.words());
    rows.add(
        ("address_wait", "the last winner waits for one"),
        last,
        "s",
        "orders at once ÷ payment addresses a second",
    );
    rows.add(
        ("address_deadline", "deadline for it"),
        place.deadline_s,
        "s",
        "processor.payment_address_deadline_ms",
    );
    rows.add(
        ("addresses_in_time", "winners with one in time"),
        served as f64,
        "orders",
        "payment addresses a second × deadline",
    );
    rows.add(("hold", "time to pay, from the address on"), goods.hold_s, "s", "hold_ms of the sale");
    let says = if sold.is_some() {
        "rounds of addresses and holds, as --pay-share leaves units over"
    } else {
        "too few buyers pay"
    };
    rows.add(("sold_after", "all is sold after"), sold, "s", says);
    rows.add(("lasts", "the sale lasts"), goods.lasts_s, "s", "starts_at to ends_at of the sale");
}

fn of_network(rows: &mut Rows, load: &Load, costs: &Costs) {
    let sum = |parts: [(f64, Cost); 3]| -> Option<f64> {
        parts.into_iter().map(|(count, cost)| Some(count * costs.value(cost)?)).sum()
    };
    let into =
        [(load.granted, Cost::CheckoutIn), (load.refused, Cost::CheckoutIn), (load.polls, Cost::PollIn)];
    let out =
        [(load.granted, Cost::GrantedOut), (load.refused, Cost::RefusedOut), (load.polls, Cost::PollOut)];
    for (named, bytes) in [(("network_in", "requests"), sum(into)), (("network_out", "answers"), sum(out))] {
        let source = if bytes.is_some() {
            "HTTP/1.1; TLS, pages and assets come on top"
        } else {
            "not measured: bytes of requests and answers"
        };
        rows.add(named, bytes.map(|bytes| bytes / MBIT), "Mbit/s", source);
    }
}

#[cfg(test)]
#[path = "needs_tests.rs"]
mod tests;
