//! A wait ends by success, by hopelessness, or by its bound.

use std::time::Duration;

use super::{Unready, until};

#[test]
fn it_looks_until_it_is_there() {
    let mut looks = 0;
    let waited = until(Duration::from_secs(10), || {
        looks += 1;
        if looks < 3 { Err(Unready::NotYet("no".to_owned())) } else { Ok(()) }
    });
    assert_eq!((waited, looks), (Ok(()), 3));
}

#[test]
fn it_ends_with_the_last_reason() {
    let late = until(Duration::ZERO, || Err(Unready::NotYet("still loading".to_owned())));
    assert_eq!(late, Err("waited 0 s: still loading".to_owned()));
    let never = until(Duration::from_secs(10), || Err(Unready::Never("it has ended".to_owned())));
    assert_eq!(never, Err("it has ended".to_owned()));
}
