//! What everybody reads, compressed: made once, when somebody first asks for it, and kept beside the plain form.

use std::io::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};

/// Of 11: the higher ones take ten times as long for a few percent.
const BROTLI_QUALITY: i32 = 6;
/// The window of brotli, as an exponent of two: nothing here is larger.
const BROTLI_WINDOW: i32 = 18;
/// Of 9.
const GZIP_LEVEL: u32 = 7;

/// How a body is written (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
}

impl Coding {
    /// What the client would have (RFC 9110, section 12.5.3); the smaller of two that are wished alike. Who wishes nothing
    /// that there is gets the plain form.
    #[must_use]
    pub fn wished(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        let wishes: Vec<(&str, f32)> = lines.flat_map(|line| line.split(',')).filter_map(wish).collect();
        let named = |names: &[&str]| {
            let found =
                wishes.iter().find(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)));
            found.map(|(_, weight)| *weight)
        };
        let any = named(&["*"]).unwrap_or(0.0);
        let brotli = named(&["br"]).unwrap_or(any);
        let gzip = named(&["gzip", "x-gzip"]).unwrap_or(any);
        let plain = named(&["identity"]).unwrap_or(0.0);
        match () {
            () if brotli > 0.0 && brotli >= gzip && brotli >= plain => Self::Brotli,
            () if gzip > 0.0 && gzip >= plain => Self::Gzip,
            () => Self::Identity,
        }
    }

    /// Its name in `Content-Encoding`.
    #[must_use]
    pub const fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// The strong tag of a form whose plain one has this tag: no two forms share one (RFC 9110, section 8.8.3.3).
    #[must_use]
    pub fn tag(self, plain: &HeaderValue) -> HeaderValue {
        let told_apart = |token: &str| {
            let bare = plain.to_str().ok()?.strip_suffix('"')?;
            HeaderValue::from_str(&format!("{bare}-{token}\"")).ok()
        };
        self.token().and_then(told_apart).unwrap_or_else(|| plain.clone())
    }
}

/// A coding's name and weight; `None` where the weight cannot be read.
fn wish(part: &str) -> Option<(&str, f32)> {
    let mut parts = part.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = parts.find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("q").then(|| value.trim())
    });
    let weight: f32 = weight.map_or(Some(1.0), |text| text.parse().ok())?;
    (0.0..=1.0).contains(&weight).then_some((name, weight))
}

/// A body in all of its forms.
#[derive(Debug)]
pub struct Forms {
    plain: Bytes,
    gzip: OnceLock<Option<Bytes>>,
    brotli: OnceLock<Option<Bytes>>,
}

impl Forms {
    /// Of its plain form; the others are made when they are first asked for.
    #[must_use]
    pub fn of(plain: impl Into<Bytes>) -> Self {
        Self { plain: plain.into(), gzip: OnceLock::new(), brotli: OnceLock::new() }
    }

    /// The form that is wished, and which one it is: the plain one where compressing saves nothing.
    #[must_use]
    pub fn get(&self, wished: Coding) -> (Coding, Bytes) {
        let made = match wished {
            Coding::Identity => None,
            Coding::Gzip => self.gzip.get_or_init(|| self.smaller(gzip(&self.plain))).clone(),
            Coding::Brotli => self.brotli.get_or_init(|| self.smaller(brotli(&self.plain))).clone(),
        };
        made.map_or_else(|| (Coding::Identity, self.plain.clone()), |made| (wished, made))
    }

    fn smaller(&self, made: std::io::Result<Vec<u8>>) -> Option<Bytes> {
        made.ok().filter(|made| made.len() < self.plain.len()).map(Bytes::from)
    }
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    writer.write_all(plain)?;
    writer.finish()
}

fn brotli(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut made = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: plain.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*plain, &mut made, &parameters)?;
    Ok(made)
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
