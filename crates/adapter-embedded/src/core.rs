//! What the writer works on: the ledger in memory, and the group of records that is being made.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::hold::{Effect, StockView};
use domain::id::{ProductNo, ShardId};
use domain::time::Timestamp;
use ports::Fault;
use ports::clock::Clock;
use wire::codec::Writer;
use wire::record::Record;

use crate::Shared;
use crate::book::Book;
use crate::compare::Findings;
use crate::journal::Journal;

/// The writer's memory.
pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) address_deadline_ms: u64,
    pub(crate) book: Book,
    /// The journal; none for a copy, whose changes are written nowhere.
    pub(crate) journal: Option<Journal>,
    /// Number of the group that is being made.
    pub(crate) seq: u64,
    /// Records of the group that is being made.
    pub(crate) group: Writer,
    /// Shards whose counts or logs the group changed.
    pub(crate) touched: BTreeSet<ShardId>,
    /// Given to loaders.
    pub(crate) load_keys: u64,
    /// Told to end.
    pub(crate) closing: bool,
    /// What a comparison of tables and journal found.
    pub(crate) findings: Findings,
}

impl Core {
    pub(crate) fn new(clock: Arc<dyn Clock>, address_deadline_ms: u64, book: Book, newest: u64) -> Self {
        let shared = Shared::new();
        shared.durable.store(newest, std::sync::atomic::Ordering::Release);
        Self {
            shared,
            clock,
            address_deadline_ms,
            book,
            journal: None,
            seq: newest + 1,
            group: Writer::default(),
            touched: BTreeSet::new(),
            load_keys: 0,
            closing: false,
            findings: Findings::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes a fact true: in memory at once, on the disk with the group.
    pub(crate) fn record(&mut self, record: Record) -> Result<(), Fault> {
        record.write(&mut self.group);
        self.book.apply(self.seq, record)
    }

    /// Queues an effect for the inventory.
    pub(crate) fn send(&mut self, shard: &ShardId, effect: Effect) {
        self.book.touch(&shard.sale);
        self.book.shard(shard).send(effect);
        self.touch(shard);
    }

    /// The shard's counts are to be shown anew.
    pub(crate) fn touch(&mut self, shard: &ShardId) {
        if !self.touched.contains(shard) {
            self.touched.insert(shard.clone());
        }
    }

    /// Shows what the group changed, once it is durable.
    pub(crate) fn publish(&mut self) {
        for shard in std::mem::take(&mut self.touched) {
            let cell = self.shared.cell(&shard);
            cell.views.store(Arc::new(self.views(&shard)));
            if let Some(book) = self.book.shards.get(&shard) {
                let (end, effects) = (book.end().0, book.effects_ever());
                cell.end.send_if_modified(|shown| std::mem::replace(shown, end) != end);
                cell.effects.send_if_modified(|shown| std::mem::replace(shown, effects) != effects);
            }
        }
    }

    fn views(&self, shard: &ShardId) -> Vec<StockView> {
        let cell = self.shared.cell(shard);
        let selling = cell.read();
        let sale = self.book.sales.get(&shard.sale);
        let products = sale.map_or(0, |sale| sale.sale.products.len()).max(selling.shard.products());
        let numbers = (0..products).map(|number| ProductNo(number as u16));
        let view = |product: ProductNo| {
            let mut view = selling.shard.view(product).unwrap_or_default();
            view.open = selling.open;
            view.next_release_at = sale.and_then(|sale| sale.next_deadline(product));
            view
        };
        numbers.map(view).collect()
    }
}
