//! The operator's lists, followed while the program runs. A list that cannot be read any more stays what it was, and holds up
//! neither the other nor a request: each is read on a thread of its own, and swapped in when it is whole.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gateway::lists::{Lists, Networks, Revoked};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Network};
use crate::files::{self, Apart, Stamp};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the longest file that is read.
const LONGEST: u64 = 128 << 20;

/// The lists and the files that they come from.
pub struct ListFiles {
    /// The lists as they are now.
    pub lists: Arc<Lists>,
    files: Vec<(Arc<File>, Seen)>,
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

/// A file, and where what it says goes.
struct File {
    kind: Kind,
    path: PathBuf,
    lists: Arc<Lists>,
    /// Whose word we take: never denied.
    trusted: Vec<Network>,
}

/// A version of a file that was read.
#[derive(Clone)]
struct Seen {
    stamp: Stamp,
    digest: blake3::Hash,
    /// Whether it was found unchanged later: one that was written in the moment in which it was read may look the same.
    settled: bool,
    /// What is wrong with it.
    wrong: Option<String>,
}

/// What a look at a file gives.
struct Looked {
    seen: Seen,
    /// How many entries it has where it was put in force, or nothing where it is as it was.
    outcome: Result<Option<usize>, String>,
}

impl ListFiles {
    /// The lists that the configuration names, read.
    ///
    /// # Errors
    /// A list cannot be read or has mistakes: all of them, a line for each list.
    pub fn open(config: &Config) -> Result<Self, String> {
        let named =
            [(Kind::Networks, &config.limits.networks_file), (Kind::Revoked, &config.sessions.revoked_file)];
        let lists: Arc<Lists> = Arc::default();
        let (mut files, mut wrong) = (Vec::new(), Vec::new());
        for (kind, path) in named {
            let Some(path) = path.clone() else { continue };
            let trusted = config.server.trusted_proxies.clone();
            let file = Arc::new(File { kind, path, lists: Arc::clone(&lists), trusted });
            match file.open() {
                Ok(seen) => files.push((file, seen)),
                Err(why) => wrong.push(format!("{}: {} {why}", kind.key(), file.path.display())),
            }
        }
        if wrong.is_empty() { Ok(Self { lists, files }) } else { Err(wrong.join("\n")) }
    }

    /// Whether there is anything to follow.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Follows the files until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let followed = self.files.into_iter().map(|(file, seen)| follow(file, seen, &stop));
        futures::future::join_all(followed).await;
    }
}

async fn follow(file: Arc<File>, mut seen: Seen, stop: &CancellationToken) {
    let (list, path) = (file.kind.key(), file.path.display());
    let mut looking = Apart::new(PATIENCE);
    // What was logged last, while something is wrong.
    let mut said = None;
    loop {
        let look = async {
            tokio::time::sleep(LOOK).await;
            let (file, seen) = (Arc::clone(&file), seen.clone());
            looking.ask(move || file.look(seen)).await
        };
        let looked = tokio::select! {
            () = stop.cancelled() => return,
            looked = look => looked,
        };
        let outcome = looked.and_then(|looked| {
            seen = looked.seen;
            looked.outcome
        });
        match outcome {
            Ok(changed) => {
                if let Some(entries) = changed {
                    tracing::info!(list, %path, entries, "the list has changed");
                } else if said.is_some() {
                    tracing::info!(list, %path, "the list is what it was, and can be read again");
                }
                said = None;
            }
            Err(wrong) => {
                file.lists.failures.fetch_add(1, Ordering::Relaxed);
                if said.as_ref() != Some(&wrong) {
                    tracing::warn!(list, %path, %wrong, "the list stays what it was");
                    said = Some(wrong);
                }
            }
        }
    }
}

impl File {
    /// Reads it for the first time.
    fn open(&self) -> Result<Seen, String> {
        let (text, stamp) = files::read_stamped(&self.path, LONGEST)?;
        self.put_in_force(&text)?;
        Ok(Seen { stamp, digest: blake3::hash(&text), settled: false, wrong: None })
    }

    /// Reads it again where it has changed.
    fn look(&self, seen: Seen) -> Looked {
        match self.read_again(&seen) {
            Ok((seen, entries)) => {
                let outcome = seen.wrong.clone().map_or(Ok(entries), Err);
                Looked { seen, outcome }
            }
            Err(wrong) => Looked { seen, outcome: Err(wrong) },
        }
    }

    fn read_again(&self, seen: &Seen) -> Result<(Seen, Option<usize>), String> {
        if seen.settled && Stamp::of(&self.path)? == seen.stamp {
            return Ok((seen.clone(), None));
        }
        let (text, stamp) = files::read_stamped(&self.path, LONGEST)?;
        let (digest, settled) = (blake3::hash(&text), stamp == seen.stamp);
        if digest == seen.digest {
            return Ok((Seen { stamp, settled, ..seen.clone() }, None));
        }
        let (entries, wrong) = match self.put_in_force(&text) {
            Ok(entries) => (Some(entries), None),
            Err(wrong) => (None, Some(wrong)),
        };
        Ok((Seen { stamp, digest, settled, wrong }, entries))
    }

    /// Puts a list in force; gives how many entries it has.
    fn put_in_force(&self, text: &[u8]) -> Result<usize, String> {
        match self.kind {
            Kind::Networks => {
                let networks = Networks::read(text)?;
                for proxy in &self.trusted {
                    if let Some(denied) = networks.denied_in(proxy.address(), proxy.prefix()) {
                        return Err(format!(
                            "denies {denied}, and server.trusted_proxies has {proxy}: everybody behind such a proxy would be \
                             turned away"
                        ));
                    }
                }
                let count = networks.len();
                self.lists.networks.store(Arc::new(networks));
                Ok(count)
            }
            Kind::Revoked => {
                let revoked = Revoked::read(text)?;
                let count = revoked.len();
                self.lists.revoked.store(Arc::new(revoked));
                Ok(count)
            }
        }
    }
}

#[cfg(test)]
#[path = "lists_tests.rs"]
mod tests;
