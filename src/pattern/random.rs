//! Numbers that look random and are the same for the same seed.

/// SplitMix64: tiny, fast, good enough for particles. Not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A sequence of its own for every seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, 0..1.
    pub fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z >> 40) as f32 / 16_777_216.0
    }

    /// The next number between `low` and `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_one_sequence_and_numbers_stay_in_range() {
        let (mut a, mut b, mut c) = (Random::new(7), Random::new(7), Random::new(8));
        let mut same_as_other_seed = 0;
        for _ in 0..1_000 {
            let value = a.unit();
            assert!((0.0..1.0).contains(&value));
            assert_eq!(value, b.unit());
            same_as_other_seed += i32::from(value == c.unit());
        }
        assert!(same_as_other_seed < 3);
        let between = a.between(-2.0, 3.0);
        assert!((-2.0..3.0).contains(&between));
    }
}
