//! Where the checkout is, and how its cargo is called.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a command of this program ends with: nothing, or one sentence for the terminal.
pub type Outcome = Result<(), String>;

/// The folder that holds the workspace's `Cargo.toml`: the parent of this crate.
pub fn root() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map(Path::to_path_buf).ok_or_else(|| format!("{} has no parent folder", here.display()))
}

/// A call of the very cargo that built this program, in the workspace.
pub fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).current_dir(root);
    command
}

/// Where build products go; `CARGO_TARGET_DIR` moves it as it does for cargo.
pub fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}
