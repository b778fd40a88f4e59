//! A silent file is caught.

use super::super::finding::places;
use super::super::tree::Tree;
use super::check;

#[test]
fn a_file_that_does_not_say_what_it_is_for_is_found() {
    let tree = Tree::of(&[
        ("a.rs", "//! Money.\nstruct Money;\n"),
        ("b.rs", "use std::fmt;\n//! Late.\n"),
        ("c.rs", "//!\n"),
        ("d.rs", ""),
        ("e.md", "no Rust"),
    ]);
    assert_eq!(places(&check(&tree)), [("b.rs".into(), 1), ("c.rs".into(), 1), ("d.rs".into(), 1)]);
}
