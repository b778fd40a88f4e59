//! `tzero sale`: creates and steers the sales of a running system.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Client;
use super::{Environment, Halt, Outcome, ServerFlags, block_on, complain, sale_id, say};
use crate::config::sale_file;
use crate::files;
use crate::wiring;

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
        #[arg(value_parser = sale_id)]
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
        #[arg(value_parser = sale_id)]
        sale: String,
        /// The product
        product: String,
        /// How many units are added
        units: u32,
        /// The same key never adds twice. Without one, each command makes its own at random and says it on standard
        /// error before anything is sent: repeat a command whose answer was lost with that key
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
    #[arg(value_parser = sale_id)]
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
                let client = Client::new(&server, environment)?;
                if watch { watched(&sale, &client).await } else { show(&sale, &client).await }
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

async fn create(file: &Path, client: &Client) -> Result<(), Halt> {
    let name = file.display().to_string();
    let read = files::read_text(file, sale_file::LONGEST).map_err(|wrong| format!("{name} {wrong}"))?;
    let sale = sale_file::read(&name, &read).map_err(|mistakes| mistakes.to_string())?;
    let created = client.send(Method::POST, "sales", &[], Some(&sale)).await?;
    if text(&created, "state") == "ended" {
        complain(&format!(
            "the sale is over already: it ended at {}, and nobody can buy",
            text(&created, "ends_at")
        ));
    }
    say(&format!("Created. {}", line(&created)))
}

async fn list(client: &Client) -> Result<(), Halt> {
    let sales = client.sales().await?;
    if sales.is_empty() {
        say("There is no sale. Create one with 'tzero sale create FILE'; sales/ has samples.")?;
    }
    sales.iter().try_for_each(|sale| say(&line(sale)))
}

async fn show(sale: &str, client: &Client) -> Result<(), Halt> {
    let shown = client.send(Method::GET, &format!("sales/{sale}"), &[], None).await?;
    say(&line(&shown))?;
    let products = shown.get("products").and_then(Value::as_array).into_iter().flatten();
    products.into_iter().try_for_each(|product| say(&product_line(product)))
}

/// Shows the sale every second; an interrupt ends it also while an answer is awaited.
async fn watched(sale: &str, client: &Client) -> Result<(), Halt> {
    let shown = async {
        loop {
            show(sale, client).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        ended = shown => ended,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn steer(target: &Target, action: &str, environment: &Environment) -> Result<(), Halt> {
    let client = Client::new(&target.server, environment)?;
    let sale = client.send(Method::POST, &format!("sales/{}/{action}", target.sale), &[], None).await?;
    say(&line(&sale))
}

async fn restock(
    client: &Client,
    sale: &str,
    product: &str,
    units: u32,
    key: Option<String>,
) -> Result<(), Halt> {
    let key = key.unwrap_or_else(|| {
        let made = format!("restock-{:032x}", u128::from_be_bytes(wiring::random()));
        complain(&format!("key {made}: repeat with --key {made} if the answer is lost"));
        made
    });
    let body = json!({ "product_id": product, "units": units });
    let path = format!("sales/{sale}/restock");
    let headers = [("Idempotency-Key", key.as_str())];
    let (restocked, before) = client.send_once(Method::POST, &path, &headers, Some(&body)).await?;
    let products = restocked.get("products").and_then(Value::as_array).into_iter().flatten();
    let stock = products
        .filter(|each| text(each, "product_id") == product)
        .find_map(|each| each.get("stock")?.as_u64());
    let stock = stock.ok_or_else(|| format!("the answer does not tell the stock of {product}"))?;
    let done = if before { "This key has added its units before: nothing was added now" } else { "Added" };
    say(&format!("{done}. {sale}: the stock of {product} is {stock}"))
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
