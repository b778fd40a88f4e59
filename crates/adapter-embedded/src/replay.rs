//! Every start reads the whole journal: holds, orders, deadlines and counters are made anew, and the tables compared.

use domain::order::Order;
use rusqlite::Connection;
use wire::codec::Reader;
use wire::record::Record;

use crate::book::{Behind, Book};
use crate::compare::{self, Findings};
use crate::core::Core;
use crate::file::Opened;
use crate::journal::{GENESIS, Journal, digest};
use crate::tables::{Tabled, Tables};
use crate::{OpenFault, Options, store_file};

/// What the journal said.
struct Replayed {
    book: Book,
    seq: u64,
    digest: [u8; 32],
}

fn unreadable(error: rusqlite::Error) -> OpenFault {
    OpenFault(format!("cannot read the journal: {error}"))
}

/// The writer's memory, for writing.
pub(crate) fn open(opened: Opened, options: &Options) -> Result<Core, OpenFault> {
    let Replayed { book, seq, digest } = replay(&opened.connection)?;
    let findings = compare::run(&opened.connection, &book).map_err(unreadable)?;
    findings.log();
    let journal = Journal::new(opened, &store_file(&options.dir), digest)?;
    let mut core = Core::new(options.clock.clone(), options.address_deadline_ms, book, seq);
    core.journal = Some(journal);
    core.findings = findings;
    Ok(core)
}

/// The writer's memory, as a copy that is written nowhere.
pub(crate) fn copy(connection: &Connection, options: &Options) -> Result<Core, OpenFault> {
    // One transaction: a process that writes meanwhile is not seen half.
    connection.execute_batch("BEGIN").map_err(unreadable)?;
    let Replayed { book, seq, .. } = replay(connection)?;
    let findings = compare::run(connection, &book).map_err(unreadable)?;
    connection.execute_batch("COMMIT").map_err(unreadable)?;
    let mut core = Core::new(options.clock.clone(), options.address_deadline_ms, book, seq);
    core.findings = findings;
    Ok(core)
}

/// Writes the tables anew from the journal; says what was wrong with them.
pub(crate) fn migrate(opened: Opened, options: &Options) -> Result<Vec<String>, OpenFault> {
    let unwritable = |error: rusqlite::Error| OpenFault(format!("cannot write the tables: {error}"));
    let mut core = open(opened, options)?;
    let mut done = core.findings.lines();
    let orders = core.book.orders.len();
    let seq = core.seq - 1;
    let Some(mut journal) = core.journal.take() else { return Ok(done) };
    journal.follow(orders, |tables| rewrite(tables, &core.book, seq)).map_err(unwritable)?;
    journal.close().map_err(unwritable)?;
    done.push(format!(
        "the journal has {seq} entries and {orders} orders; the tables were written anew from it"
    ));
    Ok(done)
}

fn rewrite(tables: &mut Tables<'_>, book: &Book, seq: u64) -> rusqlite::Result<()> {
    tables.clear()?;
    for sale in book.sales.keys() {
        tables.write(book, &Behind::Sale(sale.clone()), Tabled::Nothing)?;
    }
    for order in book.orders.iter() {
        tables.write(book, &Behind::Order(order.number), Tabled::Nothing)?;
    }
    for action in book.actions.iter().rev() {
        tables.write(book, &Behind::Action(Box::new(action.clone())), Tabled::Nothing)?;
    }
    tables.followed(seq)
}

fn replay(connection: &Connection) -> Result<Replayed, OpenFault> {
    let mut book = Book::default();
    let (mut seq, mut newest) = (0u64, GENESIS);
    let mut statement =
        connection.prepare("SELECT seq, records, digest FROM journal ORDER BY seq").map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    while let Some(row) = rows.next().map_err(unreadable)? {
        let expected = seq + 1;
        let damaged = |detail: String| {
            OpenFault(format!(
                "the journal is damaged at entry {expected}: {detail}; restore a copy of the file"
            ))
        };
        let number: i64 = row.get(0).map_err(unreadable)?;
        let records = row.get_ref(1).and_then(|value| Ok(value.as_blob()?)).map_err(unreadable)?;
        let stored = row.get_ref(2).and_then(|value| Ok(value.as_blob()?)).map_err(unreadable)?;
        if number as u64 != expected {
            return Err(damaged(format!("the next entry is {number}")));
        }
        newest = digest(&newest, number as u64, records);
        if stored != newest {
            return Err(damaged("its digest does not match what it says".to_owned()));
        }
        seq = expected;
        let mut reader = Reader::new(records);
        while !reader.is_empty() {
            let record = Record::read(&mut reader).map_err(|error| damaged(error.to_string()))?;
            book.apply(seq, record).map_err(|error| damaged(error.to_string()))?;
        }
    }
    let followed = compare::followed(connection).map_err(unreadable)?;
    if followed > seq {
        return Err(OpenFault(format!(
            "the journal is damaged: it ends at entry {seq}, and the tables have followed it to entry {followed}; \
             restore a copy of the file"
        )));
    }
    catch_up(&mut book, followed);
    Ok(Replayed { book, seq, digest: newest })
}

/// Leaves in the list of what the tables have to follow only what they do not have.
fn catch_up(book: &mut Book, followed: u64) {
    let behind = std::mem::take(&mut book.behind);
    for (seq, what) in behind {
        let newest = match &what {
            Behind::Order(number) => book.orders.at(*number).map_or(seq, |entry| entry.seq),
            Behind::Sale(_) | Behind::Action(_) => seq,
        };
        if newest > followed {
            book.behind.push_back((seq.max(followed + 1), what));
        } else if let Behind::Order(number) = what
            && let Some(entry) = book.orders.at_mut(number)
        {
            entry.behind = false;
        }
    }
    for entry in book.orders.iter_mut() {
        entry.tabled = if entry.behind { Tabled::Unknown } else { Tabled::of(&entry.order) };
    }
}

/// The units of an order as the tables have them: those of a live order.
pub(crate) fn live_units(order: &Order) -> &[u32] {
    if order.live { &order.units } else { &[] }
}

impl Findings {
    /// Writes every finding into the log.
    pub(crate) fn log(&self) {
        for line in self.lines() {
            tracing::error!(
                finding = line,
                "the tables differ from the journal; 'tzero migrate' writes them anew"
            );
        }
    }
}
