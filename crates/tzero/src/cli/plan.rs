//! `tzero plan`: what a herd needs, and whether the sale can be sold as it is set up.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use domain::sale::Sale;
use gateway::admin::sale_form;
use serde_json::Value;

use super::configuration::load;
use super::{ConfigFlags, Environment, Outcome, block_on, complain, say};
use crate::config::{Config, Issuer, sale_file};
use crate::descriptors;
use crate::files;
use crate::plan::address::Rates;
use crate::plan::costs::{Cost, Costs};
use crate::plan::herd::{Herd, Load, Pauses, orders_of};
use crate::plan::judge::{Case, judge};
use crate::plan::needs::{Goods, Place, needs};
use crate::plan::report::Report;
use crate::plan::{forged, measure};

/// Bytes of the longest file of costs.
const LONGEST_COSTS: u64 = 1 << 20;
/// The exit code where the sale cannot go well.
const IMPOSSIBLE: u8 = 2;

/// What is measured, and what the exit codes mean.
pub const AFTERWARDS: &str = "\
Costs are measured on this machine, which takes about two seconds: a program of this build answers a small herd on \
loopback, with its journal in a temporary folder. Whatever cannot be measured so comes from the file given with --costs, \
or else from BENCHMARKS.md, and each figure says where it is from. Measure with a release build, on a machine like those \
that will serve, with nothing else running.

Exit codes:
  0  possible, perhaps with warnings
  1  the plan could not be made
  2  impossible as it is set up (or the command line is not understood)";

/// What to plan.
#[derive(Debug, Args)]
pub struct PlanFlags {
    /// The sale's file, as for 'tzero sale create'; see sales/ for samples
    sale: PathBuf,
    /// Distinct buyers who come at T-zero
    #[arg(long, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    buyers: u32,
    /// How many times a buyer presses Buy, on average; a press again after a refusal is one
    #[arg(long, allow_negative_numbers = true, default_value = "3", value_name = "N", value_parser = presses)]
    presses: f64,
    /// Over which time all presses come evenly, seconds; below 1, all come in the busiest second
    #[arg(long, allow_negative_numbers = true, default_value = "1", value_name = "SECONDS", value_parser = seconds)]
    ramp: f64,
    /// Units of an order
    #[arg(long, allow_negative_numbers = true, default_value = "1", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    units: u8,
    /// Connections to the gateways that a buyer keeps open, on average; below 1 where a proxy or CDN shares them
    #[arg(long, allow_negative_numbers = true, default_value = "1", value_name = "N", value_parser = connections)]
    connections_per_buyer: f64,
    /// Pause between two looks of a ticket holder at their status, seconds; by default as long as the program tells them,
    /// which grows with how many look
    #[arg(long, allow_negative_numbers = true, value_name = "SECONDS", value_parser = pause)]
    poll: Option<f64>,
    /// Share of the ticket holders who pay, from 0.01 to 1
    #[arg(long, allow_negative_numbers = true, default_value = "0.9", value_name = "SHARE", value_parser = share)]
    pay_share: f64,
    /// Payment sessions a second that the provider takes; by default only processor.rate_per_s is known
    #[arg(long, allow_negative_numbers = true, value_name = "PER_S", value_parser = positive)]
    provider_rate: Option<f64>,
    /// How long one call to the provider takes, milliseconds; with processor.concurrency it bounds the rate
    #[arg(long, allow_negative_numbers = true, value_name = "MS", value_parser = positive)]
    provider_ms: Option<f64>,
    /// Processes with the role 'processor', each at processor.rate_per_s; more than one needs the stores of a fleet
    #[arg(long, allow_negative_numbers = true, default_value = "1", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    processors: u16,
    /// Share of a core that is to be busy at most, from 0.01 to 1: the rest is for what cannot be planned
    #[arg(long, allow_negative_numbers = true, default_value = "0.6", value_name = "SHARE", value_parser = share)]
    busy: f64,
    /// Costs that count before all others, as 'cargo xtask bench --costs FILE' writes them
    #[arg(long, value_name = "FILE")]
    costs: Option<PathBuf>,
    /// Measures nothing: only the costs of --costs and of BENCHMARKS.md count
    #[arg(long)]
    no_measure: bool,
    /// Prints the whole plan as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let right = || format!("must be a number from {least} to {most}");
    text.parse().ok().filter(|number| (least..=most).contains(number)).ok_or_else(right)
}

fn presses(text: &str) -> Result<f64, String> {
    within(text, 1.0, 10_000.0)
}

fn seconds(text: &str) -> Result<f64, String> {
    within(text, 0.0, 86_400.0)
}

fn connections(text: &str) -> Result<f64, String> {
    within(text, 0.0001, 100.0)
}

fn pause(text: &str) -> Result<f64, String> {
    within(text, 0.1, 3_600.0)
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 0.01, 1.0)
}

fn positive(text: &str) -> Result<f64, String> {
    within(text, 0.001, 10_000_000.0)
}

