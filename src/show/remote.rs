//! A hand on a show that is not its surface: it may wish and see, within its permission.
//!
//! It keeps no show alive: with its surface gone the show goes dark, whoever else still holds a [`Remote`]. What it sees
//! does not count as a look of the surface.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use crossbeam_channel::Sender;

use super::command::Command;
use super::snapshot::Snapshot;

/// See the module.
#[derive(Clone, Debug)]
pub struct Remote {
    commands: Weak<Sender<Command>>,
    published: Arc<ArcSwap<Snapshot>>,
    may_arm: bool,
}

/// A wish from outside that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "light may not be allowed from outside: arm at galvo itself, or start it with --remote-arm if nobody can be hurt"
)]
pub struct NotAllowed;

impl Remote {
    /// A hand on the show that takes `commands` and publishes there. Only with `may_arm` may it arm and reset a stop.
    #[must_use]
    pub fn new(
        commands: &Arc<Sender<Command>>,
        published: Arc<ArcSwap<Snapshot>>,
        may_arm: bool,
    ) -> Self {
        Self { commands: Arc::downgrade(commands), published, may_arm }
    }

    /// Whether it may arm.
    #[must_use]
    pub const fn may_arm(&self) -> bool {
        self.may_arm
    }

    /// Sends a wish. Stopping and darkening are always allowed.
    ///
    /// # Errors
    /// [`NotAllowed`]: it would allow light, end a stop, or is a matter of who sits at the show.
    pub fn send(&self, command: Command) -> Result<(), NotAllowed> {
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
        if !allowed {
            return Err(NotAllowed);
        }
        if let Some(commands) = self.commands.upgrade() {
            // The channel is closed only after the show has ended: then there is nobody to obey.
            drop(commands.send(command));
        }
        Ok(())
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
    use crossbeam_channel::unbounded;

    #[test]
    fn only_a_permitted_hand_arms_and_every_hand_stops() {
        let (commands, inbox) = unbounded();
        let commands = Arc::new(commands);
        let stranger = Remote::new(&commands, Arc::default(), false);
        let projector = || "sim:".to_owned();
        for refused in [
            Command::Arm,
            Command::ResetStop,
            Command::Quit,
            Command::FindProjectors,
            Command::AddProjector { uri: projector() },
            Command::RemoveProjector { projector: projector() },
        ] {
            assert_eq!(stranger.send(refused), Err(NotAllowed));
        }
        for taken in [Command::Stop, Command::Disarm, Command::SetBlackout(true)] {
            assert_eq!(stranger.send(taken.clone()), Ok(()));
            assert_eq!(inbox.try_recv(), Ok(taken));
        }
        let trusted = Remote::new(&commands, Arc::default(), true);
        assert_eq!(trusted.send(Command::Arm), Ok(()));
        assert_eq!(trusted.send(Command::Quit), Err(NotAllowed));
    }

    #[test]
    fn a_remote_does_not_keep_a_show_alive_whose_surface_is_gone() {
        let (commands, inbox) = unbounded::<Command>();
        let commands = Arc::new(commands);
        let remote = Remote::new(&commands, Arc::default(), true);
        drop(commands);
        assert_eq!(inbox.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected));
        assert_eq!(remote.send(Command::Stop), Ok(()), "and does not mind");
    }
}
