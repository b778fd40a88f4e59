//! `tzero audit`: asks a running server, or reads the stores of a data folder.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Environment, Halt, Outcome, ServerFlags, block_on, complain, sale_id, say};

/// The exit code where nothing is wrong and nothing is proven.
const NOT_PROVEN: u8 = 2;

/// What the exit codes mean.
pub const EXIT_CODES: &str = "Exit codes:
  0  proven: every unit is in exactly one place and the money agrees to the cent, or there is no sale at all
  1  a violation, or the audit could not be made
  2  not proven: units or money were on their way (or the command line is not understood)";

/// What to audit.
#[derive(Debug, Args)]
pub struct AuditFlags {
    /// One sale; every sale by default
    #[arg(value_parser = sale_id)]
    sale: Option<String>,
    /// Reads the stores of this data folder, read-only, instead of asking a server
    #[arg(long, value_name = "DIR")]
    offline: Option<PathBuf>,
    /// Prints the whole report as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerFlags,
}

/// What an audit shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Every unit is in exactly one place, and the money agrees.
    Proven,
    /// Nothing is wrong so far, but things moved: nothing is proven.
    Unproven,
    /// Something is wrong.
    Wrong,
}

impl Verdict {
    fn of(report: &Value) -> Self {
        let says = |pointer: &str, flag: bool| report.pointer(pointer) == Some(&Value::Bool(flag));
        if !says("/ok", true) {
            Self::Wrong
        } else if says("/settling", false) && says("/inventory/open", true) && money_agrees(report) {
            Self::Proven
        } else {
            Self::Unproven
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Proven => "right: every unit is in exactly one place",
            Self::Unproven => "NOT PROVEN: units or money were on their way; nothing is wrong so far",
            Self::Wrong => "WRONG",
        }
    }
}

/// Whether captured less refunded is the revenue, to the cent: it is not while money is on its way.
fn money_agrees(report: &Value) -> bool {
    let digits = |money: &Value, name: &str| {
        money.get(name)?.as_str().and_then(|text| text.replace('.', "").parse::<i128>().ok())
    };
    let agrees = |money: &Value| {
        let kept =
            digits(money, "captured").zip(digits(money, "refunded")).map(|(taken, given)| taken - given);
        kept.is_some() && kept == digits(money, "revenue")
    };
    report.get("money").and_then(Value::as_array).is_some_and(|sums| sums.iter().all(agrees))
}

/// Runs `tzero audit`: success only where every sale is proven right.
pub fn run(flags: &AuditFlags, environment: &Environment) -> Outcome {
    let reports = match &flags.offline {
        Some(dir) => block_on(crate::wiring::audit_offline(dir, flags.sale.as_deref()))?,
        None => block_on(ask(flags, environment))?,
    };
    if reports.is_empty() {
        complain("there is no sale, so there is nothing to audit");
    }
    let mut worst = Verdict::Proven;
    for report in &reports {
        worst = worst.max(Verdict::of(report));
        if flags.json { say(&report.to_string())? } else { show(report)? }
    }
    match worst {
        Verdict::Proven => Ok(ExitCode::SUCCESS),
        Verdict::Wrong => Ok(ExitCode::FAILURE),
        Verdict::Unproven => {
            complain(
                "not proven: units or money were on their way while it was read; audit again in a moment",
            );
            Ok(ExitCode::from(NOT_PROVEN))
        }
    }
}

async fn ask(flags: &AuditFlags, environment: &Environment) -> Result<Vec<Value>, String> {
    let client = Client::new(&flags.server, environment)?;
    let sales = match &flags.sale {
        Some(sale) => vec![sale.clone()],
        None => {
            let named = |sale: &Value| sale.get("sale_id")?.as_str().map(str::to_owned);
            let sales: Option<Vec<String>> = client.sales().await?.iter().map(named).collect();
            sales.ok_or("the list of sales has one without sale_id")?
        }
    };
    let mut reports = Vec::new();
    for sale in sales {
        reports.push(client.send(Method::GET, &format!("sales/{sale}/audit"), &[], None).await?);
    }
    Ok(reports)
}

fn show(report: &Value) -> Result<(), Halt> {
    let verdict = Verdict::of(report).words();
    say(&format!("{}: {verdict}", report.get("sale_id").and_then(Value::as_str).unwrap_or("?")))?;
    for product in report.get("products").and_then(Value::as_array).into_iter().flatten() {
        let count = |member: &str| product.get(member).and_then(Value::as_u64).unwrap_or_default();
        say(&format!(
            "  {:<22} stock {} = available {} + held {} + sold {} + in transfer {}; oversold {}",
            product.get("product_id").and_then(Value::as_str).unwrap_or("?"),
            count("stock"),
            count("available"),
            count("held"),
            count("sold"),
            count("in_transfer"),
            count("oversold"),
        ))?;
    }
    for violation in report.get("violations").and_then(Value::as_array).into_iter().flatten() {
        let text = |member: &str| violation.get(member).and_then(Value::as_str).unwrap_or_default();
        let parts = [text("product_id"), text("detail")].into_iter().filter(|part| !part.is_empty());
        say(&format!("  {}: {}", text("kind"), parts.collect::<Vec<_>>().join(" ")))?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
