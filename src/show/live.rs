//! What an operator's hand holds beside the presets: the flash, and the crossfader. Pure: time is an argument.
//!
//! Each of them can only take light away from the gate's limits, or lead it there sooner: the master, the zones and the
//! switch hold for a flash as for any other light.

use std::time::Duration;

use crate::time::HostTime;

/// Flashes that may begin within a second: more can trigger seizures (WCAG 2.2, success criterion 2.3.1).
pub const FLASHES_PER_SECOND: usize = 3;
/// A flash ends by itself after this long: a key-up that got lost leaves no light standing.
pub const LONGEST_FLASH: Duration = Duration::from_secs(4);

/// What came of a press of the flash key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// The flash is on.
    On,
    /// It was on already.
    StillOn,
    /// Refused: there were [`FLASHES_PER_SECOND`] within the last second.
    TooOften,
}

/// The flash key: on while it is held, within the limits of this module.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlashKey {
    held_since: Option<HostTime>,
    begun: [Option<HostTime>; FLASHES_PER_SECOND],
}

impl FlashKey {
    /// The key goes down.
    pub fn press(&mut self, now: HostTime) -> Pressed {
        if self.is_on() {
            return Pressed::StillOn;
        }
        if self.begun[0].is_some_and(|first| now.since(first) < Duration::from_secs(1)) {
            return Pressed::TooOften;
        }
        self.begun.rotate_left(1);
        self.begun[FLASHES_PER_SECOND - 1] = Some(now);
        self.held_since = Some(now);
        Pressed::On
    }

    /// The key goes up; true if the flash was on.
    pub const fn release(&mut self) -> bool {
        self.held_since.take().is_some()
    }

    /// Time passes; true if the flash has just ended by itself.
    pub fn has_run_out(&mut self, now: HostTime) -> bool {
        self.held_since.is_some_and(|since| now.since(since) >= LONGEST_FLASH) && self.release()
    }

    /// True while the flash is on.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.held_since.is_some()
    }
}

/// Flash and crossfader as the show thread holds them. The blackout is a matter of the switches.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The flash key.
    pub flash: FlashKey,
    /// From the preset at work (0) to the one beside it (1).
    pub crossfade: f32,
    /// The preset on the other side of the crossfader.
    pub preset_b: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_fourth_flash_within_a_second_is_refused_however_it_is_hammered() {
        let mut key = FlashKey::default();
        let begun: Vec<i64> = (0..3_000)
            .step_by(20)
            .filter(|&ms| {
                let begun = key.press(at(ms)) == Pressed::On;
                key.release();
                begun
            })
            .collect();
        for four in begun.windows(FLASHES_PER_SECOND + 1) {
            assert!(four[FLASHES_PER_SECOND] - four[0] >= 1000, "{begun:?}");
        }
        assert_eq!(begun.len(), 9);
    }

    #[test]
    fn a_key_that_never_comes_up_flashes_for_four_seconds() {
        let mut key = FlashKey::default();
        assert_eq!(key.press(at(0)), Pressed::On);
        assert_eq!(key.press(at(100)), Pressed::StillOn);
        assert!(!key.has_run_out(at(3_999)) && key.is_on());
        assert!(key.has_run_out(at(4_000)) && !key.is_on());
        assert!(!key.has_run_out(at(4_001)));
    }
}
