//! The command line: what an operator types, and what they are told.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::harness::{Server, program};

fn run(arguments: &[&str]) -> (bool, String) {
    let output = program().args(arguments).output().expect("it runs");
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn write(dir: &Path, name: &str, text: &str) -> String {
    let file = dir.join(name);
    std::fs::write(&file, text).expect("written");
    file.display().to_string()
}

#[test]
fn help_roles_and_configuration_are_printed() {
    let (right, help) = run(&["--help"]);
    assert!(right);
    for command in [
        "demo",
        "serve",
        "sale",
        "plan",
        "rehearse",
        "audit",
        "shards",
        "dead-letters",
        "roles",
        "config",
        "migrate",
    ] {
        assert!(help.contains(command), "{help}");
    }
    let (right, roles) = run(&["roles"]);
    assert!(right && roles.lines().count() == 8, "{roles}");
    let (right, config) = run(&["config", "print"]);
    assert!(right && config.contains("listen"), "{config}");
    assert!(run(&["config", "check"]).0);
}

#[test]
fn the_embedded_store_has_no_dead_letters_and_says_why() {
    let (right, said) = run(&["dead-letters"]);
    assert!(right && said.contains("no dead letters") && said.contains("embedded"), "{said}");
    let (right, said) = run(&["dead-letters", "--json"]);
    assert!(right, "{said}");
    let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(said, serde_json::json!({ "topic": null, "total": 0, "dead_letters": [] }));
}

#[test]
fn mistakes_of_a_configuration_are_named_with_line_and_member() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = write(
        dir.path(),
        "c.toml",
        "[server]\nlisten = \"127.0.0.1:0\"\nlissten = 1\n[limits]\nuser_burst = \"many\"\n",
    );
    let (right, said) = run(&["config", "check", "--config", &file]);
    assert!(!right);
    for part in [":3:", "lissten", "listen", ":5:", "limits.user_burst"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let keys = write(
        dir.path(),
        "keys.toml",
        "[sessions]\nissuer = \"jwt\"\njwt_key_file = \"/nowhere/key.pem\"\njwt_algorithm = \"RS256\"\n",
    );
    let (right, said) = run(&["config", "check", "--config", &keys]);
    assert!(!right && said.contains("keys.toml:3: sessions.jwt_key_file: "), "{said}");
    let (right, said) = run(&["serve", "--listen", "0.0.0.0:0", "--data", &dir.path().display().to_string()]);
    assert!(!right && said.contains("admin.token"), "{said}");
}

#[test]
fn what_is_no_name_of_a_sale_is_refused_before_anything_is_asked() {
    for name in ["../x", "a/b", "", "demo?x=1", "Demo"] {
        for command in [&["sale", "show", name][..], &["sale", "restock", name, "p", "1"], &["audit", name]] {
            let (right, said) = run(command);
            assert!(!right && said.contains("1 to 64"), "{command:?}: {said}");
        }
    }
}

#[tokio::test]
async fn whoever_has_no_token_is_told_where_it_was_looked_for() {
    let server = Server::start(&[]);
    let (right, said) = run(&["sale", "list", "--url", &server.url, "--data", "/nowhere"]);
    assert!(!right && said.contains("there is none in /nowhere/admin-token"), "{said}");
}

#[tokio::test]
async fn a_sale_is_created_steered_and_audited_from_the_command_line() {
    let server = Server::start(&[]);
    let data = server.dir.path().display().to_string();
    let with = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--url", &server.url, "--data", &data]);
        run(&all)
    };
    assert!(with(&["sale", "list"]).1.contains("There is no sale"));
    let (right, said) = with(&["audit"]);
    assert!(right && said.contains("there is no sale, so there is nothing to audit"), "{said}");
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sales/concert.toml");
    let (right, said) = with(&["sale", "create", sample]);
    assert!(right && said.contains("Created"), "{said}");
    let (right, said) = with(&["sale", "create", sample]);
    assert!(!right && said.contains("There is a sale of that name"), "{said}");
    let wrong =
        write(server.dir.path(), "wrong.toml", "sale_id = \"x\"\nname = \"X\"\nstarts_at = \"soon\"\n");
    let (right, said) = with(&["sale", "create", &wrong]);
    assert!(
        !right && said.contains("wrong.toml:3") && said.contains("starts_at") && said.contains("products"),
        "{said}"
    );
    assert!(with(&["sale", "pause", "concert-2027"]).1.contains("paused"));
    assert!(with(&["sale", "resume", "concert-2027"]).0);
    let (right, shown) = with(&["sale", "show", "concert-2027"]);
    assert!(right && shown.contains("available"), "{shown}");
    let (right, said) = with(&["audit"]);
    assert!(right && said.contains("every unit is in exactly one place"), "{said}");
    assert!(with(&["sale", "end", "concert-2027"]).1.contains("ended"));
    let (right, said) = run(&["sale", "list", "--url", "http://127.0.0.1:9", "--data", &data]);
    assert!(
        !right && said.contains("the connection is refused") && said.contains("Is it running?"),
        "{said}"
    );
}

