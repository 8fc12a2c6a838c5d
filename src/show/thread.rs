//! The show thread: a thin loop around a [`Director`], and the two queues it reads.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError, never, select};

use super::command::Command;
use super::director::Director;
use super::report::Report;
use crate::time::{Clock, HostTime};

/// Time between two looks of the show thread.
const LOOK_EVERY: Duration = Duration::from_millis(16);
/// How long an armed show goes on without a look of its surface: see
/// `docs/decisions/0004-a-surface-that-freezes.md`.
const SURFACE_PATIENCE: Duration = Duration::from_secs(1);

/// What waits for the show thread. Hands have acted on all of it: see [`at_once`](super::at_once).
#[derive(Debug)]
pub struct Queues {
    /// From the surface. It closes when the surface is gone.
    pub surface: Receiver<Command>,
    /// From hands outside: read only while the surface wishes nothing.
    pub outside: Receiver<Command>,
}

/// What came first.
enum Next {
    Command(Command),
    SurfaceGone,
    Nothing,
}

impl Queues {
    /// Waits for the next command, at most `wait`.
    fn next(&mut self, wait: Duration) -> Next {
        match self.surface.try_recv() {
            Ok(command) => return Next::Command(command),
            Err(TryRecvError::Disconnected) => return Next::SurfaceGone,
            Err(TryRecvError::Empty) => {}
        }
        let came = select! {
            recv(self.surface) -> command => return command.map_or(Next::SurfaceGone, Next::Command),
            recv(self.outside) -> command => command,
            default(wait) => return Next::Nothing,
        };
        if let Ok(command) = came {
            Next::Command(command)
        } else {
            // A show without hands from outside. A closed queue would be read in vain without end.
            self.outside = never();
            Next::Nothing
        }
    }
}

/// Runs a show until it is over. `looked_at_ns` says when its surface looked at it last.
pub fn run(
    mut director: Director,
    mut queues: Queues,
    looked_at_ns: &AtomicI64,
    clock: &dyn Clock,
) -> Report {
    let mut next_look = clock.now();
    while !director.is_over() {
        match queues.next(next_look.since(clock.now())) {
            Next::Command(command) => director.take(command, clock.now()),
            Next::SurfaceGone => director.surface_gone(clock.now()),
            Next::Nothing => {}
        }
        let looked_at = HostTime::from_nanos(looked_at_ns.load(Ordering::Relaxed));
        if clock.now().since(looked_at) > SURFACE_PATIENCE {
            director.surface_silent(clock.now());
        }
        if clock.now() >= next_look {
            director.step(clock.now());
            next_look = clock.now() + LOOK_EVERY;
        }
    }
    director.step(clock.now());
    director.finish(clock.now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::unbounded;

    #[test]
    fn the_surface_is_heard_before_any_flood_from_outside() {
        let (surface, from_surface) = unbounded();
        let (outside, from_outside) = unbounded();
        let mut queues = Queues { surface: from_surface, outside: from_outside };
        for _ in 0..1000 {
            outside.send(Command::Undo).unwrap();
        }
        surface.send(Command::Pause).unwrap();
        let mut next = || match queues.next(Duration::ZERO) {
            Next::Command(command) => Some(command),
            Next::SurfaceGone => Some(Command::Quit),
            Next::Nothing => None,
        };
        assert_eq!(next(), Some(Command::Pause));
        assert_eq!(next(), Some(Command::Undo));
        drop(outside);
        for _ in 1..1000 {
            assert_eq!(next(), Some(Command::Undo));
        }
        assert_eq!(next(), None, "the hands are gone, the surface is there");
        assert_eq!(next(), None);
        drop(surface);
        assert_eq!(next(), Some(Command::Quit));
    }
}
