//! Tests.

use super::*;

fn means(previous: Option<&str>) -> Means {
    Means {
        previous: previous.map(PathBuf::from),
        network: Err("not root".to_owned()),
        clocks: Err("no library".to_owned()),
    }
}

#[test]
fn what_cannot_be_tried_is_left_out_with_a_word_and_refused_by_name() {
    let (chosen, left) = means(None).choose(&[]).unwrap();
    assert_eq!(chosen.len() + 5, FAULTS.len());
    assert!(left[0].starts_with("redis-primary-isolated is left out: not root"), "{left:?}");
    assert!(left[1].starts_with("redis-clock-wrong is left out: no library"), "{left:?}");
    assert!(left[4].contains("--previous PROGRAM"), "{left:?}");
    for name in ["redis-primary-isolated", "postgres-clock-wrong", "role-clocks-differ", "upgrade"] {
        let refusal = means(None).choose(&[name.to_owned()]).unwrap_err();
        assert!(refusal.starts_with(&format!("{name} cannot be tried: ")), "{refusal}");
    }
    let upgrade = ["upgrade".to_owned()];
    assert_eq!(means(Some("/bin/old")).choose(&upgrade).unwrap().0, [named("upgrade").unwrap()]);
    assert!(means(None).choose(&["kraken".to_owned()]).is_err());
}
