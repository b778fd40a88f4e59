//! `tzero audit`: asks a running server, or reads the stores of a data folder.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::client::Client;
use super::{Environment, Outcome, ServerFlags, block_on, say};

/// What to audit.
#[derive(Debug, Args)]
pub struct AuditFlags {
    /// One sale; every sale by default
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

/// Runs `tzero audit`: success only where every sale is proven right.
pub fn run(flags: &AuditFlags, environment: &Environment) -> Outcome {
    let reports = match &flags.offline {
        Some(dir) => block_on(crate::wiring::audit_offline(dir, flags.sale.as_deref()))?,
        None => block_on(ask(flags, environment))?,
    };
    if reports.is_empty() {
        say("There is no sale to audit.");
    }
    let mut wrong = false;
    for report in &reports {
        wrong |= report.get("ok") != Some(&Value::Bool(true));
        if flags.json { say(&report.to_string()) } else { show(report) }
    }
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn ask(flags: &AuditFlags, environment: &Environment) -> Result<Vec<Value>, String> {
    let client = Client::new(&flags.server, environment)?;
    let sales = match &flags.sale {
        Some(sale) => vec![sale.clone()],
        None => {
            let answer = client.send(Method::GET, "sales", &[], None).await?;
            let sales = answer.get("sales").and_then(Value::as_array).cloned().unwrap_or_default();
            sales.iter().filter_map(|sale| sale.get("sale_id")?.as_str().map(str::to_owned)).collect()
        }
    };
    let mut reports = Vec::new();
    for sale in sales {
        reports.push(client.send(Method::GET, &format!("sales/{sale}/audit"), &[], None).await?);
    }
    Ok(reports)
}

fn show(report: &Value) {
    let flag = |member: &str| report.get(member) == Some(&Value::Bool(true));
    let verdict = match (flag("ok"), flag("settling")) {
        (true, false) => "right: every unit is in exactly one place",
        (true, true) => "settling: things moved while it was read; nothing is wrong so far",
        (false, _) => "WRONG",
    };
    say(&format!("{}: {verdict}", report.get("sale_id").and_then(Value::as_str).unwrap_or("?")));
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
        ));
    }
    for violation in report.get("violations").and_then(Value::as_array).into_iter().flatten() {
        let text = |member: &str| violation.get(member).and_then(Value::as_str).unwrap_or_default();
        say(&format!("  {}: {} {}", text("kind"), text("product_id"), text("detail")));
    }
}
