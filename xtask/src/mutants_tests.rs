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

#[test]
fn the_copy_has_another_version() {
    let manifest =
        "[workspace.package]\nversion = \"0.1.0\"\n[workspace.dependencies]\nclap = { version = \"4\" }\n";
    let copy = renamed(manifest).unwrap();
    assert_eq!(copy, manifest.replace("0.1.0", "0.1.0+mutant"));
    assert!(renamed("[workspace]\n").is_err());
}
