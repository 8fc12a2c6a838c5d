//! Frames per second as a ratio of whole numbers, and the clock that turns time into frames.

use std::fmt;

use crate::time::{HostTime, MediaTime};

/// Largest rate, frames per second.
pub const MAX_FPS: u32 = 1000;
const NANOS: i128 = 1_000_000_000;

/// A rate that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate must be above 0 and at most {MAX_FPS} frames per second, such as 60 or 60000/1001")]
pub struct BadRate;

/// Frames per second: `frames` in `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    frames: u32,
    seconds: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self { frames: 60, seconds: 1 }
    }
}

impl Rate {
    /// `frames` in `seconds`: 60000 in 1001 is 59.94.
    ///
    /// # Errors
    /// [`BadRate`].
    pub const fn new(frames: u32, seconds: u32) -> Result<Self, BadRate> {
        let most = seconds as u64 * MAX_FPS as u64;
        if frames == 0 || seconds == 0 || frames as u64 > most {
            return Err(BadRate);
        }
        Ok(Self { frames, seconds })
    }

    /// The rate nearest to a decimal number; 23.976, 29.97, 59.94 and 119.88 are taken for n·1000/1001.
    ///
    /// # Errors
    /// [`BadRate`], also for what is not finite.
    pub fn from_fps(fps: f64) -> Result<Self, BadRate> {
        if !(fps > 0.0 && fps <= f64::from(MAX_FPS)) {
            return Err(BadRate);
        }
        let whole = fps.round();
        if (fps - whole).abs() < 1e-6 {
            return Self::new(whole as u32, 1);
        }
        let ntsc = (fps * 1.001).round();
        if (fps - ntsc * 1000.0 / 1001.0).abs() < 2e-3 {
            return Self::new(ntsc as u32 * 1000, 1001);
        }
        Self::new((fps * 1e6).round() as u32, 1_000_000)
    }

    /// As a decimal number, frames per second.
    #[must_use]
    pub fn as_fps(self) -> f64 {
        f64::from(self.frames) / f64::from(self.seconds)
    }

    /// The frame shown at a time: `⌊t·fps⌋`, exact; `None` before the start.
    #[must_use]
    pub fn frame_at(self, time: MediaTime) -> Option<u64> {
        self.frames_in(time.as_nanos())
    }

    /// The first nanosecond at which a frame is shown.
    #[must_use]
    pub fn time_of(self, frame: u64) -> MediaTime {
        let scaled = i128::from(frame) * i128::from(self.seconds) * NANOS;
        let nanos = (scaled + i128::from(self.frames) - 1) / i128::from(self.frames);
        MediaTime::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }

    fn frames_in(self, nanos: i64) -> Option<u64> {
        let nanos = u64::try_from(nanos).ok()?;
        let scaled = i128::from(nanos) * i128::from(self.frames);
        u64::try_from(scaled / (i128::from(self.seconds) * NANOS)).ok()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            1 => write!(f, "{}", self.frames),
            _ => write!(f, "{}/{}", self.frames, self.seconds),
        }
    }
}

impl std::str::FromStr for Rate {
    type Err = BadRate;

    /// `60`, `29.97`, `60000/1001`.
    fn from_str(text: &str) -> Result<Self, BadRate> {
        match text.split_once('/') {
            Some((frames, seconds)) => {
                let number = |text: &str| text.trim().parse().map_err(|_| BadRate);
                Self::new(number(frames)?, number(seconds)?)
            }
            None => Self::from_fps(text.trim().parse().map_err(|_| BadRate)?),
        }
    }
}

/// Which frame is due, from the absolute time since it was set going: nothing adds up, so nothing drifts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playhead {
    rate: Rate,
    /// The frame at which it stands, or stood at `since` while it runs.
    anchor: u64,
    since: Option<HostTime>,
}

impl Playhead {
    /// The frame due now.
    #[must_use]
    pub fn frame(&self, now: HostTime) -> u64 {
        let Some(since) = self.since else { return self.anchor };
        let gone = self.rate.frames_in(now.nanos_since(since)).unwrap_or(0);
        self.anchor.saturating_add(gone)
    }

