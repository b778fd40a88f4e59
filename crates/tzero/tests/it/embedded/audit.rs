//! The audit can fail: whoever changes the store by hand is named with the unit.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{Server, program};

/// A stopped system with three sold units and one held, and its file.
async fn stopped() -> (Server, Connection) {
    let mut server = Server::start(&[]);
    server.sale("s", 10, json!({ "max_per_user": 5 })).await;
    for _ in 0..3 {
        let ticket = server.ticket("s").await;
        let url = server.payable(&ticket).await;
        server.pay(&url, "pay").await;
        server.until(&ticket, "confirmed").await;
    }
    let held = server.ticket("s").await;
    server.payable(&held).await;
    server.clean_audit("s").await;
    assert_eq!(server.terminate(), Some(0));
    let file = server.dir.path().join("tzero.db");
    (server, Connection::open(file).expect("the file opens"))
}

fn offline(server: &Server) -> (bool, Value) {
    let output =
        program().args(["audit", "--json", "--offline"]).arg(server.dir.path()).output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("text");
    (
        output.status.success(),
        serde_json::from_str(text.lines().next().unwrap_or("null")).unwrap_or(Value::Null),
    )
}

fn violations(report: &Value) -> String {
    report["violations"].to_string()
}

#[tokio::test]
async fn an_untouched_store_is_right() {
    let (server, _file) = stopped().await;
    let (right, report) = offline(&server);
    assert!(right, "{report}");
    assert_eq!(report["products"][0]["sold"], 3);
}

#[tokio::test]
async fn a_unit_of_two_orders_is_named() {
    let (mut server, file) = stopped().await;
    file.execute("UPDATE order_unit SET unit = 0 WHERE unit = 1", []).expect("it is changed");
    let (right, report) = offline(&server);
    assert!(!right);
    assert!(
        violations(&report).contains("sold-twice") && violations(&report).contains("unit 0 belongs to"),
        "{report}"
    );
    assert!(
        violations(&report).contains("unit 1 of order") && violations(&report).contains("nowhere"),
        "{report}"
    );
    drop(file);
    server.restart();
    let report = server.audit("s").await;
    assert_eq!(report["ok"], false, "a running system says the same: {report}");
    assert!(violations(&report).contains("sold-twice"));
}

#[tokio::test]
async fn a_unit_that_is_nowhere_is_named() {
    let (server, file) = stopped().await;
    file.execute("DELETE FROM order_unit WHERE unit = 2", []).expect("it is changed");
    let (right, report) = offline(&server);
    assert!(!right && violations(&report).contains("unit 2 of order"), "{report}");
}

#[tokio::test]
async fn a_wrong_counter_is_named() {
    let (server, file) = stopped().await;
    file.execute("UPDATE product_stock SET sold = sold + 1", []).expect("it is changed");
    let (right, report) = offline(&server);
    assert!(!right && violations(&report).contains("the sold counter says 4, there are 3"), "{report}");
}

#[tokio::test]
async fn a_changed_order_is_named_and_migrate_mends_the_tables() {
    let (server, file) = stopped().await;
    file.execute("UPDATE orders SET state = 'expired' WHERE number = 1", []).expect("it is changed");
    let (right, report) = offline(&server);
    assert!(!right && violations(&report).contains("order 1"), "{report}");
    drop(file);
    let mended = program().args(["migrate", "--data"]).arg(server.dir.path()).output().expect("it runs");
    assert!(mended.status.success());
    assert!(String::from_utf8_lossy(&mended.stdout).contains("order 1"));
    assert!(offline(&server).0);
}

#[tokio::test]
async fn a_changed_journal_is_refused_with_its_entry() {
    let (server, file) = stopped().await;
    let (seq, mut records): (i64, Vec<u8>) = file
        .query_row("SELECT seq, records FROM journal ORDER BY seq LIMIT 1 OFFSET 3", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("an entry");
    let middle = records.len() / 2;
    records[middle] ^= 1;
    file.execute("UPDATE journal SET records = ?1 WHERE seq = ?2", rusqlite::params![records, seq])
        .expect("changed");
    drop(file);
    for command in [vec!["audit", "--offline"], vec!["serve", "--listen", "127.0.0.1:0", "--data"]] {
        let output = program().args(command).arg(server.dir.path()).output().expect("it runs");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("damaged at entry {seq}")), "{said}");
    }
}

