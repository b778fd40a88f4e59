//! Renewals: a shard gets a new epoch, loaded from the ledger, by the steps R1 to R7; several at once do no harm.

use domain::fence::{Position, TermState};
use domain::id::Epoch;
use domain::snapshot::ShardSnapshot;

use crate::mutant::Mutant;
use crate::stores::server::{Answer, Message};
use crate::stores::snapshot::chunks;
use crate::violation::{Checked, Violation};
use crate::world::World;

/// Renewals of one shard that there are at once at most.
const MOST: usize = 2;

/// The next step of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Close,
    Fence,
    End,
    SetFence,
    Allocate,
    Snapshot,
    Begin,
    Load,
    Open,
    Opened,
}

/// A renewal under way.
#[derive(Debug)]
pub(crate) struct Recovery {
    sale: usize,
    stage: Stage,
    epoch: Epoch,
    end: Position,
    fence: Position,
    picture: Vec<ShardSnapshot>,
    key: u64,
    chunk: usize,
}

impl World {
    fn recovery(&self, sale: usize) -> Recovery {
        let zero = Position(0);
        Recovery {
            sale,
            stage: Stage::Close,
            epoch: Epoch(0),
            end: self.sales[sale].log.end(),
            fence: zero,
            picture: Vec::new(),
            key: 0,
            chunk: 0,
        }
    }

    /// A renewal begins: where it must, and sometimes where it need not.
    pub(crate) fn renew_maybe(&mut self) -> Option<usize> {
        let sale = self.any_sale();
        let running = self.recoveries.iter().filter(|recovery| recovery.sale == sale).count();
        let needless = self.options.most_faults > 0 && self.dice.chance(60);
        if running < MOST && (!self.healthy(sale) || needless) {
            self.recoveries.push(self.recovery(sale));
        }
        None
    }

    pub(crate) fn recover_on(&mut self) -> Checked<Option<usize>> {
        if self.recoveries.is_empty() {
            return Ok(self.renew_maybe());
        }
        let at = self.dice.below(self.recoveries.len());
        let recovery = self.recoveries.swap_remove(at);
        let sale = recovery.sale;
        let left = self.recovery_step(recovery)?;
        self.recoveries.extend(left);
        Ok(Some(sale))
    }

    /// A renewal from its first step to its last.
    pub(crate) fn renew_whole(&mut self, sale: usize) -> Checked {
        for _ in 0..8 {
            let mut left = Some(self.recovery(sale));
            while let Some(recovery) = left {
                left = self.recovery_step(recovery)?;
            }
            if self.healthy(sale) {
                return Ok(());
            }
        }
        Err(Violation { rule: "L4", what: format!("shard {sale} does not open") })
    }

    fn recovery_step(&mut self, mut recovery: Recovery) -> Checked<Option<Recovery>> {
        let (sale, epoch) = (recovery.sale, recovery.epoch);
        let next = match recovery.stage {
            Stage::Close => self.call(sale, Message::Close)?.map(|_| Stage::Fence),
            Stage::Fence => {
                let ledger = &mut self.sales[sale].ledger;
                self.figures.joined += u64::from(ledger.term.state == TermState::Fencing);
                recovery.epoch = ledger.fence().epoch;
                Some(Stage::End)
            }
            Stage::End => {
                self.read_end(&mut recovery);
                Some(Stage::SetFence)
            }
            Stage::SetFence => {
                let term = self.sales[sale].ledger.set_fence(epoch, recovery.end);
                recovery.fence = term.fence.unwrap_or_default();
                (term.epoch == epoch && term.fence.is_some()).then_some(Stage::Allocate)
            }
            Stage::Allocate => self.allocate_until(&recovery)?,
            Stage::Snapshot => self.take_snapshot(&mut recovery),
            Stage::Begin | Stage::Load | Stage::Open => self.load_step(&mut recovery)?,
            Stage::Opened => {
                self.sales[sale].ledger.opened(epoch);
                None
            }
        };
        self.say(|| format!("s{sale} renewal {epoch:?} {:?} -> {next:?}", recovery.stage));
        Ok(next.map(|stage| Recovery { stage, ..recovery }))
    }

    fn read_end(&self, recovery: &mut Recovery) {
        let end = self.sales[recovery.sale].log.end();
        if self.mutants.has(Mutant::EndBehind) {
            recovery.end = Position(end.0.saturating_sub(1));
        } else if !self.mutants.has(Mutant::EndBeforeFence) {
            recovery.end = end;
        }
    }

    fn allocate_until(&mut self, recovery: &Recovery) -> Checked<Option<Stage>> {
        let passed = self.sales[recovery.sale].ledger.position >= recovery.fence;
        if passed || self.mutants.has(Mutant::SnapshotTooEarly) {
            return Ok(Some(Stage::Snapshot));
        }
        self.allocate_some(recovery.sale)?;
        Ok(Some(Stage::Allocate))
    }

    fn take_snapshot(&mut self, recovery: &mut Recovery) -> Option<Stage> {
        let picture = self.sales[recovery.sale].snapshot(recovery.epoch, self.now)?;
        recovery.picture = chunks(&picture, self.options.chunk);
        Some(Stage::Begin)
    }

    fn load_step(&mut self, recovery: &mut Recovery) -> Checked<Option<Stage>> {
        let count = recovery.picture.len() as u32;
        if recovery.stage == Stage::Begin {
            recovery.chunk = 0;
            let Some(Answer::Key(key)) = self.call(recovery.sale, Message::Begin(recovery.epoch))? else {
                return Ok(None);
            };
            recovery.key = key;
            return Ok(Some(Stage::Load));
        }
        if recovery.stage == Stage::Open {
            let opened = self.call(recovery.sale, Message::Open(recovery.key, count))?;
            if matches!(opened, Some(Answer::Done)) {
                return Ok(Some(Stage::Opened));
            }
            self.figures.burnt += 1;
            return Ok(self.mutants.has(Mutant::OpenRetried).then_some(Stage::Begin));
        }
        let chunk = Box::new(recovery.picture[recovery.chunk].clone());
        let message = Message::Load(recovery.key, recovery.chunk as u32, chunk);
        let loaded = matches!(self.call(recovery.sale, message)?, Some(Answer::Done));
        recovery.chunk += 1;
        let all = recovery.chunk == recovery.picture.len() || self.mutants.has(Mutant::OpenIncomplete);
        Ok(loaded.then_some(if all { Stage::Open } else { Stage::Load }))
    }
}
