//! What a process of a fleet refuses to start without.

use std::process::Stdio;

use crate::harness::program;
use crate::stores;

#[test]
fn a_processor_that_is_no_gateway_must_know_where_buyers_return() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut command = program();
    command.args(["serve", "--role", "processor", "--listen", "127.0.0.1:0", "--data"]).arg(dir.path());
    command.args(["--set", "payments.base_url=http://127.0.0.1:9"]);
    command.args(["--set", "payments.webhook_secret=whsec_for_tests"]);
    let ended = command.args(stores::flags(dir.path())).stdin(Stdio::null()).output().expect("it runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success(), "{said}");
    assert!(said.contains("server.public_url: must say"), "{said}");
}
