//! Does what the table of faults says. What breaks is mended here as an operator's machines would: a process that died is
//! started again, a store that was taken away comes back. Nothing else is done by hand.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::sleep;

use crate::fault::Deed;
use crate::stage::Stage;
use crate::{clock, redis_deeds, upgrade};

/// From a kill to the start of the next process.
const DEAD: Duration = Duration::from_millis(500);
/// Between two kills, so that what was killed works again.
const APART: Duration = Duration::from_millis(1_500);
/// How long the provider behaves badly.
const MISBEHAVES: Duration = Duration::from_secs(12);
/// A provider that takes its time.
const SLOW: &str = r#"{"latency_min_ms":2000,"latency_max_ms":2000}"#;
const WELL: &str = "{}";

/// Does it; gives back when the system is whole again.
pub async fn act(stage: &mut Stage<'_>, deed: Deed) -> Result<(), String> {
    match deed {
        Deed::Nothing => Ok(()),
        Deed::KillPrimary => kill_primary(stage).await,
        Deed::KillPrimaryAheadOfReplica => kill_primary_ahead(stage).await,
        Deed::RestartPrimary => restart_primary(stage).await,
        Deed::PausePrimary(seconds) => pause_primary(stage, seconds).await,
        Deed::IsolatePrimary(seconds) => redis_deeds::isolate_primary(stage, seconds).await,
        Deed::FillPrimary(seconds) => redis_deeds::fill_primary(stage, seconds).await,
        Deed::EmptyPrimary => redis_deeds::empty_primary(stage).await,
        Deed::MoveSlot => redis_deeds::move_slot(stage).await,
        Deed::LoseRedis => lose_redis(stage).await,
        Deed::ReloadFunctions => {
            stage.moment("FUNCTION LOAD REPLACE").await?;
            stage.stores.reload_functions().await
        }
        Deed::KafkaDown(seconds) => store_down(stage, "kafka", seconds).await,
        Deed::PauseKafka(seconds) => pause_store(stage, "kafka", seconds).await,
        Deed::PostgresDown(seconds) => store_down(stage, "postgres", seconds).await,
        Deed::KillRole(role, times) => kill_role(stage, role, times).await,
        Deed::KillReconcilers => kill_reconcilers(stage).await,
        Deed::PauseReconcilers => pause_reconcilers(stage).await,
        Deed::PauseRole(role, seconds) => pause_role(stage, role, seconds).await,
        Deed::KillProcessorInCall => kill_processor_in_call(stage).await,
        Deed::Provider(faults) => {
            stage.moment("the provider misbehaves").await?;
            stage.provider(faults).await?;
            sleep(MISBEHAVES).await;
            stage.provider(WELL).await
        }
        Deed::KillProvider(seconds) => {
            stage.moment("kill sandbox-0").await?;
            stage.fleet.kill("sandbox", 0).await?;
            sleep(Duration::from_secs(seconds)).await;
            stage.fleet.restart("sandbox", 0).await
        }
        Deed::RollingRestart => rolling_restart(stage).await,
        Deed::PrimaryClock(seconds) => clock::of_primary(stage, seconds).await,
        Deed::PostgresClock(seconds) => clock::of_postgres(stage, seconds).await,
        Deed::RoleClocks(seconds) => clock::of_roles(stage, seconds).await,
        Deed::Upgrade => upgrade::there_and_back(stage).await,
    }
}

async fn kill_primary(stage: &mut Stage<'_>) -> Result<(), String> {
    let (primary, _) = stage.stores.primary(stage.root).await?;
    let name = primary.name();
    // A replica in step has every byte at the instant of a look; there are such instants under load.
    while stage.stores.lag(&primary).await? != Some(0) {
        sleep(Duration::from_millis(5)).await;
    }
    stage.moment(&format!("kill {name}")).await?;
    stage.stores.kill(&name).await?;
    promoted(stage, &name).await
}

/// The replica is cut off by its connection as well: what waits in the connection of a process that stands still would reach
/// it later.
async fn kill_primary_ahead(stage: &mut Stage<'_>) -> Result<(), String> {
    let (primary, replica) = stage.stores.primary(stage.root).await?;
    let replica = replica.ok_or("the primary has no replica")?.name();
    let name = primary.name();
    stage.moment(&format!("stop {replica}")).await?;
    stage.stores.signal(&replica, "STOP").await?;
    stage.stores.ask(primary.at, &["CLIENT", "KILL", "TYPE", "replica"]).await?;
    sleep(Duration::from_secs(2)).await;
    stage.moment(&format!("kill {name}")).await?;
    stage.stores.kill(&name).await?;
    stage.stores.signal(&replica, "CONT").await?;
    promoted(stage, &name).await
}

