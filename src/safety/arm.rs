//! The one switch that allows light, shared by operator, engine and device thread.
//!
//! Every change of state begins a new generation. Points carry the generation they were passed under, so
//! that what was queued before a disarm stays dark even if the operator arms again at once.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use crate::time::HostTime;

/// Trips kept for the log until somebody reads them; older ones are dropped.
const TRIP_LOG: usize = 64;
const ARMED: u64 = 1;
const STOPPED: u64 = 2;
const BLACKOUT: u64 = 4;
const GENERATION_SHIFT: u32 = 3;

/// Why light was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TripReason {
    /// An operator disarmed.
    Operator,
    /// The STOP button: latched.
    Stop,
    /// The engine or the audio callback gave no sign of life.
    DeadMan,
    /// The surface (window or terminal) is gone.
    SurfaceGone,
    /// The surface is there and has not looked at the show for a second.
    SurfaceSilent,
    /// The projector was lost, or came back.
    Reconnect,
    /// The device's own emergency stop: latched.
    DeviceEstop,
    /// The audio clock was lost.
    ClockLost,
    /// A thread of the show panicked.
    Panic,
    /// The stream came to its end.
    StreamEnded,
}

impl std::fmt::Display for TripReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Operator => "disarmed by the operator",
            Self::Stop => "STOP pressed: reset it before you arm again",
            Self::DeadMan => "the engine gave no sign of life for 100 ms: dark",
            Self::SurfaceGone => "the window or terminal is gone: dark",
            Self::SurfaceSilent => "the window has not answered for a second: dark, arm again",
            Self::Reconnect => "the projector was lost: it returns dark, arm it again",
            Self::DeviceEstop => "the projector is in emergency stop: reset it, then arm again",
            Self::ClockLost => "the sound clock was lost: dark",
            Self::Panic => "a part of the show failed: dark",
            Self::StreamEnded => "the stream ended: dark",
        })
    }
}

/// One trip: when and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// When light was taken away.
    pub at: HostTime,
    /// Why.
    pub reason: TripReason,
}

/// Arming was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A stop is latched: reset it first.
    #[error("a stop is latched: make the room safe, press Reset, then arm")]
    Stopped,
}

#[derive(Debug)]
struct State {
    /// generation << 3 | blackout << 2 | stopped << 1 | armed
    word: AtomicU64,
    beat_ns: AtomicI64,
    trips: ArrayQueue<Trip>,
    hook: Hook,
}

/// The word of the generation after that of `word`, with nothing allowed.
const fn next_generation(word: u64) -> u64 {
    ((word >> GENERATION_SHIFT) + 1) << GENERATION_SHIFT
}

/// What is called at every trip.
#[derive(Default)]
struct Hook(OnceLock<Box<dyn Fn() + Send + Sync>>);

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Hook").field(&self.0.get().is_some()).finish()
    }
}

/// A handle on the switch of one projector. Clones are the same switch. Starts disarmed; never saved.
///
/// No call here locks, allocates or waits.
#[derive(Clone, Debug)]
pub struct Arm(Arc<State>);

impl Default for Arm {
    fn default() -> Self {
        Self::new()
    }
}

impl Arm {
    /// The longest silence of the engine that an armed projector bears.
    pub const DEAD_MAN: Duration = Duration::from_millis(100);

