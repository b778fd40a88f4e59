//! Files that somebody else writes: regular ones only, within a bound, and read on a thread of their own where the program
//! runs, since a file that a network keeps may never answer.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use tokio::sync::oneshot;

/// What tells one version of a file from another. Whoever writes a file cannot choose when it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of the file that a path leads to.
    ///
    /// # Errors
    /// It cannot be seen, or is no regular file.
    pub fn of(path: &Path) -> Result<Self, String> {
        Self::among(&path.metadata().map_err(|error| format!("cannot be read: {error}"))?)
    }

    fn among(about: &Metadata) -> Result<Self, String> {
        if let Some(kind) = other_than_regular(about) {
            return Err(format!("is {kind}, and must be a regular file"));
        }
        Ok(Self {
            device: about.dev(),
            inode: about.ino(),
            length: about.size(),
            written: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        })
    }
}

fn other_than_regular(about: &Metadata) -> Option<&'static str> {
    let kind = about.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a folder")
    } else if kind.is_fifo() {
        Some("a FIFO")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

/// The bytes of a regular file that has at most so many.
///
/// # Errors
/// It cannot be read, is no regular file, or has more bytes.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    read_stamped(path, most).map(|(bytes, _)| bytes)
}

/// The same, and what tells this version from another.
///
/// # Errors
/// As for [`read`].
pub fn read_stamped(path: &Path, most: u64) -> Result<(Vec<u8>, Stamp), String> {
    let failed = |error: std::io::Error| format!("cannot be read: {error}");
    // A FIFO without a writer would otherwise be waited for before it could be seen that it is one.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(failed)?;
    let stamp = Stamp::among(&file.metadata().map_err(failed)?)?;
    Ok((bytes_of(file, most)?, stamp))
}

/// Whatever length a file says that it has: so many bytes are read and one more.
fn bytes_of(file: File, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(format!("has more than the {most} bytes that it may have"));
    }
    Ok(bytes)
}

/// A regular file of at most so many bytes, as text.
///
/// # Errors
/// As for [`read`], and where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String, String> {
    String::from_utf8(read(path, most)?).map_err(|_| "must be text in UTF-8".to_owned())
}

/// Work on files, one piece at a time, on threads of its own: what never ends holds up nobody, not even the end of the
/// program.
#[derive(Debug)]
pub struct Apart<T> {
    patience: Duration,
    /// What was begun and has not ended yet.
    begun: Option<oneshot::Receiver<T>>,
}

impl<T: Send + 'static> Apart<T> {
    /// Work of which each piece is waited for so long.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self { patience, begun: None }
    }

    /// What a piece of work gives. While an earlier one has not ended, nothing else is begun, and what that one gives counts.
    ///
    /// # Errors
    /// It has not ended in time; or it broke off.
    pub async fn ask(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
        let mut begun = match self.begun.take() {
            Some(begun) => begun,
            None => begin(work)?,
        };
        match tokio::time::timeout(self.patience, &mut begun).await {
            Ok(ended) => ended.map_err(|_| "reading it broke off".to_owned()),
            Err(_) => {
                self.begun = Some(begun);
                Err(format!(
                    "has not been read within {} s: does what it is on answer?",
                    self.patience.as_secs_f64()
                ))
            }
        }
    }
}

fn begin<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<oneshot::Receiver<T>, String> {
    let (done, begun) = oneshot::channel();
    let thread = std::thread::Builder::new().name("files".to_owned());
    // Nobody may be there any more who wants to know.
    let spawned = thread.spawn(move || drop(done.send(work())));
    spawned.map(|_| begun).map_err(|error| format!("cannot be read: no thread can be begun: {error}"))
}

/// What one piece of work gives within `patience`, on a thread of its own.
///
/// # Errors
/// As for [`Apart::ask`], and what the work gives.
pub async fn apart<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    Apart::new(patience).ask(work).await?
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
