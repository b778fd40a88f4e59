//! The data folder: one process at a time, and a disk that cannot be written.

use std::process::Command;

use serde_json::json;

use crate::harness::{Server, program};

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused() {
    let server = Server::start(&[]);
    let second =
        program().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(server.dir.path()).output();
    let second = second.expect("it runs");
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another process uses the data folder"), "{said}");
    assert_eq!(server.get("/healthz").await.status, 200, "the first one is not disturbed");
}

#[tokio::test]
async fn a_file_of_something_else_and_a_folder_that_cannot_be_made_are_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    let serve = |data: &std::path::Path| {
        let output = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .output()
            .expect("it runs");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    std::fs::write(dir.path().join("tzero.db"), "this is no database, but a letter to my grandmother")
        .expect("written");
    let said = serve(dir.path());
    assert!(said.contains("tzero.db"), "{said}");
    let file = dir.path().join("a-file");
    std::fs::write(&file, "x").expect("written");
    let said = serve(&file.join("below"));
    assert!(said.contains("data.dir"), "{said}");
}

#[tokio::test]
async fn a_database_of_something_else_is_refused_as_the_sandboxs_books_and_left_as_it_was() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("sandbox.db");
    let foreign = rusqlite::Connection::open(&file).expect("it opens");
    foreign.execute_batch("CREATE TABLE letters (id INTEGER PRIMARY KEY, body TEXT)").expect("written");
    drop(foreign);
    let before = std::fs::read(&file).expect("a file");
    let output = program().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path()).output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("sandbox.db: it is a database of something else"),
        "{said}"
    );
    assert!(std::fs::read(&file).expect("a file") == before, "nothing was written into it");
}

/// Serves with a limit to the size of files: a disk that is full.
#[tokio::test]
async fn a_full_disk_stops_the_process_and_loses_nothing_that_was_answered() {
    let mut server = Server::start(&[]);
    server.sale("s", 100_000, json!({ "max_per_user": 100 })).await;
    assert_eq!(server.terminate(), Some(0));
    let dir = server.dir.path().to_owned();
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" serve --listen 127.0.0.1:0 --set limits.user_per_s=0 --data \"$1\"";
    let mut limited = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_tzero")])
        .arg(&dir)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut first = String::new();
    let mut lines = std::io::BufReader::new(limited.stdout.take().expect("standard output"));
    std::io::BufRead::read_line(&mut lines, &mut first).expect("a line");
    first.trim().trim_start_matches("listening on ").clone_into(&mut server.url);
    let mut answered = Vec::new();
    let filled = 'full: {
        for _ in 0..400 {
            let buyer = server.buyer().await;
            for key in 0..100 {
                let request = server.checkout("s", &buyer, &format!("k{key}"), 1);
                match request.send().await {
                    Ok(answer) if answer.status() == 202 => {
                        let body: serde_json::Value = answer.json().await.expect("a body");
                        answered.push(body["queue_ticket_id"].as_str().expect("a ticket").to_owned());
                    }
                    Ok(answer) if answer.status() == 503 => break 'full true,
                    Ok(answer) => panic!("{}", answer.status()),
                    Err(_) => break 'full true,
                }
            }
        }
        false
    };
    assert!(filled, "the disk became full");
    let output = limited.wait_with_output().expect("it ends by itself");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the journal cannot be written"), "{said}");
    server.restart();
    for ticket in &answered {
        server.status(ticket).await;
    }
    let product = server.clean_audit("s").await;
    assert!(product["held"].as_u64().expect("a number") >= answered.len() as u64);
}

#[tokio::test]
async fn a_store_is_opened_only_under_the_secret_that_wrote_it() {
    let mut server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    assert_eq!(server.terminate(), Some(0));
    let secret = server.dir.path().join("secret.key");
    let kept = std::fs::read_to_string(&secret).expect("the secret");
    // Lost: a new one is made, and must not be used on this store.
    std::fs::remove_file(&secret).expect("it is gone");
    let refused = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(server.dir.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("put back the secret.key"), "{said}");
    std::fs::write(&secret, kept).expect("put back");
    server.restart();
    server.payable(&ticket).await;
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised_to_what_is_allowed() {
    let dir = tempfile::tempdir().expect("a folder");
    let script = "ulimit -Sn 256; exec \"$0\" serve --listen 127.0.0.1:0 --data \"$1\"";
    let mut limited = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_tzero")])
        .arg(dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let mut first = String::new();
    let mut lines = std::io::BufReader::new(limited.stdout.take().expect("standard output"));
    std::io::BufRead::read_line(&mut lines, &mut first).expect("a line");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", limited.id())).expect("its limits");
    limited.kill().expect("it ends");
    limited.wait().expect("it ends");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    let [soft, hard] = [3, 4].map(|at| line.split_whitespace().nth(at).expect("a number").to_owned());
    assert!(soft == hard && soft != "256", "{line}");
}

#[tokio::test]
async fn what_is_in_the_folder_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    server.payable(&ticket).await;
    for name in ["tzero.db", "secret.key", "admin-token", "sandbox.db", "sandbox.db-wal"] {
        let file = server.dir.path().join(name);
        let mode = std::fs::metadata(&file).expect(name).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[tokio::test]
async fn a_store_that_is_gone_is_lost_and_not_new() {
    let mut server = Server::start(&[]);
    server.sale("s", 1, json!({})).await;
    let ticket = server.ticket("s").await;
    assert_eq!(server.terminate(), Some(0));
    let file = server.dir.path().join("tzero.db");
    let kept = std::fs::read(&file).expect("the store");
    let refused = || {
        let output =
            program().args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(server.dir.path()).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains("is missing or empty"), "{said}");
    };
    std::fs::remove_file(&file).expect("removed");
    refused();
    assert!(!file.exists(), "none was made in its place");
    std::fs::write(&file, "").expect("emptied");
    refused();
    std::fs::write(&file, kept).expect("put back");
    server.restart();
    server.status(&ticket).await;
}

#[test]
fn a_folder_without_a_store_has_nothing_to_migrate() {
    let dir = tempfile::tempdir().expect("a folder");
    let mistyped = dir.path().join("mistyped");
    let output = program().args(["migrate", "--data"]).arg(&mistyped).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("has no store"), "{said}");
    assert!(!mistyped.exists(), "nothing was made");
}
