//! A code without a page and a page without a code are caught.

use super::super::tree::Tree;
use super::check;

const PROBLEM: &str = r#"//! Problems.
impl Problem {
    pub fn code(&self) -> &'static str {
        match self {
            Self::SoldOut => "sold-out",
            Self::Paused { .. } => "paused",
        }
    }
    pub fn title(&self) -> &'static str {
        match self { Self::SoldOut => "everything", Self::Paused { .. } => "waiting" }
    }
}
"#;

fn reasons(files: &[(&str, &str)]) -> Vec<String> {
    check(&Tree::of(files)).into_iter().map(|finding| finding.to_string()).collect()
}

#[test]
fn a_code_without_a_page_is_caught() {
    let found = reasons(&[("crates/gateway/src/problem.rs", PROBLEM), ("docs/problems/paused.md", "")]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("crates/gateway/src/problem.rs:5: [problems] the code `sold-out` has no page"),
        "{found:?}"
    );
}

#[test]
fn a_page_without_a_code_is_caught() {
    let found = reasons(&[
        ("crates/gateway/src/problem.rs", PROBLEM),
        ("docs/problems/paused.md", ""),
        ("docs/problems/sold-out.md", ""),
        ("docs/problems/gone.md", ""),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("docs/problems/gone.md:1: "), "{found:?}");
}

#[test]
fn without_a_code_function_the_arms_count() {
    let source = "match x { A => \"rate-limited\", B => f(\"retry-after\") }";
    let found = reasons(&[("crates/gateway/src/problem/code.rs", source)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`rate-limited`"), "{found:?}");
}

#[test]
fn without_a_problem_module_there_is_nothing_to_say() {
    assert!(reasons(&[("docs/problems/paused.md", "")]).is_empty());
}
