//! Asks the system for its audit, during the run and at its end.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::checks::{self, Violations};
use crate::client::{Ask, Client};

const PERIOD: Duration = Duration::from_secs(1);
/// How long the last audit may settle.
const PATIENCE: u32 = 30;
/// The same, where parts of the system were away until a moment ago.
const PATIENCE_DISTURBED: u32 = 120;

/// Audits one sale.
pub(crate) struct Auditor {
    pub(crate) client: Arc<Client>,
    pub(crate) token: String,
    pub(crate) path: String,
    /// Whether an audit during the run may go unanswered.
    pub(crate) disturbed: bool,
}

impl Auditor {
    async fn ask(&self) -> Result<Value, String> {
        let ask = Ask::new(Method::GET, &self.path).header("authorization", format!("Bearer {}", self.token));
        let answer = self.client.ask(&ask).await?;
        if answer.status == 200 {
            Ok(answer.json())
        } else {
            Err(format!("the audit answered {}", answer.status))
        }
    }

    /// Audits each second until told to stop; gives how many audits there were.
    pub(crate) async fn watch(&self, violations: &Violations, stop: &CancellationToken) -> u64 {
        let mut audits = 0;
        loop {
            tokio::select! {
                () = stop.cancelled() => return audits,
                () = tokio::time::sleep(PERIOD) => {}
            }
            match self.ask().await {
                Ok(report) => {
                    audits += 1;
                    checks::audit(&report, false, violations);
                }
                Err(_) if self.disturbed => {}
                Err(wrong) => violations.add(format!("no audit: {wrong}")),
            }
        }
    }

    /// The audit once nothing moves any more.
    pub(crate) async fn last(&self, violations: &Violations) -> Value {
        let mut report = self.ask().await;
        let patience = if self.disturbed { PATIENCE_DISTURBED } else { PATIENCE };
        for _ in 0..patience {
            if report.as_ref().is_ok_and(checks::is_settled) {
                break;
            }
            tokio::time::sleep(PERIOD).await;
            report = self.ask().await;
        }
        match report {
            Ok(report) => {
                checks::audit(&report, true, violations);
                report
            }
            Err(wrong) => {
                violations.add(format!("no audit at the end: {wrong}"));
                Value::Null
            }
        }
    }
}
