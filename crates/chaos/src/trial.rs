//! One drop on a fleet of its own, disturbed by faults one after another, and judged when it is over.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rehearsal::{Arrival, Gauge, Plan, Preset, Progress, Watcher};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::clock::Clocks;
use crate::deed;
use crate::fault::{Allowed, Deed, Fault, Selling};
use crate::fleet::{Fleet, Setting, TOKEN};
use crate::judge::{self, Scene};
use crate::redis_deeds;
use crate::report::{Disturbance, Trial};
use crate::stage::{Moment, Stage};
use crate::stores::Stores;
use crate::watch::{Probe, Seen, State, Watch};

/// From the end of one fault to the next one, and before the first.
const QUIET: Duration = Duration::from_secs(2);
/// Buyers of the rush, a second.
const RUSH_PER_S: u64 = 2_000;
/// How long the rest of a sale may take once the rush has come.
const REST: Duration = Duration::from_secs(300);
/// How often progress is told, seconds.
const TELL_EVERY_S: u64 = 5;
/// How long the herd's sale may take to appear.
const APPEARS: Duration = Duration::from_secs(120);

/// The drops of this run so far.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// How large a drop is, and how it is watched.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Units.
    pub stock: u32,
    /// Distinct buyers.
    pub buyers: u32,
    /// From when on an answer is late.
    pub limit: Duration,
    /// Where chances begin.
    pub seed: u64,
}

/// Where drops take place.
pub struct World {
    /// `tzero`.
    pub program: PathBuf,
    /// Another version of it, with which a drop begins that upgrades it.
    pub previous: Option<PathBuf>,
    /// What makes clocks wrong, where it is there.
    pub clocks: Result<Clocks, String>,
    /// The stores.
    pub stores: Stores,
    /// Where data and logs go.
    pub folder: PathBuf,
    /// For everything but the herd.
    pub http: reqwest::Client,
}

/// Tells how a herd fares, on standard output.
struct Teller(AtomicU64, Arc<Gauge>);

impl Watcher for Teller {
    fn progress(&self, progress: &Progress) {
        let now_s = self.1.elapsed().as_secs();
        if now_s >= self.0.load(Ordering::Relaxed) {
            self.0.store(now_s + TELL_EVERY_S, Ordering::Relaxed);
            crate::say(&format!(
                "  {now_s:>5} s  {}: {} of {}, answered {}, tickets {}, confirmed {}",
                progress.phase,
                progress.done,
                progress.total,
                progress.answered,
                progress.accepted,
                progress.confirmed
            ));
        }
    }
}

/// The herd: seven tenths of the stock are asked for evenly while faults last, so that there is something to sell at every
/// kill; everybody else comes when they are over.
fn plan(fleet: &Fleet, faults: &[&Fault], scale: &Scale) -> Plan {
    let seconds: u64 = faults.iter().map(|fault| fault.seconds + fault.seconds / 5 + QUIET.as_secs()).sum();
    let first = (u64::from(scale.stock) * 7 / 10).min(u64::from(scale.buyers)) as u32;
    let (over_ms, rest) = (seconds * 1_000, u64::from(scale.buyers - first));
    let then_ms = (rest * 1_000 / RUSH_PER_S).max(2_000);
    let [url, others @ ..] = fleet.gateways.as_slice() else { return Plan::preset(Preset::Quick, "") };
    Plan {
        other_urls: others.to_vec(),
        admin_token: Some(TOKEN.to_owned()),
        stock: scale.stock,
        buyers: scale.buyers,
        hold_ms: 10_000,
        arrival: Arrival::Gate { first, over_ms, then_ms },
        double_click: 0.5,
        panic_retry: 0.5,
        connections: 400,
        lead_ms: 3_000,
        limit_ms: over_ms * 2 + then_ms + REST.as_millis() as u64,
        disturbed: true,
        seed: scale.seed,
        ..Plan::preset(Preset::Quick, url)
    }
}

const KEYS: &[&str] = &[
    "postgres.connections=4",
    "limits.user_per_s=0",
    "limits.network_per_s=0",
    "expiration.grace_ms=1000",
    "payments.timeout_ms=3000",
];

