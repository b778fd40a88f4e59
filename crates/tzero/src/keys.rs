//! Keys and tokens of an embedded system: made once, kept in the data folder, readable by their owner only.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::config::Secret;

/// Where the operator's token is kept.
#[must_use]
pub fn admin_token_file(dir: &Path) -> PathBuf {
    dir.join("admin-token")
}

/// The keys of a system, all derived from one secret.
#[derive(Clone)]
pub struct Keys {
    root: [u8; 32],
}

impl Keys {
    /// The keys of the secret that is configured, else of the one in the data folder, which is made from `fresh` where
    /// there is none.
    ///
    /// # Errors
    /// The file cannot be read or made, or is not a secret.
    pub fn open(
        dir: &Path,
        configured: Option<&Secret>,
        fresh: impl FnOnce() -> [u8; 32],
    ) -> Result<Self, String> {
        if let Some(secret) = configured {
            let root = unhex(secret.expose()).ok_or("data.secret: must have 64 hexadecimal digits")?;
            return Ok(Self { root });
        }
        let path = dir.join("secret.key");
        let text = read_or_make(&path, || hex(&fresh()))?;
        let root = unhex(text.trim()).ok_or_else(|| {
            format!("{} is not a secret: it must have 64 hexadecimal digits", path.display())
        })?;
        Ok(Self { root })
    }

    /// The keys that follow from a secret.
    #[must_use]
    pub const fn of(root: [u8; 32]) -> Self {
        Self { root }
    }

    /// The key for one purpose.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        blake3::derive_key(&format!("tzero 2026-11 {purpose}"), &self.root)
    }

    /// The key for one purpose as text.
    #[must_use]
    pub fn derive_text(&self, purpose: &str) -> String {
        hex(&self.derive(purpose))
    }
}

/// The operator's token of the data folder, made from `fresh` where there is none.
///
/// # Errors
/// The file cannot be read or made.
pub fn admin_token(dir: &Path, fresh: impl FnOnce() -> [u8; 32]) -> Result<String, String> {
    let text = read_or_make(&admin_token_file(dir), || hex(&fresh()))?;
    Ok(text.trim().to_owned())
}

fn read_or_make(path: &Path, make: impl FnOnce() -> String) -> Result<String, String> {
    let wrong = |doing: &str, error: std::io::Error| format!("cannot {doing} {}: {error}", path.display());
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let text = make();
            // Written aside and then linked: another process that starts in the same folder sees all of it or nothing.
            let aside = path.with_extension(format!("new-{}", std::process::id()));
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside);
            let mut file = file.map_err(|error| wrong("make", error))?;
            let written = file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_all());
            written.map_err(|error| wrong("write", error))?;
            let linked = fs::hard_link(&aside, path);
            drop(fs::remove_file(&aside));
            match linked {
                Ok(()) => Ok(text),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    fs::read_to_string(path).map_err(|error| wrong("read", error))
                }
                Err(error) => Err(wrong("make", error)),
            }
        }
        Err(error) => Err(wrong("read", error)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}