/// The killed one comes back when its replica sells: before that it could be primary again.
async fn promoted(stage: &mut Stage<'_>, killed: &str) -> Result<(), String> {
    let sells = stage.sells_again(stage.gauge.elapsed()).await;
    stage.stores.restart(killed).await?;
    sells
}

async fn restart_primary(stage: &mut Stage<'_>) -> Result<(), String> {
    let name = stage.stores.primary(stage.root).await?.0.name();
    stage.moment(&format!("restart {name}")).await?;
    stage.stores.restart(&name).await
}

async fn pause_primary(stage: &mut Stage<'_>, seconds: u64) -> Result<(), String> {
    let name = stage.stores.primary(stage.root).await?.0.name();
    pause_store(stage, &name, seconds).await
}

async fn pause_store(stage: &mut Stage<'_>, name: &str, seconds: u64) -> Result<(), String> {
    stage.moment(&format!("stop {name}")).await?;
    stage.stores.signal(name, "STOP").await?;
    sleep(Duration::from_secs(seconds)).await;
    stage.stores.signal(name, "CONT").await
}

async fn lose_redis(stage: &mut Stage<'_>) -> Result<(), String> {
    stage.moment("FLUSHALL, FUNCTION FLUSH").await?;
    stage.stores.at_primaries(&["FLUSHALL"]).await?;
    stage.stores.at_primaries(&["FUNCTION", "FLUSH"]).await
}

async fn store_down(stage: &mut Stage<'_>, name: &str, seconds: u64) -> Result<(), String> {
    stage.moment(&format!("kill {name}")).await?;
    stage.stores.kill(name).await?;
    sleep(Duration::from_secs(seconds)).await;
    stage.stores.restart(name).await
}

async fn kill_role(stage: &mut Stage<'_>, role: &str, times: u32) -> Result<(), String> {
    for time in 0..times {
        let number = time as usize % 2;
        stage.moment(&format!("kill {role}-{number}")).await?;
        stage.fleet.kill(role, number).await?;
        sleep(DEAD).await;
        stage.fleet.restart(role, number).await?;
        sleep(APART).await;
    }
    Ok(())
}

/// A reconciler dies while it renews a shard: the other one has to begin anew.
async fn kill_reconcilers(stage: &mut Stage<'_>) -> Result<(), String> {
    for number in [0, 1] {
        stage.moment(&format!("FUNCTION LOAD REPLACE, kill reconciler-{number}")).await?;
        stage.stores.reload_functions().await?;
        stage.fleet.kill("reconciler", number).await?;
        stage.sells_again(stage.gauge.elapsed()).await?;
        stage.fleet.restart("reconciler", number).await?;
        sleep(APART).await;
    }
    Ok(())
}

/// A reconciler hangs while it renews a shard, and goes on once another one has done it. Kafka's end is what a renewal waits for: while
/// Kafka stands still, somebody has the turn.
async fn pause_reconcilers(stage: &mut Stage<'_>) -> Result<(), String> {
    for number in [0, 1] {
        stage.moment(&format!("stop kafka, FUNCTION LOAD REPLACE, stop reconciler-{number}")).await?;
        stage.stores.signal("kafka", "STOP").await?;
        stage.stores.reload_functions().await?;
        sleep(Duration::from_secs(1)).await;
        stage.fleet.signal("reconciler", number, Signal::STOP)?;
        stage.stores.signal("kafka", "CONT").await?;
        stage.sells_again(stage.gauge.elapsed()).await?;
        stage.fleet.signal("reconciler", number, Signal::CONT)?;
        sleep(APART).await;
    }
    Ok(())
}

async fn pause_role(stage: &mut Stage<'_>, role: &str, seconds: u64) -> Result<(), String> {
    for number in [0, 1] {
        stage.moment(&format!("stop {role}-{number}")).await?;
        stage.fleet.signal(role, number, Signal::STOP)?;
        sleep(Duration::from_secs(seconds)).await;
        stage.fleet.signal(role, number, Signal::CONT)?;
        sleep(APART).await;
    }
    Ok(())
}

async fn kill_processor_in_call(stage: &mut Stage<'_>) -> Result<(), String> {
    stage.provider(SLOW).await?;
    for time in 0..6 {
        let number = time % 2;
        // Calls take two seconds: a second later several are under way.
        sleep(Duration::from_secs(1)).await;
        stage.moment(&format!("kill processor-{number}")).await?;
        stage.fleet.kill("processor", number).await?;
        sleep(DEAD).await;
        stage.fleet.restart("processor", number).await?;
    }
    sleep(APART).await;
    stage.provider(WELL).await
}

async fn rolling_restart(stage: &mut Stage<'_>) -> Result<(), String> {
    for (role, number) in stage.fleet.all() {
        stage.moment(&format!("end {role}-{number}")).await?;
        stage.fleet.roll(role, number).await?;
    }
    Ok(())
}
