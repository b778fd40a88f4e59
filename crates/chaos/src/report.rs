//! What was done and seen: as JSON, and as lines for people.

use serde::Serialize;
use serde_json::Value;

use crate::books::{Inventory, Ledger, Money};
use crate::stage::Moment;
use crate::trial::Scale;

/// One fault during a drop.
#[derive(Clone, Debug, Serialize)]
pub struct Disturbance {
    /// Its name.
    pub fault: &'static str,
    /// When it began, seconds on the gauge's clock.
    pub from_s: f64,
    /// Until selling went on and the fault was over, seconds.
    pub seconds: f64,
    /// From the end of what was done until selling went on, seconds.
    pub again_s: f64,
    /// How long the shard was there and did not sell, seconds.
    pub closed_s: f64,
    /// How long nobody could say how it stood, seconds.
    pub unknown_s: f64,
    /// The longest time without a new ticket, seconds.
    pub longest_pause_s: f64,
    /// New tickets until the fault was over.
    pub tickets_meanwhile: u64,
    /// Those of its second half.
    pub tickets_second_half: u64,
    /// Pages of the sale that were not served.
    pub pages_refused: Vec<String>,
    /// Statuses that were not served.
    pub statuses_refused: Vec<String>,
    /// The load at each kill.
    pub moments: Vec<Moment>,
    /// What was wrong.
    pub violations: Vec<String>,
}

impl Disturbance {
    /// For people.
    pub fn line(&self) -> String {
        let verdict = if self.violations.is_empty() { "ok".to_owned() } else { self.violations.join("; ") };
        format!(
            "{}: {:.1} s, sells {:.1} s after its end, closed {:.1} s, unknown {:.1} s, longest pause {:.1} s, {} tickets meanwhile ({} in the second half), {} kills under load: {verdict}",
            self.fault,
            self.seconds,
            self.again_s,
            self.closed_s,
            self.unknown_s,
            self.longest_pause_s,
            self.tickets_meanwhile,
            self.tickets_second_half,
            self.moments.len()
        )
    }
}

/// How many answers were as the contract has them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Conformity {
    /// Requests that were answered.
    pub answers: u64,
    /// Requests without an answer, from a gateway that was being killed or restarted: not counted.
    pub excused: u64,
    /// Requests without an answer, from a gateway that nobody touched.
    pub without: u64,
    /// Answers that took longer than the limit.
    pub late: u64,
    /// Answers that say what is not so, or say it in another form.
    pub lies: u64,
    /// The share of all requests that are counted whose answer conforms.
    pub share: f64,
}

/// What every book says of the sale at its end.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Books {
    /// Redis.
    pub inventory: Inventory,
    /// The end of the log in Kafka.
    pub log_end: i64,
    /// PostgreSQL.
    pub ledger: Ledger,
    /// The provider.
    pub money: Money,
}

/// One drop.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// What is tried.
    pub name: String,
    /// Where chances began.
    pub seed: u64,
    /// Units.
    pub stock: u32,
    /// Distinct buyers.
    pub buyers: u32,
    /// Units that were sold.
    pub sold: u64,
    /// New tickets.
    pub tickets: u64,
    /// The faults, in their order.
    pub disturbances: Vec<Disturbance>,
    /// How many answers were as the contract has them.
    pub conformity: Conformity,
    /// The books, read past tzero.
    pub books: Books,
    /// What the herd saw.
    pub herd: Value,
    /// Requests that were not answered as they should have been, the first of them.
    pub flaws: Vec<Value>,
    /// What was wrong.
    pub violations: Vec<String>,
}

impl Trial {
    /// Nothing yet.
    pub fn new(name: &str, scale: &Scale) -> Self {
        Self {
            name: name.to_owned(),
            seed: scale.seed,
            stock: scale.stock,
            buyers: scale.buyers,
            sold: 0,
            tickets: 0,
            disturbances: Vec::new(),
            conformity: Conformity::default(),
            books: Books::default(),
            herd: Value::Null,
            flaws: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Everything that was wrong.
    pub fn wrong(&self) -> Vec<String> {
        let of_faults = self
            .disturbances
            .iter()
            .flat_map(|one| one.violations.iter().map(|violation| format!("{}: {violation}", one.fault)));
        of_faults.chain(self.violations.iter().cloned()).collect()
    }

    /// For people.
    pub fn lines(&self) -> Vec<String> {
        let conformity = &self.conformity;
        let mut lines = vec![format!(
            "{}: {} of {} units sold, {} tickets, {} ended by store-failover; {:.4} % of {} answers conform \
             ({} without answer, {} late, {} lies; {} excused)",
            self.name,
            self.sold,
            self.stock,
            self.tickets,
            self.books.ledger.store_failover,
            conformity.share * 100.0,
            conformity.answers,
            conformity.without,
            conformity.late,
            conformity.lies,
            conformity.excused
        )];
        lines.extend(self.wrong().iter().map(|violation| format!("  VIOLATION {violation}")));
        lines
    }
}
