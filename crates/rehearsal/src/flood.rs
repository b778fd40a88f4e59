//! Hostile buyers below HTTP: bodies a byte a second, headers that no server takes, connections that say nothing. They come
//! again as soon as they are cut off.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::buyer::Buyer;
use crate::foe::{Foe, Kind};
use crate::herd::Herd;

/// Connections that one flooder holds at once.
const HELD: usize = 8;
/// Bytes of a header that is too large: four times the most that is taken by default.
const OVERSIZED: usize = 64 * 1024;
/// Between two bytes of a slow body.
const BYTE: Duration = Duration::from_secs(1);
/// Bytes that a slow body promises.
const PROMISED: usize = 1_000;
/// Most of an answer that is read.
const READ: usize = 16 * 1024;

impl Buyer {
    /// Until the honest ones are done.
    pub(crate) async fn flood(&self, herd: &Herd, foe: Foe) {
        let held = if foe.kind == Kind::ConnectionFlood { HELD } else { 1 };
        join_all((0..held).map(|_| self.again_and_again(herd, foe.kind))).await;
    }

    async fn again_and_again(&self, herd: &Herd, kind: Kind) {
        let Some(places) = herd.foes.places(kind) else { return };
        while !herd.siege_is_over() {
            let place = tokio::select! {
                place = places.acquire() => place,
                () = herd.foes.quit.cancelled() => return,
                () = herd.until(herd.over) => return,
            };
            let Ok(_place) = place else { return };
            tokio::select! {
                () = self.intrude(herd, kind) => {}
                () = herd.foes.quit.cancelled() => return,
                () = herd.until(herd.over) => return,
            }
            herd.pause().await;
        }
    }

    /// One connection, until the server ends it.
    async fn intrude(&self, herd: &Herd, kind: Kind) {
        let (mut stream, host) = match herd.foes.side.client.dial().await {
            Ok(dialled) => dialled,
            Err(error) => return herd.foes.side.errors.add(&error),
        };
        let Some(deeds) = herd.foes.deeds(kind) else { return };
        deeds.opened.fetch_add(1, Ordering::Relaxed);
        let said = self.opening(herd, kind, &host);
        // Where the server closes while we speak, it may have answered: that is read below.
        drop(stream.write_all(said.as_bytes()).await);
        let drip = (kind == Kind::SlowBody).then_some(BYTE);
        let answer = until_closed(&mut stream, drip).await;
        deeds.cut.fetch_add(1, Ordering::Relaxed);
        herd.foes.note(kind, &named(&answer));
    }

    /// What is said at first.
    fn opening(&self, herd: &Herd, kind: Kind, host: &str) -> String {
        let (path, token, address) = (&herd.checkout_path, &self.token, &self.address);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nx-forwarded-for: {address}\r\n"
        );
        match kind {
            Kind::SlowBody => {
                format!("{head}content-type: application/json\r\ncontent-length: {PROMISED}\r\n\r\n{{")
            }
            Kind::OversizedHeaders => format!("{head}x-large: {}\r\n\r\n", "a".repeat(OVERSIZED)),
            _ => String::new(),
        }
    }
}

/// Reads until the server closes, sending a blank from time to time where `drip` says so; what it answered.
async fn until_closed(stream: &mut TcpStream, drip: Option<Duration>) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut silence = drip;
    while answer.len() < READ {
        let wait = silence.unwrap_or(Duration::MAX);
        let read = tokio::time::timeout(wait, stream.read_buf(&mut answer)).await;
        match read {
            Ok(Ok(read)) if read > 0 => {}
            Ok(_) => break,
            Err(_) if stream.write_all(b" ").await.is_ok() => {}
            // It may have answered before it closed.
            Err(_) => silence = None,
        }
    }
    answer
}

/// An answer by status and code.
fn named(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let Some(status) = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)) else {
        return "closed without an answer".to_owned();
    };
    let code = text.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next());
    format!("{status} {}", code.unwrap_or_default()).trim_end().to_owned()
}

#[cfg(test)]
#[path = "flood_tests.rs"]
mod tests;
