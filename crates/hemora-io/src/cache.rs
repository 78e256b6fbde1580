//! Values that are kept for whoever asks next, up to a number of bytes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The values that were asked for last. Making one holds up those alone that ask for the same.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    /// Most bytes that the values may take together.
    limit: u64,
    /// The one that was asked for last comes last.
    entries: Mutex<Vec<Entry<K, V>>>,
}

#[derive(Debug)]
struct Entry<K, V> {
    key: K,
    bytes: u64,
    slot: Slot<V>,
}

/// Locked while its value is made.
type Slot<V> = Arc<Mutex<Option<Arc<V>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Clone + PartialEq, V> Cache<K, V> {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, entries: Mutex::default() }
    }

    /// The value of `key`; `make` makes it with its number of bytes, if it is not kept. Room for
    /// `expected` bytes is made beforehand.
    ///
    /// # Errors
    /// That of `make`; nothing is kept then.
    pub(crate) fn get<E>(
        &self,
        key: &K,
        expected: u64,
        make: impl FnOnce() -> Result<(V, u64), E>,
    ) -> Result<Arc<V>, E> {
        let slot = self.slot(key, expected);
        let mut kept = lock(&slot);
        if let Some(value) = &*kept {
            return Ok(Arc::clone(value));
        }
        let made = make();
        let mut entries = lock(&self.entries);
        let at = entries.iter().position(|entry| Arc::ptr_eq(&entry.slot, &slot));
        match made {
            Ok((value, bytes)) => {
                let value = Arc::new(value);
                *kept = Some(Arc::clone(&value));
                if let Some(at) = at {
                    entries[at].bytes = bytes;
                }
                self.make_room(&mut entries);
                Ok(value)
            }
            Err(error) => {
                if let Some(at) = at {
                    entries.remove(at);
                }
                Err(error)
            }
        }
    }

    /// The slot of `key`, which is the last to be given up from now on.
    fn slot(&self, key: &K, expected: u64) -> Slot<V> {
        let mut entries = lock(&self.entries);
        let entry = match entries.iter().position(|entry| entry.key == *key) {
            Some(at) => entries.remove(at),
            None => Entry { key: key.clone(), bytes: expected, slot: Slot::default() },
        };
        let slot = Arc::clone(&entry.slot);
        entries.push(entry);
        self.make_room(&mut entries);
        slot
    }

    /// Gives up the values that were asked for longest ago, but never the last one.
    fn make_room(&self, entries: &mut Vec<Entry<K, V>>) {
        let mut bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
        while bytes > self.limit && entries.len() > 1 {
            bytes -= entries.remove(0).bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Asks for `key`, of which the value is its double, of `bytes` bytes; whether it was made.
    fn made(cache: &Cache<u32, u32>, key: u32, bytes: u64) -> bool {
        let mut made = false;
        let value = cache.get(&key, bytes, || {
            made = true;
            Ok::<_, ()>((2 * key, bytes))
        });
        assert_eq!(*value.unwrap(), 2 * key);
        made
    }

    #[test]
    fn the_oldest_values_are_given_up_where_the_limit_is_reached() {
        let cache = Cache::new(10);
        assert!(made(&cache, 1, 4) && made(&cache, 2, 4));
        assert!(!made(&cache, 1, 4), "kept");
        assert!(made(&cache, 3, 4), "2 was asked for longest ago");
        assert!(!made(&cache, 1, 4) && made(&cache, 2, 4));
        // One that is larger than all is kept alone.
        assert!(made(&cache, 4, 11) && !made(&cache, 4, 11));
        assert!(made(&cache, 1, 4));
        // Another cache keeps its own.
        let other = Cache::new(10);
        assert!(made(&other, 5, 10) && !made(&cache, 1, 4));
    }

    #[test]
    fn a_failure_is_not_kept() {
        let cache: Cache<u32, u32> = Cache::new(10);
        assert_eq!(cache.get(&1, 4, || Err::<(u32, u64), _>("broken")), Err("broken"));
        assert!(made(&cache, 1, 4));
    }

    #[test]
    fn different_values_are_made_at_the_same_time_and_the_same_one_once() {
        let cache: Cache<u32, u32> = Cache::new(10);
        let (to_second, from_first) = mpsc::channel();
        let (to_first, from_second) = mpsc::channel();
        // Each goes on only once the other is being made too.
        let meet = |here: mpsc::Sender<()>, there: mpsc::Receiver<()>, value| {
            here.send(()).unwrap();
            there.recv_timeout(Duration::from_secs(60)).map(|()| (value, 1))
        };
        std::thread::scope(|scope| {
            let first = scope.spawn(|| cache.get(&1, 1, || meet(to_second, from_second, 2)));
            let second = scope.spawn(|| cache.get(&2, 1, || meet(to_first, from_first, 4)));
            assert_eq!((*first.join().unwrap().unwrap(), *second.join().unwrap().unwrap()), (2, 4));
        });
        let count = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    cache.get(&3, 1, || {
                        std::thread::sleep(Duration::from_millis(20));
                        count.fetch_add(1, Ordering::Relaxed);
                        Ok::<_, ()>((6, 1))
                    })
                });
            }
        });
        assert_eq!(count.into_inner(), 1);
    }
}
