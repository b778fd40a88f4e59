//! `tzero rehearse`: a herd of buyers against a running system.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use rehearsal::{Arrival, Plan, Preset, Progress, Watcher};
use tokio_util::sync::CancellationToken;

use super::client::token;
use super::{Environment, Outcome, ServerFlags, block_on, complain, sale_id, say};

/// How often progress is told where there is no terminal to draw on, seconds.
const TELL_EVERY_S: u64 = 3;

/// A rehearsal that is ready to run.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PresetName {
    /// A few seconds: 50 units, 1,000 buyers
    Quick,
    /// 1,000 units, 100,000 buyers who all click twice
    Drop,
    /// One unit, 1,000 buyers, holds that lapse
    LastUnit,
}

/// What to rehearse. Flags override the preset.
#[derive(Debug, Args)]
pub struct RehearseFlags {
    /// A rehearsal that is ready to run
    #[arg(long, value_enum, default_value = "quick")]
    preset: PresetName,
    /// An existing sale, as it is; a new one is made by default
    #[arg(long, value_parser = sale_id, conflicts_with_all = ["stock", "max_per_user", "hold_ms", "challenge"])]
    sale: Option<String>,
    /// Units of the new sale
    #[arg(long)]
    stock: Option<u32>,
    /// Distinct buyers
    #[arg(long)]
    buyers: Option<u32>,
    /// Share of the buyers who are hostile instead, from 0 to 0.9, in eight kinds that take turns: accounts from one network,
    /// replayed and forged sessions, unsolved challenges, hammering, slow bodies, oversized headers, connections that say
    /// nothing. They are reported apart; the run fails where they get more units than their share and chance explain
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    hostile: f64,
    /// Units that one buyer of the new sale may have
    #[arg(long)]
    max_per_user: Option<u8>,
    /// Hold of the new sale, milliseconds
    #[arg(long)]
    hold_ms: Option<u64>,
    /// Whom the new sale asks for a challenge: never, suspects or always
    #[arg(long, value_name = "WHOM")]
    challenge: Option<String>,
    /// Buyers come evenly over this time instead of all at T-zero, milliseconds
    #[arg(long)]
    ramp_ms: Option<u64>,
    /// Share of buyers who click twice, from 0 to 1
    #[arg(long)]
    double_click: Option<f64>,
    /// Share who send the same request again when they have their ticket
    #[arg(long)]
    panic_retry: Option<f64>,
    /// Share of ticket holders whose payment is declined first
    #[arg(long)]
    decline: Option<f64>,
    /// Share of ticket holders who do nothing more
    #[arg(long)]
    abandon: Option<f64>,
    /// Share of ticket holders who give up
    #[arg(long)]
    cancel: Option<f64>,
    /// Share of ticket holders who pay when the hold has just ended
    #[arg(long)]
    late: Option<f64>,
    /// Buyers who find everything held do not try again
    #[arg(long)]
    no_persist: bool,
    /// Connections at once
    #[arg(long)]
    connections: Option<u32>,
    /// Connect from 127.0.0.1 to 127.0.0.N
    #[arg(long, value_name = "N")]
    source_addresses: Option<u8>,
    /// Longest run after T-zero, milliseconds; tickets whose hold still runs then count as still open
    #[arg(long)]
    limit_ms: Option<u64>,
    /// How long after its hold's end a ticket may still be open: expiration.grace_ms of the system, milliseconds
    #[arg(long)]
    grace_ms: Option<u64>,
    /// Where chances begin: the same seed gives the same herd
    #[arg(long)]
    seed: Option<u64>,
    /// Where the operator's endpoints are, if not at --url
    #[arg(long, value_name = "URL")]
    admin_url: Option<String>,
    /// Writes the report as JSON into this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    server: ServerFlags,
}

fn set<T>(member: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *member = value;
    }
}

