//! What overrides what, and a table of mistakes with what is said of each.

use std::io::Write;
use std::net::SocketAddr;

use super::super::{Config, DEFAULT, Issuer, Place, Provider};
use super::{KEYS, Sources};

/// The sources of a file with this text.
fn file(text: &str) -> (tempfile::NamedTempFile, Sources) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let sources = Sources::new().file(file.path());
    (file, sources)
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What is said of a file with this text, with the file's name taken off.
fn said_of_file(text: &str) -> Vec<String> {
    let (file, sources) = file(text);
    let name = file.path().display().to_string();
    let mistakes = Config::load(sources).unwrap_err();
    mistakes.to_string().lines().map(|line| line.replace(&name, "FILE")).collect()
}

fn said_of_variables(pairs: &[(&str, &str)]) -> Vec<String> {
    let mistakes = Config::load(Sources::new().environment(variables(pairs))).unwrap_err();
    mistakes.to_string().lines().map(str::to_owned).collect()
}

#[test]
fn the_default_alone_is_a_whole_configuration() {
    let config = Config::load(Sources::new()).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse::<SocketAddr>().unwrap());
    assert_eq!(config.server.admin_listen, None);
    assert_eq!(config.server.trusted_proxies.len(), 2);
    assert_eq!(config.sessions.issuer, Issuer::Builtin);
    assert_eq!(config.payments.provider, Provider::Sandbox);
    assert!(config.payments.is_here() && config.sandbox.enabled);
    assert!(config.admin.token.is_none());
}

#[test]
fn the_default_has_every_key_with_a_comment() {
    let lines: Vec<&str> = DEFAULT.lines().collect();
    let mut section = "";
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            assert!(lines[at - 1].starts_with("# "), "{section}.{key} has no comment above it");
            found.push(format!("{section}.{key}"));
        }
    }
    let known: Vec<&str> = KEYS.iter().map(|key| key.path).collect();
    assert_eq!(found, known);
}

#[test]
fn later_layers_override_earlier_ones_key_by_key() {
    let (_file, sources) = file("[limits]\nuser_burst = 1\nnetwork_burst = 1\nuser_per_s = 1\n");
    let environment = variables(&[("TZERO_LIMITS__NETWORK_BURST", "2"), ("TZERO_LIMITS__USER_PER_S", "2.5")]);
    let flags = variables(&[("limits.user_per_s", "3")]);
    let config = Config::load(sources.environment(environment).flags(flags)).unwrap();
    assert_eq!((config.limits.user_burst, config.limits.network_burst), (1, 2));
    assert!((config.limits.user_per_s - 3.0).abs() < f64::EPSILON);
    assert_eq!(config.limits.checkout_queue, 16_384);
    let place = |path: &str| config.settings.get(path).unwrap().place.clone();
    assert!(matches!(place("limits.user_burst"), Place::File { line: 2, .. }));
    assert_eq!(place("limits.network_burst"), Place::Variable("TZERO_LIMITS__NETWORK_BURST".into()));
    assert_eq!(place("limits.user_per_s"), Place::CommandLine);
    assert_eq!(place("limits.checkout_queue"), Place::Default);
}

