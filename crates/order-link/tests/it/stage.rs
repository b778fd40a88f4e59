//! Orders nodes of the tests' own: each on a thread of its own, so that it can be frozen and killed as a process is.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use domain::hold::{StockView, Terms};
use domain::id::{Epoch, IdempotencyKey, ProductId, ProductNo, SaleId, ShardId, TicketId, UserId};
use domain::status::StatusDocument;
use domain::ticket::TicketStamp;
use domain::time::Timestamp;
use order_link::{Client, Limits, LinkKey, Options, Rendezvous, serve};
use ports::Fault;
use ports::clock::SystemClock;
use ports::dice::Dice;
use ports::orders::{CancelAnswer, Checkout, CheckoutAnswer, CheckoutRefusal, ExtendAnswer, Orders};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

/// The key of the tests.
pub const KEY: [u8; 32] = [7; 32];

/// A checkout of so many units makes a node fail.
pub const FATAL: u8 = 99;

/// Longer than anything here takes; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until `there` holds.
pub async fn until(what: &str, mut there: impl FnMut() -> bool) {
    let moment = Duration::from_millis(5);
    for _ in 0..(PATIENCE.as_millis() / moment.as_millis()) {
        if there() {
            return;
        }
        tokio::time::sleep(moment).await;
    }
    panic!("in vain waited until {what}");
}

/// Fails where `future` takes too long.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}

/// Answers as it was told to, and keeps what it was asked.
pub struct Scripted {
    pub name: u8,
    pub checkout: Mutex<Result<CheckoutAnswer, Fault>>,
    pub status: Mutex<Result<Option<StatusDocument>, Fault>>,
    pub cancel: Mutex<Result<CancelAnswer, Fault>>,
    pub extend: Mutex<Result<ExtendAnswer, Fault>>,
    pub views: Mutex<HashMap<(SaleId, ProductId), StockView>>,
    pub checkouts: Mutex<Vec<Checkout>>,
    pub stamps: Mutex<Vec<TicketStamp>>,
    /// How many wait.
    pub waiting: AtomicUsize,
    pub news: Notify,
    /// A checkout needs a permit of it.
    pub gate: Semaphore,
}

impl Scripted {
    pub fn new(name: u8) -> Arc<Self> {
        Arc::new(Self {
            name,
            checkout: Mutex::new(Ok(CheckoutAnswer::Refused(CheckoutRefusal::OverLimitQuantity {
                max_per_user: name,
            }))),
            status: Mutex::new(Ok(None)),
            cancel: Mutex::new(Ok(CancelAnswer::Unknown)),
            extend: Mutex::new(Ok(ExtendAnswer::Unknown)),
            views: Mutex::default(),
            checkouts: Mutex::default(),
            stamps: Mutex::default(),
            waiting: AtomicUsize::new(0),
            news: Notify::new(),
            gate: Semaphore::new(1_000_000),
        })
    }

    /// Checkouts stay until [`Scripted::open`].
    pub fn shut(&self) {
        self.gate.forget_permits(usize::MAX);
    }

    pub fn open(&self) {
        self.gate.add_permits(1_000_000);
    }

