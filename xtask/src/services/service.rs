//! What the services have in common: the table of them, starting one, looking whether it answers.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::place::{Place, is_free};
use super::process::Process;
use super::{kafka, postgres, redis, wait};
use crate::needs::{self, Need};
use crate::workspace::Outcome;

/// How long a port may stay taken by a server that was killed.
const LEAVES: Duration = Duration::from_secs(5);
/// How long a server may take to accept, and then to say something.
const ANSWER: Duration = Duration::from_secs(2);

/// One store: its processes, and what it takes until they answer.
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// What must be on the machine to run it.
    pub needs: &'static [Need],
    /// What must be on the machine to look at one that others run.
    pub check_needs: &'static [Need],
    /// Its processes.
    pub processes: fn(&Place) -> Vec<Process>,
    /// What must be there before they start.
    pub prepare: fn(&Place) -> Outcome,
    /// What must happen after they started until it is usable; waits for that.
    pub settle: fn(&Place) -> Outcome,
    /// Whether it is usable now.
    pub answers: fn(&Place) -> Outcome,
}

/// All of them.
pub const SERVICES: &[Service] = &[redis::SERVICE, kafka::SERVICE, postgres::SERVICE];

impl Service {
    /// Whether all of its processes run and it is usable.
    pub fn is_up(&self, place: &Place) -> bool {
        let processes = (self.processes)(place);
        processes.iter().all(|process| process.running().is_some()) && (self.answers)(place).is_ok()
    }

    /// Starts those of its processes that do not run.
    pub fn start(&self, place: &Place) -> Outcome {
        needs::provide(self.needs)?;
        (self.prepare)(place)?;
        let processes = (self.processes)(place);
        processes.iter().filter(|process| process.running().is_none()).try_for_each(|process| {
            port_is_free(process)?;
            process.start()
        })
    }
}

/// What an interrupted talk with a server means for people.
pub fn broken(address: &str, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => {
            format!("{address} accepts, and says nothing for {} s", ANSWER.as_secs())
        }
        _ => format!("{address} does not answer: {error}"),
    }
}

/// What was killed a moment ago may still listen.
fn port_is_free(process: &Process) -> Outcome {
    let (name, port) = (&process.name, process.port);
    wait::until(LEAVES, || {
        if is_free(port) {
            return Ok(());
        }
        Err(wait::Unready::NotYet(format!(
            "{name}: another program listens on 127.0.0.1:{port}, which this folder has kept for {name}: stop that \
             program, or run `cargo xtask services down --wipe` to choose other ports"
        )))
    })
}

/// A connection on which nothing waits for long.
pub fn connect(address: &str) -> Result<TcpStream, String> {
    let said = |error: std::io::Error| format!("cannot reach {address}: {error}");
    let mut resolved = address.to_socket_addrs().map_err(said)?;
    let target = resolved.next().ok_or_else(|| format!("cannot reach {address}: the name has no address"))?;
    let stream = TcpStream::connect_timeout(&target, ANSWER).map_err(said)?;
    stream
        .set_read_timeout(Some(ANSWER))
        .and_then(|()| stream.set_write_timeout(Some(ANSWER)))
        .map_err(said)?;
    Ok(stream)
}
