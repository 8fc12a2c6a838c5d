//! Who is there, and what outputs it has.
//! Spec: docs/protocols/idn.md#discovery

use std::fmt;

use super::{Error, name, name_field};

/// Bits of a device's status.
pub mod status {
    /// Something is broken.
    pub const MALFUNCTION: u8 = 0x80;
    /// The output is off: booting, too hot, or in emergency stop.
    pub const OFFLINE: u8 = 0x40;
    /// This client group may not use it.
    pub const EXCLUDED: u8 = 0x20;
    /// No session is free.
    pub const OCCUPIED: u8 = 0x10;
    /// It takes real-time streams.
    pub const REALTIME: u8 = 0x01;
}

/// Types of services.
pub mod service_type {
    /// A laser projector.
    pub const LASER: u8 = 0x80;
    /// Sound.
    pub const AUDIO: u8 = 0x84;
    /// DMX512.
    pub const DMX: u8 = 0x05;
}

/// A device's lasting identity: a category and up to 14 bytes. Addresses move, this does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct UnitId(pub [u8; 16]);

impl UnitId {
    /// The unit with this Ethernet address.
    #[must_use]
    pub const fn of_mac(mac: [u8; 6]) -> Self {
        let [a, b, c, d, e, f] = mac;
        Self([7, 1, a, b, c, d, e, f, 0, 0, 0, 0, 0, 0, 0, 0])
    }
}

impl fmt::Display for UnitId {
    /// As people write it: `01-2A7867F4739D`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = usize::from(self.0[0]).clamp(1, 15);
        write!(f, "{:02X}-", self.0[1])?;
        self.0[2..=len].iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The answer to a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanReply {
    /// Protocol version: high nibble major, low nibble minor.
    pub version: u8,
    /// See [`status`].
    pub status: u8,
    /// Who it is.
    pub unit: UnitId,
    /// What people call it, at most 20 bytes.
    pub host_name: String,
}

impl ScanReply {
    /// Length of the body.
    pub const BYTES: usize = 40;

    /// Reads a body; bytes past the stated size are ignored.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let size = *body.first().ok_or(Error::Incomplete)?;
        if usize::from(size) < Self::BYTES {
            return Err(Error::Size { structure: "scan reply", size });
        }
        let body = body.get(..Self::BYTES).ok_or(Error::Incomplete)?;
        let mut unit = [0; 16];
        unit.copy_from_slice(&body[4..20]);
        Ok(Self {
            version: body[1],
            status: body[2],
            unit: UnitId(unit),
            host_name: name(&body[20..]),
        })
    }

    /// The body's bytes.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..4].copy_from_slice(&[Self::BYTES as u8, self.version, self.status, 0]);
        out[4..20].copy_from_slice(&self.unit.0);
        out[20..].copy_from_slice(&name_field(&self.host_name));
        out
    }

    /// What people call it: its host name, or its identity.
    #[must_use]
    pub fn display_name(&self) -> String {
        if self.host_name.is_empty() { self.unit.to_string() } else { self.host_name.clone() }
    }
}

/// One output, or one relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceEntry {
    /// 1..=255; 0 in a relay's entry.
    pub id: u8,
    /// See [`service_type`].
    pub kind: u8,
    /// Bit 0: the default one of its type.
    pub flags: u8,
    /// The relay it is behind, 0 for none.
    pub relay: u8,
    /// What people call it, at most 20 bytes.
    pub name: String,
}

impl ServiceEntry {
    const BYTES: usize = 24;

    /// True for the default service of its type.
    #[must_use]
    pub const fn is_default(&self) -> bool {
        self.flags & 1 != 0
    }

    fn parse(bytes: &[u8]) -> Self {
        Self {
            id: bytes[0],
            kind: bytes[1],
            flags: bytes[2],
            relay: bytes[3],
            name: name(&bytes[4..Self::BYTES]),
        }
    }

    fn emit(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.id, self.kind, self.flags, self.relay]);
        out.extend_from_slice(&name_field(&self.name));
    }
}

/// All outputs of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceMap {
    /// Devices behind this one.
    pub relays: Vec<ServiceEntry>,
    /// Outputs.
    pub services: Vec<ServiceEntry>,
}