#[test]
fn variables_carry_every_kind_of_value() {
    let environment = variables(&[
        ("TZERO_SERVER__LISTEN", "[::1]:0"),
        ("TZERO_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("TZERO_SERVER__PUBLIC_URL", "https://sale.example.com/"),
        ("TZERO_SANDBOX__WEBHOOK_SHUFFLE", "true"),
        ("TZERO_SANDBOX__ERROR_RATE", "0.25"),
        ("TZERO_ADMIN_TOKEN", "open sesame"),
        ("TZERO_URL", "a variable of another command"),
        ("PATH", "not ours"),
    ]);
    let config = Config::load(Sources::new().environment(environment)).unwrap();
    assert_eq!(config.server.listen.to_string(), "[::1]:0");
    let networks: Vec<String> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    assert_eq!(config.server.public_url.as_deref(), Some("https://sale.example.com"));
    assert!(config.sandbox.webhook_shuffle);
    assert!((config.sandbox.error_rate - 0.25).abs() < f64::EPSILON);
    assert_eq!(config.admin.token.unwrap().expose(), "open sesame");
}

#[test]
fn every_mistake_of_a_file_says_line_key_and_what_would_be_right() {
    let networks =
        "an IP address with the number of its leading bits, such as \"10.0.0.0/8\" or \"::1/128\",";
    for (text, said) in [
        (
            "[server]\nlistn = \"127.0.0.1:1\"",
            "FILE:2: server.listn: unknown key; the nearest known one is server.listen",
        ),
        (
            "[servr]\nlisten = \"127.0.0.1:1\"",
            "FILE:1: servr: unknown section; the nearest known one is [server]",
        ),
        ("\nlisten = \"127.0.0.1:1\"", "FILE:2: listen: unknown key; the nearest known one is server.listen"),
        (
            "server = 3",
            "FILE:1: server: must be a section, [server] with its keys below, and not the number 3",
        ),
        (
            "[server.listener]\na = 1",
            "FILE:1: server.listener: unknown key; the nearest known one is server.listen",
        ),
        (
            "[server]\nlisten = \"localhost\"",
            "FILE:2: server.listen: must be an IP address with its port, such as \"127.0.0.1:8080\" or \"[::1]:8080\", and not the text \"localhost\"",
        ),
        (
            "[limits]\n\nuser_burst = \"many\"",
            "FILE:3: limits.user_burst: must be a whole number from 1 to 10000000, and not the text \"many\"",
        ),
        (
            "[limits]\nuser_burst = 0",
            "FILE:2: limits.user_burst: must be a whole number from 1 to 10000000, and not the number 0",
        ),
        (
            "[limits]\nuser_burst = 1.5",
            "FILE:2: limits.user_burst: must be a whole number from 1 to 10000000, and not the number 1.5",
        ),
        (
            "[limits]\nuser_burst = -1",
            "FILE:2: limits.user_burst: must be a whole number from 1 to 10000000, and not the number -1",
        ),
        (
            "[limits]\nuser_burst = 99999999999999999999",
            "FILE:2: limits.user_burst: must be a whole number from 1 to 10000000, and not the number 99999999999999999999",
        ),
        (
            "[sandbox]\nerror_rate = 1.5",
            "FILE:2: sandbox.error_rate: must be a number from 0 to 1, and not the number 1.5",
        ),
        (
            "[sandbox]\nerror_rate = nan",
            "FILE:2: sandbox.error_rate: must be a number from 0 to 1, and not the number NaN",
        ),
        (
            "[sandbox]\nenabled = \"yes\"",
            "FILE:2: sandbox.enabled: must be true or false, and not the text \"yes\"",
        ),
        (
            "[log]\nlevel = \"warning\"",
            "FILE:2: log.level: must be one of \"error\", \"warn\", \"info\", \"debug\", \"trace\", and not \"warning\" (the nearest is \"warn\")",
        ),
        (
            "[data]\ndir = \"\"",
            "FILE:2: data.dir: must be a text in quotes that is not empty, and not the text \"\"",
        ),
        (
            "[payments]\nbase_url = \"example.com\"",
            "FILE:2: payments.base_url: must be an address that begins with http:// or https:// and has neither query nor fragment, or empty, and not the text \"example.com\"",
        ),
        (
            "[server]\ntrusted_proxies = [\"::1\", \"home\"]",
            &format!(
                "FILE:2: server.trusted_proxies: must be a list of networks, each {networks} and not the text \"home\""
            ),
        ),
        ("[admin]\ntoken = 12345", "FILE:2: admin.token: must be a text in quotes"),
    ] {
        assert_eq!(said_of_file(text), [said], "{text}");
    }
}

#[test]
fn a_file_that_is_not_toml_or_not_there_is_named() {
    let said = said_of_file("[server]\nlisten = \n");
    assert!(said[0].starts_with("FILE:2: not TOML: "), "{said:?}");
    let twice = said_of_file("[server]\nheader_count = 9\nheader_count = 9\n");
    assert!(twice[0].starts_with("FILE:3: not TOML: "), "{twice:?}");
    let absent = Config::load(Sources::new().file("no/such/file.toml")).unwrap_err().to_string();
    assert!(absent.starts_with("no/such/file.toml: cannot be read ("), "{absent}");
}

#[test]
fn every_mistake_of_the_environment_names_its_variable() {
    for (pair, said) in [
        (
            ("TZERO_SERVER__LISTN", "x"),
            "environment variable TZERO_SERVER__LISTN: server.listn: unknown key; the nearest known one is TZERO_SERVER__LISTEN",
        ),
        (
            ("TZERO_LIMITS__USER_BURST", "many"),
            "environment variable TZERO_LIMITS__USER_BURST: limits.user_burst: must be a whole number from 1 to 10000000, and not the text \"many\"",
        ),
        (
            ("TZERO_SERVER_LISTEN", "127.0.0.1:1"),
            "environment variable TZERO_SERVER_LISTEN: server.listen: section and key are parted by two underscores: TZERO_SERVER__LISTEN",
        ),
        (
            ("TZERO_LISTEN", "127.0.0.1:1"),
            "environment variable TZERO_LISTEN: server.listen: a variable has its section and its key: TZERO_SERVER__LISTEN",
        ),
        (
            ("TZERO_DATA", "x"),
            "environment variable TZERO_DATA: data.dir: a variable has its section and its key: TZERO_DATA__DIR",
        ),
        (
            ("TZERO_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,home"),
            "environment variable TZERO_SERVER__TRUSTED_PROXIES: server.trusted_proxies: must be networks separated by commas, each an IP address with the number of its leading bits, such as \"10.0.0.0/8\" or \"::1/128\", and not \"10.0.0.0/8,home\"",
        ),
    ] {
        assert_eq!(said_of_variables(&[pair]), [said]);
    }
    let differing = said_of_variables(&[("TZERO_ADMIN_TOKEN", "a"), ("TZERO_ADMIN__TOKEN", "b")]);
    assert_eq!(
        differing,
        [
            "environment variable TZERO_ADMIN_TOKEN: admin.token: differs from TZERO_ADMIN__TOKEN, which is the same setting; set one of the two"
        ]
    );
}

#[test]
fn the_command_line_is_checked_as_well() {
    let flags = variables(&[("server.listen", "nowhere"), ("server.lissen", "127.0.0.1:1")]);
    let said = Config::load(Sources::new().flags(flags)).unwrap_err().to_string();
    assert!(
        said.contains("command line: server.lissen: unknown key; the nearest known one is server.listen"),
        "{said}"
    );
    assert!(said.contains("command line: server.listen: must be an IP address with its port"), "{said}");
}

#[test]
fn all_mistakes_of_all_layers_are_named_at_once() {
    let (_file, sources) = file("[server]\nlistn = 1\nheader_count = 1\n[log]\nlevel = 5\n");
    let environment = variables(&[("TZERO_STATUS__POLL_MIN_MS", "no")]);
    let flags = variables(&[("sandbox.enabled", "maybe"), ("processor.retry_min_ms", "20000")]);
    let mistakes = Config::load(sources.environment(environment).flags(flags)).unwrap_err();
    let keys: Vec<&str> = mistakes.all().iter().map(|mistake| mistake.key.as_str()).collect();
    let expected = [
        "server.listn",
        "server.header_count",
        "log.level",
        "status.poll_min_ms",
        "processor.retry_max_ms",
        "sandbox.enabled",
    ];
    assert_eq!(keys, expected, "{mistakes}");
}
