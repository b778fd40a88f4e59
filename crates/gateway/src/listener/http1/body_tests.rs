//! Tests.

use super::*;

/// Reads `text` as it arrives in parts of `size`; `None` where it is refused.
fn read(framing: Framing, text: &[u8], size: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut incoming = Incoming::from(framing);
    let (mut received, mut whole) = (Vec::new(), Vec::new());
    let mut parts = text.chunks(size);
    loop {
        match incoming.step(&mut received) {
            Step::Data(data) => whole.extend_from_slice(&data),
            Step::End => {
                received.extend(parts.flatten());
                return Some((whole, received));
            }
            Step::Broken => return None,
            Step::More => received.extend_from_slice(parts.next()?),
        }
    }
}

#[test]
fn a_body_is_the_same_however_it_arrives_and_leaves_what_follows() {
    let chunked = b"4\r\nWiki\r\n6;a=b\r\npedia \r\n0000D\r\nin\r\n\r\nchunks.\r\n0\r\nx: y\r\nz: \r\n\r\nGET / HTTP/1.1";
    for size in 1..chunked.len() {
        let (whole, rest) = read(Framing::Chunked, chunked, size).expect("it is well formed");
        assert_eq!(whole, b"Wikipedia in\r\n\r\nchunks.");
        assert_eq!(rest, b"GET / HTTP/1.1", "{size}");
        let (whole, rest) = read(Framing::Length(7), b"1234567GET", size).expect("it is long enough");
        assert_eq!((whole.as_slice(), rest.as_slice()), (&b"1234567"[..], &b"GET"[..]));
    }
    assert_eq!(read(Framing::Length(0), b"GET", 1), Some((vec![], b"GET".to_vec())));
}

#[test]
fn chunks_of_two_meanings_are_refused() {
    let long = format!("{}\r\n", "0".repeat(300));
    let extended = format!("1;{}\r\n", "a".repeat(300));
    let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(1_000));
    for text in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "0x1\r\na\r\n",
        " 1\r\na\r\n",
        "1\na\r\n0\r\n\r\n",
        "1\r\nab\r\n",
        "1\r\na\n0\r\n\r\n",
        "1000000000000000\r\n",
        "1\r\na\r\n0\r\n\n",
        &long,
        &extended,
        &trailers,
    ] {
        assert_eq!(read(Framing::Chunked, text.as_bytes(), 7), None, "{text:?}");
    }
}
