//! The info block: 64 bytes, the answer to command 0x77 and to its broadcast.
//! Spec: docs/protocols/lasercube_wifi.md#info

use super::{Error, opcode, u16_at, u32_at};

/// Where each field lies.
mod at {
    use core::ops::Range;
    pub(super) const RESULT: usize = 1;
    pub(super) const LAYOUT: usize = 2;
    pub(super) const FIRMWARE: Range<usize> = 3..5;
    pub(super) const FLAGS: usize = 5;
    pub(super) const PPS: usize = 10;
    pub(super) const MAX_PPS: usize = 14;
    pub(super) const FREE: usize = 19;
    pub(super) const BUFFER: usize = 21;
    pub(super) const BATTERY: usize = 23;
    pub(super) const TEMPERATURE: usize = 24;
    pub(super) const CONNECTION: usize = 25;
    pub(super) const SERIAL: Range<usize> = 26..32;
    pub(super) const ADDRESS: Range<usize> = 32..36;
    pub(super) const MODEL: usize = 37;
    pub(super) const NAME: Range<usize> = 38..64;
    pub(super) const END: usize = 64;
}

/// The one layout known.
const LAYOUT: u8 = 0;
/// The battery figure of a device on mains power.
const MAINS: u8 = 255;
/// From this firmware on the flags lie as they do now.
const NEW_FLAGS: (u8, u8) = (0, 13);

/// How the device is on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Ethernet, the device hands out addresses.
    EthernetServer,
    /// WiFi, the device is the access point.
    WifiServer,
    /// Ethernet, the device got its address from the network.
    EthernetClient,
    /// WiFi, the device has joined the network.
    WifiClient,
    /// A number without a known meaning.
    Unknown(u8),
}

impl Connection {
    const fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::EthernetServer,
            1 => Self::WifiServer,
            2 => Self::EthernetClient,
            3 => Self::WifiClient,
            other => Self::Unknown(other),
        }
    }

    const fn to_byte(self) -> u8 {
        match self {
            Self::EthernetServer => 0,
            Self::WifiServer => 1,
            Self::EthernetClient => 2,
            Self::WifiClient => 3,
            Self::Unknown(byte) => byte,
        }
    }

    /// True on a cable: no stalls of 100 ms are to be expected.
    #[must_use]
    pub const fn is_wired(self) -> bool {
        matches!(self, Self::EthernetServer | Self::EthernetClient)
    }
}

/// What a device says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Firmware, major and minor.
    pub firmware: (u8, u8),
    /// The flags as received; the methods read them according to the firmware.
    pub flags: u8,
    /// The rate it plays at, points per second.
    pub pps: u32,
    /// Highest rate, points per second.
    pub max_pps: u32,
    /// Points that still fit.
    pub free_points: u16,
    /// Points the buffer holds.
    pub buffer_points: u16,
    /// Charge in percent; `None` on mains power.
    pub battery_percent: Option<u8>,
    /// Temperature, °C.
    pub temperature_c: i8,
    /// How it is on the network.
    pub connection: Connection,
    /// Serial number, an Ethernet address: the device's identity.
    pub serial: [u8; 6],
    /// Its IPv4 address, which may be 0: where the datagram came from is the truth.
    pub address: [u8; 4],
    /// Model number.
    pub model: u8,
    /// Model name, zero terminated.
    pub name: [u8; 26],
}

impl Info {
    /// Length of the block.
    pub const BYTES: usize = at::END;