#[test]
fn a_file_that_is_no_store_is_called_that() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tzero.db");
    let said = || {
        let output = program().args(["audit", "--offline"]).arg(folder.path()).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(said().contains("has no store: there is no file"), "{}", said());
    std::fs::write(&file, "").expect("written");
    assert!(said().contains("tzero.db is empty, or a database of something else"), "{}", said());
    let other = Connection::open(&file).expect("it opens");
    other.execute_batch("CREATE TABLE t (a); PRAGMA user_version=1;").expect("made");
    assert!(said().contains("tzero.db is empty, or a database of something else"), "{}", said());
}

#[tokio::test]
async fn a_change_while_it_runs_is_noticed() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    server.clean_audit("s").await;
    // The tables follow within moments. What they have yet to follow is not compared: here, that there is an address.
    let file = Connection::open(server.dir.path().join("tzero.db")).expect("the file opens");
    let addressed =
        "DELETE FROM order_unit WHERE EXISTS (SELECT 1 FROM orders WHERE expires_at_ms IS NOT NULL)";
    let mut rows = 0;
    for _ in 0..100 {
        rows = file.execute(addressed, []).expect("it is changed");
        if rows > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(rows, 1);
    let report = server.audit("s").await;
    assert_eq!(report["ok"], false, "{report}");
    assert!(violations(&report).contains("unit 0"), "{report}");
}

#[tokio::test]
async fn every_table_is_compared_also_for_rows_that_are_gone() {
    let (server, file) = stopped().await;
    for (change, named) in [
        ("DELETE FROM product_stock", "missing in the table product_stock"),
        ("DELETE FROM sales", "not there"),
        ("UPDATE sales SET name = 'another'", "another"),
        ("DELETE FROM actions", "the table actions has 0 rows"),
        ("UPDATE actions SET actor = 'nobody'", "row 1 of the table actions"),
        ("UPDATE actions SET detail = 'another'", "row 1 of the table actions"),
        ("UPDATE orders SET changed_at_ms = 3 WHERE number = 2", "order 2"),
        ("UPDATE orders SET ticket = randomblob(16) WHERE number = 2", "order 2"),
        ("UPDATE order_unit SET product_no = 7 WHERE unit = 1", "unit 1 of order 2"),
        ("UPDATE order_unit SET sale_id = 'zz' WHERE unit = 1", "unit 1 of order 2"),
    ] {
        let copy = tempfile::tempdir().expect("a folder");
        std::fs::copy(server.dir.path().join("tzero.db"), copy.path().join("tzero.db")).expect("copied");
        let changed = Connection::open(copy.path().join("tzero.db")).expect("the copy opens");
        assert!(changed.execute(change, []).expect("it is changed") > 0, "{change}");
        drop(changed);
        let output =
            program().args(["audit", "--json", "--offline"]).arg(copy.path()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success() && said.contains(named), "{change}: {said}");
    }
    drop(file);
    assert!(offline(&server).0, "the original is as it was");
}

#[tokio::test]
async fn a_journal_whose_end_is_gone_is_refused() {
    let (server, file) = stopped().await;
    let newest: i64 = file.query_row("SELECT max(seq) FROM journal", [], |row| row.get(0)).expect("an entry");
    file.execute("DELETE FROM journal WHERE seq > ?1", [newest - 5]).expect("it is cut");
    drop(file);
    for command in [vec!["audit", "--offline"], vec!["serve", "--listen", "127.0.0.1:0", "--data"]] {
        let output = program().args(command).arg(server.dir.path()).output().expect("it runs");
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("it ends at entry {}", newest - 5)), "{said}");
    }
}

#[tokio::test]
async fn an_entry_that_is_taken_away_while_it_runs_is_noticed() {
    let server = Server::start(&[]);
    server.sale("s", 5, json!({})).await;
    server.ticket("s").await;
    server.clean_audit("s").await;
    let file = Connection::open(server.dir.path().join("tzero.db")).expect("the file opens");
    assert_eq!(file.execute("DELETE FROM journal WHERE seq = 2", []).expect("it is changed"), 1);
    let report = server.audit("s").await;
    assert!(report["ok"] == false && violations(&report).contains("entry 2 of the journal"), "{report}");
}