/// Sells one drop while `faults` happen, in this order.
pub async fn run(world: &World, name: &str, faults: &[&'static Fault], scale: &Scale) -> Trial {
    let mut trial = Trial::new(name, scale);
    if let Err(reason) = sell(world, faults, scale, &mut trial).await {
        trial.violations.push(reason);
    }
    trial
}

async fn sell(
    world: &World,
    faults: &[&'static Fault],
    scale: &Scale,
    trial: &mut Trial,
) -> Result<(), String> {
    let gauge = Arc::new(Gauge::new(scale.limit));
    let folder = world.folder.join(&trial.name);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Names of keys and databases are short, and the stores may have seen a run before.
    let named = format!("chaos-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let database = world.stores.database(&named.replace('-', "_")).await?;
    let settings = folder.join("stores.toml");
    std::fs::write(&settings, configuration(&world.stores, &database, &named))
        .map_err(|error| format!("{}: {error}", settings.display()))?;
    let keys: Vec<String> = KEYS.iter().map(|key| (*key).to_owned()).collect();
    let upgrades = faults.iter().any(|fault| fault.deed == Deed::Upgrade);
    let program = world.previous.as_ref().filter(|_| upgrades).unwrap_or(&world.program);
    let setting = Setting { program, folder: &folder, stores: &settings, keys: &keys };
    let mut fleet = Fleet::start(&setting, Arc::clone(&gauge)).await?;
    let plan = plan(&fleet, faults, scale);
    let (seen, teller) = (Seen::default(), Teller(AtomicU64::new(0), Arc::clone(&gauge)));
    let herd = rehearsal::run_gauged(plan, Arc::clone(&gauge), &teller, CancellationToken::new());
    let disturbing = async {
        let done = disturb(world, &mut fleet, (&gauge, &seen, &named), faults, trial).await;
        gauge.open_gate();
        done
    };
    let (report, disturbed) = tokio::join!(herd, disturbing);
    trial.violations.extend(fleet.missing());
    match (report, disturbed) {
        (Ok(report), Ok(sale)) => {
            let scene = Scene { world, fleet: &fleet, gauge: &gauge, database: &database, sale: &sale };
            judge::judge(&scene, &format!("tz:{named}:{{{sale}.0}}"), report, faults, trial).await;
        }
        (report, disturbed) => {
            trial.violations.extend(report.err().map(|fault| format!("no herd: {fault}")));
            trial.violations.extend(disturbed.err());
        }
    }
    fleet.stop().await;
    Ok(())
}

fn configuration(stores: &Stores, database: &str, name: &str) -> String {
    let list = |addresses: &[String]| Value::from(addresses.to_vec()).to_string();
    format!(
        "[redis]\nnodes = {}\n[kafka]\nbrokers = {}\n[postgres]\nurl = \"{database}\"\n[fleet]\nname = \"{name}\"\n",
        list(&stores.redis),
        list(&stores.kafka)
    )
}

/// Waits for the sale, lets the faults happen while it is watched, and gives the sale's name.
async fn disturb(
    world: &World,
    fleet: &mut Fleet,
    (gauge, seen, named): (&Gauge, &Seen, &str),
    faults: &[&'static Fault],
    trial: &mut Trial,
) -> Result<String, String> {
    let gateways = fleet.gateways.clone();
    let sale = tokio::time::timeout(APPEARS, sale(&world.http, &gateways, gauge)).await;
    let sale = sale.map_err(|_| "no sale appeared, or nobody got a ticket".to_owned())?;
    let root = format!("tz:{named}:{{{sale}.0}}");
    let watch = Watch { http: &world.http, gateways: &gateways, gauge, sale: &sale, seen };
    let stop = CancellationToken::new();
    let mut stage = Stage {
        fleet,
        program: &world.program,
        previous: world.previous.as_deref(),
        clocks: world.clocks.as_ref(),
        stores: &world.stores,
        gauge,
        seen,
        http: &world.http,
        root: &root,
        moments: Vec::new(),
    };
    let happening = async {
        for fault in faults {
            tokio::time::sleep(QUIET).await;
            let disturbance = happen(&mut stage, fault).await;
            crate::say(&format!("  {}", disturbance.line()));
            trial.disturbances.push(disturbance);
        }
        stop.cancel();
    };
    tokio::join!(happening, watch.run(&stop));
    Ok(sale)
}

/// The name of the fleet's one sale, once tickets are given.
async fn sale(http: &reqwest::Client, gateways: &[String], gauge: &Gauge) -> String {
    loop {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if gauge.since_accepted().is_none() {
            continue;
        }
        for gateway in gateways {
            let asked = http.get(format!("{gateway}/admin/v1/shards")).bearer_auth(TOKEN).send().await;
            let Ok(answer) = asked else { continue };
            let shards: Value = answer.json().await.unwrap_or_default();
            if let Some(sale) = shards["shards"][0]["sale_id"].as_str() {
                return sale.to_owned();
            }
        }
    }
}

/// One fault, and what was seen of it until selling went on.
async fn happen(stage: &mut Stage<'_>, fault: &'static Fault) -> Disturbance {
    crate::say(&format!("  {:>5} s  {}: {}", stage.gauge.elapsed().as_secs(), fault.name, fault.done));
    stage.moments.clear();
    let before = stage.gauge.elapsed();
    let mut violations = Vec::new();
    if let Err(reason) = deed::act(stage, fault.deed).await {
        violations.push(reason);
        mend(stage).await;
    }
    let over = stage.gauge.elapsed();
    if fault.deed != Deed::Nothing {
        violations.extend(stage.sells_again(over).await.err());
    }
    // From the first kill on: the wait for its moment is no part of the fault.
    let from = stage.moments.first().map_or(before, |moment: &Moment| Duration::from_secs_f64(moment.at_s));
    let until = stage.gauge.elapsed();
    let tickets = stage.gauge.accepted();
    let given = |from| tickets.iter().filter(|at| (from..over).contains(at)).count() as u64;
    let lasted = over.saturating_sub(from);
    let refused = |probe| stage.seen.refused(probe, from, until);
    let disturbance = Disturbance {
        fault: fault.name,
        from_s: from.as_secs_f64(),
        seconds: until.saturating_sub(from).as_secs_f64(),
        again_s: until.saturating_sub(over).as_secs_f64(),
        closed_s: stage.seen.lasted(State::Closed, from, until).as_secs_f64(),
        unknown_s: stage.seen.lasted(State::Unknown, from, until).as_secs_f64(),
        longest_pause_s: longest_pause(&tickets, from, until).as_secs_f64(),
        tickets_meanwhile: given(from),
        tickets_second_half: given(from + lasted / 2),
        pages_refused: refused(Probe::Page),
        statuses_refused: refused(Probe::Status),
        moments: std::mem::take(&mut stage.moments),
        violations,
    };
    disturbance.held_to(&fault.allowed, lasted)
}

impl Disturbance {
    /// Adds what the fault did not allow.
    fn held_to(mut self, allowed: &Allowed, lasted: Duration) -> Self {
        let lacking = match allowed.selling {
            Selling::GoesOn if self.tickets_meanwhile == 0 => Some("no ticket was given meanwhile"),
            Selling::GoesOnHalfway if self.tickets_second_half == 0 => {
                Some("no ticket was given in the second half of it")
            }
            Selling::GoesOn | Selling::GoesOnHalfway | Selling::MayCease => None,
        };
        // A short fault may fall between two buyers.
        self.violations.extend(lacking.filter(|_| lasted > Duration::from_secs(5)).map(str::to_owned));
        let refused =
            [(false, &self.pages_refused, "a page"), (allowed.statuses, &self.statuses_refused, "a status")];
        for (may, refused, what) in refused {
            if let Some(first) = refused.first().filter(|_| !may) {
                self.violations.push(format!("{what} was refused {} times, at first {first}", refused.len()));
            }
        }
        self
    }
}

/// The longest time without a new ticket within a span.
fn longest_pause(tickets: &[Duration], from: Duration, until: Duration) -> Duration {
    let within = tickets.iter().copied().filter(|at| (from..until).contains(at));
    let ends: Vec<Duration> = std::iter::once(from).chain(within).chain(std::iter::once(until)).collect();
    ends.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default()
}

/// Brings back what a deed that failed has left away, so that the next fault finds a whole system.
async fn mend(stage: &mut Stage<'_>) {
    for at in 1..=stage.stores.redis.len() {
        drop(stage.stores.signal(&format!("redis-{at}"), "CONT").await);
    }
    drop(stage.stores.signal("kafka", "CONT").await);
    redis_deeds::mend(stage).await;
    let mut mended = vec![stage.stores.services(&["up"]).await, stage.provider("{}").await];
    for (role, number) in stage.fleet.all() {
        if stage.fleet.has_ended(role, number) {
            mended.push(stage.fleet.restart(role, number).await);
        }
    }
    for reason in mended.into_iter().filter_map(Result::err) {
        crate::say(&format!("  not mended: {reason}"));
    }
}

#[cfg(test)]
#[path = "trial_tests.rs"]
mod tests;
