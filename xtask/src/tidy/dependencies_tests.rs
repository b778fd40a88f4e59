//! The table catches what it is for; the real workspace can be read.

use serde_json::json;

use super::{Metadata, check, read};
use crate::workspace;

/// What is said of a crate `name` with one dependency.
fn reasons(name: &str, dependency: &str, kind: Option<&str>, inside: bool) -> Vec<String> {
    let path = inside.then_some("somewhere");
    let metadata: Metadata = serde_json::from_value(json!({
        "packages": [{"name": name, "dependencies": [{"name": dependency, "kind": kind, "path": path}]}]
    }))
    .unwrap();
    check(&metadata).into_iter().map(|finding| finding.to_string()).collect()
}

#[test]
fn rooms_that_must_not_know_each_other_are_caught() {
    for (name, other) in [
        ("domain", "ports"),
        ("ports", "wire"),
        ("purchase", "wire"),
        ("purchase", "adapter-embedded"),
        ("wire", "purchase"),
        ("adapter-embedded", "adapter-payments"),
        ("adapter-payments", "purchase"),
        ("gateway", "adapter-embedded"),
        ("workers", "gateway"),
        ("rehearsal", "domain"),
        ("sandbox", "wire"),
        ("order-link", "purchase"),
        ("gateway", "order-link"),
        ("xtask", "domain"),
        ("gateway", "tzero"),
    ] {
        let found = reasons(name, other, None, true);
        assert_eq!(found.len(), 1, "{name} -> {other}");
        assert!(found[0].contains(&format!("`{name}` uses `{other}`")), "{found:?}");
    }
}

#[test]
fn technologies_in_the_core_are_caught() {
    for (name, other) in [
        ("domain", "serde"),
        ("domain", "tokio"),
        ("ports", "axum"),
        ("purchase", "rusqlite"),
        ("wire", "reqwest"),
        ("adapter-embedded", "axum"),
        ("gateway", "rusqlite"),
    ] {
        assert_eq!(reasons(name, other, None, false).len(), 1, "{name} -> {other}");
    }
}

#[test]
fn what_the_table_allows_passes() {
    for (name, other, inside) in [
        ("domain", "blake3", false),
        ("order-link", "wire", true),
        ("order-link", "hyper", false),
        ("purchase", "ports", true),
        ("adapter-embedded", "rusqlite", false),
        ("gateway", "purchase", true),
        ("tzero", "adapter-embedded", true),
    ] {
        assert_eq!(reasons(name, other, None, inside), Vec::<String>::new(), "{name} -> {other}");
    }
}

#[test]
fn tests_may_use_more_but_the_core_not_an_adapter() {
    assert!(reasons("domain", "proptest", Some("dev"), false).is_empty());
    assert!(reasons("gateway", "adapter-embedded", Some("dev"), true).is_empty());
    let found = reasons("purchase", "adapter-embedded", Some("dev"), true);
    assert!(found[0].contains("the core is proven without a technology"), "{found:?}");
    assert_eq!(reasons("domain", "cc", Some("build"), false).len(), 1);
}

#[test]
fn a_crate_without_a_row_is_caught() {
    let found = reasons("newcomer", "serde", None, false);
    assert!(
        found[0].starts_with("crates/newcomer/Cargo.toml:1: [dependencies] `newcomer` has no row"),
        "{found:?}"
    );
}

#[test]
fn the_real_workspace_is_read() {
    let metadata = read(&workspace::root().unwrap()).unwrap();
    for name in ["domain", "tzero", "xtask"] {
        assert!(metadata.packages.iter().any(|package| package.name == name), "{name} is missing");
    }
}
