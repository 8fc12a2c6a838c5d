//! The node that galvo is on an Art-Net network: it answers who is there, and hands on the levels of one universe from
//! one desk at a time.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use crate::time::{Clock, HostTime};
use crate::wire::artnet::{Packet, Universe, emit_poll_reply, parse};

use super::listener::{Hears, Listener};

/// A desk that was silent this long has gone: desks repeat their levels at least every four seconds.
pub const DESK_PATIENCE: Duration = Duration::from_secs(5);

/// Which desk counts, and whether its frame is newer than its last: pure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Desk {
    from: Option<IpAddr>,
    heard: HostTime,
    sequence: u8,
}

impl Desk {
    /// True if a frame of `from` counts. The first desk counts until it has been silent for [`DESK_PATIENCE`].
    pub fn counts(&mut self, from: IpAddr, sequence: u8, now: HostTime) -> bool {
        let silent = now.since(self.heard) > DESK_PATIENCE;
        let same = self.from == Some(from);
        if !same && self.from.is_some() && !silent {
            return false;
        }
        // Of two frames that overtook each other only the newer counts; 0 is a desk that does not number them.
        let older = (1..128).contains(&self.sequence.wrapping_sub(sequence));
        if same && !silent && sequence != 0 && self.sequence != 0 && older {
            return false;
        }
        *self = Self { from: Some(from), heard: now, sequence };
        true
    }
}

/// Who hears the desk that counts, on the socket's own thread: nothing of it may wait.
pub trait DeskEar: Send + 'static {
    /// The levels of the universe, from slot 1 on.
    fn frame(&mut self, at: HostTime, from: SocketAddr, levels: &[u8]);
    /// The desk has been silent for [`DESK_PATIENCE`]: told once.
    fn silent(&mut self, _at: HostTime) {}
}

impl<F: FnMut(HostTime, SocketAddr, &[u8]) + Send + 'static> DeskEar for F {
    fn frame(&mut self, at: HostTime, from: SocketAddr, levels: &[u8]) {
        self(at, from, levels);
    }
}

/// The node, on its socket's thread.
struct Node<E> {
    universe: Universe,
    clock: Arc<dyn Clock>,
    desk: Desk,
    heard: Option<HostTime>,
    ear: E,
}

/// Listens on `address` for `universe`; levels that count go to `ear`.
pub fn listen(
    address: SocketAddr,
    universe: Universe,
    clock: Arc<dyn Clock>,
    ear: impl DeskEar,
) -> io::Result<Listener> {
    let node = Node { universe, clock, desk: Desk::default(), heard: None, ear };
    Listener::start("art-net", address, node)
}

impl<E: DeskEar> Hears for Node<E> {
    fn heard(&mut self, bytes: &[u8], from: SocketAddr, socket: &UdpSocket) {
        match parse(bytes) {
            Ok(Packet::Poll) => {
                // Where it listens everywhere, the address it is reached at is not known: 0.0.0.0 says so.
                let ip = match socket.local_addr().map(|address| address.ip()) {
                    Ok(IpAddr::V4(ip)) => ip.octets(),
                    _ => [0; 4],
                };
                if let Err(error) = socket.send_to(&emit_poll_reply(ip, self.universe), from) {
                    tracing::debug!("{from}: {error}");
                }
            }
            Ok(Packet::Dmx { universe, sequence, levels }) if universe == self.universe => {
                let now = self.clock.now();
                if self.desk.counts(from.ip(), sequence, now) {
                    self.heard = Some(now);
                    self.ear.frame(now, from, levels);
                }
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn look(&mut self) {
        let now = self.clock.now();
        if self.heard.is_some_and(|when| now.since(when) > DESK_PATIENCE) {
            self.heard = None;
            self.ear.silent(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> HostTime {
        HostTime::from_nanos(1_000_000_000_000 + ms * 1_000_000)
    }

    #[test]
    fn one_desk_counts_until_it_is_silent() {
        let (first, second) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let mut desk = Desk::default();
        assert!(desk.counts(first, 1, at(0)));
        assert!(!desk.counts(second, 1, at(10)));
        assert!(desk.counts(first, 2, at(4_000)));
        assert!(!desk.counts(second, 2, at(8_000)));
        assert!(desk.counts(second, 3, at(9_100)));
        assert!(!desk.counts(first, 3, at(9_200)));
    }

    #[test]
    fn a_frame_that_was_overtaken_does_not_count() {
        let desk_ip = IpAddr::from([10, 0, 0, 1]);
        let mut desk = Desk::default();
        let counted: Vec<bool> = [250, 252, 251, 255, 1, 254, 1, 2, 0, 0, 7]
            .iter()
            .map(|&sequence| desk.counts(desk_ip, sequence, at(0)))
            .collect();
        let wanted = [true, true, false, true, true, false, true, true, true, true, true];
        assert_eq!(counted, wanted);
    }
}
