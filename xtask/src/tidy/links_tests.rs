//! Links that lead nowhere are caught, with their line.

use super::super::finding::places;
use super::super::tree::Tree;
use super::check;

fn lines(text: &str) -> Vec<usize> {
    let tree = Tree::of(&[
        ("docs/a.md", text),
        ("docs/b.md", "# The Life of a Hold\n"),
        ("docs/problems/sold-out.md", ""),
        ("README.md", ""),
    ]);
    places(&check(&tree)).into_iter().map(|(_, line)| line).collect()
}

#[test]
fn broken_links_are_caught() {
    for text in
        ["[x](c.md)", "[x](../docs/c.md)", "[x](b.md#no-such)", "[x](#nowhere)", "![x](x.png \"title\")"]
    {
        assert_eq!(lines(&format!("# A\n\n{text}\n")), [3], "{text}");
    }
}

#[test]
fn whole_links_pass() {
    for text in [
        "[x](b.md) and [y](../README.md)",
        "[x](b.md#the-life-of-a-hold) [y](#a)",
        "[x](problems/) [y](./b.md)",
        "[x](https://example.com/c.md) [y](/problems/sold-out) [z](mailto:a@example.com)",
        "`[x](c.md)`",
        "```\n[x](c.md)\n```",
    ] {
        assert_eq!(lines(&format!("# A\n\n{text}\n")), Vec::<usize>::new(), "{text}");
    }
}
