//! The latest samples, always readable as one slice.

/// A ring of samples that is written twice, so that the latest `n` are contiguous.
#[derive(Debug)]
pub(crate) struct History {
    samples: Vec<f32>,
    capacity: usize,
    next: usize,
}

impl History {
    /// Room for `capacity` samples, all zero.
    pub(crate) fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self { samples: vec![0.0; 2 * capacity], capacity, next: 0 }
    }

    /// Adds the newest sample and forgets the oldest.
    pub(crate) fn push(&mut self, sample: f32) {
        self.samples[self.next] = sample;
        self.samples[self.next + self.capacity] = sample;
        self.next += 1;
        if self.next == self.capacity {
            self.next = 0;
        }
    }

    /// The latest `count` samples (at most the capacity), oldest first.
    pub(crate) fn latest(&self, count: usize) -> &[f32] {
        let end = self.next + self.capacity;
        &self.samples[end - count.min(self.capacity)..end]
    }

    /// Back to zeros.
    pub(crate) fn clear(&mut self) {
        self.samples.fill(0.0);
        self.next = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_samples_are_contiguous_wherever_the_ring_stands() {
        let mut history = History::new(5);
        for n in 1..=23 {
            history.push(n as f32);
            let latest = history.latest(3);
            assert_eq!(latest, [(n - 2).max(0) as f32, (n - 1).max(0) as f32, n as f32]);
        }
        assert_eq!(history.latest(99).len(), 5);
    }
}
