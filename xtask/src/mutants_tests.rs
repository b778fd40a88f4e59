//! Tests.

use super::*;

#[test]
fn every_guard_stands_exactly_once_in_its_file() {
    let root = workspace::root().unwrap();
    for mutant in all() {
        let text = read(&root.join(mutant.file)).unwrap();
        assert_eq!(text.matches(mutant.original).count(), 1, "{}: {}", mutant.guard, mutant.file);
        assert_ne!(mutant.original, mutant.without, "{}", mutant.guard);
    }
}

#[test]
fn guards_are_told_apart_by_their_names_and_found_by_a_part_of_them() {
    let names: std::collections::BTreeSet<&str> = all().map(|mutant| mutant.guard).collect();
    assert_eq!(names.len(), all().count());
    let of_webhooks: Vec<&str> =
        all().filter(|mutant| mutant.is_wanted("webhook")).map(|mutant| mutant.guard).collect();
    assert!(!of_webhooks.is_empty() && of_webhooks.len() < names.len(), "{of_webhooks:?}");
    assert!(run(Path::new("/nowhere"), &Options { filter: Some("no such guard".to_owned()) }).is_err());
}

#[test]
fn the_copy_has_another_version() {
    let manifest =
        "[workspace.package]\nversion = \"0.1.0\"\n[workspace.dependencies]\nclap = { version = \"4\" }\n";
    let copy = renamed(manifest).unwrap();
    assert_eq!(copy, manifest.replace("0.1.0", "0.1.0+mutant"));
    assert!(renamed("[workspace]\n").is_err());
}