#[test]
fn flags_before_a_command_are_refused_and_not_passed_over() {
    for flags in
        [["--data", "x"], ["--listen", "127.0.0.1:0"], ["--config", "x.toml"], ["--set", "log.level=warn"]]
    {
        let (right, said) = run(&[flags[0], flags[1], "roles"]);
        assert!(!right && said.contains("cannot be used with") && said.contains(flags[0]), "{said}");
    }
}

#[tokio::test]
async fn each_restock_adds_once_under_a_key_that_is_said_beforehand() {
    let server = Server::start(&[]);
    server.sale("s", 10, json!({})).await;
    let data = server.dir.path().display().to_string();
    let restock = |more: &[&str]| {
        let mut all = vec!["sale", "restock", "s", "p", "5", "--url", &server.url, "--data", &data];
        all.extend(more);
        run(&all)
    };
    let parallel = std::thread::scope(|scope| {
        let both = [scope.spawn(|| restock(&[])), scope.spawn(|| restock(&[]))];
        both.map(|one| one.join().expect("it ends"))
    });
    let keys = parallel.map(|(right, said)| {
        assert!(right, "{said}");
        let rest = said.split_once("repeat with --key ").expect("the key is said").1.to_owned();
        rest.split(' ').next().expect("a key").to_owned()
    });
    let stock = async || server.clean_audit("s").await["stock"].clone();
    assert_eq!(stock().await, 20, "neither is lost as the other's replay");
    let (again, said) = restock(&["--key", &keys[0]]);
    assert!(again && said.contains("nothing was added now. s: the stock of p is 20"), "{said}");
    assert_eq!(stock().await, 20, "the same key adds nothing");
}

#[tokio::test]
async fn an_audit_that_proves_nothing_is_told_from_one_that_does() {
    let (settling, _serving) = answers(r#"{"sale_id":"s","ok":true,"settling":true,"products":[]}"#);
    let audit = |url: &str, sale: &[&str]| {
        let output = program().arg("audit").args(sale).args(["--url", url]).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = audit(&settling, &["s"]);
    assert!(code == Some(2) && said.contains("not proven"), "{code:?} {said}");
    let (code, said) = audit(&settling, &[]);
    assert!(code == Some(1) && said.contains("no list of sales"), "somebody else answers: {code:?} {said}");
    assert!(run(&["audit", "--help"]).1.contains("2  not proven"));
}

/// A server that answers everything with `body`.
fn answers(body: &'static str) -> (String, std::thread::JoinHandle<()>) {
    use std::io::Write;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serving = std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut head = [0; 4_096];
            let read = stream.read(&mut head).unwrap_or_default();
            let length = body.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
            assert!(read > 0 && stream.write_all(answer.as_bytes()).is_ok());
        }
    });
    (url, serving)
}

/// A server that takes connections and never answers.
fn silent() -> (String, std::net::TcpListener) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    (format!("http://{}", listener.local_addr().expect("an address")), listener)
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

/// Waits until the process catches SIGINT, as its kernel says.
fn catches_interrupts(child: &Child) {
    let caught = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let mask =
            status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim().to_owned();
        u64::from_str_radix(&mask, 16).is_ok_and(|mask| mask & 0b10 != 0)
    };
    while !caught() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn an_interrupt_ends_a_watch_also_while_an_answer_is_awaited() {
    let (url, listener) = silent();
    let mut child = program().args(["sale", "show", "s", "--watch", "--url", &url]).spawn().expect("it runs");
    let connection = listener.accept().expect("a connection");
    catches_interrupts(&child);
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    drop(connection);
}

#[test]
fn a_rehearsal_that_could_not_keep_its_report_or_would_ignore_a_flag_does_not_begin() {
    let (url, listener) = silent();
    listener.set_nonblocking(true).expect("it is only looked at");
    let (right, said) = run(&["rehearse", "--url", &url, "--report", "/no/such/folder/report.json"]);
    assert!(!right && said.contains("--report: cannot write /no/such/folder/report.json"), "{said}");
    let (right, said) = run(&["rehearse", "--url", &url, "--sale", "s", "--stock", "5"]);
    assert!(!right && said.contains("'--sale <SALE>' cannot be used with '--stock <STOCK>'"), "{said}");
    assert!(listener.accept().is_err(), "nothing was sent");
}

#[test]
fn an_interrupt_ends_a_rehearsal_that_has_not_begun() {
    let (url, listener) = silent();
    let mut command = program();
    command.args(["rehearse", "--url", &url]).env("TZERO_ADMIN_TOKEN", "t").stderr(Stdio::piped());
    let child = command.spawn().expect("it runs");
    let connection = listener.accept().expect("a connection");
    catches_interrupts(&child);
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("stopped before it began"), "{said}");
    drop(connection);
}

