//! A fleet changes its version while it sells: as an operator does it, the stores first and then process by process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::sleep;

use crate::fleet::ROLES;
use crate::stage::Stage;

/// How long old and new work side by side in every role.
const SIDE_BY_SIDE: Duration = Duration::from_secs(5);
/// How the program says that it changed the schema.
const STEP: &str = "the ledger's schema:";

/// From the previous program to the one under test; and back and again, where the stores are the same for both.
pub async fn there_and_back(stage: &mut Stage<'_>) -> Result<(), String> {
    let (old, new) = (program(stage.previous, "--previous")?, stage.program.to_path_buf());
    stage.moment("migrate the stores").await?;
    let told = stage.fleet.migrate(&new).await?;
    let steps: Vec<&str> = told.lines().filter(|line| line.starts_with(STEP)).collect();
    replace(stage, &new, "new").await?;
    if !steps.is_empty() {
        crate::say(&format!("  no way back to the previous program: {}", steps.join(", ")));
        return Ok(());
    }
    sleep(SIDE_BY_SIDE).await;
    replace(stage, &old, "old").await?;
    sleep(SIDE_BY_SIDE).await;
    replace(stage, &new, "new").await
}

fn program(path: Option<&Path>, option: &str) -> Result<PathBuf, String> {
    path.map(Path::to_path_buf).ok_or_else(|| format!("{option} names no program"))
}

/// One process after another: the first of every role, a while for both to work side by side, then all others.
async fn replace(stage: &mut Stage<'_>, program: &Path, called: &str) -> Result<(), String> {
    for (at, (role, number)) in stage.fleet.all().into_iter().enumerate() {
        if at == ROLES.len() {
            sleep(SIDE_BY_SIDE).await;
        }
        stage.moment(&format!("end {role}-{number}, the {called} one follows")).await?;
        stage.fleet.replace(role, number, program).await?;
    }
    Ok(())
}
