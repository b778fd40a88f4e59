//! The copy of what the shop's address said last, for a start at which it is away.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::config::WebAddress;
use crate::files;

/// Bytes of the longest copy that is read: a document within JSON.
const LONGEST: u64 = 1 << 20;

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    /// Who said it, without credentials.
    address: String,
    /// When it was said, milliseconds since the Unix epoch.
    read_at_ms: i64,
    /// What was said, to the byte.
    document: String,
}

/// Where a copy is kept, and of which address.
#[derive(Clone)]
pub(super) struct KeptKeys {
    file: PathBuf,
    address: String,
}

impl KeptKeys {
    pub(super) fn new(dir: &Path, address: &WebAddress) -> Self {
        Self { file: dir.join("shop-keys.json"), address: address.to_string() }
    }

    /// Keeps what the address said at `now`; a copy that cannot be kept is said in the log.
    pub(super) fn keep(&self, document: &[u8], now: Timestamp) {
        if let Err(error) = self.write(document, now) {
            tracing::warn!(%error, file = %self.file.display(), "cannot keep the shop's keys");
        }
    }

    fn write(&self, document: &[u8], now: Timestamp) -> std::io::Result<()> {
        let document = String::from_utf8_lossy(document).into_owned();
        let copy = Copy { address: self.address.clone(), read_at_ms: now.as_millis(), document };
        let new = self.file.with_extension("new");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(&copy)?)?;
        std::fs::rename(&new, &self.file)
    }

    /// What the address said last, and when.
    ///
    /// # Errors
    /// There is no copy that can be used, and why.
    pub(super) fn kept(&self) -> Result<(Vec<u8>, Timestamp), String> {
        let name = self.file.display();
        if !self.file.exists() {
            return Err("there is no copy of an earlier run".to_owned());
        }
        let bytes = files::read(&self.file, LONGEST).map_err(|wrong| format!("the copy {name} {wrong}"))?;
        let copy: Copy = serde_json::from_slice(&bytes).map_err(|error| {
            let plain: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            if plain.get("keys").is_some() {
                format!("the copy {name} does not say which address it is from, as an earlier version wrote it, and is not used")
            } else {
                format!("the copy {name} is broken ({error}) and is not used")
            }
        })?;
        if copy.address != self.address {
            return Err(format!("the copy {name} is from {}, and is not used", copy.address));
        }
        Ok((copy.document.into_bytes(), Timestamp::from_millis(copy.read_at_ms)))
    }

    pub(super) fn name(&self) -> String {
        self.file.display().to_string()
    }
}

#[cfg(test)]
#[path = "kept_keys_tests.rs"]
mod tests;
