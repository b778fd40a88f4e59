//! Free units of one product.

use std::collections::VecDeque;
use std::ops::Range;

/// Free units in the order in which they will be given: fresh ones by number, then those that came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct FreeUnits {
    pub(crate) ranges: VecDeque<Range<u32>>,
    pub(crate) count: u32,
}

impl FreeUnits {
    pub(crate) fn put(&mut self, units: Range<u32>) {
        self.count += units.end - units.start;
        match self.ranges.back_mut() {
            Some(last) if last.end == units.start => last.end = units.end,
            _ => self.ranges.push_back(units),
        }
    }

    pub(crate) fn take(&mut self) -> Option<u32> {
        let front = self.ranges.front_mut()?;
        let unit = front.start;
        front.start += 1;
        if front.start >= front.end {
            self.ranges.pop_front();
        }
        self.count -= 1;
        Some(unit)
    }
}
