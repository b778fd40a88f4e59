//! Code, comments and literals are told apart in the places where it is easy to go wrong.

use super::{Masked, line_of};

fn code(source: &str) -> String {
    Masked::new(source).code
}

fn literals(source: &str) -> Vec<String> {
    Masked::new(source).strings.into_iter().map(|literal| literal.text).collect()
}

#[test]
fn comments_are_not_code() {
    assert_eq!(code("a // b\nc"), "a     \nc");
    assert_eq!(code("a /* b /* c */ d */ e"), "a                   e");
    assert_eq!(Masked::new("a // b\nc").comments, "  // b\n ");
}

#[test]
fn strings_are_neither_code_nor_comments() {
    assert_eq!(code(r#"f("a // { b") }"#), r#"f("        ") }"#);
    assert_eq!(literals(r#"f("a \" b", "c")"#), [r#"a \" b"#, "c"]);
    assert_eq!(literals("f(r#\"a \" b\"#, br\"c\\\")"), ["a \" b", "c\\"]);
    assert_eq!(code("r#type + for\"x\""), "r#type + for\" \"");
}

#[test]
fn characters_and_lifetimes_do_not_open_strings() {
    assert_eq!(code("'\"' + '{' + '\\'' + '\\u{1F}'"), "'   + '   + '    + '       ");
    assert_eq!(code("fn f<'a>(x: &'a str) {}"), "fn f<'a>(x: &'a str) {}");
    assert_eq!(code("match c { 'a'..='z' => {} }"), "match c { '  ..='   => {} }");
    assert_eq!(literals("'\"'; \"x\""), ["x"]);
    assert_eq!(literals("'…'; \"x\""), ["x"]);
}

#[test]
fn lines_and_offsets_survive() {
    let masked = Masked::new("a\n\"two\nlines\"\n");
    assert_eq!(masked.strings[0].line, 2);
    assert_eq!(masked.strings[0].offset, 3);
    assert_eq!(masked.code.lines().count(), 3);
    assert_eq!(line_of("a\nb\nc", 4), 3);
}

#[test]
fn what_is_never_closed_ends_with_the_source() {
    assert_eq!(code("a \"b"), "a \" ");
    assert_eq!(code("a /* b"), "a     ");
    assert_eq!(code("r#\"b"), "r#\" ");
}
