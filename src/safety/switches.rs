//! The switches of all projectors of a show, worked from wherever the hand is.
//!
//! Darkness acts here, on the thread of whoever wishes it: nothing that may wait stands between. Light does not: it is
//! only asked for here, and given by the show thread, if nothing has taken it away meanwhile. The wish is a bit of the
//! switch itself, and whatever darkens a switch clears it.
//!
//! What a newcomer has to inherit is kept in a switch that no projector has, the *latch*. A newcomer is published first
//! and takes over from the latch after it; a hand works the latch first and the published switches after it. So of any
//! hand and any newcomer, in every order, one sees the other (`tests/loom/src/switches.rs`).

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use arc_swap::ArcSwap;

use super::arm::{Arm, Refused, TripReason};
use super::pulse::ShowPulse;
use crate::time::HostTime;

/// The switch of one projector, and whose it is.
#[derive(Clone, Debug)]
struct Switch {
    number: u32,
    name: Arc<str>,
    arm: Arm,
}

#[derive(Debug, Default)]
struct Shared {
    all: ArcSwap<Vec<Switch>>,
    latch: Arm,
    pulse: ShowPulse,
}

/// A handle on the switches of a show. Clones are the same switches.
///
/// Stopping, disarming and blackout neither lock, wait nor allocate, but for a record that a thread makes of itself the
/// first time it reads the list.
#[derive(Clone, Debug, Default)]
pub struct Switches(Arc<Shared>);

impl Switches {
    /// Takes light away everywhere and latches, for projectors that come later too.
    pub fn stop(&self, now: HostTime) {
        self.0.latch.stop(now, TripReason::Stop);
        self.each(|arm| arm.stop(now, TripReason::Stop));
    }

    /// Takes light away everywhere, and every wish for it.
    pub fn disarm(&self, now: HostTime, reason: TripReason) {
        self.each(|arm| arm.disarm(now, reason));
    }

    /// Takes light away everywhere and gives it back, while the switches stay as they are: see [`Arm::set_blackout`].
    pub fn set_blackout(&self, on: bool) {
        self.0.latch.set_blackout(on);
        self.follow_latch(on);
    }

    /// Turns the blackout over.
    pub fn turn_blackout(&self) {
        let on = self.0.latch.turn_blackout();
        self.follow_latch(on);
    }

    /// Brings every switch to the blackout of the latch. Of several hands, whoever is the last to touch a switch looks
    /// at the latch after it, and goes round again if another has turned it.
    fn follow_latch(&self, mut on: bool) {
        loop {
            self.each(|arm| arm.set_blackout(on));
            let latched = self.is_blacked_out();
            if latched == on {
                return;
            }
            on = latched;
        }
    }

    /// Takes one projector out of the show, dark.
    pub fn take_out(&self, name: &str, now: HostTime) {
        self.named(name, |arm| arm.take_out(now));
    }

    /// Lets one projector into the show again, dark. Light is asked for on it if another one has light.
    pub fn let_in(&self, name: &str) {
        let is_lit = self.is_armed();
        self.named(name, |arm| arm.let_in(is_lit));
    }

    /// Takes light away from one projector.
    pub fn disarm_one(&self, name: &str, now: HostTime, reason: TripReason) {
        self.named(name, |arm| arm.disarm(now, reason));
    }

    /// Asks for light on every projector that is there now: see [`Arm::ask_light`].
    pub fn ask_light(&self) {
        self.each(Arm::ask_light);
    }

    /// Asks to end every stop that there is now: see [`Arm::ask_reset`].
    pub fn ask_reset(&self) {
        self.0.latch.ask_reset();
        self.each(Arm::ask_reset);
    }

    /// Ends every stop, as was asked for; each projector that was asked for is given to `cleared`. Refused where a stop
    /// was pressed after the wish.
    pub fn reset_as_asked(&self, mut cleared: impl FnMut(u32)) -> Result<(), Refused> {
        if !self.0.latch.reset_as_asked() && self.0.latch.is_stopped() {
            return Err(Refused::Stopped);
        }
        for switch in self.0.all.load().iter() {
            if switch.arm.reset_as_asked() {
                cleared(switch.number);
            }
        }
        Ok(())
    }

    /// A sign of life of the show thread.
    pub fn show_is_alive(&self, now: HostTime) {
        self.0.pulse.beat(now);
    }

    /// A projector comes, dark: it is reached by every hand from here on, and takes over what was pressed before.
    pub fn join(&self, number: u32, name: &str, arm: &Arm, now: HostTime) {
        arm.follow_show(&self.0.pulse);
        let switch = Switch { number, name: name.into(), arm: arm.clone() };
        self.0.all.rcu(|all| {
            let mut all = Vec::clone(all);
            all.push(switch.clone());
            all
        });
        // From here on every hand reaches it. What was pressed before is in the latch.
        fence(Ordering::SeqCst);
        if self.0.latch.is_stopped() {
            arm.stop(now, TripReason::Stop);
        }
        self.follow_latch(self.is_blacked_out());
    }

    /// A projector goes, dark.
    pub fn leave(&self, number: u32) {
        self.0.all.rcu(|all| {
            let mut all = Vec::clone(all);
            all.retain(|switch| switch.number != number);
            all
        });
    }

