//! One connection to a program that is measured: a request goes, its whole answer comes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer that takes longer is none.
const LONGEST: Duration = Duration::from_secs(10);

/// What came back.
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// Bytes of the whole answer, head and body.
    pub bytes: usize,
    /// The body.
    pub body: String,
}

/// A connection that is kept alive.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A request without a body.
pub fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\r\n").into_bytes()
}

/// A request with a body of JSON.
pub fn post(path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n");
    format!("{head}{authorization}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

impl Connection {
    /// To `address`.
    ///
    /// # Errors
    /// Nobody answers there.
    pub fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address).map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        stream.set_read_timeout(Some(LONGEST)).map_err(said)?;
        Ok(Self { stream, buffer: vec![0; 16_384] })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// The connection broke, or what came is not an answer of HTTP/1.1 with a length.
    pub fn ask(&mut self, request: &[u8]) -> Result<Answer, String> {
        self.stream.write_all(request).map_err(said)?;
        let mut have = 0;
        loop {
            let room = self.buffer.get_mut(have..).filter(|room| !room.is_empty());
            let came = self.stream.read(room.ok_or("the answer is too long")?).map_err(said)?;
            if came == 0 {
                return Err("the connection was closed".to_owned());
            }
            have += came;
            let text = std::str::from_utf8(&self.buffer[..have]).unwrap_or_default();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let (status, length) = read(head).ok_or_else(|| format!("not an answer: {head}"))?;
            if body.len() >= length {
                return Ok(Answer { status, bytes: have, body: body.to_owned() });
            }
        }
    }
}

/// Status and length of the body.
fn read(head: &str) -> Option<(u16, usize)> {
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Some((status, lengths.next()?.1.trim().parse().ok()?))
}

fn said(error: std::io::Error) -> String {
    format!("the program that is measured: {error}")
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
