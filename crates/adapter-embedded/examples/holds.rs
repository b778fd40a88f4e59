//! Measures durable holds a second of the embedded inventory alone: batches of 512, four under way, one shard.
//!
//! `cargo run --release -p adapter-embedded --example holds -- [SECONDS]`

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use adapter_embedded::{Embedded, Options};
use domain::fence::Position;
use domain::hold::{HoldRequest, Intent, Terms};
use domain::id::{IdSecret, IdempotencyKey, ProductId, ProductNo, SaleId, ShardId, UserId};
use domain::money::Money;
use domain::product::Product;
use domain::sale::{Mode, Sale};
use domain::time::Timestamp;
use ports::claims::ClaimLog;
use ports::clock::{Clock, SystemClock};
use ports::inventory::{Inventory, Rebuild};
use ports::ledger::Terms as ShardTerms;
use ports::sales::Sales;

const BATCH: usize = 512;
const UNDER_WAY: usize = 4;
const STOCK: u32 = 16_000_000;

fn sale(id: &SaleId) -> Option<Sale> {
    let product = Product {
        product_id: ProductId::parse("p").ok()?,
        name: "P".into(),
        description: String::new(),
        image_url: None,
        price: Money::parse("1.00", "EUR").ok()?,
        compare_at: None,
        stock: STOCK,
        max_per_user: 1,
    };
    Some(Sale {
        sale_id: id.clone(),
        name: "S".into(),
        description: String::new(),
        message: String::new(),
        starts_at: Timestamp::EPOCH,
        ends_at: Timestamp::MAX,
        mode: Mode::Rush,
        hold_ms: 300_000,
        extension_ms: 0,
        challenge: domain::challenge::ChallengeRule::Never,
        shards: 1,
        paused: false,
        products: vec![product],
        revision: 0,
    })
}

async fn open(store: &Embedded, shard: &ShardId) -> Result<(), ports::Fault> {
    let term = store.fence(shard).await?;
    store.set_fence(shard, term.epoch, store.end(shard).await?).await?;
    let snapshot = store.snapshot(shard, term.epoch).await?;
    let Some(snapshot) = snapshot else { return Err(ports::Fault::Closed(shard.clone())) };
    let key = store.begin(shard, term.epoch).await?;
    store.load(shard, key, 0, snapshot).await?;
    Rebuild::open(store, shard, key, 1).await?;
    store.opened(shard, term.epoch).await.map(drop)
}

/// Batches of distinct users, made beforehand: hashing is the caller's work.
fn batches(ids: &IdSecret, sale: &SaleId, from: usize, count: usize) -> Vec<Vec<HoldRequest>> {
    let request = |number: usize| {
        let user_id = UserId::parse(&format!("user-{number}")).ok()?;
        let user = ids.user(sale, &user_id);
        let key = IdempotencyKey::parse("k").ok()?;
        let ticket = ids.ticket(sale, user, &key);
        Some(HoldRequest {
            claim: ticket,
            ticket,
            user,
            user_id,
            terms: Terms { product: ProductNo(0), quantity: 1 },
            limit: 1,
            intent: Intent::Take,
        })
    };
    (0..count).map(|batch| (0..BATCH).filter_map(|at| request(from + batch * BATCH + at)).collect()).collect()
}

/// User and system time of this process, seconds: fields 14 and 15 of `/proc/self/stat` in ticks of a hundredth.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .into_iter()
        .flat_map(str::split_whitespace)
        .skip(11)
        .take(2)
        .filter_map(|f| f.parse().ok())
        .collect();
    fields.iter().sum::<f64>() / 100.0
}

async fn run(seconds: u64) -> Result<String, String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let options = Options {
        dir: dir.path().to_path_buf(),
        clock: Arc::clone(&clock),
        address_deadline_ms: 900_000,
        secret: Some([7; 32]),
    };
    let store = Embedded::open(options).map_err(|error| error.to_string())?;
    let id = SaleId::parse("s").map_err(|error| error.to_string())?;
    let said = |fault: ports::Fault| fault.to_string();
    store.create(sale(&id).ok_or("the sale is not right")?).await.map_err(said)?;
    let shard = ShardId { sale: id.clone(), number: 0 };
    open(&store, &shard).await.map_err(said)?;
    let ids = IdSecret::new([7; 32]);
    let (mut held, mut spent, mut cpu, mut next) = (0, Duration::ZERO, 0.0, 0);
    while spent < Duration::from_secs(seconds) && held + 64 * BATCH < STOCK as usize {
        let made = batches(&ids, &id, next, 64);
        next += 64 * BATCH;
        let (began, cpu_before) = (clock.elapsed(), cpu_s());
        let mut under_way = futures::stream::FuturesUnordered::new();
        for batch in made {
            under_way.push(store.hold(&shard, batch));
            if under_way.len() >= UNDER_WAY {
                held += taken(futures::StreamExt::next(&mut under_way).await)?;
            }
        }
        while let Some(outcomes) = futures::StreamExt::next(&mut under_way).await {
            held += taken(Some(outcomes))?;
        }
        spent += clock.elapsed().saturating_sub(began);
        cpu += cpu_s() - cpu_before;
    }
    let end = store.end(&shard).await.map_err(said)?;
    if end != Position(held as u64) {
        return Err(format!("{held} holds were answered and {} are in the log", end.0));
    }
    store.close();
    let rate = held as f64 / spent.as_secs_f64();
    Ok(format!(
        "durable holds by the inventory alone: {rate:.0} a second, {:.2} CPU µs a hold ({held} holds in batches of {BATCH}, {UNDER_WAY} under way, {:.1} s)",
        cpu / held as f64 * 1e6,
        spent.as_secs_f64()
    ))
}

fn taken(outcomes: Option<Result<Vec<domain::hold::HoldOutcome>, ports::Fault>>) -> Result<usize, String> {
    let outcomes = outcomes.ok_or("nothing is under way")?.map_err(|fault| fault.to_string())?;
    let held =
        outcomes.iter().filter(|outcome| matches!(outcome, domain::hold::HoldOutcome::Held { .. })).count();
    if held == outcomes.len() { Ok(held) } else { Err("a hold was refused".to_owned()) }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints what it measured")]
fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured =
        runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(run(seconds)));
    match measured {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
