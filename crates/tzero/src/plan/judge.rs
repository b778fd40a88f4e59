//! Whether a herd can be served as things are set up: what is impossible, and what will disappoint.

use super::address::Bound;
use super::herd::{Herd, Load};
use super::needs::{Goods, Needs, Place};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It cannot go well.
    Impossible,
    /// It goes on, and somebody will be disappointed.
    Warning,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub weight: Weight,
    /// Its name in JSON.
    pub name: &'static str,
    /// What is wrong, and what would be right.
    pub says: String,
}

/// Whose figures are judged.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What buyers do.
    pub herd: &'a Herd,
    /// What they ask for.
    pub load: &'a Load,
    /// What is sold.
    pub goods: &'a Goods,
    /// Where.
    pub place: &'a Place,
    /// What it needs.
    pub needs: &'a Needs,
}

fn impossible(name: &'static str, says: String) -> Finding {
    Finding { weight: Weight::Impossible, name, says }
}

fn warning(name: &'static str, says: String) -> Finding {
    Finding { weight: Weight::Warning, name, says }
}

/// Everything that is wrong, the worst first.
#[must_use]
pub fn judge(case: &Case<'_>) -> Vec<Finding> {
    let rules = [
        address_deadline,
        connections,
        sale_too_short,
        address_after_hold,
        provider_refuses,
        cores,
        too_few_pay,
        sale_limit,
        user_burst,
    ];
    let mut found: Vec<Finding> = rules.into_iter().filter_map(|rule| rule(case)).collect();
    found.sort_by_key(|finding| finding.weight == Weight::Warning);
    found
}

/// What is to be raised so that more payment addresses are made.
const fn remedy(bound: Bound) -> &'static str {
    match bound {
        Bound::Configured => "processor.rate_per_s (and what the provider takes)",
        Bound::Provider => "what the provider takes",
        Bound::Calls => "processor.concurrency",
    }
}

fn address_deadline(case: &Case<'_>) -> Option<Finding> {
    let Case { needs, place, load, .. } = case;
    let (per_s, bound) = needs.rate;
    (needs.in_time < load.orders).then(|| {
        let need = (load.orders as f64 / place.deadline_s * 10.0).ceil() / 10.0;
        impossible(
            "address-deadline",
            format!(
                "{} winners at {per_s} payment addresses a second: the last one would wait {}, and the deadline is {}. \
                 Only {} can have an address in time; checkouts of the others are refused, or their tickets expire as \
                 no-payment-address. Right would be {need} addresses a second or more: raise {}; or \
                 processor.payment_address_deadline_ms of {:.0} or more",
                load.orders,
                duration(needs.last_wait_s),
                duration(place.deadline_s),
                needs.in_time,
                remedy(bound),
                (needs.last_wait_s * 1_000.0).ceil(),
            ),
        )
    })
}

fn connections(case: &Case<'_>) -> Option<Finding> {
    let Case { needs, place, .. } = case;
    (!place.fleet && needs.processes > 1).then(|| {
        impossible(
            "connections",
            format!(
                "{} open connections, and the one process that has the embedded stores serves {} here: the others wait in the \
                 kernel's queue. Right would be server.max_connections (and ulimit -n) for them; or a proxy or CDN that \
                 shares connections among buyers (--connections-per-buyer); or the stores of a fleet with {} gateways",
                needs.connections, place.room, needs.processes,
            ),
        )
    })
}

/// Below this difference figures say nothing, seconds.
const CLOSE_S: f64 = 1.0;

fn sale_too_short(case: &Case<'_>) -> Option<Finding> {
    let Case { needs, goods, herd, .. } = case;
    let last = needs.last_claim_s.filter(|last| *last > goods.lasts_s + CLOSE_S)?;
    Some(impossible(
        "sale-too-short",
        format!(
            "where {} of the ticket holders pay, the last units come free and are claimed {} after the start, and the sale lasts \
             {}: they stay unsold. Right would be a later ends_at, a shorter hold_ms, or more payment addresses a second",
            herd.pay_share,
            duration(last),
            duration(goods.lasts_s),
        ),
    ))
}

/// A duration in words: in milliseconds where it is less than a second.
fn duration(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.0} s") }
}

fn address_after_hold(case: &Case<'_>) -> Option<Finding> {
    let Case { needs, goods, place, .. } = case;
    let late = needs.last_wait_s > goods.hold_s && needs.last_wait_s <= place.deadline_s;
    late.then(|| {
        warning(
            "address-after-hold",
            format!(
                "the last winner waits {} for a payment address, which is longer than the {} to pay: a hold that counted \
                 from the claim would be over before. Here the time to pay begins with the address, and all wait in time",
                duration(needs.last_wait_s),
                duration(goods.hold_s),
            ),
        )
    })
}

fn provider_refuses(case: &Case<'_>) -> Option<Finding> {
    let rates = &case.place.rates;
    let provider = rates.provider.filter(|provider| *provider < rates.configured)?;
    Some(warning(
        "provider-refuses",
        format!(
            "processor.rate_per_s allows {} calls a second, and the provider takes {provider}: it will refuse the rest, and they \
             are tried again. Right would be processor.rate_per_s = {provider} (of all processes that make addresses together)",
            rates.configured,
        ),
    ))
}

fn cores(case: &Case<'_>) -> Option<Finding> {
    let Case { needs, place, .. } = case;
    let cpu = needs.cpu_s?;
    let there = place.cores as f64;
    (!place.fleet && cpu > there).then(|| {
        let late = cpu / there;
        let shed = if late > place.answer_s {
            format!(", and whoever waits longer than limits.checkout_deadline_ms ({} s) is answered 503", place.answer_s)
        } else {
            String::new()
        };
        warning(
            "cores",
            format!(
                "the busiest second costs {cpu:.1} core-seconds, and this machine has {there} cores: its last answers come after \
                 {late:.1} s{shed}. Right would be {:.0} cores, a longer --ramp, or the stores of a fleet with several gateways",
                needs.cores.unwrap_or(cpu).ceil(),
            ),
        )
    })
}

fn too_few_pay(case: &Case<'_>) -> Option<Finding> {
    let Case { needs, goods, herd, .. } = case;
    needs.sold_after_s.is_none().then(|| {
        warning(
            "not-sold-out",
            format!(
                "{} buyers of whom {} pay are {:.0} orders, and the stock is enough for {}: units stay unsold",
                herd.buyers, herd.pay_share, needs.paid, goods.supply,
            ),
        )
    })
}

fn sale_limit(case: &Case<'_>) -> Option<Finding> {
    let limit = case.place.sale_per_s.filter(|limit| *limit < case.load.peak)?;
    Some(warning(
        "sale-limit",
        format!(
            "{:.0} checkouts come in the busiest second, and limits.sale_per_s takes {limit}: the others are answered 429",
            case.load.peak,
        ),
    ))
}

fn user_burst(case: &Case<'_>) -> Option<Finding> {
    let burst = case.place.user_burst.filter(|burst| case.herd.presses > f64::from(*burst))?;
    Some(warning(
        "user-burst",
        format!(
            "a buyer presses {} times, and limits.user_burst takes {burst} at once: buyers who press as often are answered 429",
            case.herd.presses,
        ),
    ))
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
