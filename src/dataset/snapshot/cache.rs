//! Verified blocks in memory, up to a number of bytes.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// When it is full, any entry makes room: of a scan over more than fits, a share stays, of which the entry used last
/// longest ago would keep nothing.
pub(super) struct Cache<K, V> {
    bytes_max: usize,
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    bytes: usize,
    entries: HashMap<K, (V, usize)>,
    keys: Vec<K>,
    turn: usize,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, inner: Mutex::new(Inner { bytes: 0, entries: HashMap::new(), keys: Vec::new(), turn: 0 }) }
    }

    pub(super) fn get(&self, key: K) -> Option<V> {
        self.lock().entries.get(&key).map(|(value, _)| value.clone())
    }

    /// Keeps a value, unless another thread was faster; what is kept comes back.
    pub(super) fn keep(&self, key: K, value: V, bytes: usize) -> V {
        let mut inner = self.lock();
        if let Some((first, _)) = inner.entries.get(&key) {
            return first.clone();
        }
        if bytes > self.bytes_max {
            return value;
        }
        while inner.bytes + bytes > self.bytes_max {
            inner.evict();
        }
        inner.bytes += bytes;
        inner.keys.push(key);
        inner.entries.insert(key, (value.clone(), bytes));
        value
    }

    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        // Nothing in here panics between two states.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Copy + Eq + Hash, V> Inner<K, V> {
    fn evict(&mut self) {
        // A stride of the golden ratio visits all places evenly (Knuth 6.4).
        self.turn = self.turn.wrapping_add(0x9e37_79b9);
        let key = self.keys.swap_remove(self.turn % self.keys.len());
        if let Some((_, bytes)) = self.entries.remove(&key) {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_fits() {
        let cache = Cache::new(100);
        assert_eq!(cache.keep(0, 'a', 101), 'a');
        assert_eq!(cache.get(0), None);
        assert_eq!(cache.keep(1, 'b', 60), 'b');
        assert_eq!(cache.keep(1, 'c', 60), 'b');
        for key in 2..50 {
            cache.keep(key, 'd', 30);
            assert!(cache.lock().bytes <= 100);
        }
        let held = (0..50).filter(|&key| cache.get(key).is_some()).count();
        assert_eq!(held, 3);
        assert_eq!(cache.lock().keys.len(), 3);
    }
}
