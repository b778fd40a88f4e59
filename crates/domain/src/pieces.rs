//! A list that only grows, in pieces that never move.

/// Elements of one piece.
const PIECE: usize = 1_024;

/// A list that only grows. It lies in pieces that never move: one that lies in one piece copies all of itself whenever it has
/// doubled, at the expense of whoever comes then. An element is named by its place, four bytes.
#[derive(Clone, Debug)]
pub struct Pieces<T>(Vec<Vec<T>>);

impl<T> Pieces<T> {
    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PIECE + last.len())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place that the next element gets; `None` where there are 4,294,967,295 already.
    #[must_use]
    pub fn next(&self) -> Option<u32> {
        u32::try_from(self.len()).ok().filter(|place| *place < u32::MAX)
    }

    /// Appends an element.
    pub fn push(&mut self, element: T) {
        match self.0.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(element),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(element);
                self.0.push(piece);
            }
        }
    }

    /// The element at a place.
    #[must_use]
    pub fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.0.get(place / PIECE)?.get(place % PIECE)
    }

    /// The element at a place, to be changed.
    pub fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        self.0.get_mut(place / PIECE)?.get_mut(place % PIECE)
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().flatten()
    }
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_where_they_are() {
        let mut pieces = Pieces::default();
        assert_eq!((pieces.len(), pieces.next(), pieces.get(0)), (0, Some(0), None));
        for place in 0..3_000_u32 {
            assert_eq!(pieces.next(), Some(place));
            pieces.push(place);
        }
        let first = std::ptr::from_ref(pieces.get(0).unwrap());
        (3_000..9_000).for_each(|place| pieces.push(place));
        assert_eq!(std::ptr::from_ref(pieces.get(0).unwrap()), first);
        *pieces.get_mut(1_024).unwrap() += 1;
        let wanted = (0..9_000).map(|place| if place == 1_024 { 1_025 } else { place });
        assert!(pieces.iter().copied().eq(wanted));
        assert_eq!((pieces.len(), pieces.get(8_999), pieces.get(9_000)), (9_000, Some(&8_999), None));
    }
}
