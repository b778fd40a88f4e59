//! The command line: what an operator types, and what they are told.

use std::path::Path;

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
    for command in ["demo", "serve", "sale", "rehearse", "audit", "roles", "config", "migrate"] {
        assert!(help.contains(command), "{help}");
    }
    let (right, roles) = run(&["roles"]);
    assert!(right && roles.lines().count() == 5, "{roles}");
    let (right, config) = run(&["config", "print"]);
    assert!(right && config.contains("listen"), "{config}");
    assert!(run(&["config", "check"]).0);
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
    let (right, said) = run(&["serve", "--listen", "0.0.0.0:0", "--data", &dir.path().display().to_string()]);
    assert!(!right && said.contains("admin.token"), "{said}");
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
    assert!(!right && said.contains("Is it running?"), "{said}");
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