#[tokio::test]
async fn what_nobody_reads_ends_a_command_quietly_and_what_cannot_be_written_is_a_failure() {
    let server = Server::start(&[]);
    server.sale("s", 10, json!({})).await;
    let mut child = program()
        .args(["sale", "show", "s", "--watch", "--url", &server.url, "--data"])
        .arg(server.dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("standard output")).read_line(&mut first).expect("a line");
    let output = child.wait_with_output().expect("it ends by itself");
    assert!(
        first.starts_with('s') && output.stderr.is_empty() && output.status.code() == Some(141),
        "{output:?}"
    );
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let output = program().args(["config", "print"]).stdout(full).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("cannot write to standard output"), "{said}");
}

#[tokio::test]
async fn an_empty_token_is_no_token_for_whoever_asks() {
    let server = Server::start(&[]);
    let data = server.dir.path().display().to_string();
    let mut list = program();
    list.args(["sale", "list", "--url", &server.url, "--data", &data]).env("TZERO_ADMIN_TOKEN", "");
    let output = list.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dir = tempfile::tempdir().expect("a folder");
    let file = write(dir.path(), "admin-token", "\n");
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["config", "check"]] {
        let data = dir.path().display().to_string();
        let (right, said) = run(&[command, &["--data", &data]].concat());
        assert!(!right && said.contains(&file) && said.contains("is empty: delete it"), "{said}");
    }
}

#[test]
fn a_check_reads_the_shops_key_as_a_start_does() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data").display().to_string();
    let private =
        write(dir.path(), "key.pem", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n");
    let missing = dir.path().join("missing.pem").display().to_string();
    for (key, wrong) in [(private, "must be the public key"), (missing, "cannot be read")] {
        let named = format!("sessions.jwt_key_file={key}");
        let flags = [
            "--data",
            &data,
            "--set",
            "sessions.issuer=jwt",
            "--set",
            "sessions.jwt_algorithm=RS256",
            "--set",
            &named,
        ];
        for command in [&["config", "check"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let (right, said) = run(&[command, &flags].concat());
            assert!(
                !right && said.contains("sessions.jwt_key_file") && said.contains(wrong),
                "{command:?}: {said}"
            );
        }
    }
}

#[test]
fn the_operators_own_listener_says_where_it_is_and_a_second_interrupt_ends_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut child = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data"])
        .arg(dir.path())
        .args(["--set", "server.body_timeout_ms=60000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(child.stderr.take().expect("standard error")).lines();
    let mut said = lines.by_ref().map(|line| line.expect("text"));
    let place =
        said.find_map(|line| Some(line.split_once("the operator's endpoints are at http://")?.1.to_owned()));
    let place: std::net::SocketAddr = place.expect("it is said").parse().expect("an address");
    let mut open = std::net::TcpStream::connect(place).expect("it listens there");
    // A request whose body never comes keeps the drain waiting.
    let token = std::fs::read_to_string(dir.path().join("admin-token")).expect("a token");
    let head = format!(
        "POST /admin/v1/sales HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n",
        token.trim()
    );
    std::io::Write::write_all(&mut open, head.as_bytes()).expect("sent");
    let mut under_way = [0; 12];
    open.read_exact(&mut under_way).expect("the body is asked for");
    assert_eq!(&under_way, b"HTTP/1.1 100");
    catches_interrupts(&child);
    interrupt(&child);
    assert!(said.any(|line| line.contains("stopping")), "the first one is heard");
    interrupt(&child);
    let rest: Vec<String> = said.collect();
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("interrupted again")), "{rest:?}");
}

#[tokio::test]
async fn who_asks_the_buyers_listener_is_told_that_operators_may_have_one_of_their_own() {
    let server = Server::with(&["--admin-listen", "127.0.0.1:0"]);
    let data = server.dir.path().display().to_string();
    let (right, said) = run(&["sale", "list", "--url", &server.url, "--data", &data]);
    assert!(!right && said.contains("--admin-listen"), "{said}");
}

#[test]
fn the_commands_of_the_readme_fit_its_sale() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let readme = std::fs::read_to_string(root.join("README.md")).expect("a readme");
    let after = |words: &str| {
        let rest = readme.split_once(words).expect("the command is there").1;
        rest.split_whitespace().next().expect("its argument").to_owned()
    };
    let file = std::fs::read_to_string(root.join(after("tzero sale create "))).expect("the sale's file");
    let sale = tzero::config::sale_file::read("sale.toml", &file).expect("a sale");
    assert_eq!(sale["sale_id"], after("tzero sale show "));
}

#[tokio::test]
async fn the_token_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = Server::start(&[]);
    for file in ["admin-token", "secret.key"] {
        let mode = std::fs::metadata(server.dir.path().join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
