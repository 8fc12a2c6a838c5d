//! Which projectors are there. Listens and asks in the background, never blocks anything, and never connects.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use super::identity;
use super::watch::Watch;
use crate::time::{Clock, HostTime, SystemClock};
use crate::wire::ether_dream::Announcement;
use crate::wire::lasercube_wifi::Info;

/// A device that has been silent for this long is lost.
pub const LOST_AFTER: Duration = Duration::from_secs(3);
/// Devices remembered at once: a flood of forged announcements takes no more memory than this.
const MAX_DEVICES: usize = 256;
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A projector that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundDevice {
    /// What people call it.
    pub name: String,
    /// How to name it to galvo; `None` if it cannot be driven.
    pub uri: Option<String>,
    /// Serial number or Ethernet address, where it can be read.
    pub serial: Option<String>,
    /// What is wrong with it, with the cure.
    pub trouble: Option<String>,
    /// What an Ether Dream announced.
    pub announcement: Option<Announcement>,
    /// What a LaserCube on the network said of itself.
    pub lasercube: Option<Info>,
}

/// A change of what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was not there before.
    Found(FoundDevice),
    /// It has another address or other abilities.
    Changed(FoundDevice),
    /// It has been silent for three seconds.
    Lost(FoundDevice),
}

/// The devices heard of: fed with datagrams and time.
#[derive(Debug, Default)]
pub struct Devices {
    heard: Vec<Heard>,
}

#[derive(Debug)]
struct Heard {
    announcement: Announcement,
    from: IpAddr,
    at: HostTime,
}

impl Devices {
    /// A datagram has come in on the announcement port.
    pub fn hear(&mut self, bytes: &[u8], from: IpAddr, now: HostTime) -> Option<Event> {
        let announcement = Announcement::parse(bytes).ok()?;
        if announcement.capacity < 2 || announcement.max_pps == 0 {
            return None;
        }
        let known = self.heard.iter_mut().find(|h| h.announcement.mac == announcement.mac);
        let Some(known) = known else {
            if self.heard.len() >= MAX_DEVICES {
                return None;
            }
            self.heard.push(Heard { announcement, from, at: now });
            return Some(Event::Found(describe(&announcement, from)));
        };
        let abilities = |a: &Announcement| (a.capacity, a.max_pps, a.hw_revision, a.sw_revision);
        let same = known.from == from && abilities(&known.announcement) == abilities(&announcement);
        *known = Heard { announcement, from, at: now };
        (!same).then(|| Event::Changed(describe(&announcement, from)))
    }

    /// A device that has been silent for too long, one at a time.
    pub fn lose(&mut self, now: HostTime) -> Option<Event> {
        let silent = self.heard.iter().position(|h| now.since(h.at) > LOST_AFTER)?;
        let lost = self.heard.swap_remove(silent);
        Some(Event::Lost(describe(&lost.announcement, lost.from)))
    }

    /// All devices that are there.
    #[must_use]
    pub fn list(&self) -> Vec<FoundDevice> {
        self.heard.iter().map(|h| describe(&h.announcement, h.from)).collect()
    }
}

fn describe(announcement: &Announcement, from: IpAddr) -> FoundDevice {
    let host = match from {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let mac: Vec<String> = announcement.mac.iter().map(|byte| format!("{byte:02x}")).collect();
    FoundDevice {
        name: announcement.display_name(),
        uri: Some(format!("ether-dream://{host}")),
        serial: Some(mac.join(":")),
        trouble: None,
        announcement: Some(*announcement),
        ..FoundDevice::default()
    }
}

impl FoundDevice {
    /// What it is known by from one look to the next: its serial number where it has one.
    #[must_use]
    pub fn key(&self) -> (&str, &str) {
        let uri = self.uri.as_deref().unwrap_or_default();
        let scheme = uri.split(':').next().unwrap_or_default();
        (scheme, self.serial.as_deref().or(self.uri.as_deref()).unwrap_or(&self.name))
    }

    /// True if it has another address, other abilities or other trouble: how full its battery is does not count.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let abilities = |found: &Self| {
            let told = found.announcement.as_ref();
            told.map(|told| (told.capacity, told.max_pps, told.hw_revision, told.sw_revision))
        };
        (&self.uri, &self.trouble, abilities(self))
            != (&other.uri, &other.trouble, abilities(other))
    }
}

