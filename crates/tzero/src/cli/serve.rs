//! `tzero serve`, `tzero demo` and `tzero migrate`.

use std::collections::HashSet;
use std::process::ExitCode;

use domain::id::SaleId;
use gateway::admin::sale_form;
use ports::sales::Created;
use purchase::operate::Operator;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::configuration::{load, load_to_serve};
use super::{Environment, Halt, Outcome, ServeFlags, block_on, complain, say};
use crate::config::sale_file;
use crate::node::{Node, Plan};
use crate::role::Role;
use crate::telemetry;
use crate::{cli::ConfigFlags, wiring};

/// The sample sale of the demo.
const SAMPLE: &str = include_str!("../../../../sales/demo.toml");
/// How long after the start it opens, milliseconds.
const LEAD_MS: u64 = 20_000;

/// Runs the given roles, all where none is named.
pub fn serve(roles: &[Role], flags: &ServeFlags, environment: Environment) -> Outcome {
    let config = load_to_serve(flags, environment)?;
    let roles = if roles.is_empty() { Role::ALL.into() } else { roles.iter().copied().collect() };
    run(Plan { config, roles }, false)
}

/// Runs everything, with a sample sale.
pub fn demo(flags: &ServeFlags, environment: Environment) -> Outcome {
    let config = load_to_serve(flags, environment)?;
    run(Plan { config, roles: HashSet::from(Role::ALL) }, true)
}

/// Brings the stores of the data folder to this version's form.
pub fn migrate(flags: &ConfigFlags, environment: Environment) -> Outcome {
    let config = load(flags, environment)?;
    let done = block_on(async { wiring::migrate(&config).await.map_err(Halt::from) })?;
    done.iter().try_for_each(|line| say(line))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a line for the user; that nobody reads it is no reason to stop serving.
fn announce(line: &str) {
    drop(say(line));
}

fn run(plan: Plan, with_sample: bool) -> Outcome {
    telemetry::start(&plan.config.log);
    if plan.roles.contains(&Role::Gateway) {
        crate::preflight::check(&plan.config)?;
    }
    block_on(async {
        let node = Node::start(plan).await?;
        let sample = if with_sample { Some(sample(&node).await?) } else { None };
        announce(&format!("listening on http://{}", node.address));
        if let Some(sale) = sample {
            let url = &node.public_url;
            announce(&format!("the sample sale opens in 20 seconds: {url}/s/{sale}"));
            announce(&format!("the operator's console:              {}", node.console_url));
        }
        if let Some(address) = &node.admin_address {
            complain(&format!("the operator's endpoints are at http://{address}"));
            tracing::info!(%address, "the operator's endpoints have a listener of their own");
        }
        if let Some(file) = &node.token_file {
            complain(&format!("the operator's token is in {}", file.display()));
        }
        let mut asked = Asked::new()?;
        let failure = tokio::select! {
            () = asked.heard() => None,
            failure = node.failure() => Some(failure),
        };
        tokio::select! {
            () = node.stop() => {}
            _ = asked.interrupt.recv() => {
                return Err(Halt::Said("interrupted again: requests under way did not finish".to_owned()));
            }
        }
        match failure {
            Some(failure) => Err(failure.into()),
            None => Ok(ExitCode::SUCCESS),
        }
    })
}

/// The signals that end the program.
struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    fn new() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|error| format!("cannot wait for signals: {error}"));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for SIGTERM or SIGINT.
    async fn heard(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("stopping: requests under way finish first");
    }
}

/// Creates the sample sale under the next free name; gives the name.
async fn sample(node: &Node) -> Result<SaleId, String> {
    let system = node.system.as_ref().ok_or("the demo needs every role")?;
    let mut body = sale_file::read("sales/demo.toml", SAMPLE).map_err(|mistakes| mistakes.to_string())?;
    let starts_at = system.stores.clock.now().plus_millis(LEAD_MS);
    body["starts_at"] = starts_at.to_string().into();
    let operator = Operator::new(system.stores.clone(), std::sync::Arc::clone(&system.catalog));
    for number in 1_u32.. {
        let name = if number == 1 { "demo".to_owned() } else { format!("demo-{number}") };
        body["sale_id"] = name.into();
        let sale =
            sale_form::sale(&body).map_err(|problem| format!("the sample sale is not right: {problem:?}"))?;
        let id = sale.sale_id.clone();
        let created = operator.create("demo", sale).await.map_err(|fault| fault.to_string())?;
        if created == Created::Created {
            return Ok(id);
        }
    }
    Err("every name for the sample sale is taken".to_owned())
}
