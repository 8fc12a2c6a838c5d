//! Notices that a sound device has died.
//!
//! When a sound server dies its callbacks just stop, with endless generic errors or with none. The watchdog
//! looks at the time of the last callback and says when to open the sound anew. Pure.

use std::time::Duration;

use crate::time::HostTime;

/// Silence of the callback that counts as death.
const STALLED_AFTER: Duration = Duration::from_millis(700);
/// A device may take this long for its first callback.
const FIRST_CALLBACK_AFTER: Duration = Duration::from_secs(4);
/// Time between two tries to open a device.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// All is well, or it is not time yet.
    Nothing,
    /// The device is dead: let go of it, and open the default device.
    Reopen,
}

/// Watches one device after the other.
#[derive(Clone, Copy, Debug)]
pub struct Watchdog {
    opened: HostTime,
    /// True while no device could be opened.
    without_device: bool,
}

impl Watchdog {
    /// For a device opened at `now`.
    #[must_use]
    pub const fn new(now: HostTime) -> Self {
        Self { opened: now, without_device: false }
    }

    /// Says what to do. `last_callback` is that of any device so far; `lost` if the device itself said that it
    /// cannot go on.
    #[must_use]
    pub fn supervise(&self, now: HostTime, last_callback: Option<HostTime>, lost: bool) -> Action {
        let since_open = now.since(self.opened);
        if self.without_device {
            return if since_open >= RETRY_AFTER { Action::Reopen } else { Action::Nothing };
        }
        let dead = match last_callback.filter(|&last| last >= self.opened) {
            Some(last) => now.since(last) >= STALLED_AFTER,
            None => since_open >= FIRST_CALLBACK_AFTER,
        };
        if dead || lost { Action::Reopen } else { Action::Nothing }
    }

    /// A device was opened.
    pub const fn opened(&mut self, now: HostTime) {
        *self = Self::new(now);
    }

    /// No device could be opened.
    pub const fn failed(&mut self, now: HostTime) {
        *self = Self { opened: now, without_device: true };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn a_callback_that_stops_is_noticed_within_a_second() {
        let dog = Watchdog::new(at(0));
        assert_eq!(dog.supervise(at(5000), Some(at(4990)), false), Action::Nothing);
        assert_eq!(dog.supervise(at(5600), Some(at(4990)), false), Action::Nothing);
        assert_eq!(dog.supervise(at(5700), Some(at(4990)), false), Action::Reopen);
    }

    #[test]
    fn a_first_callback_may_take_its_time_but_not_for_ever() {
        let dog = Watchdog::new(at(1000));
        assert_eq!(dog.supervise(at(3500), None, false), Action::Nothing);
        assert_eq!(dog.supervise(at(3500), Some(at(900)), false), Action::Nothing);
        assert_eq!(dog.supervise(at(5000), Some(at(900)), false), Action::Reopen);
    }

    #[test]
    fn a_device_that_says_it_is_lost_is_believed_at_once() {
        assert_eq!(Watchdog::new(at(0)).supervise(at(10), Some(at(9)), true), Action::Reopen);
    }

    #[test]
    fn without_a_device_it_tries_again_every_two_seconds() {
        let mut dog = Watchdog::new(at(0));
        dog.failed(at(100));
        assert_eq!(dog.supervise(at(2099), Some(at(2099)), true), Action::Nothing);
        assert_eq!(dog.supervise(at(2100), Some(at(2100)), false), Action::Reopen);
        dog.opened(at(2200));
        assert_eq!(dog.supervise(at(2300), None, false), Action::Nothing);
    }
}
