//! Which form a client gets, and that each is the same when it is unpacked.

use std::io::Read as _;

use http::{HeaderMap, HeaderValue, header};

use super::{Coding, Forms};

fn wished(lines: &[&'static str]) -> Coding {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
    }
    Coding::wished(&headers)
}

#[test]
fn a_client_gets_what_it_wishes_of_what_there_is() {
    use Coding::{Brotli, Gzip, Identity};
    for (lines, expected) in [
        (&[][..], Identity),
        (&[""], Identity),
        (&["gzip, deflate, br, zstd"], Brotli),
        (&["gzip, deflate"], Gzip),
        (&["x-gzip"], Gzip),
        (&["GZIP"], Gzip),
        (&["gzip", "br"], Brotli),
        (&["br;q=0.5, gzip"], Gzip),
        (&["br ; Q=0.5 , gzip;q=0.5"], Brotli),
        (&["br;q=0, gzip;q=0"], Identity),
        (&["br;q=0.000, *"], Gzip),
        (&["*"], Brotli),
        (&["*;q=0"], Identity),
        (&["identity, gzip;q=0.5"], Identity),
        (&["deflate"], Identity),
        (&["gzipped, abr"], Identity),
        // A weight that nobody can read is no wish.
        (&["br;q=nan, gzip;q=2"], Identity),
        (&["br;q=, gzip"], Gzip),
    ] {
        assert_eq!(wished(lines), expected, "{lines:?}");
    }
}

#[test]
fn every_form_is_the_same_text() {
    let text = "Sixty-five characters that come again and again compress well. ".repeat(40);
    let forms = Forms::of(text.clone());
    assert_eq!(forms.get(Coding::Identity), (Coding::Identity, text.clone().into()));
    let (coding, packed) = forms.get(Coding::Gzip);
    assert!(coding == Coding::Gzip && packed.len() < text.len() / 5, "{}", packed.len());
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, text);
    let (coding, packed) = forms.get(Coding::Brotli);
    assert!(coding == Coding::Brotli && packed.len() < text.len() / 5, "{}", packed.len());
    let mut unpacked = String::new();
    brotli::Decompressor::new(&packed[..], 4_096).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, text);
}

#[test]
fn a_form_is_made_once() {
    let forms = Forms::of("a".repeat(1_000));
    for coding in [Coding::Gzip, Coding::Brotli] {
        let (first, second) = (forms.get(coding).1, forms.get(coding).1);
        assert_eq!(first.as_ptr(), second.as_ptr());
    }
}

#[test]
fn what_compressing_does_not_make_smaller_stays_plain() {
    for coding in [Coding::Gzip, Coding::Brotli] {
        assert_eq!(Forms::of("x").get(coding), (Coding::Identity, "x".into()));
    }
}

#[test]
fn no_two_forms_share_a_tag() {
    let plain = HeaderValue::from_static("\"1f\"");
    assert_eq!(Coding::Identity.tag(&plain), "\"1f\"");
    assert_eq!(Coding::Gzip.tag(&plain), "\"1f-gzip\"");
    assert_eq!(Coding::Brotli.tag(&plain), "\"1f-br\"");
}
