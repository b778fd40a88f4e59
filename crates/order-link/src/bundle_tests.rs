//! Tests.

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn answers() -> Vec<u8> {
    let mut to = Writer::default();
    write_lead(&mut to);
    write_record(1, b"one", &mut to);
    write_record(0, &[7; 200], &mut to);
    write_record(2, b"", &mut to);
    to.into_bytes()
}

/// Gateways and nodes of other releases read these bytes: they never change under this version.
#[test]
fn golden() {
    let questions = [&b"ab"[..], b"", b"c"];
    let bytes = bundle(questions.iter().copied());
    assert_eq!(hex(&bytes), "010302616200".to_owned() + "0163");
    assert_eq!(read_bundle(&bytes), Ok(questions.to_vec()));
    assert_eq!(hex(&answers()[..7]), "0101036f6e6500");
}

#[test]
fn answers_are_put_together_however_they_are_cut() {
    let bytes = Bytes::from(answers());
    for size in 1..bytes.len() {
        let mut records = Records::default();
        let mut got = Vec::new();
        for at in (0..bytes.len()).step_by(size) {
            records.piece(bytes.slice(at..(at + size).min(bytes.len())));
            while let Some(record) = records.next().unwrap() {
                got.push(record);
            }
        }
        let expected = [(1, Bytes::from_static(b"one")), (0, Bytes::from(vec![7; 200])), (2, Bytes::new())];
        assert_eq!(got, expected);
    }
}

#[test]
fn another_version_garbage_and_what_is_too_large_are_refused() {
    assert_eq!(read_bundle(&[2, 0]), Err(Unreadable::Version(2)));
    for garbage in [&[][..], &[1], &[1, 0], &[1, 1], &[1, 1, 5, 0], &[1, 1, 0, 0]] {
        assert!(matches!(read_bundle(garbage), Err(Unreadable::Malformed(_))), "{garbage:?}");
    }
    let many = vec![&b"q"[..]; MOST + 1];
    assert!(read_bundle(&bundle(many.iter().copied())).is_err());
    assert!(read_bundle(&bundle(many[1..].iter().copied())).is_ok());
    let mut records = Records::default();
    records.piece(Bytes::from_static(&[2, 0]));
    assert_eq!(records.next(), Err(Unreadable::Version(2)));
    let mut records = Records::default();
    let mut to = Writer::default();
    write_lead(&mut to);
    to.number(0);
    to.number(1 << 40);
    records.piece(Bytes::from(to.into_bytes()));
    assert_eq!(records.next(), Ok(None));
    records.piece(Bytes::from(vec![0; ANSWER_BYTES]));
    assert!(records.next().is_err());
}
