//! Which LaserCubes are there: asks every network, and remembers who answers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use crate::dac::discovery::{Event, FoundDevice, LOST_AFTER};
use crate::dac::networks::everybody;
use crate::dac::transport::Datagrams;
use crate::time::HostTime;
use crate::wire::lasercube_wifi::{COMMAND_PORT, Info, opcode};

/// Between two questions.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Devices remembered at once: a flood of forged answers takes no more memory than this.
const MAX_CUBES: usize = 256;

/// The cubes heard of: fed with datagrams and time.
#[derive(Debug, Default)]
pub struct Cubes {
    heard: Vec<Heard>,
}

#[derive(Debug)]
struct Heard {
    info: Info,
    from: SocketAddr,
    at: HostTime,
}

impl Cubes {
    /// A datagram has come in answer to the question.
    pub fn hear(&mut self, bytes: &[u8], from: SocketAddr, now: HostTime) -> Option<Event> {
        let info = Info::parse(bytes).ok()?;
        let heard = Heard { info, from, at: now };
        let Some(known) = self.heard.iter_mut().find(|known| known.info.serial == info.serial)
        else {
            if self.heard.len() >= MAX_CUBES {
                return None;
            }
            self.heard.push(heard);
            return Some(Event::Found(describe(&info, from)));
        };
        // One cube may answer on several ways at once: the first address stays while it is heard there.
        if known.from != from && now.since(known.at) <= 2 * ASK_EVERY {
            return None;
        }
        let before = describe(&known.info, known.from);
        *known = heard;
        let after = describe(&info, from);
        let same = before.uri == after.uri && before.trouble == after.trouble;
        (!same).then_some(Event::Changed(after))
    }

    /// A cube that has been silent for too long, one at a time.
    pub fn lose(&mut self, now: HostTime) -> Option<Event> {
        let silent = self.heard.iter().position(|heard| now.since(heard.at) > LOST_AFTER)?;
        let lost = self.heard.swap_remove(silent);
        Some(Event::Lost(describe(&lost.info, lost.from)))
    }

    /// All cubes that are there.
    #[must_use]
    pub fn list(&self) -> Vec<FoundDevice> {
        self.heard.iter().map(|heard| describe(&heard.info, heard.from)).collect()
    }
}

fn describe(info: &Info, from: SocketAddr) -> FoundDevice {
    // The block's own address may be 0: where it came from is the truth.
    let host = from.ip();
    let port = match from.port() {
        COMMAND_PORT => String::new(),
        other => format!(":{other}"),
    };
    FoundDevice {
        name: format!("{}, {}", info.model_name(), info.condition()),
        uri: Some(format!("lasercube-wifi://{host}{port}")),
        serial: Some(info.serial_text()),
        trouble: info.trouble().map(str::to_owned),
        lasercube: Some(*info),
        ..FoundDevice::default()
    }
}

/// Asks and listens. Never waits.
#[derive(Debug)]
pub struct Search {
    socket: UdpSocket,
    targets: Vec<SocketAddr>,
    cubes: Cubes,
    asked: Option<HostTime>,
}

impl Search {
    /// Asks on every network of this host, and this host itself for the sake of simulators.
    pub fn start() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.set_broadcast(true)?;
        let targets =
            everybody().into_iter().map(|host| SocketAddrV4::new(host, COMMAND_PORT).into());
        Self::over(socket, targets.collect())
    }

    /// Asks only these addresses.
    pub fn over(socket: UdpSocket, targets: Vec<SocketAddr>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, targets, cubes: Cubes::default(), asked: None })
    }

    /// Asks if it is time, and takes in what has arrived.
    pub fn look(&mut self, now: HostTime, mut on_event: impl FnMut(Event)) {
        if self.asked.is_none_or(|asked| now.since(asked) >= ASK_EVERY) {
            self.asked = Some(now);
            for target in &self.targets {
                // A network that is down is asked again later.
                drop(self.socket.send_to(&[opcode::GET_INFO], target));
            }
        }
        let mut buffer = [0; 128];
        while let Ok(Some((len, from))) = self.socket.try_recv_from(now, &mut buffer) {
            if let Some(event) = self.cubes.hear(&buffer[..len], from, now) {
                on_event(event);
            }
        }
        while let Some(event) = self.cubes.lose(now) {
            on_event(event);
        }
    }

    /// All cubes that are there.
    #[must_use]
    pub fn list(&self) -> Vec<FoundDevice> {
        self.cubes.list()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dac::simulator::lasercube_wifi::{Device, Model};

    fn at(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], COMMAND_PORT))
    }

    #[test]
    fn a_cube_is_found_with_its_telemetry_changed_and_lost() {
        let mut device = Device::new(Model::default(), None);
        let mut cubes = Cubes::default();
        let mut now = HostTime::ZERO;
        let first = cubes.hear(&device.info().emit(), at(7), now);
        let Some(Event::Found(found)) = first else { panic!("{first:?}") };
        assert_eq!(found.name, "LaserCube, battery 87 %, 35 °C, firmware 0.24, WiFi");
        assert_eq!(found.uri.as_deref(), Some("lasercube-wifi://10.0.0.7"));
        assert_eq!(found.serial.as_deref(), Some("94:b9:7e:12:34:56"));
        now += ASK_EVERY;
        device.set_battery(80);
        assert_eq!(cubes.hear(&device.info().emit(), at(7), now), None);
        assert!(cubes.list()[0].name.contains("battery 80 %"));
        device.set_too_hot(now, true);
        let hot = cubes.hear(&device.info().emit(), at(7), now);
        let Some(Event::Changed(hot)) = hot else { panic!("{hot:?}") };
        assert!(hot.trouble.unwrap().contains("cool down"));
        assert_eq!(cubes.lose(now + LOST_AFTER), None);
        assert!(matches!(cubes.lose(now + LOST_AFTER * 2), Some(Event::Lost(_))));
        assert!(cubes.list().is_empty());
    }

    #[test]
    fn a_cube_on_two_networks_keeps_one_address_and_moves_when_that_is_silent() {
        let device = Device::new(Model::default(), None);
        let mut cubes = Cubes::default();
        let mut now = HostTime::ZERO;
        cubes.hear(&device.info().emit(), at(7), now);
        assert_eq!(cubes.hear(&device.info().emit(), at(8), now), None);
        now += ASK_EVERY * 2 + Duration::from_millis(1);
        let moved = cubes.hear(&device.info().emit(), at(8), now);
        assert!(matches!(moved, Some(Event::Changed(_))), "{moved:?}");
        let elsewhere = SocketAddr::from(([127, 0, 0, 1], 50_001));
        assert_eq!(
            describe(&device.info(), elsewhere).uri.as_deref(),
            Some("lasercube-wifi://127.0.0.1:50001")
        );
    }

    #[test]
    fn nonsense_and_floods_leave_no_trace() {
        let mut cubes = Cubes::default();
        assert_eq!(cubes.hear(&[0x77; 64], at(1), HostTime::ZERO), None);
        let mut info = Device::new(Model::default(), None).info();
        for n in 0..1000_u16 {
            info.serial[..2].copy_from_slice(&n.to_le_bytes());
            cubes.hear(&info.emit(), at(1), HostTime::ZERO);
        }
        assert_eq!(cubes.list().len(), MAX_CUBES);
    }
}