    pub fn asked(&self) -> usize {
        self.checkouts.lock().unwrap().len()
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Orders for Scripted {
    async fn checkout(&self, checkout: Checkout) -> Result<CheckoutAnswer, Fault> {
        assert_ne!(checkout.quantity, FATAL);
        self.checkouts.lock().unwrap().push(checkout);
        self.gate.acquire().await.unwrap().forget();
        self.checkout.lock().unwrap().clone()
    }

    async fn status(&self, stamp: &TicketStamp) -> Result<Option<StatusDocument>, Fault> {
        self.stamps.lock().unwrap().push(stamp.clone());
        self.status.lock().unwrap().clone()
    }

    async fn wait(&self, stamp: &TicketStamp, version: u32) {
        self.stamps.lock().unwrap().push(TicketStamp { epoch: Epoch(version), ..stamp.clone() });
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        self.news.notified().await;
    }

    async fn cancel(&self, stamp: &TicketStamp) -> Result<CancelAnswer, Fault> {
        self.stamps.lock().unwrap().push(stamp.clone());
        self.cancel.lock().unwrap().clone()
    }

    async fn extend(&self, stamp: &TicketStamp) -> Result<ExtendAnswer, Fault> {
        self.stamps.lock().unwrap().push(stamp.clone());
        self.extend.lock().unwrap().clone()
    }

    fn view(&self, sale: &SaleId, product: &ProductId) -> Option<StockView> {
        self.views.lock().unwrap().get(&(sale.clone(), product.clone())).copied()
    }
}

/// A node: a server on a thread of its own.
pub struct Node {
    pub address: String,
    pub orders: Arc<Scripted>,
    pub stop: CancellationToken,
    kill: CancellationToken,
    inside: tokio::runtime::Handle,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    pub fn start(orders: Arc<Scripted>) -> Self {
        Self::start_at("127.0.0.1:0", orders, Limits::default())
    }

    pub fn start_at(address: &str, orders: Arc<Scripted>, limits: Limits) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let inside = runtime.handle().clone();
        let (served, stopped, killed) = (orders.clone(), stop.clone(), kill.clone());
        let thread = std::thread::spawn(move || {
            let key = LinkKey::new(KEY);
            let serving = async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, served, &key, limits, Arc::new(SystemClock::start()), stopped).await;
            };
            runtime.block_on(killed.run_until_cancelled(serving));
        });
        Self { address, orders, stop, kill, inside, thread: Some(thread) }
    }

    /// Stops everything inside, as a process is stopped, until the result is dropped.
    pub fn freeze(&self) -> SyncSender<()> {
        let (thaw, thawed) = sync_channel(0);
        let (freezes, frozen) = sync_channel(1);
        drop(self.inside.spawn(async move {
            freezes.send(()).unwrap();
            thawed.recv().unwrap_or_default();
        }));
        frozen.recv_timeout(PATIENCE).unwrap();
        thaw
    }

    /// Ends it at once.
    pub fn kill(mut self) -> String {
        self.end();
        self.address.clone()
    }

    /// Whether its server has returned.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn end(&mut self) {
        self.kill.cancel();
        self.thread.take().map(|thread| thread.join().unwrap()).unwrap_or_default();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.end();
    }
}

struct Loaded;

impl Dice for Loaded {
    fn fraction(&self) -> f64 {
        0.5
    }
}

/// Options with short times.
pub fn options(nodes: &[&Node]) -> Options {
    Options {
        try_limit: Duration::from_millis(400),
        deadline: Duration::from_secs(5),
        connect_limit: Duration::from_millis(400),
        reconnect_min: Duration::from_millis(10),
        reconnect_max: Duration::from_millis(50),
        mend_limit: Duration::from_millis(100),
        health_every: Duration::from_millis(50),
        health_limit: Duration::from_millis(400),
        view_every: Duration::from_millis(20),
        ..Options::new(nodes.iter().map(|node| node.address.clone()).collect())
    }
}

pub fn client_with(options: Options, key: [u8; 32]) -> Client {
    let shard_of = |checkout: &Checkout| shard(checkout.product.as_str().parse().unwrap_or_default());
    Client::start(options, &LinkKey::new(key), shard_of, Arc::new(SystemClock::start()), dice()).unwrap()
}

/// A client that all nodes answer.
pub async fn client(options: Options) -> Client {
    let client = client_with(options, KEY);
    until("every node answers", || client.nodes().iter().all(|node| node.well)).await;
    client
}

pub fn sale() -> SaleId {
    SaleId::parse("drop").unwrap()
}

pub fn shard(number: u16) -> ShardId {
    ShardId { sale: sale(), number }
}

/// A checkout of the shard with this number.
pub fn checkout(number: u16) -> Checkout {
    Checkout {
        sale: sale(),
        user: UserId::parse("ann").unwrap(),
        product: ProductId::parse(&number.to_string()).unwrap(),
        key: IdempotencyKey::parse("k").unwrap(),
        quantity: 1,
        passed: false,
    }
}

pub fn stamp(number: u16) -> TicketStamp {
    TicketStamp {
        ticket: TicketId([9; 16]),
        shard: shard(number),
        epoch: Epoch(1),
        issued_at: Timestamp::from_millis(1_795_514_400_123),
    }
}

pub fn document(number: u16) -> StatusDocument {
    StatusDocument::queued(stamp(number), Terms { product: ProductNo(1), quantity: 2 })
}

/// A shard that `node` serves, of `nodes`.
pub fn shard_at(node: &Node, nodes: &[&Node]) -> u16 {
    let names: Vec<&str> = nodes.iter().map(|node| node.address.as_str()).collect();
    let rendezvous = Rendezvous::over(&names);
    let serves = |number: &u16| names[rendezvous.order(&shard(*number))[0]] == node.address;
    (0..1_000).find(serves).unwrap()
}

/// Which node answered, by its name.
pub fn answered_by(answer: &Result<CheckoutAnswer, Fault>) -> u8 {
    match answer {
        Ok(CheckoutAnswer::Refused(CheckoutRefusal::OverLimitQuantity { max_per_user })) => *max_per_user,
        other => panic!("not the answer of a node: {other:?}"),
    }
}

pub fn dice() -> Arc<dyn Dice> {
    Arc::new(Loaded)
}
