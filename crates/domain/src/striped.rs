//! A map that grows a part at a time.

use std::hash::{BuildHasher, BuildHasherDefault, Hash};

use crate::id::{HashIdMap, KeyedHasher};

/// Maps that the entries are spread over.
const STRIPES: usize = 256;

/// A map keyed by keyed hashes, for millions of entries. One hash table that doubles moves every entry it has while somebody
/// waits, a quarter of a second at two million; this one is spread over 256 tables by bits of the hash that they do not use
/// themselves, and each of them doubles when it is full.
#[derive(Clone, Debug)]
pub struct Striped<K, V>(Vec<HashIdMap<K, V>>);

impl<K: Hash + Eq, V> Striped<K, V> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0[stripe(key)].get(key)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0[stripe(key)].get_mut(key)
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        self.0[stripe(&key)].insert(key, value);
    }

    /// The value of a key, to be changed; a default one where there was none.
    pub fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.0[stripe(&key)].entry(key).or_default()
    }

    /// Forgets a key.
    pub fn remove(&mut self, key: &K) {
        self.0[stripe(key)].remove(key);
    }
}

impl<K, V> Default for Striped<K, V> {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| HashIdMap::default()).collect())
    }
}

/// A hash table takes its place from the lowest bits of a hash and its tag from the seven highest.
fn stripe<K: Hash>(key: &K) -> usize {
    let hash = BuildHasherDefault::<KeyedHasher>::default().hash_one(key);
    (hash >> 48) as usize % STRIPES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TicketId;

    fn ticket(number: u64) -> TicketId {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..16]);
        TicketId(bytes)
    }

    #[test]
    fn entries_are_found_changed_and_forgotten() {
        let mut map = Striped::default();
        for number in 0..10_000 {
            map.insert(ticket(number), number);
        }
        *map.get_mut(&ticket(7)).unwrap() += 100;
        *map.entry(ticket(8)) += 100;
        *map.entry(ticket(10_000)) += 1;
        map.remove(&ticket(9));
        assert_eq!(map.get(&ticket(7)), Some(&107));
        assert_eq!(map.get(&ticket(8)), Some(&108));
        assert_eq!(map.get(&ticket(9)), None);
        assert_eq!(map.get(&ticket(10_000)), Some(&1));
        assert!((10..10_000).all(|number| map.get(&ticket(number)) == Some(&number)));
    }

    #[test]
    fn no_table_holds_more_than_its_share() {
        let mut map = Striped::default();
        for number in 0..256_000 {
            map.insert(ticket(number), ());
        }
        let sizes: Vec<_> = map.0.iter().map(HashIdMap::len).collect();
        assert!(sizes.iter().all(|size| (800..1_200).contains(size)), "{sizes:?}");
    }
}
