//! Tests that are not there, guards that nobody knows, and guards that are left out are caught.

use super::super::tree::Tree;
use super::check;
use crate::mutants::all;

const TESTS: &str = "fn helper() {}\n#[test]\nfn one() {}\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn two() {}\nfn three() {}\n";

fn reasons(table: &str) -> Vec<String> {
    let files = [("docs/threats.md", table), ("a/it/hostile.rs", TESTS), ("b/hostile.rs", TESTS)];
    let none = check(&Tree::of(&files), &[]);
    none.into_iter().map(|finding| finding.to_string()).collect()
}

#[test]
fn tests_that_are_there_are_found_by_as_much_of_their_path_as_is_needed() {
    assert_eq!(reasons("| `it/hostile.rs::one`, `b/hostile.rs::two` | `x.rs` | `a b.rs::c d` |"), [""; 0]);
    let found = reasons(
        "\n| `hostile.rs::one` | `it/hostile.rs::three` | `it/hostile.rs::helper` | `gone.rs::one` |",
    );
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found[0].starts_with("docs/threats.md:2: [threats] 2 files end with `hostile.rs`"), "{found:?}");
    assert!(found[1].contains("`a/it/hostile.rs` has no test `three`"), "{found:?}");
    assert!(found[3].contains("0 files end with `gone.rs`"), "{found:?}");
}

#[test]
fn guards_are_known_stand_beside_their_tests_and_none_is_left_out() {
    let mutants: Vec<_> = all().collect();
    let known = mutants.iter().find(|mutant| mutant.file.starts_with("crates/gateway/")).unwrap();
    let name = known.test.rsplit("::").next().unwrap();
    let test = format!("#[test]\nfn {name}() {{}}");
    let found = |row: String| {
        let tree = Tree::of(&[("docs/threats.md", &row), ("a/b.rs", &test)]);
        check(&tree, &[*known]).into_iter().map(|finding| finding.reason).collect::<Vec<_>>()
    };
    assert_eq!(found(format!("| `a/b.rs::{name}` | `without {}` |", known.guard)), [""; 0]);
    assert!(found(format!("| `without {}` |", known.guard))[0].contains("which this row does not name"));
    let unknown = found("| `without a net` |".to_owned());
    assert!(unknown[0].contains("knows no guard `a net`"), "{unknown:?}");
    assert!(unknown[1].contains("no row has the guard"), "{unknown:?}");
}
