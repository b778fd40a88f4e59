//! Tests.

use super::*;

#[test]
fn every_guard_stands_exactly_once_in_its_file() {
    let root = workspace::root().unwrap();
    for mutant in MUTANTS {
        let text = read(&root.join(mutant.file)).unwrap();
        assert_eq!(text.matches(mutant.original).count(), 1, "{}: {}", mutant.guard, mutant.file);
    }
}
