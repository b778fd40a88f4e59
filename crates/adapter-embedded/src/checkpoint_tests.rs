//! Tests.

use super::*;

fn writer(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (b BLOB);")
        .unwrap();
    connection
}

#[test]
fn the_log_begins_anew_while_the_writer_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("store.db");
    let connection = writer(&file);
    let mut checkpointer = Checkpointer::start(&file).unwrap();
    let blob = vec![7_u8; 256 << 10];
    let mut longest = 0;
    for _ in 0..1_000 {
        connection.execute("INSERT INTO t VALUES (?1)", [&blob]).unwrap();
        checkpointer.committed(blob.len(), &connection).unwrap();
        longest = longest.max(file.with_extension("db-wal").metadata().unwrap().len());
    }
    checkpointer.stop();
    // 250 MiB went through it. The bound is that of the pages at which the writer copies whatever there is, and what it writes
    // until it is told.
    assert!(longest < 200 << 20, "the log grew to {longest} bytes");
    let rows: i64 = connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1_000);
}

#[test]
fn the_writer_copies_few_pages_or_too_many() {
    let pages = |log, home| Pages { log, home }.is_for_the_writer();
    assert!(!pages(LOG_PAGES - 1, LOG_PAGES - 1), "a short log is left alone");
    assert!(pages(LOG_PAGES, LOG_PAGES - LAST_PAGES));
    assert!(!pages(LOG_PAGES + LAST_PAGES + 1, LOG_PAGES), "many are left to the other connection");
    assert!(pages(MOST_PAGES, 0), "unless the log grows without end");
}
