//! What counts as a test, a crate, a file that is there.

use super::Tree;
use crate::workspace;

#[test]
fn tests_are_known_by_their_place_or_name() {
    let tree = Tree::of(&[
        ("crates/domain/src/hold.rs", ""),
        ("crates/domain/src/hold_tests.rs", ""),
        ("crates/tzero/tests/it/main.rs", ""),
        ("crates/domain/src/attests.rs", ""),
    ]);
    let tests: Vec<bool> = tree.files().iter().map(super::SourceFile::is_test).collect();
    assert_eq!(tests, [false, true, true, false]);
}

#[test]
fn crates_list_their_top_level_files() {
    let tree = Tree::of(&[
        ("crates/wire/src/lib.rs", ""),
        ("crates/wire/src/golden/one.rs", ""),
        ("crates/wire/Cargo.toml", ""),
        ("crates/empty/Cargo.toml", ""),
    ]);
    let crates = tree.crates();
    assert_eq!(crates["wire"], ["lib.rs"]);
    assert!(crates["empty"].is_empty());
    assert!(tree.has("crates/wire/") && tree.has("crates/wire/src/lib.rs") && !tree.has("crates/wir"));
}

#[test]
fn this_checkout_is_read_with_and_without_git() {
    let root = workspace::root().unwrap();
    let walked = super::from_walk(&root).unwrap();
    let tree = Tree::read(&root).unwrap();
    for path in ["Cargo.toml", "xtask/src/tidy/tree.rs"] {
        assert!(walked.iter().any(|found| found == path), "{path} was not walked to");
        assert!(tree.get(path).is_some_and(|file| !file.text.is_empty()), "{path} was not read");
    }
    assert!(!walked.iter().any(|path| path.starts_with("target/")));
}
