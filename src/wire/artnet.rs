//! Art-Net 4: DMX over UDP, and the question who is there.
//! Spec: the Art-Net 4 protocol release document of Artistic Licence (art-net.org.uk); galvo's fixture is in
//! `docs/guide/control.md`.

/// The port of Art-Net, UDP.
pub const PORT: u16 = 6454;
/// Slots of a DMX universe.
pub const SLOTS: usize = 512;
/// How every packet begins.
const ID: &[u8; 8] = b"Art-Net\0";
const OP_POLL: u16 = 0x2000;
const OP_POLL_REPLY: u16 = 0x2100;
const OP_DMX: u16 = 0x5000;
/// The oldest protocol that is spoken.
const PROTOCOL: u16 = 14;

/// Where each field lies.
mod at {
    pub(super) const OPCODE: usize = 8;
    pub(super) const PROTOCOL: usize = 10;
    pub(super) const SEQUENCE: usize = 12;
    pub(super) const SUB_UNI: usize = 14;
    pub(super) const NET: usize = 15;
    pub(super) const LENGTH: usize = 16;
    pub(super) const DATA: usize = 18;
}

/// Where the fields of a reply lie.
mod reply_at {
    pub(super) const IP: usize = 10;
    pub(super) const PORT: usize = 14;
    pub(super) const NET_SWITCH: usize = 18;
    pub(super) const SUB_SWITCH: usize = 19;
    pub(super) const OEM: usize = 20;
    pub(super) const SHORT_NAME: usize = 26;
    pub(super) const LONG_NAME: usize = 44;
    pub(super) const REPORT: usize = 108;
    pub(super) const PORTS: usize = 173;
    pub(super) const PORT_TYPES: usize = 174;
    pub(super) const GOOD_OUTPUT: usize = 182;
    pub(super) const SW_OUT: usize = 190;
    pub(super) const BIND_IP: usize = 207;
    pub(super) const BIND_INDEX: usize = 211;
    pub(super) const STATUS_2: usize = 212;
    pub(super) const END: usize = 239;
}

/// A port address: net, sub-net and universe in one number, 0..=32767.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Universe(u16);

impl Universe {
    /// The largest.
    pub const MAX: u16 = 0x7fff;

    /// The universe of this number, if there is one.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// What a controller sends that galvo answers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// Who is there?
    Poll,
    /// Levels of a universe.
    Dmx {
        /// Which.
        universe: Universe,
        /// Counts 1..=255; 0 where the sender does not count.
        sequence: u8,
        /// The levels from slot 1 on: 2..=512 of them.
        levels: &'a [u8],
    },
}

/// Why a datagram says nothing to galvo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not Art-Net, or cut off.
    #[error("a datagram that is no Art-Net packet")]
    NotArtNet,
    /// Of another kind, or of an older protocol.
    #[error("an Art-Net packet of a kind that galvo has no use for")]
    OfNoUse,
}

/// Reads a datagram.
pub fn parse(datagram: &[u8]) -> Result<Packet<'_>, Error> {
    let rest = |at: usize| datagram.get(at..).ok_or(Error::NotArtNet);
    if !datagram.starts_with(ID) {
        return Err(Error::NotArtNet);
    }
    let two = |at: usize| rest(at)?.first_chunk::<2>().copied().ok_or(Error::NotArtNet);
    let opcode = u16::from_le_bytes(two(at::OPCODE)?);
    let protocol = u16::from_be_bytes(two(at::PROTOCOL)?);
    if protocol < PROTOCOL {
        return Err(Error::OfNoUse);
    }
    match opcode {
        OP_POLL => Ok(Packet::Poll),
        OP_DMX => {
            let length = usize::from(u16::from_be_bytes(two(at::LENGTH)?));
            let levels = rest(at::DATA)?.get(..length).ok_or(Error::NotArtNet)?;
            if !(1..=SLOTS).contains(&length) {
                return Err(Error::NotArtNet);
            }
            let net = u16::from(datagram[at::NET] & 0x7f);
            let universe = Universe(net << 8 | u16::from(datagram[at::SUB_UNI]));
            Ok(Packet::Dmx { universe, sequence: datagram[at::SEQUENCE], levels })
        }
        _ => Err(Error::OfNoUse),
    }
}

/// A datagram of levels, as a controller sends it. At most [`SLOTS`] of them count; an odd number gets one more, dark.
#[must_use]
pub fn emit_dmx(universe: Universe, sequence: u8, levels: &[u8]) -> Vec<u8> {
    let levels = &levels[..levels.len().min(SLOTS)];
    let length = levels.len().next_multiple_of(2).max(2);
    let mut out = header(OP_DMX);
    out.extend(PROTOCOL.to_be_bytes());
    out.extend([sequence, 0, (universe.0 & 0xff) as u8, (universe.0 >> 8) as u8]);
    out.extend((length as u16).to_be_bytes());
    out.extend_from_slice(levels);
    out.resize(at::DATA + length, 0);
    out
}

