//! A whole body, up to a limit.

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;

/// Why there is no body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Spoilt {
    #[error("a body may have {0} bytes")]
    TooLarge(usize),
    #[error("the body breaks off: {0}")]
    Broken(String),
}

/// Reads a body of at most `most` bytes.
pub(crate) async fn gather(body: Incoming, most: usize) -> Result<Bytes, Spoilt> {
    let read = Limited::new(body, most).collect().await;
    read.map(|body| body.to_bytes()).map_err(|error| {
        let too_large = error.is::<LengthLimitError>();
        if too_large { Spoilt::TooLarge(most) } else { Spoilt::Broken(error.to_string()) }
    })
}
