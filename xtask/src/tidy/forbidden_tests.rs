//! Every mark is caught where it counts and not where it is only spoken of.

use super::super::finding::places;
use super::super::tree::Tree;
use super::check;

fn lines(path: &str, text: &str) -> Vec<usize> {
    places(&check(&Tree::of(&[(path, text)]))).into_iter().map(|(_, line)| line).collect()
}

#[test]
fn marks_in_code_are_caught() {
    for source in [
        "#[ignore]\nfn f() {}",
        "#[ignore = \"slow\"]\nfn f() {}",
        "#[allow(dead_code)]",
        "# [ allow (dead_code)]",
        "#![allow(warnings)]",
        "#[cfg_attr(test, allow(dead_code))]",
        concat!("to", "do!()"),
        concat!("unimple", "mented!(\"x\")"),
        "assert!(true);",
        "assert!( true, \"x\");",
    ] {
        assert_eq!(lines("a.rs", source), [1], "{source}");
    }
}

#[test]
fn words_in_comments_and_other_languages_are_caught() {
    for word in super::WORDS {
        assert_eq!(lines("a.rs", &format!("fn f() {{}}\n// {word}: later\n")), [2]);
        assert_eq!(lines("a.toml", &format!("# {word}\n")), [1]);
        assert_eq!(lines("a.js", &format!("// {word}(x)\n")), [1]);
    }
}

#[test]
fn skipped_examples_are_caught() {
    assert_eq!(lines("a.rs", "/// ```ignore\n/// x\n/// ```\n"), [1]);
}

#[test]
fn what_is_only_spoken_of_passes() {
    assert_eq!(
        lines("a.rs", "const MARK: &str = \"#[ignore] #[allow(x)] assert!(true)\";"),
        Vec::<usize>::new()
    );
    assert_eq!(
        lines("a.rs", "// never write #[allow(x)]\n#[expect(x, reason = \"y\")]\nassert!(truth);\n"),
        Vec::<usize>::new()
    );
    assert_eq!(lines("a.rs", "f(a, allow(b));"), Vec::<usize>::new());
    assert_eq!(lines("a.md", concat!("No ", "TO", "DO here.")), Vec::<usize>::new());
}
