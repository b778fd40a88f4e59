//! Tests.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn numbers_and_texts_come_back(number in any::<u64>(), text in "\\PC{0,40}", flag in any::<bool>()) {
        let mut writer = Writer::default();
        writer.number(number);
        writer.text(&text);
        writer.flag(flag);
        writer.optional(flag.then_some(number), Writer::number);
        let mut reader = Reader::new(writer.bytes());
        prop_assert_eq!(reader.number().unwrap(), number);
        prop_assert_eq!(reader.text().unwrap(), text);
        prop_assert_eq!(reader.flag().unwrap(), flag);
        prop_assert_eq!(reader.optional(Reader::number).unwrap(), flag.then_some(number));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn nonsense_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let mut reader = Reader::new(&bytes);
        while !reader.is_empty() && crate::record::Record::read(&mut reader).is_ok() {}
    }
}

#[test]
fn a_forged_length_reserves_no_memory() {
    let mut writer = Writer::default();
    writer.number(u64::MAX);
    assert_eq!(Reader::new(writer.bytes()).list(Reader::number), Err(Malformed::Short));
    assert_eq!(Reader::new(writer.bytes()).text(), Err(Malformed::Short));
    assert_eq!(Reader::new(&[0xff; 11]).number(), Err(Malformed::Value("a number")));
    assert_eq!(Reader::new(&[2]).flag(), Err(Malformed::Value("a flag")));
}
