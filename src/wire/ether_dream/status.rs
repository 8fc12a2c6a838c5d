//! The status block: 20 bytes in every response and announcement.
//! Spec: docs/protocols/ether_dream.md#status

use super::{Error, u16_at, u32_at};

/// Where each field lies.
mod at {
    pub(super) const PROTOCOL: usize = 0;
    pub(super) const LIGHT_ENGINE: usize = 1;
    pub(super) const PLAYBACK: usize = 2;
    pub(super) const SOURCE: usize = 3;
    pub(super) const LIGHT_ENGINE_FLAGS: usize = 4;
    pub(super) const PLAYBACK_FLAGS: usize = 6;
    pub(super) const SOURCE_FLAGS: usize = 8;
    pub(super) const FULLNESS: usize = 10;
    pub(super) const POINT_RATE: usize = 12;
    pub(super) const POINT_COUNT: usize = 16;
    pub(super) const END: usize = 20;
}

/// Bits of the light engine's flags.
pub mod engine_flag {
    /// Emergency stop by a command, or by a bad one.
    pub const ESTOP_BY_PACKET: u16 = 1 << 0;
    /// Emergency stop by the input.
    pub const ESTOP_BY_INPUT: u16 = 1 << 1;
    /// The input is still active.
    pub const INPUT_ACTIVE: u16 = 1 << 2;
    /// Emergency stop by temperature.
    pub const ESTOP_BY_HEAT: u16 = 1 << 3;
    /// Too hot now.
    pub const TOO_HOT: u16 = 1 << 4;
    /// Emergency stop by loss of the network link.
    pub const ESTOP_BY_LINK: u16 = 1 << 5;
}

/// Bits of the playback flags. An Ether Dream 2 fills bits 4 to 15 with garbage and sets the shutter bit
/// even when idle.
pub mod playback_flag {
    /// The shutter is open (not to be trusted).
    pub const SHUTTER: u16 = 1 << 0;
    /// The last stream ended by underflow.
    pub const UNDERFLOW: u16 = 1 << 1;
    /// The last stream ended by emergency stop.
    pub const ESTOP: u16 = 1 << 2;
}

/// The light engine's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum LightEngine {
    /// Light is possible.
    #[default]
    Ready = 0,
    /// The laser is warming up.
    WarmUp = 1,
    /// The laser is cooling down.
    CoolDown = 2,
    /// Emergency stop: latched until cleared.
    EmergencyStop = 3,
}

/// The playback state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Playback {
    /// Nothing is prepared.
    #[default]
    Idle = 0,
    /// Points may be queued.
    Prepared = 1,
    /// Points are shown.
    Playing = 2,
}

/// Where the points come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Source {
    /// The network.
    #[default]
    Network = 0,
    /// An ILDA file on the SD card.
    SdCard = 1,
    /// The built-in abstract generator.
    Abstract = 2,
}

/// What the device says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Protocol number; 0 on every device known.
    pub protocol: u8,
    /// The light engine's state.
    pub light_engine: LightEngine,
    /// The playback state.
    pub playback: Playback,
    /// Where points come from.
    pub source: Source,
    /// See [`engine_flag`]. Kept as received.
    pub light_engine_flags: u16,
    /// See [`playback_flag`]. Kept as received.
    pub playback_flags: u16,
    /// Flags of the SD-card or abstract source.
    pub source_flags: u16,
    /// Points queued.
    pub fullness: u16,
    /// Points per second; 0 unless playing on an Ether Dream 2.
    pub point_rate: u32,
    /// Points shown since the last prepare; wraps.
    pub point_count: u32,
}

impl Status {
    /// Length of the block.
    pub const BYTES: usize = at::END;

    /// Reads a block.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let Some(bytes) = bytes.get(..at::END) else { return Err(Error::Incomplete) };
        let light_engine = match bytes[at::LIGHT_ENGINE] {
            0 => LightEngine::Ready,
            1 => LightEngine::WarmUp,
            2 => LightEngine::CoolDown,
            3 => LightEngine::EmergencyStop,
            value => return Err(Error::UnknownState { field: "light engine state", value }),
        };
        let playback = match bytes[at::PLAYBACK] {
            0 => Playback::Idle,
            1 => Playback::Prepared,
            2 => Playback::Playing,
            value => return Err(Error::UnknownState { field: "playback state", value }),
        };
        let source = match bytes[at::SOURCE] {
            0 => Source::Network,
            1 => Source::SdCard,
            2 => Source::Abstract,
            value => return Err(Error::UnknownState { field: "source", value }),
        };
        Ok(Self {
            protocol: bytes[at::PROTOCOL],
            light_engine,
            playback,
            source,
            light_engine_flags: u16_at(bytes, at::LIGHT_ENGINE_FLAGS),
            playback_flags: u16_at(bytes, at::PLAYBACK_FLAGS),
            source_flags: u16_at(bytes, at::SOURCE_FLAGS),
            fullness: u16_at(bytes, at::FULLNESS),
            point_rate: u32_at(bytes, at::POINT_RATE),
            point_count: u32_at(bytes, at::POINT_COUNT),
        })
    }

    /// Writes a block.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[at::PROTOCOL] = self.protocol;
        out[at::LIGHT_ENGINE] = self.light_engine as u8;
        out[at::PLAYBACK] = self.playback as u8;
        out[at::SOURCE] = self.source as u8;
        let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
        put(at::LIGHT_ENGINE_FLAGS, &self.light_engine_flags.to_le_bytes());
        put(at::PLAYBACK_FLAGS, &self.playback_flags.to_le_bytes());
        put(at::SOURCE_FLAGS, &self.source_flags.to_le_bytes());
        put(at::FULLNESS, &self.fullness.to_le_bytes());
        put(at::POINT_RATE, &self.point_rate.to_le_bytes());
        put(at::POINT_COUNT, &self.point_count.to_le_bytes());
        out
    }

    /// True if the last stream ended because the queue ran empty.
    #[must_use]
    pub const fn ended_by_underflow(&self) -> bool {
        self.playback_flags & playback_flag::UNDERFLOW != 0
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;
    use proptest::prelude::*;

    /// The device's own recording of a plain ping while playing (Ether Dream 2, build r331-ed4bef5).
    #[test]
    fn a_recorded_block_reads_as_the_state_it_was_taken_in() {
        let status = Status::parse(&hex("000002000000317700004f0130750000a5000000")).unwrap();
        assert_eq!(status.playback, Playback::Playing);
        assert_eq!((status.fullness, status.point_rate, status.point_count), (335, 30_000, 165));
        assert!(!status.ended_by_underflow());
    }

    #[test]
    fn states_without_a_meaning_are_refused() {
        for (at, field) in [(1, "light engine state"), (2, "playback state"), (3, "source")] {
            let mut bytes = [0; Status::BYTES];
            bytes[at] = 7;
            assert_eq!(Status::parse(&bytes), Err(Error::UnknownState { field, value: 7 }));
        }
        assert_eq!(Status::parse(&[0; 19]), Err(Error::Incomplete));
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_are_refused_and_what_parses_emits_the_same(
            bytes in proptest::collection::vec(any::<u8>(), 0..40), states in any::<[u8; 3]>()
        ) {
            let mut bytes = bytes;
            for (byte, state) in bytes.iter_mut().skip(1).zip(states) { *byte = state % 4; }
            if let Ok(status) = Status::parse(&bytes) {
                prop_assert_eq!(&status.emit()[..], &bytes[..Status::BYTES]);
            }
        }
    }
}
