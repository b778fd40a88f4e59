//! Measures what the link costs: checkouts a second and CPU time of both ends over loopback, beside the same object called
//! directly, in one run. The object answers at once, so that nothing but the way to it is measured.
//!
//! `cargo run --release -p order-link --example round_trips -- [SECONDS]`

use std::collections::BTreeMap;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use domain::hold::{StockView, Terms};
use domain::id::{Epoch, IdempotencyKey, ProductId, ProductNo, SaleId, ShardId, TicketId, UserId};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use order_link::{Client, Limits, LinkKey, Options, serve};
use ports::Fault;
use ports::clock::{Clock, SystemClock};
use ports::dice::Dice;
use ports::orders::{CancelAnswer, Checkout, CheckoutAnswer, ExtendAnswer, Orders};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Checkouts under way at once.
const UNDER_WAY: [usize; 4] = [1, 16, 128, 1_024];
const GATEWAY: &str = "gateway-end";
const NODE: &str = "node-end";

/// Holds a unit for everybody, at once.
struct Generous(ShardId);

#[async_trait]
impl Orders for Generous {
    async fn checkout(&self, checkout: Checkout) -> Result<CheckoutAnswer, Fault> {
        let stamp = TicketStamp {
            ticket: TicketId([7; 16]),
            shard: self.0.clone(),
            epoch: Epoch(1),
            issued_at: Timestamp::from_millis(1_795_514_400_000),
        };
        let terms = Terms { product: ProductNo(0), quantity: checkout.quantity };
        let document = Box::new(StatusDocument::queued(stamp, terms));
        Ok(CheckoutAnswer::Accepted { document, replayed: false })
    }

    async fn status(&self, _: &TicketStamp) -> Result<Option<StatusDocument>, Fault> {
        Ok(None)
    }

    async fn wait(&self, _: &TicketStamp, _: u32) {}

    async fn cancel(&self, _: &TicketStamp) -> Result<CancelAnswer, Fault> {
        Ok(CancelAnswer::Unknown)
    }

    async fn extend(&self, _: &TicketStamp) -> Result<ExtendAnswer, Fault> {
        Ok(ExtendAnswer::Unknown)
    }

    fn view(&self, _: &SaleId, _: &ProductId) -> Option<StockView> {
        None
    }
}

struct Loaded;

impl Dice for Loaded {
    fn fraction(&self) -> f64 {
        0.5
    }
}

/// User and system time of this process's threads, seconds, by their name: fields 14 and 15 of `stat` in ticks of a
/// hundredth.
fn cpu_s() -> BTreeMap<String, f64> {
    let mut by_name = BTreeMap::new();
    for thread in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let Some((head, fields)) = stat.rsplit_once(')') else { continue };
        let name = head.split_once('(').map(|(_, name)| name.to_owned()).unwrap_or_default();
        let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
        *by_name.entry(name).or_default() += ticks.sum::<f64>() / 100.0;
    }
    by_name
}

fn runtime(name: &str) -> Result<Runtime, String> {
    let mut builder = Builder::new_multi_thread();
    let built = builder.worker_threads(1).thread_name(name).enable_all().build();
    built.map_err(|error| error.to_string())
}

/// Keeps so many checkouts under way for so long; says how many were answered.
async fn load(orders: Arc<dyn Orders>, checkout: Checkout, under_way: usize, time: Duration) -> u64 {
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut buyers = JoinSet::new();
    for _ in 0..under_way {
        let (orders, checkout) = (Arc::clone(&orders), checkout.clone());
        let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
        buyers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                if orders.checkout(checkout.clone()).await.is_ok() {
                    answered.fetch_add(1, Ordering::Relaxed);
                }
                tokio::task::consume_budget().await;
            }
        });
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    while buyers.join_next().await.is_some() {}
    answered.load(Ordering::Relaxed)
}

/// One row: checkouts a second, and CPU time of each end, microseconds a checkout.
fn row(
    gateway: &Runtime,
    way: &str,
    orders: &Arc<dyn Orders>,
    under_way: usize,
    time: Duration,
) -> Result<(), String> {
    let clock = SystemClock::start();
    let before = cpu_s();
    let loading = load(Arc::clone(orders), checkout()?, under_way, time);
    let answered = gateway.block_on(gateway.spawn(loading)).map_err(|error| error.to_string())? as f64;
    let (lasted, after) = (clock.elapsed().as_secs_f64(), cpu_s());
    let used = |end: &str| {
        let at = |times: &BTreeMap<String, f64>| times.get(end).copied().unwrap_or_default();
        (at(&after) - at(&before)) * 1e6 / answered
    };
    say(&format!(
        "{way:<10} {under_way:>9} {:>12.0} {:>16.2} {:>13.2}\n",
        answered / lasted,
        used(GATEWAY),
        used(NODE)
    ))
}

fn say(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())
}

fn shard() -> Result<ShardId, String> {
    Ok(ShardId { sale: SaleId::parse("drop").map_err(|refusal| refusal.to_string())?, number: 0 })
}

fn checkout() -> Result<Checkout, String> {
    Ok(Checkout {
        sale: shard()?.sale,
        user: UserId::parse("guest-0123456789abcdef").map_err(|refusal| refusal.to_string())?,
        product: ProductId::parse("sneaker-42").map_err(|refusal| refusal.to_string())?,
        key: IdempotencyKey::parse("0f9619ff-8b86-d011-b42d-00c04fc964ff").map_err(|r| r.to_string())?,
        quantity: 1,
        passed: false,
    })
}

fn run(time: Duration) -> Result<(), String> {
    let (gateway, node) = (runtime(GATEWAY)?, runtime(NODE)?);
    let shard = shard()?;
    let object: Arc<dyn Orders> = Arc::new(Generous(shard.clone()));
    let key = LinkKey::new([7; 32]);
    let stop = CancellationToken::new();
    let listener = node.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
    let listener = listener.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?.to_string();
    let (served, limits, stopped, node_key) =
        (Arc::clone(&object), Limits::default(), stop.clone(), key.clone());
    let clock = Arc::new(SystemClock::start());
    let serving = node.spawn(async move { serve(listener, served, &node_key, limits, clock, stopped).await });
    let client = gateway.block_on(async {
        let options = Options::new(vec![address]);
        Client::start(options, &key, move |_| shard.clone(), Arc::new(SystemClock::start()), Arc::new(Loaded))
    })?;
    gateway.block_on(client.ready());
    let client = Arc::new(client);
    let linked: Arc<dyn Orders> = client.clone();
    say("way        under way  checkouts/s  gateway µs each  node µs each\n")?;
    for under_way in UNDER_WAY {
        row(&gateway, "directly", &object, under_way, time)?;
        row(&gateway, "linked", &linked, under_way, time)?;
    }
    stop.cancel();
    gateway.block_on(client.close(time));
    node.block_on(serving).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    match run(Duration::from_secs(seconds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(std::io::stderr().write_all(format!("{error}\n").as_bytes()));
            ExitCode::FAILURE
        }
    }
}