    /// A switch, disarmed.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(State {
            word: AtomicU64::new(0),
            beat_ns: AtomicI64::new(i64::MIN),
            trips: ArrayQueue::new(TRIP_LOG),
            hook: Hook::default(),
        }))
    }

    /// Calls `hook` whenever light is taken away, on the thread that does it, the sound callback's too: it must not
    /// lock, allocate or wait. For the device thread, which is woken by it. A second hook is refused: false.
    pub fn on_trip(&self, hook: impl Fn() + Send + Sync + 'static) -> bool {
        self.0.hook.0.set(Box::new(hook)).is_ok()
    }

    /// Allows light from `now` on. Returns the new generation. Refused while a stop is latched.
    pub fn arm(&self, now: HostTime) -> Result<u64, Refused> {
        // A new light has the dead-man's time to show its engine alive; one that is on already has none to gain.
        if self.0.word.load(Ordering::SeqCst) & ARMED == 0 {
            self.0.beat_ns.fetch_max(now.as_nanos(), Ordering::SeqCst);
        }
        let set = |word: u64| {
            if word & STOPPED != 0 {
                None
            } else if word & ARMED != 0 {
                Some(word)
            } else {
                Some(next_generation(word) | (word & BLACKOUT) | ARMED)
            }
        };
        match self.0.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set) {
            Ok(_) => Ok(self.generation()),
            Err(_) => Err(Refused::Stopped),
        }
    }

    /// Takes light away. A trip is logged if it was on.
    pub fn disarm(&self, now: HostTime, reason: TripReason) {
        self.trip(now, reason, 0);
    }

    /// Takes light away and latches: arming is refused until [`Arm::reset_stop`].
    pub fn stop(&self, now: HostTime, reason: TripReason) {
        self.trip(now, reason, STOPPED);
    }

    fn trip(&self, now: HostTime, reason: TripReason, latch: u64) {
        let set = |word: u64| Some(next_generation(word) | (word & (STOPPED | BLACKOUT)) | latch);
        let before = self.0.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set);
        let before = before.unwrap_or_else(|word| word);
        let was_armed = before & ARMED != 0;
        let newly_latched = latch != 0 && before & STOPPED == 0;
        if was_armed || newly_latched {
            self.0.trips.force_push(Trip { at: now, reason });
            if let Some(hook) = self.0.hook.0.get() {
                hook();
            }
        }
    }

    /// Clears a latched stop; stays disarmed.
    pub fn reset_stop(&self) {
        self.0.word.fetch_and(!STOPPED, Ordering::SeqCst);
    }

    /// Takes light away at once and gives it back, while the switch stays as it is: armed stays armed, and the dead-man
    /// goes on watching. What was queued before stays dark. It can only darken.
    pub fn set_blackout(&self, on: bool) {
        let set = |word: u64| {
            let changes = (word & BLACKOUT != 0) != on;
            let blackout = if on { BLACKOUT } else { 0 };
            changes.then(|| next_generation(word) | (word & (STOPPED | ARMED)) | blackout)
        };
        let changed = self.0.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set).is_ok();
        if let (true, true, Some(hook)) = (changed, on, self.0.hook.0.get()) {
            hook();
        }
    }

    /// True while a blackout is on.
    #[must_use]
    pub fn is_blacked_out(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & BLACKOUT != 0
    }

    /// True while light is allowed, blackout or not.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & ARMED != 0
    }

    /// True while a stop is latched.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & STOPPED != 0
    }

    /// The present generation: it changes with every arm, disarm and stop.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.word.load(Ordering::SeqCst) >> GENERATION_SHIFT
    }

    /// True if points passed under `generation` may still be lit.
    #[must_use]
    pub fn allows(&self, generation: u64) -> bool {
        let word = self.0.word.load(Ordering::SeqCst);
        word & (ARMED | BLACKOUT) == ARMED && word >> GENERATION_SHIFT == generation
    }

    /// A sign of life of the engine, from the audio callback.
    pub fn beat(&self, now: HostTime) {
        self.0.beat_ns.fetch_max(now.as_nanos(), Ordering::SeqCst);
    }

    /// The dead-man: disarms if the last sign of life is older than [`Arm::DEAD_MAN`]. Returns true if it
    /// tripped now.
    pub fn check_alive(&self, now: HostTime) -> bool {
        let beat = HostTime::from_nanos(self.0.beat_ns.load(Ordering::SeqCst));
        let dead = self.is_armed() && now.since(beat) > Self::DEAD_MAN;
        if dead {
            self.disarm(now, TripReason::DeadMan);
        }
        dead
    }

    /// The oldest trip that nobody has read.
    #[must_use]
    pub fn next_trip(&self) -> Option<Trip> {
        self.0.trips.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: HostTime = HostTime::from_nanos(1_000_000_000);

    #[test]
    fn a_switch_starts_disarmed_and_arming_is_explicit() {
        let arm = Arm::new();
        assert!(!arm.is_armed());
        let generation = arm.arm(T0).unwrap();
        assert!(arm.allows(generation));
    }

    #[test]
    fn points_of_an_older_generation_stay_dark_after_rearming() {
        let arm = Arm::new();
        let old = arm.arm(T0).unwrap();
        arm.disarm(T0, TripReason::Operator);
        assert!(!arm.allows(old));
        let new = arm.arm(T0).unwrap();
        assert!(!arm.allows(old));
        assert!(arm.allows(new));
    }

    #[test]
    fn a_stop_latches_until_reset() {
        let arm = Arm::new();
        arm.arm(T0).unwrap();
        arm.stop(T0, TripReason::Stop);
        assert_eq!(arm.arm(T0), Err(Refused::Stopped));
        arm.disarm(T0, TripReason::Operator);
        assert_eq!(arm.arm(T0), Err(Refused::Stopped));
        arm.reset_stop();
        assert!(!arm.is_armed());
        assert!(arm.arm(T0).is_ok());
        assert_eq!(arm.next_trip(), Some(Trip { at: T0, reason: TripReason::Stop }));
        assert_eq!(arm.next_trip(), None);
    }

    #[test]
    fn a_blackout_darkens_and_gives_back_without_touching_the_switch() {
        let arm = Arm::new();
        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        assert!(arm.on_trip(move || _ = counter.fetch_add(1, Ordering::SeqCst)));
        let lit = arm.arm(T0).unwrap();
        arm.set_blackout(true);
        arm.set_blackout(true);
        assert!(arm.is_armed() && arm.is_blacked_out());
        assert!(!arm.allows(lit) && !arm.allows(arm.generation()));
        assert_eq!(calls.load(Ordering::SeqCst), 1, "the device is told at once");
        arm.set_blackout(false);
        assert!(!arm.allows(lit), "what was queued before stays dark");
        assert!(arm.allows(arm.generation()));
        assert_eq!(arm.next_trip(), None);
    }

    #[test]
    fn a_blackout_outlasts_arming_and_never_arms() {
        let arm = Arm::new();
        arm.set_blackout(true);
        let generation = arm.arm(T0).unwrap();
        assert!(arm.is_armed() && !arm.allows(generation));
        arm.stop(T0, TripReason::Stop);
        arm.set_blackout(false);
        assert!(arm.is_stopped() && !arm.is_armed());
        arm.set_blackout(true);
        arm.arm(T0).unwrap_err();
        arm.reset_stop();
        arm.arm(T0).unwrap();
        assert!(arm.check_alive(T0 + Duration::from_secs(1)), "the dead-man watches in the dark");
        arm.set_blackout(false);
        assert!(!arm.is_armed());
    }

    #[test]
    fn a_silent_engine_disarms_after_a_tenth_of_a_second() {
        let arm = Arm::new();
        arm.arm(T0).unwrap();
        assert!(!arm.check_alive(T0 + Arm::DEAD_MAN));
        arm.beat(T0 + Duration::from_millis(50));
        assert!(!arm.check_alive(T0 + Duration::from_millis(150)));
        assert!(arm.check_alive(T0 + Duration::from_millis(151)));
        assert!(!arm.is_armed());
        assert_eq!(arm.next_trip().unwrap().reason, TripReason::DeadMan);
    }

    #[test]
    fn a_hand_on_the_switch_is_no_sign_of_life_of_the_engine() {
        let arm = Arm::new();
        arm.arm(T0).unwrap();
        arm.arm(T0 + Duration::from_millis(90)).unwrap();
        assert!(arm.check_alive(T0 + Duration::from_millis(101)));
    }

    #[test]
    fn a_trip_calls_the_hook_once_and_nothing_else_does() {
        let arm = Arm::new();
        let calls = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&calls);
        assert!(arm.on_trip(move || _ = counter.fetch_add(1, Ordering::SeqCst)));
        assert!(!arm.on_trip(|| ()));
        arm.disarm(T0, TripReason::Operator);
        arm.arm(T0).unwrap();
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        arm.disarm(T0, TripReason::Operator);
        arm.stop(T0, TripReason::Stop);
        arm.stop(T0, TripReason::Stop);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }
}
