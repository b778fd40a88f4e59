//! What is rehearsed.

use serde::Serialize;

use crate::foe::{self, Kind};

/// When buyers press Buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrival {
    /// All at T-zero.
    TZero,
    /// Evenly from T-zero on.
    Ramp {
        /// Until the last one, milliseconds.
        over_ms: u64,
    },
    /// Some evenly from T-zero on; the others wait until the gauge's gate opens. Who has not come by then comes evenly.
    Gate {
        /// How many do not wait.
        first: u32,
        /// Until the last of them, milliseconds.
        over_ms: u64,
        /// From the opening of the gate until the last one, milliseconds.
        then_ms: u64,
    },
}

/// A rehearsal. Shares are from 0 to 1.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The system, e.g. `http://127.0.0.1:8080`.
    pub base_url: String,
    /// More gateways of the same system: they take turns, and where one gives no answer the next one is asked.
    pub other_urls: Vec<String>,
    /// Where its operator's endpoints are; the same where `None`.
    pub admin_url: Option<String>,
    /// The operator's token: needed to make a sale of its own, and for audits.
    #[serde(skip)]
    pub admin_token: Option<String>,
    /// An existing sale; a new one is made where `None`.
    pub sale: Option<String>,
    /// Units of the new sale.
    pub stock: u32,
    /// Units that one buyer of the new sale may have.
    pub max_per_user: u8,
    /// Hold of the new sale, milliseconds.
    pub hold_ms: u64,
    /// Whom the new sale asks for a challenge: `never`, `suspects` or `always`.
    pub challenge: String,
    /// Distinct buyers.
    pub buyers: u32,
    /// Share of the buyers who are hostile instead, from 0 to 0.9.
    pub hostile: f64,
    /// When they press Buy.
    pub arrival: Arrival,
    /// Share who click twice at once.
    pub double_click: f64,
    /// Share who, having their ticket, send the same request again as if its answer had been lost.
    pub panic_retry: f64,
    /// Of those with a ticket: share who let the payment be declined first, and then pay.
    pub decline: f64,
    /// Share who do nothing more.
    pub abandon: f64,
    /// Share who give up.
    pub cancel: f64,
    /// Share who go to pay when the hold has just ended.
    pub late: f64,
    /// Whether buyers who find everything held try again until it is sold out.
    pub persist: bool,
    /// Connections at once.
    pub connections: u32,
    /// Source addresses 127.0.0.1, 127.0.0.2, … to connect from, where the system is on loopback.
    pub source_addresses: u8,
    /// From the creation of the sale to T-zero, milliseconds.
    pub lead_ms: u64,
    /// The whole run after T-zero, milliseconds.
    pub limit_ms: u64,
    /// How long after the end of its hold a ticket may still be open, milliseconds: the system's own grace.
    pub grace_ms: u64,
    /// Whether parts of the system are taken away during the run: audits may then go unanswered until it is over.
    pub disturbed: bool,
    /// Where chances begin.
    pub seed: u64,
}

/// A rehearsal that is ready to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A few seconds: 50 units, 1,000 buyers.
    Quick,
    /// A drop: 1,000 units, 100,000 buyers who all click twice, a tenth of the winners abandon.
    Drop,
    /// One unit, 1,000 buyers, holds that lapse.
    LastUnit,
}

