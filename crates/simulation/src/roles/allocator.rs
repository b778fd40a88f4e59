//! Readers of the claim log: claims go into the ledger in order; several readers of one shard do no harm.

use domain::fence::Position;

use crate::violation::Checked;
use crate::world::World;

/// Readers that there are at once at most.
const MOST: usize = 3;

/// A reader, which may have stalled long ago.
#[derive(Debug)]
pub(crate) struct Reader {
    sale: usize,
    from: Option<Position>,
    batch: Option<(Position, Position)>,
}

impl World {
    pub(crate) fn read_on(&mut self) -> Checked<Option<usize>> {
        if self.readers.len() < MOST && (self.readers.is_empty() || self.dice.chance(200)) {
            let sale = self.any_sale();
            self.readers.push(Reader { sale, from: None, batch: None });
        }
        let at = self.dice.below(self.readers.len());
        let reader = self.readers.swap_remove(at);
        let sale = reader.sale;
        let left = self.read_step(reader)?;
        self.readers.extend(left);
        Ok(Some(sale))
    }

    fn read_step(&mut self, mut reader: Reader) -> Checked<Option<Reader>> {
        let sale = &mut self.sales[reader.sale];
        let Some(from) = reader.from else {
            reader.from = Some(sale.ledger.position);
            return Ok(Some(reader));
        };
        let Some(batch) = reader.batch.take() else {
            let next = Position(sale.log.end().0.min(from.0 + self.options.read as u64));
            reader.batch = (next > from).then_some((from, next));
            return Ok(reader.batch.is_some().then_some(reader));
        };
        let taken = sale.allocate(batch, self.now, self.mutants, &mut self.figures)?;
        // An answer that is lost leaves the reader not knowing where it stands.
        let lost = !self.calm && self.dice.chance(self.options.unanswered);
        reader.from = (taken && !lost).then_some(batch.1);
        self.say(|| format!("s{} allocation of {batch:?}: {taken}", reader.sale));
        Ok(Some(reader))
    }

    /// One batch of up to the end of the log is taken in.
    pub(crate) fn allocate_some(&mut self, at: usize) -> Checked {
        let sale = &mut self.sales[at];
        let from = sale.ledger.position;
        let next = Position(sale.log.end().0.min(from.0 + self.options.read as u64));
        sale.allocate((from, next), self.now, self.mutants, &mut self.figures)?;
        self.say(|| format!("s{at} allocation of {from:?} to {next:?}"));
        Ok(())
    }
}
