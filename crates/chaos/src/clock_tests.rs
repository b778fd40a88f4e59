//! Tests.

use super::*;

#[test]
fn a_right_clock_needs_nothing_and_a_wrong_one_says_by_how_much() {
    let clocks = Clocks { library: PathBuf::from("/lib/one.so"), waits: PathBuf::from("/two.so") };
    assert_eq!(clocks.ahead(0), []);
    for (seconds, said) in [(600, "+600s"), (-600, "-600s")] {
        let environment = clocks.ahead(seconds);
        assert!(environment.contains(&("FAKETIME", said.to_owned())), "{environment:?}");
        assert!(
            environment.contains(&("LD_PRELOAD", "/two.so:/lib/one.so:libc.so.6".to_owned())),
            "{environment:?}"
        );
    }
}
