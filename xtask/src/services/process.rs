//! One server process: starting it detached, finding it again by pid file and command line, stopping it.
//!
//! A process is ours when the pid is the one that was noted and its command line still has the argument that
//! names its folder: a pid that the system has given to another program is never signalled.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::wait;
use crate::steps::answer;
use crate::workspace::Outcome;

/// Lines of a log that an error shows.
const TAIL: usize = 20;

/// How to start a server, and how to know it again.
#[derive(Debug)]
pub struct Process {
    /// Its name on the command line, such as `redis-1`.
    pub name: String,
    /// What it listens on.
    pub port: u16,
    /// Its folder: `pid` and `log` are in it.
    pub folder: PathBuf,
    /// The folder that it works in; its children work there as well.
    pub data: PathBuf,
    /// The program and its arguments.
    pub words: Vec<String>,
    /// The one of `words` by which its command line is recognised.
    pub mark: String,
    /// The signal that ends it in good order.
    pub stop: &'static str,
}

impl Process {
    /// The pid, while it runs and is ours.
    pub fn running(&self) -> Option<u32> {
        let pid = std::fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()?;
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        is_ours(&line, &self.mark).then_some(pid)
    }

    /// Starts it in a session of its own, so that it outlives this terminal.
    pub fn start(&self) -> Outcome {
        let log = self.folder.join("log");
        let open = || File::options().create(true).append(true).open(&log);
        let outputs = open().and_then(|out| open().map(|err| (out, err)));
        let (out, err) = outputs.map_err(|error| format!("cannot write {}: {error}", log.display()))?;
        let mut command = Command::new("setsid");
        command.args(&self.words).current_dir(&self.data).stdin(Stdio::null()).stdout(out).stderr(err);
        let child = command.spawn();
        let child = child.map_err(|error| format!("cannot start {}: {error}", self.name))?;
        let pid = self.folder.join("pid");
        std::fs::write(&pid, child.id().to_string())
            .map_err(|error| format!("cannot write {}: {error}", pid.display()))
    }

    /// Waits until `probe` succeeds; an error with the end of its log when it ends before, or does not in time.
    pub fn ready(&self, limit: Duration, mut probe: impl FnMut() -> Outcome) -> Outcome {
        let mut seen = false;
        let waited = wait::until(limit, || {
            let alive = self.running().is_some();
            // Between its start and its program there is `setsid`, whose command line is not yet the server's.
            if seen && !alive {
                return Err(wait::Unready::Never(format!("{} has ended", self.name)));
            }
            seen |= alive;
            probe().map_err(wait::Unready::NotYet)
        });
        waited.map_err(|reason| format!("{}: {reason}\n{}", self.name, self.tail()))
    }

    /// Sends it a signal, named as `kill` names it.
    pub fn signal(&self, signal: &str) -> Outcome {
        let pid = self.running().ok_or_else(|| format!("{} is not running", self.name))?;
        let sent = answer(Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", signal, &pid.to_string()]));
        sent.map(drop).map_err(|reason| format!("cannot signal {}: {reason}", self.name))
    }

    /// Waits until it has ended.
    pub fn ended(&self, limit: Duration) -> Outcome {
        wait::until(limit, || match self.running() {
            None => Ok(()),
            Some(pid) => Err(wait::Unready::NotYet(format!("{} (pid {pid}) is still running", self.name))),
        })
    }

    /// The end of its log, for people.
    pub fn tail(&self) -> String {
        let log = self.folder.join("log");
        let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(TAIL)..).unwrap_or_default();
        format!("the end of {}:\n{}", log.display(), last.join("\n"))
    }

    /// The pids of it and of all others that work in its folder.
    pub fn family(&self) -> Vec<u32> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let here = |pid: &u32| {
            std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == self.data)
        };
        pids.filter(here).collect()
    }

    /// The memory of its family in KiB, what they share counted once.
    pub fn memory(&self) -> u64 {
        self.family().into_iter().filter_map(memory_of).sum()
    }
}

/// Ends all of these: in good order first, by force after `patience`.
pub fn stop_all(processes: &[Process], patience: Duration) -> Outcome {
    let running: Vec<&Process> = processes.iter().filter(|process| process.running().is_some()).collect();
    for process in &running {
        process.signal(process.stop)?;
    }
    for process in &running {
        if process.ended(patience).is_err() {
            println!("{:<9} did not end within {} s: killed", process.name, patience.as_secs());
            // It may have ended in between, which is what was wanted.
            drop(process.signal("KILL"));
            process.ended(Duration::from_secs(5))?;
        }
    }
    Ok(())
}

/// Whether this command line, as the kernel keeps it, has `mark` as an argument of its own.
fn is_ours(line: &[u8], mark: &str) -> bool {
    line.split(|&byte| byte == 0).any(|argument| argument == mark.as_bytes())
}

fn memory_of(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    figure(&rollup, "Pss:").or_else(|| figure(&status, "VmRSS:"))
}

/// The number of kB that follows `name` at the start of a line.
fn figure(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