    /// Puts it on a frame; it goes on if it runs.
    pub fn put(&mut self, frame: u64, now: HostTime) {
        self.anchor = frame;
        self.since = self.since.map(|_| now);
    }

    /// Lets it run from where it stands.
    pub fn run(&mut self, now: HostTime) {
        if self.since.is_none() {
            self.since = Some(now);
        }
    }

    /// Holds it where it is.
    pub fn hold(&mut self, now: HostTime) {
        self.anchor = self.frame(now);
        self.since = None;
    }

    /// Changes the rate from here on.
    pub fn set_rate(&mut self, rate: Rate, now: HostTime) {
        self.anchor = self.frame(now);
        self.since = self.since.map(|_| now);
        self.rate = rate;
    }

    /// The rate.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// AS-51: the index is the timebase.
    #[test]
    fn the_time_of_a_frame_is_its_index_by_the_rate() {
        let rate = Rate::default();
        assert_eq!(rate.time_of(0), MediaTime::ZERO);
        assert_eq!(rate.time_of(30).as_secs_f64(), 0.5);
        assert_eq!(rate.time_of(60).as_secs_f64(), 1.0);
        for rate in [rate, Rate::new(60_000, 1001).unwrap(), Rate::new(25, 1).unwrap()] {
            for frame in [0, 1, 2, 59, 1000, 16_374, 2_157_840, 1 << 36] {
                let begin = rate.time_of(frame);
                assert_eq!(rate.frame_at(begin), Some(frame));
                if frame > 0 {
                    assert_eq!(rate.frame_at(begin.plus_nanos(-1)), Some(frame - 1));
                }
            }
        }
        assert_eq!(rate.frame_at(MediaTime::from_nanos(-1)), None);
    }

    /// AS-82: what is no rate is refused.
    #[test]
    fn rates_are_read_as_numbers_and_ratios() {
        let rate = |text: &str| text.parse::<Rate>();
        assert_eq!(rate("60"), Rate::new(60, 1));
        assert_eq!(rate("59.94"), Rate::new(60_000, 1001));
        assert_eq!(rate("23.976"), Rate::new(24_000, 1001));
        assert_eq!(rate("60000/1001"), Rate::new(60_000, 1001));
        assert_eq!(rate("12.5").unwrap().as_fps(), 12.5);
        for wrong in ["0", "-1", "NaN", "inf", "1001", "60/0", "0/5", "x", "4294967295/1"] {
            assert_eq!(rate(wrong), Err(BadRate), "{wrong}");
        }
    }

    /// AS-40: ten hours at 59.94, looked at at uneven moments: never off by a frame.
    #[test]
    fn ten_hours_do_not_drift() {
        let rate = Rate::new(60_000, 1001).unwrap();
        let mut playhead = Playhead::default();
        let start = HostTime::from_nanos(77);
        playhead.set_rate(rate, start);
        playhead.run(start);
        let mut now = start;
        let mut step = 1_u64;
        while now.since(start) < Duration::from_hours(10) {
            step = step.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            now += Duration::from_nanos(step >> 36);
            let exact = now.secs_since(start) * 60_000.0 / 1001.0;
            let frame = playhead.frame(now) as f64;
            assert!(frame <= exact + 1e-3 && exact < frame + 1.0 + 1e-3);
        }
    }

    /// AS-36, AS-39: a change of rate, a pause and a jump each count from where it is; a clock set back moves nothing.
    #[test]
    fn a_playhead_keeps_its_place_through_changes() {
        let at = |ms: i64| HostTime::from_nanos(ms * 1_000_000);
        let mut playhead = Playhead::default();
        assert_eq!(playhead.frame(at(500)), 0);
        playhead.run(at(1000));
        assert_eq!(playhead.frame(at(2000)), 60);
        playhead.set_rate(Rate::new(25, 1).unwrap(), at(2000));
        assert_eq!(playhead.frame(at(3000)), 85);
        playhead.hold(at(3000));
        assert_eq!(playhead.frame(at(9000)), 85);
        playhead.put(10, at(9000));
        playhead.run(at(9000));
        assert_eq!(playhead.frame(at(10_000)), 35);
        // A clock that is asked about the past answers with the present.
        assert_eq!(playhead.frame(at(1)), 10);
    }
}
