//! Cuts one node of Redis off from the other nodes, and from nobody else, with a table of nftables that is gone with the cut.
//!
//! Nodes come to one another from addresses of their own (`bind-source-addr`), clients from another: so what nodes say to one
//! another can be told from what clients say, on the same port as well.

use std::io::Write;
use std::process::{Command, Stdio};

/// The table, in the machine's own list of them.
const TABLE: &str = "tzero_chaos";
/// Where nodes come from.
const NODES: &str = "127.0.1.0/24";
const PROGRAMS: [&str; 2] = ["nft", "/usr/sbin/nft"];

/// A node that is cut off, until this is dropped.
pub struct Cut(());

impl Cut {
    /// Cuts off whoever comes from `source`, answers at `port`, and talks to other nodes at `bus`.
    pub fn off(source: &str, port: &str, bus: u16) -> Result<Self, String> {
        clear()?;
        let cut = Self(());
        nft(&["-f", "-"], &rules(source, port, bus))?;
        Ok(cut)
    }

    /// Everybody reaches it again.
    pub fn heal(self) -> Result<(), String> {
        std::mem::forget(self);
        clear()
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        if let Err(reason) = clear() {
            crate::say(&format!("  the network is still cut ({reason}): nft delete table inet {TABLE}"));
        }
    }
}

/// Both directions of what it asks of others, and of what others ask of it.
fn rules(source: &str, port: &str, bus: u16) -> String {
    let drops = [
        format!("ip saddr {source}"),
        format!("ip daddr {source}"),
        format!("tcp dport {bus}"),
        format!("tcp sport {bus}"),
        format!("ip saddr {NODES} tcp dport {port}"),
        format!("ip daddr {NODES} tcp sport {port}"),
    ];
    let drops: String = drops.iter().map(|what| format!("    {what} drop\n")).collect();
    format!(
        "table inet {TABLE} {{\n  chain cut {{\n    type filter hook input priority 0; policy accept;\n{drops}  }}\n}}\n"
    )
}

/// Takes the table away where there is one: a run of before that was killed may have left it.
pub fn clear() -> Result<(), String> {
    nft(&["-f", "-"], &format!("table inet {TABLE} {{}}\ndelete table inet {TABLE}\n"))
}

/// Whether this machine lets us.
pub fn usable() -> Result<(), String> {
    clear().map_err(|reason| format!("it needs nftables and the right to use it, as root has it: {reason}"))
}

fn nft(words: &[&str], text: &str) -> Result<(), String> {
    let mut refused = String::new();
    for program in PROGRAMS {
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            refused = "there is no `nft`".to_owned();
            continue;
        };
        // Who does not read says why when it ends.
        drop(child.stdin.take().map(|mut pipe| pipe.write_all(text.as_bytes())));
        let done = child.wait_with_output().map_err(|error| format!("nft: {error}"))?;
        if done.status.success() {
            return Ok(());
        }
        return Err(format!("nft: {}", String::from_utf8_lossy(&done.stderr).trim()));
    }
    Err(refused)
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
