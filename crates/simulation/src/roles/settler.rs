//! Settlers: the inventory follows the ledger, effect by effect, at least once and in the order of the outbox.

use domain::hold::Effect;
use domain::id::Epoch;

use crate::mutant::Mutant;
use crate::stores::server::{Answer, Message};
use crate::violation::Checked;
use crate::world::World;

/// Settlers that there are at once at most.
const MOST: usize = 3;

/// A settler with what it has read.
#[derive(Debug)]
pub(crate) struct Settler {
    sale: usize,
    epoch: Epoch,
    effects: Vec<(u64, Effect)>,
    answered: bool,
}

impl World {
    pub(crate) fn settle_on(&mut self) -> Checked<Option<usize>> {
        if self.settlers.len() < MOST && (self.settlers.is_empty() || self.dice.chance(250)) {
            let sale = self.any_sale();
            let settler = self.read_effects(sale);
            self.settlers.extend(settler);
            return Ok(None);
        }
        let at = self.dice.below(self.settlers.len());
        let settler = self.settlers.swap_remove(at);
        let sale = settler.sale;
        let left = self.settle_step(settler)?;
        self.settlers.extend(left);
        Ok(Some(sale))
    }

    /// What waits for a shard, with the epoch read together with it; `None` where nothing does.
    pub(crate) fn read_effects(&mut self, sale: usize) -> Option<Settler> {
        let (mut epoch, mut effects) = self.sales[sale].ledger.pending(self.options.effects);
        if self.mutants.has(Mutant::EffectOldEpoch) && epoch.0 > 1 && self.dice.chance(500) {
            epoch = Epoch(epoch.0 - 1);
        }
        if self.mutants.has(Mutant::EffectOvertakes) && !effects.is_empty() {
            let all = self.sales[sale].ledger.pending(usize::MAX).1;
            effects = vec![all[self.dice.below(all.len())].clone()];
        }
        (!effects.is_empty()).then_some(Settler { sale, epoch, effects, answered: false })
    }

    pub(crate) fn settle_step(&mut self, mut settler: Settler) -> Checked<Option<Settler>> {
        if settler.answered {
            let ids: Vec<u64> = settler.effects.iter().map(|(id, _)| *id).collect();
            self.sales[settler.sale].ledger.forget(&ids);
            return Ok(None);
        }
        let effects = settler.effects.iter().map(|(_, effect)| effect.clone()).collect();
        let answer = self.call(settler.sale, Message::Settle(settler.epoch, effects))?;
        settler.answered =
            matches!(answer, Some(Answer::Settled(_))) || self.mutants.has(Mutant::EffectForgotten);
        Ok(settler.answered.then_some(settler))
    }
}
