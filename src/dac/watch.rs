//! All that can be looked for at once: announcements, answers on every network, and the USB bus. A value in
//! anybody's time that never waits; [`Discovery`](super::Discovery) is the thread around it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::discovery::{Devices, Event, FoundDevice};
use super::transport::{Datagrams, why_not_heard};
#[cfg(feature = "usb")]
use super::usb_listing::UsbBus;
use super::{idn, lasercube_wifi};
use crate::time::HostTime;
use crate::wire::ether_dream::UDP_PORT;
use crate::wire::idn::UnitId;

/// Looks everywhere, and remembers what was told.
#[derive(Debug, Default)]
pub struct Watch {
    announcements: Option<UdpSocket>,
    heard: Devices,
    idn: Option<idn::Search>,
    cubes: Option<lasercube_wifi::Search>,
    #[cfg(feature = "usb")]
    usb: Option<UsbBus>,
    /// What could not be looked at, with its cure.
    blind: Vec<FoundDevice>,
    told: Vec<FoundDevice>,
    changed: bool,
}

impl Watch {
    /// Looks on every network of this host, and on its USB bus. What cannot be opened is in the list as trouble;
    /// the others are found all the same.
    #[must_use]
    pub fn start() -> Self {
        let mut blind = Vec::new();
        let mut open = |what: &str, port: u16, error: &io::Error, instead: &str| {
            blind.push(FoundDevice {
                name: format!("{what} discovery"),
                trouble: Some(format!(
                    "UDP port {port} cannot be used: {}, or name the projector with --dac {instead}",
                    why_not_heard(error)
                )),
                ..FoundDevice::default()
            });
        };
        let announcements = listen(UDP_PORT)
            .map_err(|error| open("Ether Dream", UDP_PORT, &error, "ether-dream://HOST"))
            .ok();
        let idn = idn::Search::start()
            .map_err(|error| open("IDN", crate::wire::idn::UDP_PORT, &error, "idn://HOST"))
            .ok();
        let cubes = lasercube_wifi::Search::start()
            .map_err(|error| {
                let port = crate::wire::lasercube_wifi::COMMAND_PORT;
                open("LaserCube", port, &error, "lasercube-wifi://HOST");
            })
            .ok();
        Self {
            announcements,
            idn,
            cubes,
            #[cfg(feature = "usb")]
            usb: Some(UsbBus::default()),
            blind,
            changed: true,
            ..Self::default()
        }
    }

    /// Listens and asks only here: on `announcements` for Ether Dreams, and with the searches given. No USB.
    pub fn over(
        announcements: UdpSocket,
        idn: Option<idn::Search>,
        cubes: Option<lasercube_wifi::Search>,
    ) -> io::Result<Self> {
        announcements.set_nonblocking(true)?;
        Ok(Self { announcements: Some(announcements), idn, cubes, ..Self::default() })
    }

    /// Asks whom it is time to ask, and takes in what has arrived.
    pub fn look(&mut self, now: HostTime) {
        let mut changed = false;
        if let Some(socket) = &mut self.announcements {
            let mut buffer = [0; 256];
            while let Ok(Some((len, from))) = socket.try_recv_from(now, &mut buffer) {
                changed |= self.heard.hear(&buffer[..len], from.ip(), now).is_some();
            }
        }
        while self.heard.lose(now).is_some() {
            changed = true;
        }
        if let Some(search) = &mut self.idn {
            search.look(now, |_| changed = true);
        }
        if let Some(search) = &mut self.cubes {
            search.look(now, |_| changed = true);
        }
        #[cfg(feature = "usb")]
        if let Some(bus) = &mut self.usb {
            changed |= bus.look(now);
        }
        self.changed |= changed;
    }

    /// Everything that is there now; a device that is seen in two ways is there once.
    #[must_use]
    pub fn list(&self) -> Vec<FoundDevice> {
        let mut found = self.heard.list();
        found.extend(self.cubes.iter().flat_map(lasercube_wifi::Search::list));
        let outputs = self.idn.iter().flat_map(idn::Search::list).collect();
        add_unknown(&mut found, outputs);
        #[cfg(feature = "usb")]
        found.extend(self.usb.iter().flat_map(UsbBus::list));
        found.extend(self.blind.iter().cloned());
        found
    }

