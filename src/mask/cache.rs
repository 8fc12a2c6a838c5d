//! The newest used frames, counted and not weighed: strict least-recently-used, nothing is pinned.
//!
//! Places of a list over one vector: all memory is taken at construction.

use std::collections::HashMap;

const NONE: u32 = u32::MAX;

#[derive(Debug)]
struct Slot<T> {
    key: u64,
    value: T,
    newer: u32,
    older: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Cache<T> {
    capacity: usize,
    slots: Vec<Slot<T>>,
    places: HashMap<u64, u32>,
    newest: u32,
    oldest: u32,
}

impl<T> Cache<T> {
    /// Room for so many values, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            capacity,
            slots: Vec::with_capacity(capacity),
            // A table that is at most half full is tidied in its place, never grown.
            places: HashMap::with_capacity(2 * capacity + 2),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// Values held at most.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Values held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True without a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// True if the key's value is held; it grows no younger.
    #[must_use]
    pub fn contains(&self, key: u64) -> bool {
        self.places.contains_key(&key)
    }

    /// The value, which becomes the newest.
    pub fn get(&mut self, key: u64) -> Option<&T> {
        let place = *self.places.get(&key)?;
        self.unlink(place);
        self.link_newest(place);
        Some(&self.slots[place as usize].value)
    }

    /// Puts a value in as the newest. What had to go for it, or what the key had before, comes back.
    pub fn insert(&mut self, key: u64, value: T) -> Option<(u64, T)> {
        if let Some(&place) = self.places.get(&key) {
            self.unlink(place);
            self.link_newest(place);
            let old = std::mem::replace(&mut self.slots[place as usize].value, value);
            return Some((key, old));
        }
        if self.slots.len() < self.capacity {
            let place = self.slots.len() as u32;
            self.slots.push(Slot { key, value, newer: NONE, older: NONE });
            self.places.insert(key, place);
            self.link_newest(place);
            return None;
        }
        let place = self.oldest;
        self.unlink(place);
        let slot = &mut self.slots[place as usize];
        let old = (slot.key, std::mem::replace(&mut slot.value, value));
        slot.key = key;
        self.places.remove(&old.0);
        self.places.insert(key, place);
        self.link_newest(place);
        Some(old)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.places.clear();
        self.newest = NONE;
        self.oldest = NONE;
    }

    fn unlink(&mut self, place: u32) {
        let Slot { newer, older, .. } = self.slots[place as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.slots[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.slots[older as usize].newer = newer,
        }
    }

    fn link_newest(&mut self, place: u32) {
        let before = std::mem::replace(&mut self.newest, place);
        let slot = &mut self.slots[place as usize];
        slot.newer = NONE;
        slot.older = before;
        match before {
            NONE => self.oldest = place,
            before => self.slots[before as usize].newer = place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::no_alloc;
    use proptest::prelude::*;

    /// AS-62: by count.
    #[test]
    fn the_frame_after_the_last_place_pushes_out_the_oldest() {
        let mut cache = Cache::new(512);
        for key in 0..512 {
            assert_eq!(cache.insert(key, key), None);
        }
        assert_eq!(cache.get(0), Some(&0));
        assert_eq!(cache.insert(512, 512), Some((1, 1)));
        assert_eq!((cache.len(), cache.contains(0), cache.contains(1)), (512, true, false));
    }

    #[test]
    fn a_full_cache_takes_no_memory() {
        let mut cache = Cache::new(64);
        (0..200).for_each(|key| assert!(cache.insert(key, key).is_none_or(|(old, _)| old < key)));
        let ((), touched) = no_alloc::watch(|| {
            for key in 200..1000 {
                cache.insert(key, key);
                cache.get(key - 30);
            }
        });
        assert_eq!(touched, 0);
    }

    proptest! {
        /// AS-64, AS-65: like the plainest cache there is: a list with the newest at its end.
        #[test]
        fn it_behaves_like_a_list(
            capacity in 1..9_usize,
            acts in prop::collection::vec((0..3_u8, 0..14_u64), 0..200),
        ) {
            let mut cache = Cache::new(capacity);
            let mut list: Vec<(u64, usize)> = Vec::new();
            for (number, (act, key)) in acts.into_iter().enumerate() {
                let at = list.iter().position(|(k, _)| *k == key);
                match act {
                    0 => {
                        let known = at.map(|at| list.remove(at));
                        list.extend(known);
                        prop_assert_eq!(cache.get(key).copied(), known.map(|(_, value)| value));
                    }
                    1 => {
                        let full = list.len() == capacity;
                        let gone = at.or(full.then_some(0)).map(|at| list.remove(at));
                        list.push((key, number));
                        prop_assert_eq!(cache.insert(key, number), gone);
                    }
                    _ => prop_assert_eq!(cache.contains(key), at.is_some()),
                }
                prop_assert_eq!(cache.len(), list.len());
                prop_assert!(cache.len() <= capacity);
            }
        }
    }
}
