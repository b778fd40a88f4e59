//! A list that nearly always has one element: the units of a hold, the tickets of a buyer.

/// Zero, one or more elements; one takes no heap memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Few<T> {
    /// Exactly one element.
    One(T),
    /// Any number of elements (also none, and also one after removals).
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// No elements.
    #[must_use]
    pub const fn new() -> Self {
        Self::Many(Vec::new())
    }

    /// The elements, oldest first.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    /// Appends `element`.
    pub fn push(&mut self, element: T) {
        match std::mem::take(self) {
            Self::One(first) => *self = Self::Many(vec![first, element]),
            Self::Many(many) if many.is_empty() => *self = Self::One(element),
            Self::Many(mut many) => {
                many.push(element);
                *self = Self::Many(many);
            }
        }
    }
}

impl<T: PartialEq> Few<T> {
    /// Removes the first element equal to `element`; says whether there was one.
    pub fn remove(&mut self, element: &T) -> bool {
        let Some(at) = self.as_slice().iter().position(|each| each == element) else { return false };
        match self {
            Self::One(_) => *self = Self::new(),
            Self::Many(many) => drop(many.remove(at)),
        }
        true
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> std::ops::Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut iter = iter.into_iter();
        match (iter.next(), iter.next()) {
            (None, _) => Self::new(),
            (Some(one), None) => Self::One(one),
            (Some(one), Some(two)) => Self::Many([one, two].into_iter().chain(iter).collect()),
        }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_slice().fmt(f)
    }
}