fn plan(flags: &RehearseFlags, environment: &Environment) -> Plan {
    let preset = match flags.preset {
        PresetName::Quick => Preset::Quick,
        PresetName::Drop => Preset::Drop,
        PresetName::LastUnit => Preset::LastUnit,
    };
    let mut plan = Plan::preset(preset, &flags.server.url);
    plan.admin_url.clone_from(&flags.admin_url);
    plan.admin_token = token(&flags.server.data, environment);
    plan.sale.clone_from(&flags.sale);
    set(&mut plan.stock, flags.stock);
    set(&mut plan.buyers, flags.buyers);
    set(&mut plan.max_per_user, flags.max_per_user);
    set(&mut plan.hold_ms, flags.hold_ms);
    set(&mut plan.challenge, flags.challenge.clone());
    set(&mut plan.arrival, flags.ramp_ms.map(|over_ms| Arrival::Ramp { over_ms }));
    set(&mut plan.double_click, flags.double_click);
    set(&mut plan.panic_retry, flags.panic_retry);
    set(&mut plan.decline, flags.decline);
    set(&mut plan.abandon, flags.abandon);
    set(&mut plan.cancel, flags.cancel);
    set(&mut plan.late, flags.late);
    set(&mut plan.connections, flags.connections);
    set(&mut plan.source_addresses, flags.source_addresses);
    set(&mut plan.limit_ms, flags.limit_ms);
    set(&mut plan.grace_ms, flags.grace_ms);
    set(&mut plan.seed, flags.seed);
    plan.hostile = flags.hostile;
    plan.persist &= !flags.no_persist;
    plan
}

/// Shows progress on standard error: a bar on a terminal, elsewhere a line every few seconds.
struct Bar {
    bar: ProgressBar,
    /// The second from which the next line is due; `None` on a terminal.
    due_s: Option<AtomicU64>,
}

impl Bar {
    fn new(buyers: u32) -> Self {
        let bar = ProgressBar::new(u64::from(buyers));
        if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:30} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let drawn = std::io::stderr().is_terminal();
        if drawn {
            bar.enable_steady_tick(Duration::from_millis(250));
        }
        Self { bar, due_s: (!drawn).then(AtomicU64::default) }
    }
}

impl Watcher for Bar {
    fn note(&self, text: &str) {
        self.bar.suspend(|| complain(text));
    }

    fn progress(&self, progress: &Progress) {
        let message = format!(
            "{}; answered {}, tickets {}, confirmed {}",
            progress.phase, progress.answered, progress.accepted, progress.confirmed
        );
        let Some(due_s) = &self.due_s else {
            self.bar.set_length(progress.total);
            self.bar.set_position(progress.done);
            return self.bar.set_message(message);
        };
        let now_s = self.bar.elapsed().as_secs();
        if now_s >= due_s.load(Ordering::Relaxed) {
            due_s.store(now_s + TELL_EVERY_S, Ordering::Relaxed);
            complain(&format!("{now_s} s: {} of {} {message}", progress.done, progress.total));
        }
    }
}

/// Descriptors that a herd needs besides its connections.
const RESERVED: u64 = 64;

/// Whether this process may have as many connections as the plan wants.
fn enough_descriptors(plan: &Plan) -> Result<(), String> {
    let wanted = plan.most_connections() + RESERVED;
    match crate::descriptors::raise() {
        // Hostile buyers have three connections for two of the others.
        Some(allowed) if allowed < wanted => Err(format!(
            "--connections: must be at most {} here, because a process may have {allowed} files open (ulimit -Hn)",
            if plan.hostile > 0.0 {
                allowed.saturating_sub(RESERVED) * 2 / 5
            } else {
                allowed.saturating_sub(RESERVED)
            }
        )),
        _ => Ok(()),
    }
}

/// The report's file, opened before the run: what it costs is not lost for a mistyped folder.
fn report_file(path: &Path) -> Result<(String, File), String> {
    let name = path.display().to_string();
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    file.map_err(|error| format!("--report: cannot write {name}: {error}")).map(|file| (name, file))
}

/// Runs `tzero rehearse`: success only without a violation.
pub fn run(flags: &RehearseFlags, environment: &Environment) -> Outcome {
    let plan = plan(flags, environment);
    enough_descriptors(&plan)?;
    let mut file = flags.report.as_deref().map(report_file).transpose()?;
    let watcher = Bar::new(plan.buyers);
    let stop = CancellationToken::new();
    let report = block_on(async {
        let running = rehearsal::run(plan, &watcher, stop.clone());
        let mut running = std::pin::pin!(running);
        let ended = tokio::select! {
            ended = &mut running => ended,
            _ = tokio::signal::ctrl_c() => {
                stop.cancel();
                complain("stopping; interrupt again to end at once, without a report");
                tokio::select! {
                    ended = running => ended,
                    _ = tokio::signal::ctrl_c() => return Err("interrupted".to_owned()),
                }
            }
        };
        ended.map_err(|fault| fault.to_string())
    });
    watcher.bar.finish_and_clear();
    let report = report?;
    say(&report.text())?;
    if let Some((name, file)) = &mut file {
        let written = file.set_len(0).and_then(|()| writeln!(file, "{:#}", report.to_json()));
        written.map_err(|error| format!("--report: cannot write {name}: {error}"))?;
    }
    if report.violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    complain("the rehearsal found violations");
    Ok(ExitCode::FAILURE)
}
