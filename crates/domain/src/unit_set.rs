//! Sets of unit numbers as sorted, disjoint ranges: sixteen million fresh units are one range.

use std::ops::Range;

/// A set of unit numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitSet {
    ranges: Vec<Range<u32>>,
}

impl UnitSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    /// From numbers in any order. The second value has every number that came more than once.
    #[must_use]
    pub fn collect(numbers: impl IntoIterator<Item = u32>) -> (Self, Vec<u32>) {
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        numbers.sort_unstable();
        let mut set = Self::new();
        let mut twice = Vec::new();
        for number in numbers {
            match set.ranges.last_mut() {
                Some(last) if number < last.end => twice.push(number),
                Some(last) if number == last.end => last.end += 1,
                _ => set.ranges.push(number..number + 1),
            }
        }
        twice.dedup();
        (set, twice)
    }

    /// From ranges in any order. The second value has every number that came more than once.
    #[must_use]
    pub fn collect_ranges(ranges: impl IntoIterator<Item = Range<u32>>) -> (Self, Self) {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let (mut end, mut twice) = (0, Vec::new());
        for range in &ranges {
            twice.push(range.start..end.min(range.end));
            end = end.max(range.end);
        }
        (Self::from_ranges(ranges), Self::from_ranges(twice))
    }

    /// Every unit of a stock: 0 to `stock` - 1.
    #[must_use]
    pub fn whole(stock: u32) -> Self {
        Self::from_ranges(std::iter::once(0..stock))
    }

    /// From ranges in any order; overlapping parts count once.
    #[must_use]
    pub fn from_ranges(ranges: impl IntoIterator<Item = Range<u32>>) -> Self {
        let mut ranges: Vec<_> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let mut set = Self::new();
        for range in ranges {
            match set.ranges.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => set.ranges.push(range),
            }
        }
        set
    }

    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `number` is in the set.
    #[must_use]
    pub fn contains(&self, number: u32) -> bool {
        let after = self.ranges.partition_point(|range| range.start <= number);
        after > 0 && number < self.ranges[after - 1].end
    }

    /// The ranges, sorted, disjoint and not touching.
    #[must_use]
    pub fn ranges(&self) -> &[Range<u32>] {
        &self.ranges
    }

    /// The numbers in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().cloned().flatten()
    }

    /// Numbers that are in this set or in `other`.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).cloned())
    }

    /// Numbers that are in this set and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        let mut cuts = other.ranges.iter().peekable();
        for range in &self.ranges {
            let mut start = range.start;
            while let Some(cut) = cuts.next_if(|cut| cut.end <= start) {
                let _ = cut;
            }
            let mut ahead = cuts.clone();
            while let Some(cut) = ahead.next_if(|cut| cut.start < range.end) {
                if cut.start > start {
                    left.push(start..cut.start);
                }
                start = start.max(cut.end);
            }
            if start < range.end {
                left.push(start..range.end);
            }
        }
        Self::from_ranges(left)
    }

    /// Numbers that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.difference(&self.difference(other))
    }
}
