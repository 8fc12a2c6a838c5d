//! The one switch that allows light, shared by operator, engine and device thread.
//!
//! Every change of state begins a new generation. Points carry the generation they were passed under, so
//! that what was queued before a disarm stays dark even if the operator arms again at once.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use super::pulse::ShowPulse;
use crate::time::HostTime;

/// Trips kept for the log until somebody reads them; older ones are dropped.
const TRIP_LOG: usize = 64;
const ARMED: u64 = 1;
const STOPPED: u64 = 2;
const BLACKOUT: u64 = 4;
/// Somebody asked for light, and nothing has taken light away since.
const ASKED: u64 = 8;
/// Light is waited for until the projector is there; a lost connection leaves the wish.
const WAITING: u64 = 16;
/// Somebody asked to end a stop, and none was pressed since.
const RESET_ASKED: u64 = 32;
/// The operator took this projector out of the show.
const OUT: u64 = 64;
/// The device is in emergency stop.
const ESTOP: u64 = 128;
const GENERATION_SHIFT: u32 = 8;

/// Why light was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TripReason {
    /// An operator disarmed.
    Operator,
    /// The STOP button: latched.
    Stop,
    /// The engine or the audio callback gave no sign of life.
    DeadMan,
    /// The show thread gave no sign of life.
    ShowSilent,
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
    /// The device warms up or cools down: light would come later, by itself.
    NotReady,
    /// Another program, or a hand on the device, has stopped it.
    StoppedElsewhere,
}

impl std::fmt::Display for TripReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Operator => "disarmed by the operator",
            Self::Stop => "STOP pressed: reset it before you arm again",
            Self::DeadMan => "the engine gave no sign of life for 100 ms: dark",
            Self::ShowSilent => {
                "the show thread gave no sign of life for a second: dark; arm again when it answers"
            }
            Self::SurfaceGone => "the window or terminal is gone: dark",
            Self::SurfaceSilent => "the window or terminal has not answered for a second: dark, arm again",
            Self::Reconnect => "the projector was lost: it returns dark, arm it again",
            Self::DeviceEstop => "the projector is in emergency stop: reset it, then arm again",
            Self::ClockLost => "the sound clock was lost: dark",
            Self::Panic => "a part of the show failed: dark",
            Self::StreamEnded => "the stream ended: dark",
            Self::NotReady => "the projector warms up or cools down: dark, arm it when it is ready",
            Self::StoppedElsewhere => {
                "something else has stopped the projector: dark; close the other program, then arm again"
            }
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
    /// Light was taken away after it was asked for: ask again.
    #[error(
        "not armed: its light was taken away, or it came, after you armed; look why it is dark, then arm again"
    )]
    Overtaken,
    /// The operator took it out of the show: let it in first.
    #[error("the projector is switched off: switch it on in Projectors, then arm")]
    Out,
    /// The device is in emergency stop: only the device itself can say that it is over.
    #[error(
        "the projector is in emergency stop: make the room safe, close its interlock, press Reset, then arm"
    )]
    EmergencyStop,
}

#[derive(Debug)]
struct State {
    /// generation << 8 | the bits above
    word: AtomicU64,
    beat_ns: AtomicI64,
    /// Of the show that it belongs to, if it belongs to one.
    show: OnceLock<ShowPulse>,
    trips: ArrayQueue<Trip>,
    hook: Hook,
}

/// The word of the generation after that of `word`, with nothing allowed.
const fn next_generation(word: u64) -> u64 {
    ((word >> GENERATION_SHIFT) + 1) << GENERATION_SHIFT
}