impl ServiceMap {
    /// Reads a body. Entries are stepped through by the size that the device states.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let (head, _) = body.split_at_checked(4).ok_or(Error::Incomplete)?;
        let (head_size, entry_size) = (usize::from(head[0]), usize::from(head[1]));
        if head_size < 4 {
            return Err(Error::Size { structure: "service map", size: head[0] });
        }
        if entry_size < ServiceEntry::BYTES {
            return Err(Error::Size { structure: "service entry", size: head[1] });
        }
        let (relays, services) = (usize::from(head[2]), usize::from(head[3]));
        let end = head_size + (relays + services) * entry_size;
        let entries = body.get(head_size..end).ok_or(Error::Incomplete)?;
        let mut entries = entries.chunks_exact(entry_size).map(ServiceEntry::parse);
        let relays = entries.by_ref().take(relays).collect();
        Ok(Self { relays, services: entries.collect() })
    }

    /// Appends the body's bytes; at most 255 entries of each kind.
    pub fn emit(&self, out: &mut Vec<u8>) {
        let count = |entries: &[ServiceEntry]| entries.len().min(255) as u8;
        let (relays, services) = (count(&self.relays), count(&self.services));
        out.extend_from_slice(&[4, ServiceEntry::BYTES as u8, relays, services]);
        let relays = self.relays.iter().take(255);
        relays.chain(self.services.iter().take(255)).for_each(|entry| entry.emit(out));
    }

    /// The laser outputs, in the device's order.
    pub fn lasers(&self) -> impl Iterator<Item = &ServiceEntry> {
        self.services.iter().filter(|entry| entry.kind == service_type::LASER)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hello, command, hex};
    use super::*;
    use proptest::prelude::*;

    const SCAN_REPLY: &str = "11004711 28010100 07010000000000000000000000000000 \
        54657374486f7374 000000000000000000000000";
    const MAP_REPLY: &str = "13004712 04180001 01800100 4d61696e 00000000000000000000000000000000";

    /// Observed between third-party programs and the OpenIDN server.
    #[test]
    fn the_scan_of_a_test_host() {
        assert_eq!(Hello::new(command::SCAN, 0x4711).emit()[..], hex("10004711")[..]);
        let packet = hex(SCAN_REPLY);
        let (hello, body) = Hello::parse(&packet).unwrap();
        assert_eq!(hello, Hello::new(command::SCAN_REPLY, 0x4711));
        let reply = ScanReply::parse(body).unwrap();
        assert_eq!((reply.version, reply.status), (1, status::REALTIME));
        assert_eq!(reply.unit, UnitId::of_mac([0; 6]));
        assert_eq!(reply.display_name(), "TestHost");
        assert_eq!(reply.emit()[..], *body);
    }

    /// Observed as above: one laser, the default one.
    #[test]
    fn the_service_map_of_a_test_host() {
        let packet = hex(MAP_REPLY);
        let (_, body) = Hello::parse(&packet).unwrap();
        let map = ServiceMap::parse(body).unwrap();
        let lasers: Vec<_> = map.lasers().collect();
        assert_eq!((lasers[0].id, lasers[0].name.as_str()), (1, "Main"));
        assert!(lasers[0].is_default() && map.relays.is_empty());
        let mut out = Vec::new();
        map.emit(&mut out);
        assert_eq!(out, body);
    }

    #[test]
    fn a_unit_is_written_as_people_write_it() {
        let unit = UnitId::of_mac([0x2a, 0x78, 0x67, 0xf4, 0x73, 0x9d]);
        assert_eq!(unit.to_string(), "01-2A7867F4739D");
        assert_eq!(UnitId([255; 16]).to_string().len(), 3 + 28);
        assert_eq!(UnitId([0; 16]).to_string(), "00-");
    }

    #[test]
    fn entries_are_stepped_through_by_the_size_the_device_states() {
        let mut body = vec![5, 26, 1, 2, 99];
        for id in [0_u8, 7, 9] {
            let mut entry = Vec::new();
            let kind = if id == 0 { 0 } else { service_type::LASER };
            ServiceEntry { id, kind, name: format!("n{id}"), ..Default::default() }
                .emit(&mut entry);
            body.extend_from_slice(&entry);
            body.extend_from_slice(&[0xaa, 0xbb]);
        }
        let map = ServiceMap::parse(&body).unwrap();
        assert_eq!(map.relays[0].name, "n0");
        assert_eq!(map.lasers().map(|entry| entry.id).collect::<Vec<_>>(), [7, 9]);
    }

    #[test]
    fn a_long_name_is_cut_at_a_character_and_a_full_one_needs_no_end() {
        let reply =
            ScanReply { host_name: "äöüäöüäöüäöü".into(), ..Default::default() };
        assert_eq!(ScanReply::parse(&reply.emit()).unwrap().host_name, "äöüäöüäöüä");
    }

    proptest! {
        #[test]
        fn any_body_parses_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(ScanReply::parse(&bytes));
            drop(ServiceMap::parse(&bytes));
        }

        #[test]
        fn mutated_replies_never_panic(at in 0_usize..44, byte: u8, len in 0_usize..44) {
            for text in [SCAN_REPLY, MAP_REPLY] {
                let mut bytes = hex(text);
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = byte;
                }
                bytes.truncate(len);
                if let Ok((_, body)) = Hello::parse(&bytes) {
                    drop(ScanReply::parse(body));
                    drop(ServiceMap::parse(body));
                }
            }
        }
    }
}
