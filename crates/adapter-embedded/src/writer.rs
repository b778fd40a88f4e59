//! The writer: whatever waits becomes one group, one commit, and then the answers.
//!
//! What nobody waits for (an allocation) does not make a commit of its own while holds come: it joins theirs.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::book::Behind;
use crate::core::Core;
use crate::journal::Journal;
use crate::tables::{Tabled, Tables};
use crate::{Answer, Job, Press};

/// Bytes of records after which a group is closed: what one commit writes at most, about.
const GROUP_BYTES: usize = 1 << 20;
/// Jobs of one group at most.
const GROUP_JOBS: usize = 4_096;
/// Rows that the tables follow by in one slice, while the writer has nothing else to do.
const SLICE: usize = 256;
/// How long the writer waits for jobs before it lets the tables follow.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a group of jobs that are in no hurry stays open for others. An allocation arrives while the holds before it are
/// being committed; alone it would cost a commit of its own, for which the next holds had to wait.
const PATIENCE: Duration = Duration::from_millis(1);
/// Groups after which the tables follow by one slice even while jobs wait.
const BUSY_GROUPS: u32 = 32;

/// Runs until the store is closed or its disk fails.
pub(crate) fn run(mut core: Core, waiting: &Receiver<Job>) {
    let mut busy = 0;
    while !core.closing {
        let behind = core.journal.is_some() && !core.book.behind.is_empty();
        let first = if behind {
            waiting.recv_timeout(PAUSE)
        } else {
            waiting.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        let done = match first {
            Ok(job) => {
                busy += 1;
                group(&mut core, job, waiting).and_then(|()| {
                    let due = busy % BUSY_GROUPS == 0;
                    if due { follow(&mut core) } else { Ok(()) }
                })
            }
            Err(RecvTimeoutError::Timeout) => follow(&mut core),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if let Err(error) = done {
            return stop(&core, &error);
        }
    }
    if let Err(error) = finish(&mut core) {
        stop(&core, &error);
    }
}

/// After a failed commit nobody knows what is on the disk: nothing is answered any more.
fn stop(core: &Core, error: &rusqlite::Error) {
    tracing::error!(%error, "the journal cannot be written: stopping");
    core.shared.failed.send_replace(Some(format!("the journal cannot be written: {error}")));
}

fn group(core: &mut Core, first: Job, waiting: &Receiver<Job>) -> rusqlite::Result<()> {
    let mut hurry = first.press == Press::Now;
    let mut answers: Vec<Answer> = vec![(first.work)(core)];
    while answers.len() < GROUP_JOBS && core.group.bytes().len() < GROUP_BYTES && !core.closing {
        let patience = if hurry || core.group.bytes().is_empty() { Duration::ZERO } else { PATIENCE };
        let Some(job) = waiting.try_recv().ok().or_else(|| next(waiting, patience)) else { break };
        hurry |= job.press == Press::Now;
        answers.push((job.work)(core));
    }
    if !core.group.bytes().is_empty() {
        if let Some(journal) = &mut core.journal {
            journal.append(core.seq, core.clock.now(), core.group.bytes())?;
        }
        core.group.clear();
        core.shared.durable.store(core.seq, Ordering::Release);
        core.seq += 1;
    }
    core.publish();
    answers.into_iter().for_each(|answer| answer());
    Ok(())
}

/// The next job, if one comes within `patience`.
fn next(waiting: &Receiver<Job>, patience: Duration) -> Option<Job> {
    if patience.is_zero() { None } else { waiting.recv_timeout(patience).ok() }
}

/// Lets the tables follow by one slice.
fn follow(core: &mut Core) -> rusqlite::Result<()> {
    let Some(journal) = &mut core.journal else { return Ok(()) };
    let count = core.book.behind.len().min(SLICE);
    if count == 0 {
        return Ok(());
    }
    let slice: Vec<(u64, Behind)> = core.book.behind.drain(..count).collect();
    let before: Vec<Tabled> = slice.iter().map(|(_, behind)| core.book.follow(behind)).collect();
    let book = &core.book;
    // Everything before the first change that is still behind is in the tables.
    let followed = book.behind.front().map_or(core.seq, |(seq, _)| *seq) - 1;
    journal.follow(count, |tables: &mut Tables<'_>| {
        slice.iter().zip(before).try_for_each(|((_, behind), before)| tables.write(book, behind, before))?;
        tables.followed(followed)
    })
}

fn finish(core: &mut Core) -> rusqlite::Result<()> {
    while core.journal.is_some() && !core.book.behind.is_empty() {
        follow(core)?;
    }
    core.journal.take().map_or(Ok(()), Journal::close)
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
