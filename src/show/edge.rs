//! What the threads of sockets do with what comes in: work the switches at once, and queue the rest for the hands.
//!
//! Nothing here waits. The queue is bounded, what does not fit is counted; what works the switches has done so before it is
//! queued. So of an arm and a disarm that come one after the other the last counts, however long the queue is.

use std::fmt;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, Sender, bounded};

use super::command::Command;
use super::remote::Remote;
use crate::control::artnet::DeskEar;
use crate::control::fixture::DarkSlots;
use crate::control::listener::Hears;
use crate::control::osc::switchings;
use crate::control::{Arrival, Switching};
use crate::safety::Switches;
use crate::time::{Clock, HostTime};

/// Arrivals that may wait for the hands; more are dropped and counted.
pub const WAITING: usize = 4096;

/// What waits for the hands.
#[derive(Debug)]
pub enum Came {
    /// A message of a MIDI port.
    Arrival(Arrival),
    /// A datagram of the OSC socket, not looked into but for what works the switches.
    Osc {
        /// When it came.
        at: HostTime,
        /// Who sent it.
        from: SocketAddr,
        /// As it came.
        bytes: Box<[u8]>,
    },
    /// A frame of the desk lies in [`Frames`].
    Frame,
}

/// The queue to the hands, from its filling end.
#[derive(Clone, Debug)]
pub struct Inbox {
    came: Sender<Came>,
    dropped: Arc<AtomicU64>,
}

impl Inbox {
    /// An empty one, and where it is read.
    #[must_use]
    pub fn new() -> (Self, Receiver<Came>) {
        let (came, read) = bounded(WAITING);
        (Self { came, dropped: Arc::default() }, read)
    }

    /// Queues something, or counts it.
    pub fn push(&self, came: Came) {
        if self.came.try_send(came).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How much found no room.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The OSC socket.
pub struct OscEar {
    inbox: Inbox,
    remote: Remote,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for OscEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OscEar").field("remote", &self.remote).finish_non_exhaustive()
    }
}

impl OscEar {
    /// Works the switches of `remote`, queues into `inbox`.
    #[must_use]
    pub fn new(inbox: &Inbox, remote: &Remote, clock: &Arc<dyn Clock>) -> Self {
        Self { inbox: inbox.clone(), remote: remote.clone(), clock: Arc::clone(clock) }
    }
}

impl Hears for OscEar {
    fn heard(&mut self, bytes: &[u8], from: SocketAddr, _: &UdpSocket) {
        let at = self.clock.now();
        let (switches, may_arm) = (self.remote.switches(), self.remote.may_arm());
        switchings(bytes, &mut |switching| switching.act(switches, may_arm, at));
        self.inbox.push(Came::Osc { at, from, bytes: bytes.into() });
    }
}

/// The OSC socket for the words that darken alone.
pub struct StopEar {
    remote: Remote,
    clock: Arc<dyn Clock>,
    heard: Arc<AtomicU64>,
}

impl fmt::Debug for StopEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StopEar").field("remote", &self.remote).finish_non_exhaustive()
    }
}

impl StopEar {
    /// Works the switches of `remote`, and tells it; counts what it `heard`.
    #[must_use]
    pub fn new(remote: &Remote, clock: &Arc<dyn Clock>, heard: &Arc<AtomicU64>) -> Self {
        Self { remote: remote.clone(), clock: Arc::clone(clock), heard: Arc::clone(heard) }
    }
}

impl Hears for StopEar {
    fn heard(&mut self, bytes: &[u8], _: SocketAddr, _: &UdpSocket) {
        let at = self.clock.now();
        switchings(bytes, &mut |switching| {
            switching.act(self.remote.switches(), false, at);
            let command = match switching {
                // This port gives nobody light.
                Switching::AskLight | Switching::AskReset => return,
                Switching::Stop => Command::Stop,
                Switching::Disarm => Command::Disarm,
                Switching::Blackout(on) => Command::SetBlackout(on),
                Switching::TurnBlackout => {
                    Command::SetBlackout(self.remote.switches().is_blacked_out())
                }
            };
            self.heard.fetch_add(1, Ordering::Relaxed);
            let told = self.remote.tell(command);
            debug_assert!(told.is_ok(), "every hand may darken");
        });
    }
}

/// One frame of a lighting desk.
#[derive(Debug)]
pub struct Frame {
    /// When it came.
    pub at: HostTime,
    /// Who sent it.
    pub from: SocketAddr,
    /// The levels of the universe.
    pub levels: Box<[u8]>,
    /// Frames that counted so far, with this one.
    pub number: u64,
}

/// The newest frame of the desk: one that nobody took in time is replaced.
#[derive(Clone, Debug, Default)]
pub struct Frames(Arc<ArcSwapOption<Frame>>);

impl Frames {
    /// The newest, if nobody took it yet.
    #[must_use]
    pub fn take(&self) -> Option<Arc<Frame>> {
        self.0.swap(None)
    }

    /// What hears the desk for a fixture that begins at slot `start`.
    #[must_use]
    pub fn ear(&self, inbox: &Inbox, remote: &Remote, start: usize) -> FrameEar {
        FrameEar {
            frames: self.clone(),
            inbox: inbox.clone(),
            switches: remote.switches().clone(),
            dark: DarkSlots::default(),
            start,
            number: 0,
        }
    }
}

/// The Art-Net socket.
#[derive(Debug)]
pub struct FrameEar {
    frames: Frames,
    inbox: Inbox,
    switches: Switches,
    dark: DarkSlots,
    start: usize,
    number: u64,
}

impl DeskEar for FrameEar {
    fn frame(&mut self, at: HostTime, from: SocketAddr, levels: &[u8]) {
        for switching in self.dark.frame(levels, self.start) {
            switching.act(&self.switches, false, at);
        }
        self.number += 1;
        let frame = Frame { at, from, levels: levels.into(), number: self.number };
        if self.frames.0.swap(Some(Arc::new(frame))).is_none() {
            self.inbox.push(Came::Frame);
        }
    }

    fn silent(&mut self, at: HostTime) {
        if let Some(switching) = self.dark.lost() {
            switching.act(&self.switches, false, at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::safety::Arm;

    const NOW: HostTime = HostTime::from_nanos(1_000_000_000);

    #[test]
    fn a_frame_darkens_at_once_and_only_the_newest_waits() {
        let (switches, arm) = (Switches::default(), Arm::new());
        switches.join(0, "sim:", &arm, NOW);
        let (remote, _outside) = Remote::new(Arc::default(), switches, false);
        let (inbox, came) = Inbox::new();
        let frames = Frames::default();
        let mut ear = frames.ear(&inbox, &remote, 1);
        let from = SocketAddr::from(([127, 0, 0, 1], 6454));
        ear.frame(NOW, from, &[255, 128, 0]);
        arm.arm(NOW).unwrap();
        ear.frame(NOW, from, &[255, 0, 0]);
        assert!(arm.is_armed() && arm.is_blacked_out());
        ear.frame(NOW, from, &[255, 128, 255]);
        assert!(arm.is_stopped() && !arm.is_blacked_out());
        ear.silent(NOW);
        assert!(arm.is_blacked_out());
        assert_eq!(came.len(), 1, "one word for whatever lies there");
        let newest = frames.take().unwrap();
        assert_eq!((newest.number, &*newest.levels), (3, &[255, 128, 255][..]));
        assert!(frames.take().is_none() && inbox.dropped() == 0);
    }
}
