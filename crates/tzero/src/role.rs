//! Roles: the boxes of the architecture picture, each run alone or with others in one process.

use std::collections::HashSet;

use clap::ValueEnum;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum Role {
    /// Answers HTTP: pages, checkouts, statuses, webhooks, the operator.
    Gateway,
    /// Serves orders to gateways.
    Orders,
    /// Takes claims into the ledger, and tells the inventory what the ledger decided.
    Allocator,
    /// Makes payment addresses at a controlled rate, collects money, gives it back.
    Processor,
    /// Closes what is overdue and brings its units back.
    Expiration,
    /// Publishes again what the log never got.
    Relay,
    /// Opens shards that lost their memory.
    Reconciler,
    /// A payment provider of its own, for demos, rehearsals and tests.
    Sandbox,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Gateway,
        Self::Orders,
        Self::Allocator,
        Self::Processor,
        Self::Expiration,
        Self::Relay,
        Self::Reconciler,
        Self::Sandbox,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orders => "orders",
            Self::Allocator => "allocator",
            Self::Processor => "processor",
            Self::Expiration => "expiration",
            Self::Relay => "relay",
            Self::Reconciler => "reconciler",
            Self::Sandbox => "sandbox",
        }
    }

    /// What it does, in a sentence.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Gateway => "answers HTTP: pages, checkouts, statuses, webhooks, the operator",
            Self::Orders => "serves orders to gateways that run elsewhere: batches them for their shard",
            Self::Allocator => {
                "takes claims into the ledger, and tells the inventory what the ledger decided"
            }
            Self::Processor => "makes payment addresses at a controlled rate, collects money, gives it back",
            Self::Expiration => "closes what is overdue and brings its units back",
            Self::Relay => {
                "publishes claims again that the log never got, and tells the shop's own systems how orders stand"
            }
            Self::Reconciler => {
                "opens shards again that a restart or a fail-over of the inventory has closed"
            }
            Self::Sandbox => "is a payment provider of its own, for demos, rehearsals and tests",
        }
    }
}

/// What nobody does where these roles run: the stores of a data folder serve one process, so that no other process can.
pub fn missing(roles: &HashSet<Role>) -> Option<String> {
    let needed = Role::ALL.into_iter().filter(|role| *role != Role::Sandbox && !roles.contains(role));
    let missing: Vec<String> = needed.map(|role| format!("{} ({})", role.name(), role.purpose())).collect();
    (!missing.is_empty()).then(|| {
        format!("no process can run these roles while this one has the data folder: {}", missing.join("; "))
    })
}
