//! `tzero sale`: creates and steers the sales of a running system.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::{Environment, Outcome, ServerFlags, block_on, say};
use crate::config::sale_file;

/// What to do with sales.
#[derive(Debug, Subcommand)]
pub enum SaleCommand {
    /// Creates a sale from a TOML or JSON file
    Create {
        /// The file; see sales/ for samples
        file: PathBuf,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Lists the sales
    List {
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Shows a sale
    Show {
        /// The sale
        sale: String,
        /// Shows it again every second, until interrupted
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Stops new checkouts for now; holds and payments go on
    Pause(Target),
    /// Takes checkouts again
    Resume(Target),
    /// Ends a sale now; holds and payments go on to their own end
    End(Target),
    /// Adds units to a product
    Restock {
        /// The sale
        sale: String,
        /// The product
        product: String,
        /// How many units are added
        units: u32,
        /// The same key never adds twice; the default is made from the sale's present revision, so that repeating a
        /// command whose answer was lost adds nothing
        #[arg(long)]
        key: Option<String>,
        #[command(flatten)]
        server: ServerFlags,
    },
}

/// One sale of a running system.
#[derive(Debug, Args)]
pub struct Target {
    /// The sale
    sale: String,
    #[command(flatten)]
    server: ServerFlags,
}

/// Runs `tzero sale …`.
pub fn run(command: SaleCommand, environment: &Environment) -> Outcome {
    block_on(async {
        match command {
            SaleCommand::Create { file, server } => create(&file, &Client::new(&server, environment)?).await,
            SaleCommand::List { server } => list(&Client::new(&server, environment)?).await,
            SaleCommand::Show { sale, watch, server } => {
                show(&sale, watch, &Client::new(&server, environment)?).await
            }
            SaleCommand::Pause(target) => steer(&target, "pause", environment).await,
            SaleCommand::Resume(target) => steer(&target, "resume", environment).await,
            SaleCommand::End(target) => steer(&target, "end", environment).await,
            SaleCommand::Restock { sale, product, units, key, server } => {
                let client = Client::new(&server, environment)?;
                restock(&client, &sale, &product, units, key).await
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn create(file: &PathBuf, client: &Client) -> Result<(), String> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {name}: {error}"))?;
    let sale = if file.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?
    } else {
        sale_file::read(&name, &text).map_err(|mistakes| mistakes.to_string())?
    };
    let created = client.send(Method::POST, "sales", &[], Some(&sale)).await?;
    say(&format!("Created. {}", line(&created)));
    Ok(())
}

async fn list(client: &Client) -> Result<(), String> {
    let answer = client.send(Method::GET, "sales", &[], None).await?;
    let sales = answer.get("sales").and_then(Value::as_array).cloned().unwrap_or_default();
    if sales.is_empty() {
        say("There is no sale. Create one with 'tzero sale create FILE'; sales/ has samples.");
    }
    sales.iter().for_each(|sale| say(&line(sale)));
    Ok(())
}

async fn show(sale: &str, watch: bool, client: &Client) -> Result<(), String> {
    loop {
        let shown = client.send(Method::GET, &format!("sales/{sale}"), &[], None).await?;
        say(&line(&shown));
        for product in shown.get("products").and_then(Value::as_array).into_iter().flatten() {
            say(&product_line(product));
        }
        if !watch {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}

async fn steer(target: &Target, action: &str, environment: &Environment) -> Result<(), String> {
    let client = Client::new(&target.server, environment)?;
    let sale = client.send(Method::POST, &format!("sales/{}/{action}", target.sale), &[], None).await?;
    say(&line(&sale));
    Ok(())
}

async fn restock(
    client: &Client,
    sale: &str,
    product: &str,
    units: u32,
    key: Option<String>,
) -> Result<(), String> {
    let key = match key {
        Some(key) => key,
        None => {
            let shown = client.send(Method::GET, &format!("sales/{sale}"), &[], None).await?;
            format!("restock-{product}-{units}-at-{}", shown.get("revision").unwrap_or(&Value::Null))
        }
    };
    let body = json!({ "product_id": product, "units": units });
    let path = format!("sales/{sale}/restock");
    let restocked = client.send(Method::POST, &path, &[("Idempotency-Key", &key)], Some(&body)).await?;
    say(&line(&restocked));
    Ok(())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or("-")
}

fn line(sale: &Value) -> String {
    let (id, state, starts) = (text(sale, "sale_id"), text(sale, "state"), text(sale, "starts_at"));
    format!("{id:<24} {state:<10} starts {starts}  {}", text(sale, "name"))
}

fn product_line(product: &Value) -> String {
    let count = |member: &str| product.get(member).and_then(Value::as_u64).unwrap_or_default();
    format!(
        "  {:<22} stock {:>8}  available {:>8}  held {:>8}  sold {:>8}",
        text(product, "product_id"),
        count("stock"),
        count("available"),
        count("held"),
        count("sold"),
    )
}
