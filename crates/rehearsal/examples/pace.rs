//! Measures the latency of granted checkouts at a fixed pace, open loop.
//!
//! `cargo run --release -p rehearsal --example pace -- ADDRESS SALE RATE SECONDS CONNECTIONS CROWD KEYS < USERS`, where USERS
//! has a line `USER_ID SESSION_TOKEN` for each buyer, KEYS begins every idempotency key, and CROWD is `waits` or `leaves`: what
//! becomes of requests that find connections waiting. Prints the figures as JSON.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use rehearsal::pace::{Crowd, Pace, pace};

fn argument<T: FromStr>(at: usize, name: &str) -> Result<T, String> {
    let text = std::env::args().nth(at).ok_or_else(|| format!("argument {at}, {name}, is missing"))?;
    text.parse().map_err(|_| format!("argument {at} must be {name}, and not {text}"))
}

async fn measure() -> Result<String, String> {
    let address: SocketAddr = argument(1, "an address such as 127.0.0.1:8080")?;
    let sale: String = argument(2, "the identifier of a sale")?;
    let plan = Pace {
        address,
        rate_per_s: argument(3, "requests a second")?,
        lasts: Duration::from_secs(argument(4, "a number of seconds")?),
        connections: argument(5, "a number of connections")?,
        crowd: match argument::<String>(6, "waits or leaves")?.as_str() {
            "waits" => Crowd::Waits,
            "leaves" => Crowd::Leaves,
            other => return Err(format!("argument 6 must be waits or leaves, and not {other}")),
        },
    };
    let keys: String = argument(7, "the beginning of keys")?;
    let users = std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?;
    let users: Vec<(&str, &str)> = users.lines().filter_map(|line| line.split_once(' ')).collect();
    if users.is_empty() {
        return Err("no users on standard input".to_owned());
    }
    let request = |number: u64| {
        let (user, token) = users[number as usize % users.len()];
        let body = format!(r#"{{"user_id":"{user}","product_id":"p","idempotency_key":"{keys}{number}"}}"#);
        let length = body.len();
        Bytes::from(format!(
            "POST /v1/sales/{sale}/checkout HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    };
    let paced = pace(plan, request).await?;
    serde_json::to_string(&paced).map_err(|error| error.to_string())
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a measurement prints what it measured")]
fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let measured = runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(measure()));
    match measured {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}
