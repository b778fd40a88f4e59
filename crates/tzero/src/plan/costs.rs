//! Costs by name, each with where it was measured.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The costs of other machines that are compiled in.
const ELSEWHERE: &str = include_str!("costs.toml");

/// The largest cost that a file may have, in whichever unit: a quarter of an hour, or a gigabyte.
const MOST: f64 = 1e9;

/// What a cost is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cost {
    /// CPU time of a checkout that is given units, in the program.
    GrantedCpu,
    /// CPU time of a checkout that is refused because everything is held.
    RefusedCpu,
    /// CPU time of a look at a status.
    PollCpu,
    /// CPU time of the first sight of a session that the shop has signed.
    SessionCpu,
    /// CPU time of Redis for a hold.
    RedisCpu,
    /// CPU time of PostgreSQL for an order that is taken in, with its effect.
    PostgresCpu,
    /// Bytes of the request of a checkout.
    CheckoutIn,
    /// Bytes of the answer to a checkout that is given units.
    GrantedOut,
    /// Bytes of the answer to a checkout that is refused.
    RefusedOut,
    /// Bytes of the request for a status.
    PollIn,
    /// Bytes of a status.
    PollOut,
    /// Memory of the program for a connection that waits.
    ConnectionMemory,
    /// Memory of the program for an order.
    OrderMemory,
    /// Bytes of the store's file for an order that was claimed and taken in.
    OrderDisk,
}

impl Cost {
    /// Every cost.
    pub const ALL: [Self; 14] = [
        Self::GrantedCpu,
        Self::RefusedCpu,
        Self::PollCpu,
        Self::SessionCpu,
        Self::RedisCpu,
        Self::PostgresCpu,
        Self::CheckoutIn,
        Self::GrantedOut,
        Self::RefusedOut,
        Self::PollIn,
        Self::PollOut,
        Self::ConnectionMemory,
        Self::OrderMemory,
        Self::OrderDisk,
    ];

    /// Its name in files and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GrantedCpu => "granted_cpu",
            Self::RefusedCpu => "refused_cpu",
            Self::PollCpu => "poll_cpu",
            Self::SessionCpu => "session_cpu",
            Self::RedisCpu => "redis_cpu",
            Self::PostgresCpu => "postgres_cpu",
            Self::CheckoutIn => "checkout_in",
            Self::GrantedOut => "granted_out",
            Self::RefusedOut => "refused_out",
            Self::PollIn => "poll_in",
            Self::PollOut => "poll_out",
            Self::ConnectionMemory => "connection_memory",
            Self::OrderMemory => "order_memory",
            Self::OrderDisk => "order_disk",
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::GrantedCpu => "CPU of a checkout that is given units",
            Self::RefusedCpu => "CPU of a checkout that is refused",
            Self::PollCpu => "CPU of a look at a status",
            Self::SessionCpu => "CPU of a signed session, seen first",
            Self::RedisCpu => "CPU of Redis for a hold",
            Self::PostgresCpu => "CPU of PostgreSQL for an order",
            Self::CheckoutIn => "request of a checkout",
            Self::GrantedOut => "answer that gives units",
            Self::RefusedOut => "answer that refuses",
            Self::PollIn => "request for a status",
            Self::PollOut => "answer with a status",
            Self::ConnectionMemory => "memory of a connection that waits",
            Self::OrderMemory => "memory of an order",
            Self::OrderDisk => "disk of an order, claimed and taken in",
        }
    }

    /// In which unit it is counted.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::GrantedCpu
            | Self::RefusedCpu
            | Self::PollCpu
            | Self::SessionCpu
            | Self::RedisCpu
            | Self::PostgresCpu => "µs",
            _ => "bytes",
        }
    }
}

/// A cost and where it was measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// In the unit of its cost.
    pub value: f64,
    /// Where it was measured, in words.
    pub source: String,
}

/// The costs that are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Costs(BTreeMap<Cost, Figure>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    machine: String,
    figures: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    value: f64,
    unit: String,
    source: String,
}

impl Costs {
    /// With this cost, in its unit; replaces what was known of it.
    pub fn set(&mut self, cost: Cost, value: f64, source: impl Into<String>) {
        self.0.insert(cost, Figure { value, source: source.into() });
    }

    /// What is known of a cost.
    #[must_use]
    pub fn get(&self, cost: Cost) -> Option<&Figure> {
        self.0.get(&cost)
    }

    /// The value of a cost; `None` where it is not known.
    #[must_use]
    pub fn value(&self, cost: Cost) -> Option<f64> {
        self.get(cost).map(|figure| figure.value)
    }

    /// These costs, and where one is not known that of `others`.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        for (cost, figure) in others.0 {
            self.0.entry(cost).or_insert(figure);
        }
        self
    }

    /// The costs of other machines that are compiled in.
    ///
    /// # Errors
    /// The compiled file is not right, which a test rules out.
    pub fn elsewhere() -> Result<Self, String> {
        Self::read("costs.toml", ELSEWHERE)
    }

    /// Reads a file of costs that is called `name`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        let mut costs = Self::default();
        for entry in file.figures {
            let known = Cost::ALL.into_iter().find(|cost| cost.name() == entry.name);
            let cost = known.ok_or_else(|| {
                let names = Cost::ALL.map(Cost::name).join(", ");
                format!("{name}: figures: {:?} is no cost; the costs are {names}", entry.name)
            })?;
            if entry.unit != cost.unit() {
                let (given, right) = (&entry.unit, cost.unit());
                return Err(format!("{name}: {}: unit must be {right:?}, and not {given:?}", entry.name));
            }
            if !(0.0..=MOST).contains(&entry.value) {
                return Err(format!("{name}: {}: value must be 0 or more, and {MOST} at most", entry.name));
            }
            for (member, text) in [("source", &entry.source), ("machine", &file.machine)] {
                if text.contains(char::is_control) {
                    return Err(format!(
                        "{name}: {}: {member} must be a text without control characters",
                        entry.name
                    ));
                }
            }
            if costs.get(cost).is_some() {
                return Err(format!("{name}: {}: must be there once", entry.name));
            }
            costs.set(cost, entry.value, format!("{}, on {}", entry.source, file.machine));
        }
        Ok(costs)
    }
}

#[cfg(test)]
#[path = "costs_tests.rs"]
mod tests;
