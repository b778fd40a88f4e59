//! Tests.

use super::*;

fn kept(dir: &Path, address: &str) -> KeptKeys {
    KeptKeys::new(dir, &address.parse().unwrap())
}

#[test]
fn a_copy_is_of_its_address_and_instant() {
    let dir = tempfile::tempdir().unwrap();
    let keys = kept(dir.path(), "https://ann:secret@shop.example/keys");
    assert!(keys.kept().unwrap_err().contains("no copy"));
    keys.keep(b"{ \"keys\": [] }", Timestamp::from_millis(7_000));
    assert_eq!(keys.kept(), Ok((b"{ \"keys\": [] }".to_vec(), Timestamp::from_millis(7_000))));
    let other = kept(dir.path(), "https://other.example/keys").kept().unwrap_err();
    assert!(other.contains("is from https://***@shop.example/keys, and is not used"), "{other}");
    let text = std::fs::read_to_string(dir.path().join("shop-keys.json")).unwrap();
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn a_copy_that_is_none_is_told_by_its_file() {
    let dir = tempfile::tempdir().unwrap();
    let keys = kept(dir.path(), "https://shop.example/keys");
    for (text, said) in [
        ("{\"keys\":[]}", "does not say which address"),
        ("{\"addr", "is broken"),
        ("", "is broken"),
        ("[]", "is broken"),
    ] {
        std::fs::write(dir.path().join("shop-keys.json"), text).unwrap();
        let wrong = keys.kept().unwrap_err();
        assert!(wrong.contains("shop-keys.json") && wrong.contains(said), "{wrong}");
    }
}
