//! What the map forgets and what it invents are caught, in lists and in drawn trees.

use super::super::tree::Tree;
use super::check;

fn reasons(map: &str) -> Vec<String> {
    let tree = Tree::of(&[
        ("ARCHITECTURE.md", map),
        ("crates/domain/src/lib.rs", ""),
        ("crates/domain/src/hold.rs", ""),
        ("crates/domain/src/hold_tests.rs", ""),
        ("crates/domain/src/ticket.rs", ""),
        ("crates/wire/src/ticket.rs", ""),
    ]);
    check(&tree).into_iter().map(|finding| format!("{}: {}", finding.line, finding.reason)).collect()
}

#[test]
fn a_whole_map_passes_as_list_and_as_tree() {
    assert_eq!(reasons("`crates/domain`: `hold.rs`, `ticket.rs`.\n`crates/wire`.\n"), Vec::<String>::new());
    assert_eq!(reasons("domain/  hold.rs ticket.rs\nwire/  ticket.rs\n"), Vec::<String>::new());
    assert_eq!(
        reasons("crates/domain/src/hold.rs crates/domain/src/ticket.rs crates/wire/src/*.rs"),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_left_out_is_caught() {
    let found = reasons("`crates/domain`: `hold.rs`.\n`crates/wire`: `ticket.rs`\n");
    assert_eq!(found, ["1: the code map does not name `crates/domain/src/ticket.rs`"]);
    let found = reasons("`crates/domain`: `hold.rs`, `ticket.rs`\n");
    assert_eq!(found, ["1: the code map does not name `crates/wire`"]);
}

#[test]
fn what_is_not_there_is_caught() {
    let found =
        reasons("`crates/domain`: `hold.rs`, `ticket.rs`\n`crates/wire`, `crates/redis`\nsee `draw.rs`.\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("2: `crates/redis` is not there"), "{found:?}");
    assert!(found[1].starts_with("3: `draw.rs` is not there"), "{found:?}");
}

#[test]
fn a_missing_map_is_caught() {
    assert_eq!(check(&Tree::of(&[("crates/domain/src/lib.rs", "")])).len(), 1);
}