    /// What has been found, lost or changed since the last call.
    pub fn changes(&mut self) -> Vec<Event> {
        if !std::mem::take(&mut self.changed) {
            return Vec::new();
        }
        let now = self.list();
        let before = std::mem::replace(&mut self.told, now.clone());
        let is_same = |a: &FoundDevice, b: &FoundDevice| a.key() == b.key();
        let lost = before.iter().filter(|old| !now.iter().any(|new| is_same(old, new)));
        let mut events: Vec<Event> = lost.cloned().map(Event::Lost).collect();
        for new in now {
            match before.iter().find(|old| is_same(old, &new)) {
                None => events.push(Event::Found(new)),
                Some(old) if old.differs(&new) => events.push(Event::Changed(new)),
                Some(_) => {}
            }
        }
        events
    }
}

/// Adds the outputs of IDN units that are not there already: a device that also speaks its maker's own protocol is
/// driven by that.
fn add_unknown(found: &mut Vec<FoundDevice>, outputs: Vec<FoundDevice>) {
    let known: Vec<String> = found.iter().filter_map(ethernet_address).collect();
    let is_new = |output: &FoundDevice| {
        let unit = output.serial.as_deref().and_then(|serial| serial.split('/').next());
        !unit.is_some_and(|unit| known.iter().any(|known| known == unit))
    };
    found.extend(outputs.into_iter().filter(is_new));
}

/// The Ethernet address of a device that has told it, as an IDN unit would write it.
fn ethernet_address(found: &FoundDevice) -> Option<String> {
    let mac =
        found.announcement.map(|told| told.mac).or(found.lasercube.map(|told| told.serial))?;
    Some(UnitId::of_mac(mac).to_string())
}

/// Opens the announcement port, sharing it with other programs on this host.
fn listen(port: u16) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    // On Linux either option alone does not share a port with every other program.
    #[cfg(unix)]
    drop(socket.set_reuse_port(true));
    let any = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
    socket.bind(&any.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ether_dream::Announcement;
    use std::time::Duration;

    const MAC: [u8; 6] = [1, 2, 3, 4, 5, 6];

    fn announcement(capacity: u16) -> Announcement {
        Announcement { mac: MAC, capacity, max_pps: 100_000, ..Announcement::default() }
    }

    #[test]
    fn a_device_seen_in_two_ways_is_there_once_by_its_makers_protocol() {
        let named = |uri: &str, serial: String| FoundDevice {
            uri: Some(uri.to_owned()),
            serial: Some(serial),
            ..FoundDevice::default()
        };
        let mut found = vec![FoundDevice {
            announcement: Some(announcement(3899)),
            ..named("ether-dream://10.0.0.7", "01:02:03:04:05:06".to_owned())
        }];
        let (same, other) = (UnitId::of_mac(MAC), UnitId::of_mac([9; 6]));
        let outputs = vec![
            named("idn://10.0.0.7/1", format!("{same}/1")),
            named("idn://10.0.0.7/2", format!("{same}/2")),
            named("idn://10.0.0.8", other.to_string()),
        ];
        add_unknown(&mut found, outputs);
        let uris: Vec<_> = found.iter().filter_map(|found| found.uri.as_deref()).collect();
        assert_eq!(uris, ["ether-dream://10.0.0.7", "idn://10.0.0.8"]);
    }

    #[test]
    fn a_device_is_told_when_it_comes_when_it_changes_and_when_it_goes() {
        let ear = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mouth = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        mouth.connect(ear.local_addr().unwrap()).unwrap();
        let mut watch = Watch::over(ear, None, None).unwrap();
        let mut now = HostTime::from_nanos(1_000_000_000);
        assert!(watch.changes().is_empty());
        let hear = |watch: &mut Watch, capacity: u16, now| {
            mouth.send(&announcement(capacity).emit()).unwrap();
            // On loopback it has arrived when the call returns; a system where it has not gets another look.
            for _ in 0..1000 {
                watch.look(now);
            }
            watch.changes()
        };
        let found = hear(&mut watch, 3899, now);
        assert!(matches!(&found[..], [Event::Found(one)] if one.name == "Ether Dream 040506"));
        assert!(hear(&mut watch, 3899, now).is_empty());
        let changed = hear(&mut watch, 1799, now);
        assert!(matches!(&changed[..], [Event::Changed(_)]), "{changed:?}");
        now += Duration::from_millis(3_001);
        watch.look(now);
        assert!(matches!(&watch.changes()[..], [Event::Lost(_)]));
        assert!(watch.list().is_empty() && watch.changes().is_empty());
    }
}
