//! Traces of a machine and of the work's organisation are caught; ordinary paths and words are not.

use std::path::Path;

use super::super::finding::places;
use super::super::tree::Tree;
use super::{Places, check};

fn lines(text: &str) -> Vec<usize> {
    let machine = Places { folders: vec!["/here/checkout".into(), "/here".into(), "/home/ann".into()] };
    places(&check(&Tree::of(&[("a.md", text)]), &machine)).into_iter().map(|(_, line)| line).collect()
}

#[test]
fn machine_paths_are_caught() {
    for text in [
        "see /here/notes.md",
        "`/here/checkout/crates`",
        "HOME is /home/ann/.cargo",
        concat!("open /t", "mp/x"),
        concat!("path=\"/t", "mp/scratch\""),
    ] {
        assert_eq!(lines(text), [1], "{text}");
    }
}

#[test]
fn words_about_the_work_are_caught() {
    for text in [
        concat!("fixes iss", "ue #12"),
        concat!("Iss", "ue # 7"),
        concat!("in this ", "session we"),
        concat!("As ", "requested, it"),
    ] {
        assert_eq!(lines(&format!("\n{text}")), [2], "{text}");
    }
}

#[test]
fn ordinary_paths_and_words_pass() {
    for text in [
        "/home/anna/x",
        "docs/here/notes.md",
        "https://example.com/here/x",
        "${ROOT}/here/x",
        "/here/",
        "a fresh folder under /tmp",
        "the issue is closed",
        "the buyer's session",
    ] {
        assert_eq!(lines(text), Vec::<usize>::new(), "{text}");
    }
}

#[test]
fn a_checkout_in_a_common_folder_does_not_forbid_that_folder() {
    let machine = Places::of_this_machine(Path::new("/opt/checkout"));
    assert!(!machine.folders.iter().any(|folder| folder == "/opt"));
    assert!(machine.folders.iter().any(|folder| folder == "/opt/checkout"));
    let odd = Places::of_this_machine(Path::new("/odd/checkout"));
    assert!(odd.folders.iter().any(|folder| folder == "/odd"));
}