/// A listener in the background. Stops when dropped.
#[derive(Debug)]
pub struct Discovery {
    events: Receiver<Event>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Discovery {
    /// Starts to look, everywhere.
    pub fn start() -> io::Result<Self> {
        Self::watching(Watch::start, Arc::new(SystemClock))
    }

    /// Looks with what `watch` makes, in the background.
    pub fn watching(
        watch: impl FnOnce() -> Watch + Send + 'static,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let (to_reader, events) = bounded(MAX_DEVICES);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let run = move || {
            let mut watch = watch();
            while !stopping.load(Ordering::Acquire) {
                watch.look(clock.now());
                for event in watch.changes() {
                    // A reader that does not read misses events, as it wishes.
                    drop(to_reader.try_send(event));
                }
                clock.sleep_until(clock.now() + LOOK_EVERY);
            }
        };
        let thread = std::thread::Builder::new().name("discovery".into()).spawn(run)?;
        Ok(Self { events, stop, thread: Some(thread) })
    }

    /// The oldest event not read yet. Never waits.
    #[must_use]
    pub fn next(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// What is there: looks everywhere for `timeout` (announcements come once a second). What could not be looked at
/// is in the list too, with its cure.
#[must_use]
pub fn devices(timeout: Duration) -> Vec<FoundDevice> {
    look_until(timeout, |_| false)
}

/// As [`devices`], and ends as soon as every one of `uris` has been seen.
#[must_use]
pub fn look_for(uris: &[String], timeout: Duration) -> Vec<FoundDevice> {
    look_until(timeout, |found| uris.iter().all(|uri| identity::seen_as(uri, found).is_some()))
}

fn look_until(timeout: Duration, done: impl Fn(&[FoundDevice]) -> bool) -> Vec<FoundDevice> {
    let mut watch = Watch::start();
    let deadline = SystemClock.now() + timeout;
    loop {
        watch.look(SystemClock.now());
        let found = watch.list();
        if SystemClock.now() >= deadline || done(&found) {
            return found;
        }
        SystemClock.sleep_until((SystemClock.now() + LOOK_EVERY).min(deadline));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 7));

    fn announcement() -> Announcement {
        Announcement {
            mac: [1, 2, 3, 4, 5, 6],
            capacity: 3899,
            max_pps: 100_000,
            ..Default::default()
        }
    }

    #[test]
    fn a_device_is_found_once_changed_once_and_lost_after_three_seconds() {
        let mut devices = Devices::default();
        let mut now = HostTime::ZERO;
        let first = devices.hear(&announcement().emit(), HOME, now);
        let Some(Event::Found(found)) = first else { panic!("{first:?}") };
        assert_eq!(found.name, "Ether Dream 040506");
        assert_eq!(found.uri.as_deref(), Some("ether-dream://10.0.0.7"));
        assert_eq!(found.serial.as_deref(), Some("01:02:03:04:05:06"));
        now += Duration::from_secs(1);
        assert_eq!(devices.hear(&announcement().emit(), HOME, now), None);
        let moved = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 8));
        let changed = devices.hear(&announcement().emit(), moved, now);
        assert!(matches!(changed, Some(Event::Changed(_))));
        assert_eq!(devices.lose(now + LOST_AFTER), None);
        let lost = devices.lose(now + LOST_AFTER + Duration::from_millis(1));
        assert!(matches!(lost, Some(Event::Lost(_))));
        assert!(devices.list().is_empty());
    }

    #[test]
    fn nonsense_and_floods_leave_no_trace() {
        let mut devices = Devices::default();
        assert_eq!(devices.hear(b"hello", HOME, HostTime::ZERO), None);
        assert_eq!(devices.hear(&[0; 36], HOME, HostTime::ZERO), None);
        for n in 0..1000_u16 {
            let [a, b] = n.to_le_bytes();
            let forged = Announcement { mac: [a, b, 0, 0, 0, 0], ..announcement() };
            devices.hear(&forged.emit(), HOME, HostTime::ZERO);
        }
        assert_eq!(devices.list().len(), MAX_DEVICES);
    }
}
