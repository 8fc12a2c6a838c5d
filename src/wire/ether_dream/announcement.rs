//! The announcement: 36 bytes, broadcast about once a second.
//! Spec: docs/protocols/ether_dream.md#announcement

use super::{Error, Status, u16_at, u32_at};

/// Where each field lies.
mod at {
    pub(super) const HW_REVISION: usize = 6;
    pub(super) const SW_REVISION: usize = 8;
    pub(super) const CAPACITY: usize = 10;
    pub(super) const MAX_PPS: usize = 12;
    pub(super) const STATUS: usize = 16;
    pub(super) const END: usize = 36;
}

/// The lowest hardware revision of the third generation.
const THIRD_GENERATION: u16 = 30;
/// Points that the third generation and later has to hold while it plays: it moves them in blocks.
pub const LEAST_POINTS: u32 = 256;

/// A device says that it is there, and what it can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announcement {
    /// Ethernet address: the device's identity.
    pub mac: [u8; 6],
    /// Hardware revision: 10 is an Ether Dream 2, 30 a 3, 40 and 41 a 4; small numbers are boards of the 1.
    pub hw_revision: u16,
    /// Software revision.
    pub sw_revision: u16,
    /// Points the queue holds.
    pub capacity: u16,
    /// Highest rate, points per second.
    pub max_pps: u32,
    /// The state it is in.
    pub status: Status,
}

impl Announcement {
    /// Length of the datagram.
    pub const BYTES: usize = at::END;

    /// Reads a datagram; bytes past the end are ignored.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some(bytes) = bytes.get(..at::END) else { return Err(Error::Incomplete) };
        let mut mac = [0; 6];
        mac.copy_from_slice(&bytes[..6]);
        Ok(Self {
            mac,
            hw_revision: u16_at(bytes, at::HW_REVISION),
            sw_revision: u16_at(bytes, at::SW_REVISION),
            capacity: u16_at(bytes, at::CAPACITY),
            max_pps: u32_at(bytes, at::MAX_PPS),
            status: Status::parse(&bytes[at::STATUS..])?,
        })
    }

    /// Writes a datagram.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[..at::HW_REVISION].copy_from_slice(&self.mac);
        out[at::HW_REVISION..at::SW_REVISION].copy_from_slice(&self.hw_revision.to_le_bytes());
        out[at::SW_REVISION..at::CAPACITY].copy_from_slice(&self.sw_revision.to_le_bytes());
        out[at::CAPACITY..at::MAX_PPS].copy_from_slice(&self.capacity.to_le_bytes());
        out[at::MAX_PPS..at::STATUS].copy_from_slice(&self.max_pps.to_le_bytes());
        out[at::STATUS..].copy_from_slice(&self.status.emit());
        out
    }

    /// Points that it has to hold while it plays: generations 3 and 4 stop below [`LEAST_POINTS`].
    #[must_use]
    pub const fn least_points(&self) -> u32 {
        if self.hw_revision >= THIRD_GENERATION { LEAST_POINTS } else { 0 }
    }

    /// The customary name: the last three bytes of the Ethernet address.
    #[must_use]
    pub fn display_name(&self) -> String {
        let [.., a, b, c] = self.mac;
        format!("Ether Dream {a:02x}{b:02x}{c:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    /// Built from j4cDAC `protocol.h`, parse-checked by the nannou crate.
    #[test]
    fn an_announcement_of_a_first_generation_device() {
        let bytes = hex("123456789abc000002000707a08601000000000000000000000000000000000000000000");
        let seen = Announcement::parse(&bytes).unwrap();
        assert_eq!(seen.mac, [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc]);
        assert_eq!((seen.hw_revision, seen.sw_revision), (0, 2));
        assert_eq!((seen.capacity, seen.max_pps), (1799, 100_000));
        assert_eq!(seen.display_name(), "Ether Dream 789abc");
        assert_eq!(seen.emit()[..], bytes[..]);
    }

    /// Recorded on an Ether Dream 2, build r331-ed4bef5 (published with laser-dac-rs).
    #[test]
    fn an_announcement_recorded_on_an_ether_dream_2() {
        let bytes = hex("d880390000000a0002003b0fa08601000000000000003377000000000000000000000000");
        let seen = Announcement::parse(&bytes).unwrap();
        assert_eq!((seen.hw_revision, seen.sw_revision), (10, 2));
        assert_eq!((seen.capacity, seen.max_pps), (3899, 100_000));
        assert!(seen.status.ended_by_underflow());
        assert_eq!(seen.emit()[..], bytes[..]);
    }

    #[test]
    fn generations_three_and_four_need_256_points_to_go_on() {
        for (hw_revision, least) in [(0, 0), (2, 0), (10, 0), (30, 256), (40, 256), (41, 256)] {
            let announcement = Announcement { hw_revision, ..Announcement::default() };
            assert_eq!(announcement.least_points(), least, "revision {hw_revision}");
        }
    }

    #[test]
    fn a_short_datagram_is_refused() {
        assert_eq!(Announcement::parse(&[0; 35]), Err(Error::Incomplete));
    }

    proptest! {
        #[test]
        fn any_datagram_parses_or_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(seen) = Announcement::parse(&bytes) {
                prop_assert_eq!(&seen.emit()[..], &bytes[..Announcement::BYTES]);
            }
        }
    }
}
