//! How long the pictures of the window take to make, and how much the preview may draw for it.

use std::collections::VecDeque;

/// Pictures that are looked at: five seconds of them.
const PICTURES: usize = 300;
/// Above this the preview draws less, ms: the rest of a sixtieth is for the graphics.
const TOO_LONG_MS: f32 = 11.0;
/// Below this it may draw more again, ms.
const SHORT_MS: f32 = 7.0;
/// The least part of its points that the preview draws: two pictures of a drawing, so that none looks torn.
const LEAST_DETAIL: f32 = 0.2;

/// The times of the last pictures.
#[derive(Debug)]
pub(super) struct FrameTime {
    last_ms: VecDeque<f32>,
    smooth_ms: f32,
    detail: f32,
    made: u64,
}

impl Default for FrameTime {
    fn default() -> Self {
        Self { last_ms: VecDeque::with_capacity(PICTURES), smooth_ms: 0.0, detail: 1.0, made: 0 }
    }
}

impl FrameTime {
    /// Takes in the time that the last picture took, s.
    pub(super) fn take(&mut self, seconds: f32) {
        if !seconds.is_finite() || seconds < 0.0 {
            return;
        }
        let ms = seconds * 1e3;
        self.made += 1;
        if self.last_ms.len() == PICTURES {
            self.last_ms.pop_front();
        }
        self.last_ms.push_back(ms);
        self.smooth_ms += (ms - self.smooth_ms) * 0.1;
        if self.smooth_ms > TOO_LONG_MS {
            self.detail = (self.detail * 0.97).max(LEAST_DETAIL);
        } else if self.smooth_ms < SHORT_MS {
            self.detail = (self.detail * 1.01).min(1.0);
        }
    }

    /// The part of its points that the preview should draw, 0.2..=1.
    pub(super) const fn detail(&self) -> f32 {
        self.detail
    }

    /// Pictures since the window opened.
    pub(super) const fn made(&self) -> u64 {
        self.made
    }

    /// The median of the last pictures, ms.
    pub(super) fn typical_ms(&self) -> f32 {
        let mut sorted: Vec<f32> = self.last_ms.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    /// The longest of the last pictures, ms.
    pub(super) fn worst_ms(&self) -> f32 {
        self.last_ms.iter().copied().fold(0.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detail_gives_way_to_a_slow_machine_and_comes_back() {
        let mut frames = FrameTime::default();
        (0..600).for_each(|_| frames.take(0.005));
        assert_eq!(frames.detail(), 1.0);
        (0..600).for_each(|_| frames.take(0.030));
        assert_eq!(frames.detail(), LEAST_DETAIL);
        assert!((frames.typical_ms() - 30.0).abs() < 0.01);
        (0..600).for_each(|_| frames.take(0.005));
        assert_eq!(frames.detail(), 1.0);
        frames.take(f32::NAN);
        assert!((frames.worst_ms() - 5.0).abs() < 0.01);
    }

    #[test]
    fn between_short_and_long_nothing_swings() {
        let mut frames = FrameTime::default();
        (0..600).for_each(|_| frames.take(0.030));
        (0..60).for_each(|_| frames.take(0.009));
        let before = frames.detail();
        (0..600).for_each(|_| frames.take(0.009));
        assert!((frames.detail() - before).abs() < 0.2, "{before} {}", frames.detail());
    }
}