/// The word of `word` with light allowed: what every way to light goes through.
const fn lit(word: u64) -> Result<u64, Refused> {
    if word & OUT != 0 {
        Err(Refused::Out)
    } else if word & ESTOP != 0 {
        Err(Refused::EmergencyStop)
    } else if word & STOPPED != 0 {
        Err(Refused::Stopped)
    } else if word & ARMED != 0 {
        Ok(word & !(ASKED | WAITING))
    } else {
        Ok(next_generation(word) | (word & BLACKOUT) | ARMED)
    }
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
            show: OnceLock::new(),
            trips: ArrayQueue::new(TRIP_LOG),
            hook: Hook::default(),
        }))
    }

    /// Calls `hook` whenever light is taken away, on the thread that does it, the sound callback's too: it must not
    /// lock, allocate or wait. For the device thread, which is woken by it. A second hook is refused: false.
    pub fn on_trip(&self, hook: impl Fn() + Send + Sync + 'static) -> bool {
        self.0.hook.0.set(Box::new(hook)).is_ok()
    }

    /// Allows light from `now` on. Returns the new generation. Refused while a stop is latched, and while the device
    /// is in emergency stop.
    pub fn arm(&self, now: HostTime) -> Result<u64, Refused> {
        self.light(now, lit)
    }

    /// Somebody asks for light. None is given by it: [`arm_as_asked`](Self::arm_as_asked) does, later and elsewhere.
    /// Whatever takes light away meanwhile takes the wish away too.
    pub fn ask_light(&self) {
        let _refused = self.turn(|word| {
            let stays_stopped = word & (STOPPED | RESET_ASKED) == STOPPED;
            (!stays_stopped && word & (OUT | ESTOP) == 0).then_some(word | ASKED)
        });
    }

    /// Allows light if it was asked for and nothing has taken it away since.
    pub fn arm_as_asked(&self, now: HostTime) -> Result<u64, Refused> {
        self.light(now, |word| match lit(word) {
            Ok(_) if word & (ARMED | ASKED) == 0 => Err(Refused::Overtaken),
            lit => lit,
        })
    }

    /// Light is wished as soon as the projector is there. Every trip but a lost connection takes the wish away.
    pub fn wait_for_light(&self) {
        let _refused =
            self.turn(|word| (word & (STOPPED | OUT | ESTOP) == 0).then_some(word | WAITING));
    }

    /// Allows light if it is still waited for.
    pub fn arm_as_waiting(&self, now: HostTime) -> Result<u64, Refused> {
        self.light(now, |word| match lit(word) {
            Ok(_) if word & (ARMED | WAITING) == 0 => Err(Refused::Overtaken),
            lit => lit,
        })
    }

    /// True while light is waited for.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & WAITING != 0
    }

    /// True while light is asked for, or waited for, and not given.
    #[must_use]
    pub fn is_light_wished(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & (ASKED | WAITING) != 0
    }

    fn light(
        &self,
        now: HostTime,
        lit: impl Fn(u64) -> Result<u64, Refused>,
    ) -> Result<u64, Refused> {
        // A new light has the dead-man's time to show its engine alive; one that is on already has none to gain.
        if self.0.word.load(Ordering::SeqCst) & ARMED == 0 {
            self.0.beat_ns.fetch_max(now.as_nanos(), Ordering::SeqCst);
        }
        match self.turn(|word| lit(word).ok()) {
            Ok(before) => Ok(lit(before)? >> GENERATION_SHIFT),
            Err(word) => Err(lit(word).err().unwrap_or(Refused::Overtaken)),
        }
    }

    /// Changes the word, or leaves it; the word before, or the one that was left.
    fn turn(&self, set: impl Fn(u64) -> Option<u64>) -> Result<u64, u64> {
        self.0.word.fetch_update(Ordering::SeqCst, Ordering::SeqCst, set)
    }

    /// Takes light away. A trip is logged if it was on.
    pub fn disarm(&self, now: HostTime, reason: TripReason) {
        self.trip(now, reason, 0, 0);
    }

    /// Takes light away and latches: arming is refused until [`Arm::reset_stop`].
    pub fn stop(&self, now: HostTime, reason: TripReason) {
        self.trip(now, reason, STOPPED, 0);
    }

    /// Takes it out of the show: dark, and nothing lights it until it is [let in](Self::let_in) again.
    pub fn take_out(&self, now: HostTime) {
        self.trip(now, TripReason::Operator, OUT, 0);
    }

    /// Lets it into the show again, dark. With `asks`, light is asked for at once: see [`ask_light`](Self::ask_light).
    pub fn let_in(&self, asks: bool) {
        self.0.word.fetch_and(!OUT, Ordering::SeqCst);
        if asks {
            self.ask_light();
        }
    }

    /// True while it is out of the show.
    #[must_use]
    pub fn is_out(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & OUT != 0
    }

    /// The device is in emergency stop: a latched stop, and no arming until [`Arm::leave_estop`], whatever is reset
    /// meanwhile. For the device thread, which alone knows.
    pub fn enter_estop(&self, now: HostTime) {
        self.trip(now, TripReason::DeviceEstop, STOPPED | ESTOP, 0);
    }

    /// The device is no longer in emergency stop, whoever ended it: disarmed, and what was passed before stays dark.
    /// The stop stays latched until [`Arm::reset_stop`].
    pub fn leave_estop(&self, now: HostTime) {
        self.trip(now, TripReason::DeviceEstop, 0, ESTOP);
    }

    fn trip(&self, now: HostTime, reason: TripReason, latch: u64, end: u64) {
        let mut kept = (STOPPED | BLACKOUT | OUT | ESTOP) & !end;
        if reason == TripReason::Reconnect {
            kept |= WAITING;
        }
        if latch & STOPPED == 0 {
            kept |= RESET_ASKED;
        }
        let set = |word: u64| Some(next_generation(word) | (word & kept) | latch);
        let before = self.turn(set).unwrap_or_else(|word| word);
        let was_armed = before & ARMED != 0;
        let newly_stopped = latch & !before & (STOPPED | ESTOP) != 0;
        if was_armed || newly_stopped {
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

    /// Somebody asks to end a stop. [`reset_as_asked`](Self::reset_as_asked) does, later and elsewhere; a stop that is
    /// pressed meanwhile takes the wish away. Light that was [waited for](Self::wait_for_light) is waited for no more:
    /// after a reset only an explicit act gives light.
    pub fn ask_reset(&self) {
        let _always_set = self.turn(|word| Some((word | RESET_ASKED) & !WAITING));
    }

    /// Clears a latched stop if that was asked for and none was pressed since: true then. Stays disarmed.
    pub fn reset_as_asked(&self) -> bool {
        let reset =
            |word: u64| (word & RESET_ASKED != 0).then_some(word & !(STOPPED | RESET_ASKED));
        self.turn(reset).is_ok()
    }

    /// Takes light away at once and gives it back, while the switch stays as it is: armed stays armed, and the dead-man
    /// goes on watching. What was queued before stays dark. It can only darken.
    pub fn set_blackout(&self, on: bool) {
        self.blackout(|_| on);
    }

    /// Turns the blackout over; returns what it is then.
    pub fn turn_blackout(&self) -> bool {
        self.blackout(|on| !on)
    }

    fn blackout(&self, wanted: impl Fn(bool) -> bool) -> bool {
        let is_on = |word: u64| word & BLACKOUT != 0;
        let flags = (1 << GENERATION_SHIFT) - 1;
        let set = |word: u64| {
            let on = wanted(is_on(word));
            let blackout = if on { BLACKOUT } else { 0 };
            (on != is_on(word))
                .then(|| next_generation(word) | (word & flags & !BLACKOUT) | blackout)
        };
        match self.turn(set) {
            Ok(before) => {
                let on = !is_on(before);
                if let (true, Some(hook)) = (on, self.0.hook.0.get()) {
                    hook();
                }
                on
            }
            Err(word) => is_on(word),
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

    /// True while a stop is latched, or the device is in emergency stop: arming is refused.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & (STOPPED | ESTOP) != 0
    }

    /// True while the device is in emergency stop, reset or not.
    #[must_use]
    pub fn is_in_estop(&self) -> bool {
        self.0.word.load(Ordering::SeqCst) & ESTOP != 0
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

    /// From now on the thread of this show has to give signs of life too. A switch belongs to one show at most.
    pub fn follow_show(&self, pulse: &ShowPulse) {
        let _is_followed = self.0.show.set(pulse.clone());
    }

    /// The dead-man: disarms if the last sign of life is older than [`Arm::DEAD_MAN`], or that of its show older than
    /// [`ShowPulse::PATIENCE`]. Returns true if it tripped now.
    pub fn check_alive(&self, now: HostTime) -> bool {
        if !self.is_armed() {
            return false;
        }
        let beat = HostTime::from_nanos(self.0.beat_ns.load(Ordering::SeqCst));
        let reason = if now.since(beat) > Self::DEAD_MAN {
            TripReason::DeadMan
        } else if self.0.show.get().is_some_and(|show| show.is_silent(now)) {
            TripReason::ShowSilent
        } else {
            return false;
        };
        self.disarm(now, reason);
        true
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
    fn light_that_was_asked_for_is_given_unless_something_took_it_away_since() {
        let darkenings: [fn(&Arm); 5] = [
            |arm| arm.disarm(T0, TripReason::Operator),
            |arm| arm.disarm(T0, TripReason::Reconnect),
            |arm| arm.stop(T0, TripReason::Stop),
            |arm| arm.stop(T0, TripReason::DeviceEstop),
            |arm| arm.take_out(T0),
        ];
        for darken in darkenings {
            let arm = Arm::new();
            assert_eq!(arm.arm_as_asked(T0), Err(Refused::Overtaken), "nobody asked");
            arm.ask_light();
            assert!(arm.is_light_wished() && !arm.is_armed());
            assert_eq!(arm.arm_as_asked(T0), Ok(arm.generation()));
            assert!(arm.is_armed() && !arm.is_light_wished());
            arm.ask_light();
            assert_eq!(arm.arm_as_asked(T0), Ok(arm.generation()), "it is on already");
            arm.ask_light();
            darken(&arm);
            assert!(arm.arm_as_asked(T0).is_err() && !arm.is_armed());
            arm.ask_reset();
            arm.reset_as_asked();
            arm.let_in(false);
            assert_eq!(arm.arm_as_asked(T0), Err(Refused::Overtaken), "the old wish is gone");
            arm.ask_light();
            assert!(arm.arm_as_asked(T0).is_ok());
        }
    }

    #[test]
    fn light_that_is_waited_for_outlasts_a_lost_connection_and_nothing_else() {
        let arm = Arm::new();
        arm.wait_for_light();
        arm.disarm(T0, TripReason::Reconnect);
        assert!(arm.is_waiting() && arm.arm_as_waiting(T0).is_ok());
        arm.disarm(T0, TripReason::Reconnect);
        assert_eq!(arm.arm_as_waiting(T0), Err(Refused::Overtaken), "it was given once");
        for reason in [TripReason::Operator, TripReason::SurfaceSilent, TripReason::Panic] {
            arm.wait_for_light();
            arm.disarm(T0, reason);
            assert!(!arm.is_waiting(), "{reason}");
        }
        arm.stop(T0, TripReason::Stop);
        arm.wait_for_light();
        assert!(!arm.is_waiting(), "a stop is latched");
    }

    #[test]
    fn a_reset_that_was_asked_for_clears_no_stop_pressed_after_it() {
        let arm = Arm::new();
        arm.stop(T0, TripReason::Stop);
        assert!(!arm.reset_as_asked() && arm.is_stopped(), "nobody asked");
        arm.ask_reset();
        arm.stop(T0, TripReason::Stop);
        assert!(!arm.reset_as_asked() && arm.is_stopped(), "pressed again since");
        arm.ask_reset();
        arm.ask_light();
        arm.disarm(T0, TripReason::Reconnect);
        assert!(arm.reset_as_asked() && !arm.is_stopped());
        arm.stop(T0, TripReason::Stop);
        arm.ask_reset();
        arm.ask_light();
        assert!(arm.reset_as_asked() && !arm.is_armed());
        assert!(arm.arm_as_asked(T0).is_ok(), "reset and arm in one breath");
    }

    #[test]
    fn what_is_out_of_the_show_is_lit_by_nothing() {
        let arm = Arm::new();
        let lit = arm.arm(T0).unwrap();
        arm.take_out(T0);
        assert!(!arm.allows(lit) && arm.is_out());
        arm.ask_light();
        arm.wait_for_light();
        for armed in [arm.arm(T0), arm.arm_as_asked(T0), arm.arm_as_waiting(T0)] {
            assert_eq!(armed, Err(Refused::Out));
        }
        arm.let_in(true);
        assert!(!arm.is_armed() && arm.arm_as_asked(T0).is_ok());
    }

    #[test]
    fn a_blackout_that_is_turned_over_keeps_everything_else() {
        let arm = Arm::new();
        arm.wait_for_light();
        assert!(arm.turn_blackout() && arm.is_blacked_out() && arm.is_waiting());
        arm.arm(T0).unwrap();
        assert!(!arm.turn_blackout());
        assert!(arm.allows(arm.generation()));
    }

    #[test]
    fn arming_is_refused_while_the_device_is_in_emergency_stop_whatever_is_reset() {
        let arm = Arm::new();
        let lit = arm.arm(T0).unwrap();
        arm.set_blackout(true);
        arm.wait_for_light();
        arm.enter_estop(T0);
        arm.enter_estop(T0);
        assert!(arm.is_stopped() && arm.is_in_estop() && !arm.is_armed() && !arm.is_waiting());
        arm.reset_stop();
        arm.set_blackout(false);
        arm.disarm(T0, TripReason::Operator);
        assert!(arm.is_stopped(), "a surface offers the reset as long as it is needed");
        arm.ask_light();
        arm.wait_for_light();
        for armed in [arm.arm(T0), arm.arm_as_asked(T0), arm.arm_as_waiting(T0)] {
            assert_eq!(armed, Err(Refused::EmergencyStop));
        }
        let before = arm.generation();
        arm.leave_estop(T0);
        assert!(!arm.is_in_estop() && !arm.is_armed() && arm.generation() > before);
        assert!(!arm.allows(lit));
        assert_eq!(arm.arm_as_asked(T0), Err(Refused::Overtaken), "no wish outlasts it");
        assert!(arm.arm(T0).is_ok());
        assert_eq!(arm.next_trip(), Some(Trip { at: T0, reason: TripReason::DeviceEstop }));
        assert_eq!(arm.next_trip(), None);
    }

    #[test]
    fn an_emergency_stop_that_ends_by_itself_stays_latched_until_reset() {
        let arm = Arm::new();
        arm.enter_estop(T0);
        arm.leave_estop(T0);
        assert!(!arm.is_in_estop());
        assert_eq!(arm.arm(T0), Err(Refused::Stopped));
        arm.reset_stop();
        assert!(arm.arm(T0).is_ok());
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
    fn a_silent_show_thread_disarms_after_a_second_and_only_what_belongs_to_its_show() {
        let (arm, alone, pulse) = (Arm::new(), Arm::new(), ShowPulse::default());
        arm.follow_show(&pulse);
        pulse.beat(T0);
        for arm in [&arm, &alone] {
            arm.arm(T0).unwrap();
            arm.beat(T0 + ShowPulse::PATIENCE);
        }
        assert!(!arm.check_alive(T0 + ShowPulse::PATIENCE));
        let late = T0 + ShowPulse::PATIENCE + Duration::from_millis(1);
        assert!(arm.check_alive(late) && !alone.check_alive(late));
        assert_eq!(arm.next_trip(), Some(Trip { at: late, reason: TripReason::ShowSilent }));
        arm.arm(late).unwrap();
        assert!(arm.check_alive(late), "an arm is no sign of life of the show");
        pulse.beat(late);
        arm.arm(late).unwrap();
        assert!(!arm.check_alive(late));
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
