//! What the real-time side lets go of is freed elsewhere.
//!
//! The real-time side [`retire`s](Retire::retire) a value; an ordinary thread [`empties`](RetireBin::empty)
//! the bin now and then. Keep the bin until the real-time side is gone: the end that goes last frees what
//! is left.

use std::fmt;

use super::ring::{RingReceiver, RingSender, ring};

/// A way out for `capacity` values between two emptyings.
#[must_use]
pub fn retire<T: Send>(capacity: usize) -> (Retire<T>, RetireBin<T>) {
    let (out, bin) = ring(capacity);
    (Retire { out, refused: 0 }, RetireBin { bin })
}

/// The real-time end.
pub struct Retire<T: Send> {
    out: RingSender<T>,
    refused: u64,
}

impl<T: Send> Retire<T> {
    /// Sends `value` away to be freed; a full bin hands it back, to be kept and offered again.
    pub fn retire(&mut self, value: T) -> Result<(), T> {
        self.out.push(value).inspect_err(|_| self.refused += 1)
    }

    /// How many more values the bin takes now.
    #[must_use]
    pub fn free(&self) -> usize {
        self.out.free()
    }

    /// How often the bin was full.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

impl<T: Send> fmt::Debug for Retire<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retire")
            .field("free", &self.free())
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

/// The ordinary end: what is in it is freed by whoever empties it.
pub struct RetireBin<T: Send> {
    bin: RingReceiver<T>,
}

impl<T: Send> RetireBin<T> {
    /// Takes the oldest value out of the bin, for whoever waits for it.
    pub fn pop(&mut self) -> Option<T> {
        self.bin.pop()
    }

    /// Frees everything in the bin; returns how many values that were.
    pub fn empty(&mut self) -> usize {
        let mut freed = 0;
        while self.bin.pop().is_some() {
            freed += 1;
        }
        freed
    }
}

impl<T: Send> fmt::Debug for RetireBin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetireBin").field("len", &self.bin.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    use super::*;

    /// Says on which thread it died.
    struct Mortal(mpsc::Sender<ThreadId>);

    impl Drop for Mortal {
        fn drop(&mut self) {
            let _ = self.0.send(thread::current().id());
        }
    }

    #[test]
    fn a_retired_value_dies_where_the_bin_is_emptied() {
        let (died, deaths) = mpsc::channel();
        let (mut out, mut bin) = retire(4);
        thread::spawn(move || assert!(out.retire(Mortal(died)).is_ok())).join().unwrap();
        assert!(deaths.try_recv().is_err());
        assert_eq!(bin.empty(), 1);
        assert_eq!(deaths.try_recv(), Ok(thread::current().id()));
    }

    #[test]
    fn a_full_bin_hands_the_value_back_and_counts() {
        let (mut out, mut bin) = retire(1);
        assert_eq!((out.retire('a'), out.retire('b'), out.refused()), (Ok(()), Err('b'), 1));
        assert_eq!((bin.empty(), out.free()), (1, 1));
        assert_eq!(out.retire('b'), Ok(()));
    }
}
