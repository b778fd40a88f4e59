//! What a gateway's end of the link is set to.

use std::collections::BTreeSet;
use std::time::Duration;

/// Settings of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The orders nodes as `host:port`. Every gateway must be given the same texts: they decide which node serves which
    /// shard. Their order does not matter.
    pub nodes: Vec<String>,
    /// Connections to each node that requests share; one more carries what waits.
    pub connections: usize,
    /// Questions to one node at once, all connections together; what is beyond is answered as overloaded.
    pub in_flight: usize,
    /// Buyers who wait for news at one node at once; one beyond is told after a moment that there may be some.
    pub waiting: usize,
    /// How long a request may take, whatever is tried.
    pub deadline: Duration,
    /// How long one node may take before the next one is asked; the last one has what is left of the deadline. Longer
    /// than a node's own limit for a checkout, so that its answer is waited for.
    pub try_limit: Duration,
    /// How long a connection may take to be made, until its node has answered for the first time.
    pub connect_limit: Duration,
    /// Pause before a lost connection is made again; it doubles with each failure.
    pub reconnect_min: Duration,
    /// The longest such pause. Shorter than a client waits before its one retry: a node that is back must not be missed then.
    pub reconnect_max: Duration,
    /// How long a request that no node could be asked waits for one that comes back, from when it came.
    pub mend_limit: Duration,
    /// Requests that wait so at once; one beyond fails at once.
    pub mending: usize,
    /// How often each connection is asked whether its node is well.
    pub health_every: Duration,
    /// How long the answer to that may take. A node is left aside after one that is missing, and its connection is ended
    /// after two.
    pub health_limit: Duration,
    /// How long a wait lasts at most; longer than a node's own limit for it.
    pub wait_limit: Duration,
    /// How long a wait lasts at least where it fails: whoever waits in a loop must not spin.
    pub wait_pause: Duration,
    /// How often counts of products are asked for.
    pub view_every: Duration,
    /// How long counts are kept up to date after somebody has looked at them.
    pub view_kept: Duration,
    /// Products whose counts are kept at once; those beyond have none.
    pub views: usize,
}

impl Options {
    /// The usual settings, for these nodes.
    #[must_use]
    pub const fn new(nodes: Vec<String>) -> Self {
        Self {
            nodes,
            connections: 2,
            in_flight: 16_384,
            waiting: 16_384,
            deadline: Duration::from_secs(3),
            try_limit: Duration::from_millis(1_200),
            connect_limit: Duration::from_secs(1),
            reconnect_min: Duration::from_millis(100),
            reconnect_max: Duration::from_millis(300),
            mend_limit: Duration::from_millis(400),
            mending: 4_096,
            health_every: Duration::from_millis(500),
            health_limit: Duration::from_millis(500),
            wait_limit: Duration::from_secs(30),
            wait_pause: Duration::from_millis(250),
            view_every: Duration::from_millis(200),
            view_kept: Duration::from_secs(60),
            views: 1_024,
        }
    }

    /// Whether a client can work with them.
    pub(crate) fn check(&self) -> Result<(), String> {
        let names: BTreeSet<&String> = self.nodes.iter().collect();
        if names.is_empty() || names.len() < self.nodes.len() {
            return Err("the orders nodes must be one or more, each named once".to_owned());
        }
        let counts = [
            ("connections to a node", self.connections),
            ("requests in flight", self.in_flight),
            ("buyers who wait", self.waiting),
        ];
        if let Some((what, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("{what} must be 1 or more"));
        }
        let times = [
            ("deadline", self.deadline),
            ("limit of one try", self.try_limit),
            ("limit of connecting", self.connect_limit),
            ("pause before reconnecting", self.reconnect_min),
            ("pause between questions after health", self.health_every),
            ("limit of a question after health", self.health_limit),
            ("pause of a wait that fails", self.wait_pause),
            ("pause between questions after counts", self.view_every),
        ];
        match times.iter().find(|(_, time)| time.is_zero()) {
            Some((what, _)) => Err(format!("the {what} must be more than nothing")),
            None => Ok(()),
        }
    }
}
