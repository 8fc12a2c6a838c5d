//! ShowNET units: only that one is there. What they are driven with is not public, so galvo names them and
//! says what to use instead. Spec: `docs/protocols/idn.md#shownet`; the layout is known from one open
//! implementation and was not verified on a unit.

/// UDP port that a unit listens on.
pub const UNIT_PORT: u16 = 41_855;
/// UDP port that a unit's answers come to.
pub const HOST_PORT: u16 = 41_856;

/// The shortest answer: up to the hardware ID.
const MIN_ANSWER_BYTES: usize = 56;

/// The datagram that asks who is there.
#[must_use]
pub const fn discovery_request() -> [u8; 31] {
    let mut request = [0; 31];
    request[12] = 0x8d;
    request[14] = 0x02;
    request[20] = 0x80;
    request[21] = 0xa3;
    request
}

/// The answer of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Three bytes of identity, as they stand in the answer.
    pub id: [u8; 3],
}

impl Answer {
    /// Reads an answer; `None` for what is too short to be one, and for a request that comes back.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < MIN_ANSWER_BYTES {
            return None;
        }
        let id = bytes.get(40..43)?;
        Some(Self { id: [id[0], id[1], id[2]] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the open implementation; not verified on hardware.
    #[test]
    fn the_request_is_the_published_one() {
        let text = "0000000000000000000000008d0002000000000080a3000000000000000000";
        let hex: String = discovery_request().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, text);
    }

    #[test]
    fn an_answer_is_told_from_a_request() {
        assert_eq!(Answer::parse(&discovery_request()), None);
        let mut answer = [0; 72];
        answer[40..43].copy_from_slice(&[1, 2, 3]);
        assert_eq!(Answer::parse(&answer), Some(Answer { id: [1, 2, 3] }));
    }
}
