//! The operator's lists, followed while the program runs. A list that cannot be read any more stays what it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use gateway::lists::{Lists, Networks, Revoked, Rule};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Network};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes of the longest file that is read.
const LONGEST: u64 = 128 << 20;

/// The lists and the files that they come from.
pub struct ListFiles {
    /// The lists as they are now.
    pub lists: Arc<Lists>,
    files: Vec<File>,
    /// Whose word we take: never denied.
    trusted: Vec<Network>,
}

/// What a file has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Networks,
    Revoked,
}

impl Kind {
    const fn key(self) -> &'static str {
        match self {
            Self::Networks => "limits.networks_file",
            Self::Revoked => "sessions.revoked_file",
        }
    }
}

struct File {
    kind: Kind,
    path: PathBuf,
    /// What tells one version from another: when it was written, and how long it is.
    seen: Option<(SystemTime, u64)>,
    /// Whether reading it failed last time, which was logged then.
    failed: bool,
}

impl ListFiles {
    /// The lists that the configuration names, read.
    ///
    /// # Errors
    /// A list cannot be read or has a mistake.
    pub fn open(config: &Config) -> Result<Self, String> {
        let named =
            [(Kind::Networks, &config.limits.networks_file), (Kind::Revoked, &config.sessions.revoked_file)];
        let file = |(kind, path): (Kind, &Option<PathBuf>)| {
            path.clone().map(|path| File { kind, path, seen: None, failed: false })
        };
        let mut files = Self {
            lists: Arc::default(),
            files: named.into_iter().filter_map(file).collect(),
            trusted: config.server.trusted_proxies.clone(),
        };
        for file in &mut files.files {
            file.seen = stamp(&file.path).ok();
            take(&files.lists, &files.trusted, file.kind, &file.path)
                .map_err(|wrong| format!("{}: {} {wrong}", file.kind.key(), file.path.display()))?;
        }
        Ok(files)
    }

    /// Whether there is anything to follow.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Follows the files until `stop`.
    pub async fn follow(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
            for file in &mut self.files {
                look(&self.lists, &self.trusted, file);
            }
        }
    }
}

/// Reads a file again where it has changed.
fn look(lists: &Lists, trusted: &[Network], file: &mut File) {
    let path = file.path.display();
    let now = stamp(&file.path);
    if now.as_ref().ok() == file.seen.as_ref() && !file.failed {
        return;
    }
    match now.and_then(|seen| take(lists, trusted, file.kind, &file.path).map(|count| (seen, count))) {
        Ok((seen, entries)) => {
            tracing::info!(list = file.kind.key(), %path, entries, "the list has changed");
            (file.seen, file.failed) = (Some(seen), false);
        }
        Err(wrong) => {
            lists.failures.fetch_add(1, Ordering::Relaxed);
            if !std::mem::replace(&mut file.failed, true) {
                tracing::warn!(list = file.kind.key(), %path, %wrong, "the list stays what it was");
            }
        }
    }
}

fn stamp(path: &Path) -> Result<(SystemTime, u64), String> {
    let about = path.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    let written = about.modified().map_err(|error| format!("does not say when it was written: {error}"))?;
    Ok((written, about.len()))
}

/// Reads a list and puts it in force; gives how many entries it has.
fn take(lists: &Lists, trusted: &[Network], kind: Kind, path: &Path) -> Result<usize, String> {
    let (_, length) = stamp(path)?;
    if length > LONGEST {
        return Err(format!("has {length} bytes, and may have {LONGEST}"));
    }
    let text = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    match kind {
        Kind::Networks => {
            let networks = Networks::read(&text)?;
            let denied = trusted.iter().find(|proxy| networks.rule(proxy.address()) == Some(Rule::Deny));
            if let Some(proxy) = denied {
                return Err(format!(
                    "denies {proxy}, which server.trusted_proxies has: everybody behind it would be turned away"
                ));
            }
            let count = networks.len();
            lists.networks.store(Arc::new(networks));
            Ok(count)
        }
        Kind::Revoked => {
            let revoked = Revoked::read(&text)?;
            let count = revoked.len();
            lists.revoked.store(Arc::new(revoked));
            Ok(count)
        }
    }
}