impl Plan {
    /// A preset against a system.
    #[must_use]
    pub fn preset(preset: Preset, base_url: &str) -> Self {
        let quick = Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            other_urls: Vec::new(),
            admin_url: None,
            admin_token: None,
            sale: None,
            stock: 50,
            max_per_user: 1,
            hold_ms: 2_000,
            challenge: "never".to_owned(),
            buyers: 1_000,
            hostile: 0.0,
            arrival: Arrival::TZero,
            double_click: 0.2,
            panic_retry: 0.2,
            decline: 0.1,
            abandon: 0.1,
            cancel: 0.05,
            late: 0.05,
            persist: true,
            connections: 256,
            source_addresses: 1,
            lead_ms: 1_500,
            // Longer than hold and grace together: a hold that does not end is found.
            limit_ms: 90_000,
            grace_ms: 60_000,
            disturbed: false,
            seed: 1,
        };
        match preset {
            Preset::Quick => quick,
            Preset::Drop => Self {
                stock: 1_000,
                buyers: 100_000,
                double_click: 1.0,
                panic_retry: 0.05,
                abandon: 0.1,
                connections: 2_000,
                limit_ms: 300_000,
                ..quick
            },
            Preset::LastUnit => Self {
                stock: 1,
                decline: 0.2,
                abandon: 0.5,
                cancel: 0.1,
                late: 0.1,
                limit_ms: 120_000,
                ..quick
            },
        }
    }

    /// What is wrong with the hostile share.
    fn hostile_mistake(&self) -> Option<String> {
        if !(0.0..=0.9).contains(&self.hostile) {
            return Some(format!("hostile must be a share from 0 to 0.9, and not {}", self.hostile));
        }
        let (kinds, hostile) = (Kind::ALL.len(), self.hostile_buyers());
        (self.hostile > 0.0 && (hostile as usize) < kinds).then(|| {
            format!("hostile must be 0 or at least {kinds} buyers, one of each kind, and not {hostile}")
        })
    }

    /// How many of the buyers are hostile.
    #[must_use]
    pub fn hostile_buyers(&self) -> u32 {
        foe::count(self.buyers, self.hostile)
    }

    /// Connections of hostile buyers who speak HTTP; as many again of those who do not.
    pub(crate) fn hostile_connections(&self) -> u32 {
        (self.connections / 2).max(8)
    }

    /// The most connections that the herd has at once.
    #[must_use]
    pub fn most_connections(&self) -> u64 {
        let honest = u64::from(self.connections.min(self.buyers));
        // Half of the others are in the pool; flooders, slow bodies and oversized headers share as many and their rounding.
        if self.hostile > 0.0 { honest + 3 * u64::from(self.hostile_connections()) } else { honest }
    }

    /// The addresses of all gateways.
    pub(crate) fn urls(&self) -> Vec<&str> {
        std::iter::once(&self.base_url).chain(&self.other_urls).map(String::as_str).collect()
    }

    /// What is wrong with the plan, in words.
    #[must_use]
    pub fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        let shares = [
            ("double-click", self.double_click),
            ("panic-retry", self.panic_retry),
            ("decline", self.decline),
            ("abandon", self.abandon),
            ("cancel", self.cancel),
            ("late", self.late),
        ];
        for (name, share) in shares {
            if !(0.0..=1.0).contains(&share) {
                mistakes.push(format!("{name} must be a share from 0 to 1, and not {share}"));
            }
        }
        if self.decline + self.abandon + self.cancel + self.late > 1.0 {
            mistakes.push("decline, abandon, cancel and late together must not be more than 1".to_owned());
        }
        mistakes.extend(self.hostile_mistake());
        if self.buyers == 0 || self.connections == 0 {
            mistakes.push("there must be at least one buyer and one connection".to_owned());
        }
        if self.limit_ms == 0 {
            mistakes.push("limit-ms must be at least 1: a run without time has no buyers".to_owned());
        }
        if self.sale.is_none() && self.stock == 0 {
            mistakes.push("stock must be at least 1: there is nothing to sell otherwise".to_owned());
        }
        let urls = std::iter::once(&self.base_url).chain(&self.other_urls).chain(&self.admin_url);
        mistakes.extend(urls.filter_map(|url| not_plain(url)));
        if self.sale.is_none() && self.admin_token.is_none() {
            mistakes
                .push("making a sale needs the operator's token; name an existing sale otherwise".to_owned());
        }
        mistakes
    }
}

/// What is wrong with an address.
fn not_plain(url: &str) -> Option<String> {
    if url.starts_with("https://") {
        return Some(format!(
            "the herd does not speak TLS: name the plain address behind it, such as http://127.0.0.1:8080, and not {url}"
        ));
    }
    let plain = url.strip_prefix("http://").is_some_and(|host| !host.is_empty());
    (!plain).then(|| {
        format!("an address must begin with http://, such as http://127.0.0.1:8080, and not be {url}")
    })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