/// The question who is there.
#[must_use]
pub fn emit_poll() -> Vec<u8> {
    let mut out = header(OP_POLL);
    out.extend(PROTOCOL.to_be_bytes());
    out.extend([0, 0]);
    out
}

/// The answer to it: a node at `ip` with one output of DMX, the universe that is listened to.
#[must_use]
pub fn emit_poll_reply(ip: [u8; 4], universe: Universe) -> Vec<u8> {
    let mut out = header(OP_POLL_REPLY);
    out.resize(reply_at::END, 0);
    out[reply_at::IP..reply_at::IP + 4].copy_from_slice(&ip);
    out[reply_at::PORT..reply_at::PORT + 2].copy_from_slice(&PORT.to_le_bytes());
    out[reply_at::NET_SWITCH] = (universe.0 >> 8) as u8;
    out[reply_at::SUB_SWITCH] = (universe.0 >> 4 & 0x0f) as u8;
    // OemUnknown: galvo has no code of its own.
    out[reply_at::OEM..reply_at::OEM + 2].copy_from_slice(&[0x00, 0xff]);
    let mut text = |at: usize, text: &[u8]| out[at..at + text.len()].copy_from_slice(text);
    text(reply_at::SHORT_NAME, b"galvo");
    text(reply_at::LONG_NAME, b"galvo laser visualiser");
    text(reply_at::REPORT, b"#0001 [0000] ready");
    out[reply_at::PORTS] = 1;
    // Bit 7: data goes from the network to DMX. The low bits 0: it is DMX512.
    out[reply_at::PORT_TYPES] = 0x80;
    out[reply_at::GOOD_OUTPUT] = 0x80;
    out[reply_at::SW_OUT] = (universe.0 & 0x0f) as u8;
    out[reply_at::BIND_IP..reply_at::BIND_IP + 4].copy_from_slice(&ip);
    out[reply_at::BIND_INDEX] = 1;
    // Bit 3: port addresses of 15 bits.
    out[reply_at::STATUS_2] = 0x08;
    out
}

fn header(opcode: u16) -> Vec<u8> {
    let mut out = ID.to_vec();
    out.extend(opcode.to_le_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four slots at universe 0x123 of net 4, byte for byte after the table "ArtDmx" of the specification.
    const DMX: &[u8] = b"Art-Net\0\x00\x50\x00\x0e\x07\x00\x23\x04\x00\x04\xff\x00\x80\x01";

    #[test]
    fn levels_are_read_from_the_table_of_the_specification() {
        let universe = Universe::new(0x0423).unwrap();
        let levels = [0xff, 0, 0x80, 1];
        assert_eq!(parse(DMX), Ok(Packet::Dmx { universe, sequence: 7, levels: &levels }));
        assert_eq!(emit_dmx(universe, 7, &levels), DMX);
    }

    #[test]
    fn an_odd_number_of_levels_gets_one_more_as_the_specification_asks() {
        let bytes = emit_dmx(Universe::default(), 0, &[9, 8, 7]);
        let Ok(Packet::Dmx { levels, .. }) = parse(&bytes) else { panic!("levels") };
        assert_eq!(levels, [9, 8, 7, 0]);
    }

    #[test]
    fn a_question_is_understood_and_answered_in_239_bytes() {
        assert_eq!(parse(&emit_poll()), Ok(Packet::Poll));
        let reply = emit_poll_reply([10, 0, 0, 7], Universe(0x0423));
        assert_eq!(reply.len(), 239);
        assert_eq!(&reply[..16], b"Art-Net\0\x00\x21\x0a\x00\x00\x07\x36\x19");
        assert_eq!((reply[18], reply[19], reply[190]), (4, 2, 3));
        assert_eq!(parse(&reply), Err(Error::OfNoUse), "galvo does not answer itself");
    }

    #[test]
    fn lengths_are_not_trusted() {
        for len in 0..DMX.len() {
            assert!(parse(&DMX[..len]).is_err(), "{len}");
        }
        let mut long = DMX.to_vec();
        (long[16], long[17]) = (0x02, 0x01);
        long.resize(18 + 513, 0);
        assert_eq!(parse(&long), Err(Error::NotArtNet));
        let mut none = DMX.to_vec();
        none[17] = 0;
        assert_eq!(parse(&none), Err(Error::NotArtNet));
    }

    #[test]
    fn an_old_protocol_and_other_packets_are_of_no_use() {
        let mut old = DMX.to_vec();
        old[11] = 13;
        assert_eq!(parse(&old), Err(Error::OfNoUse));
        let mut other = DMX.to_vec();
        other[9] = 0x97;
        assert_eq!(parse(&other), Err(Error::OfNoUse));
        assert_eq!(Universe::new(0x8000), None);
    }
}