/// Runs `tzero plan`: success only where nothing is impossible.
pub fn run(flags: &PlanFlags, environment: Environment) -> Outcome {
    let config = load(&flags.config, environment)?;
    let sale = sale(&flags.sale)?;
    let stocks: Vec<u32> = sale.products.iter().map(|product| product.stock).collect();
    let supply = orders_of(&stocks, flags.units);
    check(flags, &config, &sale, supply)?;
    let costs = costs(flags, &config)?;
    let herd = flags.herd();
    let goods = Goods {
        supply,
        hold_s: sale.hold_ms as f64 / 1e3,
        lasts_s: sale.ends_at.millis_since(sale.starts_at) as f64 / 1e3,
        shards: sale.shards,
    };
    let place = flags.place(&config);
    let pauses = Pauses {
        min_s: config.status.poll_min_ms as f64 / 1e3,
        max_s: config.status.poll_max_ms as f64 / 1e3,
        calm_per_s: gateway::edge::POLLS_PER_S as f64,
    };
    let load = Load::of(&herd, supply, &pauses);
    let needs = needs(&herd, &load, &goods, &place, &costs);
    let findings = judge(&Case { herd: &herd, load: &load, goods: &goods, place: &place, needs: &needs });
    let report = Report { sale: sale.sale_id.to_string(), costs, needs, findings };
    if flags.json {
        say(&report.to_json().to_string())?
    } else {
        say(&report.text())?
    }
    if report.is_possible() {
        return Ok(ExitCode::SUCCESS);
    }
    complain("this sale cannot go well as it is set up");
    Ok(ExitCode::from(IMPOSSIBLE))
}

fn sale(file: &Path) -> Result<Sale, String> {
    let name = file.display().to_string();
    let text = files::read_text(file, sale_file::LONGEST).map_err(|wrong| format!("{name} {wrong}"))?;
    let body = sale_file::read(&name, &text).map_err(|mistakes| mistakes.to_string())?;
    sale_form::sale(&body).map_err(|problem| {
        let told: Option<Value> = serde_json::from_str(&problem.whole(&name).body).ok();
        let detail = told.as_ref().and_then(|told| told.get("detail")).and_then(Value::as_str);
        format!("{name}: {}", detail.unwrap_or("the sale is not right"))
    })
}

/// What flags, configuration and sale must be to each other.
fn check(flags: &PlanFlags, config: &Config, sale: &Sale, supply: u64) -> Result<(), String> {
    let strict = sale.products.iter().find(|product| product.max_per_user < flags.units);
    if let Some(product) = strict {
        let (id, most) = (&product.product_id, product.max_per_user);
        return Err(format!("--units: must be at most {most}, the max_per_user of the product {id}"));
    }
    if supply == 0 {
        let name = flags.sale.display();
        return Err(format!(
            "{name}: products: no product has a stock of {} or more: there is nothing to sell",
            flags.units
        ));
    }
    if flags.processors > 1 && !config.has_fleet_stores() {
        return Err("--processors: must be 1, since the embedded stores serve one process; more need the stores of a fleet \
             (redis.nodes, kafka.brokers, postgres.url)"
            .to_owned());
    }
    Ok(())
}

/// What is known of costs: the file's figures first, then this machine's, then those of other machines.
fn costs(flags: &PlanFlags, config: &Config) -> Result<Costs, String> {
    let given = match &flags.costs {
        None => Costs::default(),
        Some(file) => {
            let name = file.display().to_string();
            let text = files::read_text(file, LONGEST_COSTS);
            let text = text.map_err(|wrong| format!("--costs: {name} {wrong}"))?;
            Costs::read(&name, &text).map_err(|wrong| format!("--costs: {wrong}"))?
        }
    };
    let mut here = Costs::default();
    if !flags.no_measure {
        if cfg!(debug_assertions) {
            complain("this is a debug build: what it measures is several times what a release build costs");
        }
        let measured = block_on(measure::here());
        here =
            measured.map_err(|wrong| format!("cannot measure here ({wrong}); --no-measure plans without"))?;
        if let Some(cpu) = forged::cpu_us(config)? {
            here.set(
                Cost::SessionCpu,
                cpu,
                "measured now on this machine: forged sessions under the shop's key",
            );
        }
    }
    Ok(given.or(here).or(Costs::elsewhere()?))
}

impl PlanFlags {
    const fn herd(&self) -> Herd {
        Herd {
            buyers: self.buyers,
            presses: self.presses,
            ramp_s: self.ramp,
            units: self.units,
            connections: self.connections_per_buyer,
            poll_s: self.poll,
            pay_share: self.pay_share,
        }
    }

    fn place(&self, config: &Config) -> Place {
        let limits = &config.limits;
        let most = config.server.max_connections;
        let descriptors = descriptors::allowed();
        let processors = f64::from(self.processors);
        let sandbox =
            Some(config.sandbox.rate_limit_per_s).filter(|rate| config.payments.is_here() && *rate > 0.0);
        Place {
            fleet: config.has_fleet_stores(),
            signed: config.sessions.issuer == Issuer::Jwt,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            descriptors,
            room: descriptors.map_or(most, |allowed| most.min(descriptors::room(allowed))),
            busy: self.busy,
            sale_per_s: Some(limits.sale_per_s).filter(|rate| *rate > 0.0),
            user_burst: (limits.user_per_s > 0.0).then_some(limits.user_burst),
            answer_s: limits.checkout_deadline_ms as f64 / 1e3,
            deadline_s: config.processor.payment_address_deadline_ms as f64 / 1e3,
            rates: Rates {
                configured: config.processor.rate_per_s * processors,
                provider: self.provider_rate.or(sandbox),
                calls: config.processor.concurrency as f64 * processors,
                call_s: self.provider_ms.map(|took| took / 1e3),
            },
        }
    }
}
