//! The newest value wins: one writer, one reader, neither ever waits.
//!
//! For pictures of a state (features, a preview, a meter), where an old value is worth nothing once there
//! is a new one. Three copies of the value exist, taken at construction.

use std::fmt;

use triple_buffer::{Input, Output, triple_buffer};

/// A cell that holds `initial` until the first write.
#[must_use]
#[allow(
    clippy::needless_pass_by_value,
    reason = "the cell takes the value over, copied to three places"
)]
pub fn latest<T: Clone + Send>(initial: T) -> (LatestWriter<T>, LatestReader<T>) {
    let (input, output) = triple_buffer(&initial);
    (LatestWriter(input), LatestReader(output))
}

/// The end that writes. Wait-free.
pub struct LatestWriter<T: Send>(Input<T>);

impl<T: Send> LatestWriter<T> {
    /// Writes in place and publishes: no allocation beyond what `write` itself does.
    ///
    /// The closure gets an **older** value, not the last one written: it must set everything that matters.
    /// That is what lets buffers inside `T` be reused. True if the value before this one was never read.
    pub fn update(&mut self, write: impl FnOnce(&mut T)) -> bool {
        write(self.0.input_buffer_mut());
        self.0.publish()
    }

    /// Publishes `value`. For plain data: a value that owns memory would free the older one here. True if
    /// the value before this one was never read.
    pub fn write(&mut self, value: T) -> bool
    where
        T: Copy,
    {
        self.update(|slot| *slot = value)
    }
}

impl<T: Send> fmt::Debug for LatestWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatestWriter").finish_non_exhaustive()
    }
}

/// The end that reads. Wait-free.
pub struct LatestReader<T: Send>(Output<T>);

impl<T: Send> LatestReader<T> {
    /// The newest value; the same again if nothing was written since.
    pub fn read(&mut self) -> &T {
        self.0.read()
    }

    /// The newest value if it was written since the last read.
    pub fn read_new(&mut self) -> Option<&T> {
        if self.0.updated() { Some(self.0.read()) } else { None }
    }
}

impl<T: Send> fmt::Debug for LatestReader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatestReader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_sees_the_newest_and_then_the_same_again() {
        let (mut tx, mut rx) = latest(0);
        assert_eq!(rx.read_new(), None);
        assert_eq!(*rx.read(), 0);
        assert!(!tx.write(1));
        for value in 2..=5 {
            assert!(tx.write(value), "nobody read the one before");
        }
        assert_eq!(rx.read_new(), Some(&5));
        assert_eq!(rx.read_new(), None);
        assert_eq!(*rx.read(), 5);
    }

    #[test]
    fn writing_in_place_keeps_the_buffers() {
        let (mut tx, mut rx) = latest(Vec::<u8>::with_capacity(16));
        // A clone of an empty vector has no capacity: the first rounds make it.
        for round in 0..3 {
            tx.update(|bytes| {
                bytes.clear();
                bytes.reserve_exact(16);
                bytes.push(round);
            });
            rx.read();
        }
        for round in 3..50 {
            tx.update(|bytes| {
                assert_eq!(bytes.capacity(), 16);
                bytes.clear();
                bytes.push(round);
            });
            assert_eq!(rx.read(), &[round]);
        }
    }

    #[test]
    fn a_value_is_never_seen_half_written() {
        let (mut tx, mut rx) = latest([0_u64; 32]);
        let writer = std::thread::spawn(move || {
            for value in 1..=20_000 {
                tx.write([value; 32]);
            }
        });
        let mut last = 0;
        while last < 20_000 {
            let seen = *rx.read();
            assert!(seen.iter().all(|&word| word == seen[0]) && seen[0] >= last);
            last = seen[0];
        }
        writer.join().unwrap();
    }
}
