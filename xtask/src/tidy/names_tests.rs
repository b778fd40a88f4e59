//! Synonyms are caught as whole words, in whatever way a name is written.

use super::super::tree::Tree;
use super::{check, words};

fn reasons(path: &str, source: &str) -> Vec<String> {
    check(&Tree::of(&[(path, source)]))
        .into_iter()
        .map(|finding| format!("{}: {}", finding.line, finding.reason))
        .collect()
}

#[test]
fn every_refused_word_is_caught_in_every_kind_of_public_name() {
    for (source, word) in [
        ("pub struct CartItem;", "item"),
        ("pub enum SKUKind {}", "sku"),
        ("pub trait Reservations {}", "reservation"),
        ("pub type StockLock = u8;", "lock"),
        ("pub const CART_SIZE: u8 = 1;", "cart"),
        ("pub async fn make_booking() {}", "booking"),
        ("pub unsafe fn reaper() {}", "reaper"),
        ("mod helpers;", "helper"),
        ("pub mod util {}", "util"),
        ("pub static MANAGER: u8 = 1;", "manager"),
        ("pub const fn dispatch() {}", "dispatch"),
    ] {
        let found = reasons("a.rs", source);
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        assert!(found[0].contains(&format!("\"{word}\"")), "{source}: {found:?}");
    }
}

#[test]
fn file_names_count_as_module_names() {
    let found = reasons("crates/x/src/string_utils.rs", "//! x\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("1: file `string_utils`"), "{found:?}");
}

#[test]
fn the_line_is_that_of_the_declaration() {
    assert!(reasons("a.rs", "//! x\n\npub fn\nhelper() {}\n")[0].starts_with("3: fn `helper`"));
}

#[test]
fn other_words_private_names_and_comments_pass() {
    for source in [
        "pub struct Clock; pub fn block() {} pub mod clockwork {}",
        "struct Item; fn lock() {} type Out = u8;",
        "pub(crate) fn lock() {}",
        "pub use std::sync::Mutex; impl Iterator for X { type Item = u8; }",
        "// pub struct Item;\nconst TEXT: &str = \"pub struct Item;\";",
        "pub struct Page { pub line_items: u8 }",
    ] {
        assert_eq!(reasons("a.rs", source), Vec::<String>::new(), "{source}");
    }
}

#[test]
fn names_are_split_as_people_read_them() {
    assert_eq!(words("HTTPServerItem2"), ["http", "server", "item2"]);
    assert_eq!(words("MAX_SKU"), ["max", "sku"]);
    assert_eq!(words("unlock_all"), ["unlock", "all"]);
}
