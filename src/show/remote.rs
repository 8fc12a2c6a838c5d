//! A hand on a show that is not its surface: it may wish and see, within its permission.
//!
//! It keeps no show alive: with its surface gone the show goes dark, whoever else still holds a [`Remote`]. What it sees
//! does not count as a look of the surface.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::at_once;
use super::command::Command;
use super::snapshot::Snapshot;
use crate::safety::Switches;
use crate::time::HostTime;

/// Wishes that may wait for the show thread; more are dropped and counted.
pub const WAITING: usize = 512;

/// See the module.
#[derive(Clone, Debug)]
pub struct Remote {
    wishes: Sender<Command>,
    dropped: Arc<AtomicU64>,
    published: Arc<ArcSwap<Snapshot>>,
    switches: Switches,
    may_arm: bool,
}

/// A wish from outside that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "light may not be allowed from outside: arm at galvo itself, or start it with --remote-arm if nobody can be hurt"
)]
pub struct NotAllowed;

impl Remote {
    /// A hand on the show that publishes there and has these switches, and where its wishes come out. Only with `may_arm`
    /// may it arm and reset a stop.
    #[must_use]
    pub fn new(
        published: Arc<ArcSwap<Snapshot>>,
        switches: Switches,
        may_arm: bool,
    ) -> (Self, Receiver<Command>) {
        let (wishes, outside) = bounded(WAITING);
        (Self { wishes, dropped: Arc::default(), published, switches, may_arm }, outside)
    }

    /// Whether it may arm.
    #[must_use]
    pub const fn may_arm(&self) -> bool {
        self.may_arm
    }

    /// The switches of the show, for what has to darken before anything else is looked at.
    #[must_use]
    pub const fn switches(&self) -> &Switches {
        &self.switches
    }

    /// Wishes that were dropped because the show thread did not keep up. What they darken is dark all the same.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Acts on a wish, and sends it. Stopping and darkening are always allowed.
    ///
    /// # Errors
    /// [`NotAllowed`]: it would allow light, end a stop, or is a matter of who sits at the show.
    pub fn send(&self, command: Command, now: HostTime) -> Result<(), NotAllowed> {
        self.check(&command)?;
        at_once::act(&command, &self.switches, now);
        self.push(command);
        Ok(())
    }

    /// Sends a wish on whose switches its hand has acted already.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn tell(&self, command: Command) -> Result<(), NotAllowed> {
        self.check(&command)?;
        self.push(command);
        Ok(())
    }

    fn push(&self, command: Command) {
        // A show that has ended takes none: then there is nobody to obey.
        if self.wishes.try_send(command).is_err_and(|error| error.is_full()) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn check(&self, command: &Command) -> Result<(), NotAllowed> {
        // What is not named here is not for hands from outside.
        let allowed = match command {
            Command::Arm | Command::ResetStop => self.may_arm,
            Command::Play
            | Command::Pause
            | Command::Seek(_)
            | Command::NextTrack
            | Command::SetVolume(_)
            | Command::SelectPreset(_)
            | Command::SetPresetB(_)
            | Command::SetCrossfade(_)
            | Command::SetTransition(_)
            | Command::SetShuffle(_)
            | Command::SetParam { .. }
            | Command::Undo
            | Command::Redo
            | Command::Disarm
            | Command::Stop
            | Command::SetMaster(_)
            | Command::SetBlackout(_)
            | Command::SetFlash(_)
            | Command::Beat(_) => true,
            _ => false,
        };
        if allowed { Ok(()) } else { Err(NotAllowed) }
    }

    /// The latest picture.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.published.load_full()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::Arm;

    const NOW: HostTime = HostTime::from_nanos(1_000_000_000);

    fn hand(may_arm: bool) -> (Remote, Receiver<Command>, Arm) {
        let (switches, arm) = (Switches::default(), Arm::new());
        switches.join(0, "sim:", &arm, NOW);
        let (remote, outside) = Remote::new(Arc::default(), switches, may_arm);
        (remote, outside, arm)
    }

    #[test]
    fn only_a_permitted_hand_arms_and_every_hand_stops() {
        let (stranger, outside, arm) = hand(false);
        let projector = || "sim:".to_owned();
        for refused in [
            Command::Arm,
            Command::ResetStop,
            Command::Quit,
            Command::FindProjectors,
            Command::SetAllowed { projector: projector(), allowed: false },
            Command::AddProjector { uri: projector() },
            Command::RemoveProjector { projector: projector() },
        ] {
            assert_eq!(stranger.send(refused, NOW), Err(NotAllowed));
        }
        assert!(!arm.is_light_wished(), "what is refused leaves no wish");
        for taken in [Command::Stop, Command::Disarm, Command::SetBlackout(true)] {
            assert_eq!(stranger.send(taken.clone(), NOW), Ok(()));
            assert_eq!(outside.try_recv(), Ok(taken));
        }
        let (trusted, _outside, arm) = hand(true);
        assert_eq!(trusted.send(Command::Arm, NOW), Ok(()));
        assert!(arm.is_light_wished() && !arm.is_armed(), "the show thread gives light");
        assert_eq!(trusted.send(Command::Quit, NOW), Err(NotAllowed));
    }

    #[test]
    fn a_stop_from_outside_is_dark_though_the_show_thread_takes_nothing() {
        let (remote, outside, arm) = hand(false);
        arm.arm(NOW).unwrap();
        for _ in 0..WAITING + 30 {
            remote.send(Command::Undo, NOW).unwrap();
        }
        assert_eq!((outside.len(), remote.dropped()), (WAITING, 30));
        remote.send(Command::Stop, NOW).unwrap();
        assert!(arm.is_stopped());
        assert_eq!(remote.dropped(), 31);
    }

    #[test]
    fn what_a_hand_has_done_already_is_told_and_not_done_again() {
        let (remote, outside, arm) = hand(false);
        arm.arm(NOW).unwrap();
        remote.tell(Command::Stop).unwrap();
        assert!(arm.is_armed());
        assert_eq!(outside.try_recv(), Ok(Command::Stop));
    }

    #[test]
    fn a_remote_does_not_mind_a_show_that_has_ended() {
        let (remote, outside, arm) = hand(true);
        drop(outside);
        assert_eq!(remote.send(Command::Stop, NOW), Ok(()));
        assert!(arm.is_stopped() && remote.dropped() == 0);
    }
}
