//! Lengths are counted right where braces hide in strings and types.

use super::super::finding::places;
use super::super::tree::Tree;
use super::{check, files, functions};

#[test]
fn a_long_file_is_found_and_a_long_test_is_not() {
    let long = "//! x\n".repeat(401);
    let fits = "//! x\n".repeat(400);
    let tree =
        Tree::of(&[("long.rs", &long), ("fits.rs", &fits), ("long_tests.rs", &long), ("long.md", &long)]);
    assert_eq!(places(&check(&tree)), [("long.rs".into(), 401)]);
    assert_eq!(files(&tree), [("long.rs".into(), 401), ("fits.rs".into(), 400)]);
}

fn lengths(source: &str) -> Vec<(String, usize, usize)> {
    let tree = Tree::of(&[("a.rs", source)]);
    functions(&tree).into_iter().map(|function| (function.name, function.line, function.lines)).collect()
}

#[test]
fn functions_are_measured_from_signature_to_closing_brace() {
    let source = "fn one() {}\n\npub async fn four(\n    x: [u8; 4],\n) {\n}\n";
    assert_eq!(lengths(source), [("one".into(), 1, 1), ("four".into(), 3, 4)]);
}

#[test]
fn braces_in_literals_and_comments_do_not_count() {
    let source = "fn f() {\n    g(\"}\"); // }\n    h('}');\n}\n";
    assert_eq!(lengths(source), [("f".into(), 1, 4)]);
}

#[test]
fn declarations_and_function_types_have_no_length() {
    let source =
        "trait T {\n    fn declared(&self) -> [u8; 2];\n}\ntype F = fn(u8) -> u8;\n// fn comment() {}\n";
    assert!(lengths(source).is_empty());
}