    /// Reads a block; bytes past its end are ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        match bytes.first() {
            None => return Err(Error::Incomplete),
            Some(&opcode::GET_INFO) => {}
            Some(&other) => return Err(Error::UnknownMessage(other)),
        }
        let Some(bytes) = bytes.get(..at::END) else { return Err(Error::Incomplete) };
        if bytes[at::RESULT] != 0 {
            return Err(Error::Refused { command: opcode::GET_INFO, result: bytes[at::RESULT] });
        }
        if bytes[at::LAYOUT] != LAYOUT {
            return Err(Error::UnknownLayout(bytes[at::LAYOUT]));
        }
        let mut info = Self {
            firmware: (bytes[at::FIRMWARE.start], bytes[at::FIRMWARE.start + 1]),
            flags: bytes[at::FLAGS],
            pps: u32_at(bytes, at::PPS),
            max_pps: u32_at(bytes, at::MAX_PPS),
            free_points: u16_at(bytes, at::FREE),
            buffer_points: u16_at(bytes, at::BUFFER),
            battery_percent: Some(bytes[at::BATTERY]).filter(|percent| *percent != MAINS),
            temperature_c: bytes[at::TEMPERATURE] as i8,
            connection: Connection::from_byte(bytes[at::CONNECTION]),
            serial: [0; 6],
            address: [0; 4],
            model: bytes[at::MODEL],
            name: [0; 26],
        };
        info.serial.copy_from_slice(&bytes[at::SERIAL]);
        info.address.copy_from_slice(&bytes[at::ADDRESS]);
        info.name.copy_from_slice(&bytes[at::NAME]);
        Ok(info)
    }

    /// Writes a block; its unused bytes are 0.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0] = opcode::GET_INFO;
        out[at::LAYOUT] = LAYOUT;
        out[at::FIRMWARE].copy_from_slice(&[self.firmware.0, self.firmware.1]);
        out[at::FLAGS] = self.flags;
        out[at::PPS..at::PPS + 4].copy_from_slice(&self.pps.to_le_bytes());
        out[at::MAX_PPS..at::MAX_PPS + 4].copy_from_slice(&self.max_pps.to_le_bytes());
        out[at::FREE..at::FREE + 2].copy_from_slice(&self.free_points.to_le_bytes());
        out[at::BUFFER..at::BUFFER + 2].copy_from_slice(&self.buffer_points.to_le_bytes());
        out[at::BATTERY] = self.battery_percent.unwrap_or(MAINS);
        out[at::TEMPERATURE] = self.temperature_c as u8;
        out[at::CONNECTION] = self.connection.to_byte();
        out[at::SERIAL].copy_from_slice(&self.serial);
        out[at::ADDRESS].copy_from_slice(&self.address);
        out[at::MODEL] = self.model;
        out[at::NAME].copy_from_slice(&self.name);
        out
    }

    fn has_new_flags(&self) -> bool {
        self.firmware >= NEW_FLAGS
    }

    const fn flag(&self, bit: u8) -> bool {
        self.flags >> bit & 1 == 1
    }

    /// Light is allowed by command 0x80.
    #[must_use]
    pub const fn output_enabled(&self) -> bool {
        self.flag(0)
    }

    /// The interlock is open.
    #[must_use]
    pub fn interlock(&self) -> bool {
        self.flag(if self.has_new_flags() { 1 } else { 3 })
    }

    /// It is getting too hot.
    #[must_use]
    pub fn temperature_warning(&self) -> bool {
        self.flag(if self.has_new_flags() { 2 } else { 4 })
    }

    /// It is too hot.
    #[must_use]
    pub fn over_temperature(&self) -> bool {
        self.flag(if self.has_new_flags() { 3 } else { 5 })
    }

    /// Datagrams missed, modulo 16; `None` where the firmware does not count.
    #[must_use]
    pub fn packet_errors(&self) -> Option<u8> {
        self.has_new_flags().then_some(self.flags >> 4)
    }

    /// The model's name; "LaserCube" where it says nothing that can be read.
    #[must_use]
    pub fn model_name(&self) -> String {
        let text = self.name.split(|byte| *byte == 0).next().unwrap_or_default();
        let text: String =
            String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).collect();
        let text = text.trim();
        if text.is_empty() { "LaserCube".to_owned() } else { text.to_owned() }
    }

    /// The serial number as people write it.
    #[must_use]
    pub fn serial_text(&self) -> String {
        let [a, b, c, d, e, f] = self.serial;
        format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }

    /// Power, temperature, firmware and link in one line for people.
    #[must_use]
    pub fn condition(&self) -> String {
        let power = self
            .battery_percent
            .map_or("mains power".to_owned(), |percent| format!("battery {percent} %"));
        let link = match self.connection {
            Connection::EthernetServer => "Ethernet, own network",
            Connection::WifiServer => "WiFi, own access point",
            Connection::EthernetClient => "Ethernet",
            Connection::WifiClient => "WiFi",
            Connection::Unknown(_) => "network",
        };
        let (major, minor) = self.firmware;
        format!("{power}, {} °C, firmware {major}.{minor}, {link}", self.temperature_c)
    }

    /// What is wrong with it, and the cure; the gravest first.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        if self.over_temperature() {
            Some("it is too hot: switch it off and let it cool down")
        } else if self.interlock() {
            Some("its interlock is open: close it")
        } else if self.temperature_warning() {
            Some("it is getting too hot: give it air")
        } else if self.battery_percent.is_some_and(|percent| percent <= 10) {
            Some("its battery is nearly empty: plug it in")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    const REFERENCE: &str = "7700000018010000000030750000409c0000007c15701757230394b97e123456c0a80132\
        00064c61736572437562650000000000000000000000000000000000";

    /// Parsed by the nannou `lasercube-core` crate (sheet, section 10).
    #[test]
    fn the_reference_block_reads_as_described() {
        let bytes = hex(REFERENCE);
        let info = Info::parse(&bytes).unwrap();
        assert_eq!((info.firmware, info.pps, info.max_pps), ((0, 24), 30_000, 40_000));
        assert_eq!((info.free_points, info.buffer_points), (5500, 6000));
        assert_eq!((info.battery_percent, info.temperature_c), (Some(87), 35));
        assert_eq!((info.connection, info.model), (Connection::WifiClient, 6));
        assert_eq!(info.serial_text(), "94:b9:7e:12:34:56");
        assert_eq!((info.address, info.model_name().as_str()), ([192, 168, 1, 50], "LaserCube"));
        assert!(info.output_enabled() && !info.interlock() && !info.over_temperature());
        assert_eq!((info.packet_errors(), info.trouble()), (Some(0), None));
        assert_eq!(info.condition(), "battery 87 %, 35 °C, firmware 0.24, WiFi");
        assert_eq!(info.emit()[..], bytes[..]);
    }

    #[test]
    fn flags_lie_elsewhere_in_old_firmware() {
        let reference = Info::parse(&hex(REFERENCE)).unwrap();
        let read = |firmware, flags| Info { firmware, flags, ..reference };
        let new = read((0, 13), 0b0101_1110);
        assert!(new.interlock() && new.temperature_warning() && new.over_temperature());
        assert_eq!((new.output_enabled(), new.packet_errors()), (false, Some(5)));
        let old = read((0, 12), 0b0011_1001);
        assert!(old.output_enabled() && old.interlock() && old.temperature_warning());
        assert!(old.over_temperature() && old.packet_errors().is_none());
        assert!(!read((0, 12), 0b0000_0110).interlock());
        assert!(read((1, 0), 0b10).interlock(), "1.0 is newer than 0.13");
    }

    #[test]
    fn a_cold_device_on_mains_power_reads_as_such() {
        let mut bytes = hex(REFERENCE);
        (bytes[23], bytes[24]) = (255, 0xf6);
        let info = Info::parse(&bytes).unwrap();
        assert_eq!((info.battery_percent, info.temperature_c), (None, -10));
        assert!(info.condition().starts_with("mains power, -10 °C"));
        assert_eq!(info.emit()[..], bytes[..]);
    }

    #[test]
    fn blocks_of_another_layout_a_refusal_or_a_wrong_length_are_refused() {
        let mut bytes = hex(REFERENCE);
        assert_eq!(Info::parse(&bytes[..63]), Err(Error::Incomplete));
        bytes[2] = 1;
        assert_eq!(Info::parse(&bytes), Err(Error::UnknownLayout(1)));
        bytes[1] = 3;
        assert_eq!(Info::parse(&bytes), Err(Error::Refused { command: 0x77, result: 3 }));
        bytes[0] = 0x27;
        assert_eq!(Info::parse(&bytes), Err(Error::UnknownMessage(0x27)));
    }

    #[test]
    fn a_name_of_garbage_is_shown_without_its_control_characters() {
        let reference = Info::parse(&hex(REFERENCE)).unwrap();
        let mut name = [0xff; 26];
        name[..4].copy_from_slice(b"a\x1b\nb");
        let shown = Info { name, ..reference }.model_name();
        assert!(shown.starts_with("ab") && !shown.contains(char::is_control));
        assert_eq!(Info { name: [0; 26], ..reference }.model_name(), "LaserCube");
    }

    proptest! {
        #[test]
        fn any_block_parses_or_is_refused_and_emits_the_same_but_for_unused_bytes(
            bytes in proptest::collection::vec(any::<u8>(), 0..80), lawful: bool
        ) {
            let mut bytes = bytes;
            if lawful && bytes.len() > 2 { bytes[..3].copy_from_slice(&[0x77, 0, 0]); }
            if let Ok(info) = Info::parse(&bytes) {
                for unused in [6, 7, 8, 9, 18, 36] { bytes[unused] = 0; }
                prop_assert_eq!(&info.emit()[..], &bytes[..Info::BYTES]);
                prop_assert!(!info.condition().is_empty() && !info.model_name().is_empty());
            }
        }
    }
}
