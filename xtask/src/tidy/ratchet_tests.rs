//! The ratchet catches growth, and tightening never raises a figure.

use super::super::tree::Tree;
use super::{Figures, compare, lowered, measure, quantile};

const RATCHET: &str = "# lines\nfile_longest = 5\nfile_median = 5\nfile_p90 = 5\n\
                       function_longest = 2\nfunction_median = 2\nfunction_p90 = 2\n";

fn figures(text: &str) -> Figures {
    toml::from_str(text).unwrap()
}

fn grown() -> Tree {
    Tree::of(&[("a.rs", "fn short() {}\nfn long() {\n\n\n}\n")])
}

#[test]
fn growth_is_found_with_its_place() {
    let findings = compare(RATCHET, &figures(RATCHET), &measure(&grown()), &grown());
    let reasons: Vec<&str> = findings.iter().map(|finding| finding.reason.as_str()).collect();
    assert_eq!(findings.len(), 2, "{reasons:?}");
    assert_eq!(findings[0].line, 5);
    assert!(
        reasons[0].contains("function_longest is 4 lines and may be at most 2 (a.rs:2 `long`)"),
        "{reasons:?}"
    );
}

#[test]
fn a_figure_without_a_limit_is_found() {
    let findings = compare("", &Figures::new(), &measure(&grown()), &grown());
    assert_eq!(findings.len(), 6);
    assert!(findings[0].reason.contains("`file_longest` is missing; today it is 5"), "{findings:?}");
}

#[test]
fn tightening_lowers_and_never_raises() {
    let text = "# why\nfile_longest = 100\nfunction_longest = 2\n";
    let tightened = lowered(text, &figures(text), &measure(&grown()));
    assert_eq!(tightened, "# why\nfile_longest = 5\nfunction_longest = 2\n");
}

#[test]
fn quantiles_of_small_samples() {
    assert_eq!(quantile(&[], 50), 0);
    assert_eq!(quantile(&[7], 90), 7);
    assert_eq!(quantile(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 50), 5);
    assert_eq!(quantile(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 90), 9);
}
