//! Clocks that are wrong: a process is started with a library between itself and the machine's clock (libfaketime). The clock
//! by which it measures how long something takes is left alone, as a machine whose time is set leaves it alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::time::sleep;

use crate::fleet::Fleet;
use crate::stage::Stage;

/// The library, in a folder of the machine's architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
const LIBRARIES: &str = "/usr/lib";
/// What that library lacks, in C.
const WAITS: &str = include_str!("waits.c");
/// Whose allocator a process gets with it: jemalloc, which Redis is linked with, asks for the time before the library can tell it.
const ALLOCATOR: &str = "libc.so.6";
/// How long a process works by a wrong clock.
const WRONG: Duration = Duration::from_secs(6);

/// What a process is started with so that its clock is wrong; nothing so that it is right.
pub type Environment = Vec<(&'static str, String)>;

/// What can make clocks wrong.
#[derive(Clone, Debug)]
pub struct Clocks {
    library: PathBuf,
    waits: PathBuf,
}

impl Clocks {
    /// Looks for the library, and builds into `folder` what it lacks.
    pub fn find(folder: &Path) -> Result<Self, String> {
        let folders = std::fs::read_dir(LIBRARIES).into_iter().flatten().flatten();
        let mut libraries = folders.map(|folder| folder.path().join(LIBRARY));
        let library = libraries.find(|library| library.is_file()).ok_or_else(|| {
            format!("it needs libfaketime (Debian: faketime), as {LIBRARIES}/<architecture>/{LIBRARY}")
        })?;
        let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
        let (source, waits) = (folder.join("waits.c"), folder.join("libwaits.so"));
        std::fs::write(&source, WAITS).map_err(|error| format!("{}: {error}", source.display()))?;
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&waits).arg(&source).output();
        let built = built.map_err(|error| format!("it needs a C compiler as `cc`: {error}"))?;
        if !built.status.success() {
            return Err(format!("{}: {}", source.display(), String::from_utf8_lossy(&built.stderr).trim()));
        }
        Ok(Self { library, waits })
    }

    /// A clock that goes so many seconds before the machine's, or behind it.
    pub fn ahead(&self, seconds: i64) -> Environment {
        if seconds == 0 {
            return Vec::new();
        }
        vec![
            ("LD_PRELOAD", format!("{}:{}:{ALLOCATOR}", self.waits.display(), self.library.display())),
            ("FAKETIME", format!("{seconds:+}s")),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

/// The clock of PostgreSQL is behind, right, ahead and right: it goes back twice.
pub async fn of_postgres(stage: &mut Stage<'_>, seconds: i64) -> Result<(), String> {
    let mut done = Ok(());
    for ahead in [-seconds, 0, seconds] {
        if done.is_ok() {
            done = set_store(stage, "postgres", ahead).await;
        }
    }
    done.and(set_store(stage, "postgres", 0).await)
}

/// The clocks of the sale's primary, one after another: whichever node that is.
pub async fn of_primary(stage: &mut Stage<'_>, seconds: i64) -> Result<(), String> {
    let mut done = Ok(());
    for ahead in [seconds, -seconds] {
        if done.is_ok() {
            done = of_one_primary(stage, ahead).await;
        }
    }
    done
}

async fn of_one_primary(stage: &mut Stage<'_>, ahead: i64) -> Result<(), String> {
    let name = stage.stores.primary(stage.root).await?.0.name();
    let wrong = set_store(stage, &name, ahead).await;
    let sells = stage.sells_again(stage.gauge.elapsed()).await;
    let right = set_store(stage, &name, 0).await;
    wrong.and(sells).and(right)
}

/// A clock that is set right is so whether or not anybody buys in that moment.
async fn set_store(stage: &mut Stage<'_>, name: &str, ahead: i64) -> Result<(), String> {
    let moment = stage.moment(&format!("restart {name}, its clock {ahead:+} s")).await;
    if ahead != 0 {
        moment.clone()?;
    }
    stage.stores.restart_in(name, stage.clocks()?.ahead(ahead)).await?;
    sleep(WRONG).await;
    moment
}

/// The first process of every role is ahead, the second right; then all are right, and the first ones' clocks have gone back. Nobody
/// is behind: by the clock of such a process the sale has not begun.
pub async fn of_roles(stage: &mut Stage<'_>, seconds: i64) -> Result<(), String> {
    let wrong = set_roles(stage, [seconds, 0]).await;
    sleep(WRONG).await;
    let right = set_roles(stage, [0, 0]).await;
    wrong.and(right)
}

/// All of them, also where one cannot be set as it should: a clock that stays wrong would be the next fault's.
async fn set_roles(stage: &mut Stage<'_>, ahead: [i64; 2]) -> Result<(), String> {
    let clocks = stage.clocks()?.clone();
    let mut done = Ok(());
    for (role, number) in stage.fleet.all().into_iter().filter(|(role, _)| *role != Fleet::PROVIDER) {
        let ahead = ahead.get(number).copied().unwrap_or_default();
        // Where there was none, nobody buys any more, and none will come while clocks are set right.
        if done.is_ok() {
            done = stage.moment(&format!("restart {role}-{number}, its clock {ahead:+} s")).await;
        }
        let set = stage.fleet.roll_in(role, number, clocks.ahead(ahead)).await;
        done = done.and(set);
    }
    done
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