    /// True while light is allowed on any projector, blackout or not.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.0.all.load().iter().any(|switch| switch.arm.is_armed())
    }

    /// True while light is allowed, asked for or waited for on any projector.
    #[must_use]
    pub fn is_light_wished(&self) -> bool {
        let wished = |arm: &Arm| arm.is_armed() || arm.is_light_wished();
        self.0.all.load().iter().any(|switch| wished(&switch.arm))
    }

    /// True while a stop is latched: the button's, or that of a projector.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.latch.is_stopped() || self.0.all.load().iter().any(|switch| switch.arm.is_stopped())
    }

    /// True while the STOP button is latched, whatever the projectors' own stops are.
    #[must_use]
    pub fn is_stop_pressed(&self) -> bool {
        self.0.latch.is_stopped()
    }

    /// True while a blackout is on.
    #[must_use]
    pub fn is_blacked_out(&self) -> bool {
        self.0.latch.is_blacked_out()
    }

    fn each(&self, deed: impl Fn(&Arm)) {
        // Between what a hand did to the latch and its look at the list; the newcomer has the same the other way round.
        fence(Ordering::SeqCst);
        self.0.all.load().iter().for_each(|switch| deed(&switch.arm));
    }

    /// The first of that name, as the show thread takes it.
    fn named(&self, name: &str, deed: impl Fn(&Arm)) {
        let all = self.0.all.load();
        if let Some(switch) = all.iter().find(|switch| &*switch.name == name) {
            deed(&switch.arm);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    const T0: HostTime = HostTime::from_nanos(1_000_000_000);

    fn show_of(arms: &[Arm]) -> Switches {
        let switches = Switches::default();
        for (number, arm) in (0..).zip(arms) {
            switches.join(number, &format!("sim:{number}"), arm, T0);
        }
        switches
    }

    #[test]
    fn a_hand_darkens_all_of_them_and_a_newcomer_inherits_it() {
        let arms = [Arm::new(), Arm::new()];
        let switches = show_of(&arms);
        for arm in &arms {
            arm.arm(T0).unwrap();
        }
        switches.stop(T0);
        assert!(arms.iter().all(|arm| arm.is_stopped() && !arm.is_armed()));
        switches.set_blackout(true);
        let newcomer = Arm::new();
        switches.join(7, "sim:7", &newcomer, T0);
        assert!(newcomer.is_stopped() && newcomer.is_blacked_out());
        switches.turn_blackout();
        assert!(arms.iter().chain([&newcomer]).all(|arm| !arm.is_blacked_out()));
        switches.leave(7);
        switches.set_blackout(true);
        assert!(!newcomer.is_blacked_out(), "it is not in the show any more");
    }

    #[test]
    fn a_reset_ends_what_it_was_asked_for_and_tells_whose() {
        let arms = [Arm::new(), Arm::new()];
        let switches = show_of(&arms);
        switches.stop(T0);
        switches.ask_reset();
        arms[1].stop(T0, TripReason::DeviceEstop);
        let mut cleared = Vec::new();
        switches.reset_as_asked(|number| cleared.push(number)).unwrap();
        assert_eq!(cleared, [0], "the projector's own stop came after the wish");
        assert!(switches.is_stopped() && !switches.is_stop_pressed());
        switches.ask_reset();
        switches.stop(T0);
        assert_eq!(switches.reset_as_asked(|_| panic!("none")), Err(Refused::Stopped));
        switches.ask_reset();
        switches.reset_as_asked(|_| ()).unwrap();
        assert!(!switches.is_stopped());
    }

    #[test]
    fn one_that_is_let_in_asks_for_light_where_there_is_light() {
        let arms = [Arm::new(), Arm::new()];
        let switches = show_of(&arms);
        switches.take_out("sim:1", T0);
        switches.ask_light();
        assert!(arms[0].arm_as_asked(T0).is_ok());
        assert_eq!(arms[1].arm_as_asked(T0), Err(Refused::Out));
        switches.let_in("sim:1");
        assert!(arms[1].arm_as_asked(T0).is_ok());
        switches.disarm(T0, TripReason::Operator);
        switches.take_out("sim:1", T0);
        switches.let_in("sim:1");
        assert_eq!(
            arms[1].arm_as_asked(T0),
            Err(Refused::Overtaken),
            "in a dark show it asks nothing"
        );
    }

    #[test]
    fn blackouts_of_many_hands_end_as_the_last_of_them_left_the_latch() {
        let arms: Vec<Arm> = std::iter::repeat_with(Arm::new).take(16).collect();
        let switches = show_of(&arms);
        for round in 0..200 {
            std::thread::scope(|scope| {
                for hand in 0..4 {
                    let switches = &switches;
                    scope.spawn(move || switches.set_blackout((hand + round) % 2 == 0));
                }
            });
            let latched = switches.is_blacked_out();
            assert!(arms.iter().all(|arm| arm.is_blacked_out() == latched), "round {round}");
        }
    }

    #[test]
    fn no_stop_falls_between_a_newcomer_and_the_list() {
        for _ in 0..500 {
            let switches = Switches::default();
            let newcomer = Arm::new();
            let go = AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    while !go.load(Ordering::Acquire) {
                        std::hint::spin_loop();
                    }
                    switches.stop(T0);
                });
                go.store(true, Ordering::Release);
                switches.join(0, "sim:", &newcomer, T0);
            });
            assert!(newcomer.is_stopped());
        }
    }
}
