//! Which client groups may use a device.
//! Spec: docs/protocols/idn.md#group

use super::{Error, u16_at};

/// Asks for the mask, or sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRequest {
    /// 1: get, 2: set.
    pub operation: u8,
    /// One bit a group.
    pub mask: u16,
}

impl GroupRequest {
    /// Length of the body, twelve bytes of authentication included.
    pub const BYTES: usize = 16;
    /// The operation that reads.
    pub const GET: u8 = 1;
    /// The operation that writes.
    pub const SET: u8 = 2;

    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let body = body.get(..Self::BYTES).ok_or(Error::Incomplete)?;
        if usize::from(body[0]) != Self::BYTES {
            return Err(Error::Size { structure: "group request", size: body[0] });
        }
        Ok(Self { operation: body[1], mask: u16_at(body, 2) })
    }

    /// The body's bytes, without authentication.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::BYTES] {
        let mut out = [0; Self::BYTES];
        out[0] = Self::BYTES as u8;
        out[1] = self.operation;
        out[2..4].copy_from_slice(&self.mask.to_be_bytes());
        out
    }
}

/// The answer to a [`GroupRequest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupReply {
    /// 0 done, FD not authorised, FE unsupported, FF bad request.
    pub result: u8,
    /// The mask now.
    pub mask: u16,
}

impl GroupReply {
    /// Length of the body.
    pub const BYTES: usize = 4;
    /// The device cannot do it.
    pub const UNSUPPORTED: u8 = 0xfe;
    /// The request is wrong.
    pub const BAD_REQUEST: u8 = 0xff;

    /// Reads a body.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let body = body.get(..Self::BYTES).ok_or(Error::Incomplete)?;
        if usize::from(body[0]) < Self::BYTES {
            return Err(Error::Size { structure: "group reply", size: body[0] });
        }
        Ok(Self { result: body[1], mask: u16_at(body, 2) })
    }

    /// The body's bytes.
    #[must_use]
    pub const fn emit(&self) -> [u8; Self::BYTES] {
        let [high, low] = self.mask.to_be_bytes();
        [Self::BYTES as u8, self.result, high, low]
    }
}

#[cfg(test)]
mod tests {
    use super::super::hex;
    use super::*;

    /// Observed between third-party programs and the OpenIDN server, which cannot set a mask.
    #[test]
    fn the_mask_is_read_and_its_setting_refused() {
        let get = GroupRequest { operation: GroupRequest::GET, mask: 0 };
        let set = GroupRequest { operation: GroupRequest::SET, mask: 0xffff };
        assert_eq!(get.emit()[..], hex("10010000 000000000000000000000000")[..]);
        assert_eq!(GroupRequest::parse(&set.emit()), Ok(set));
        let got = GroupReply { result: 0, mask: 0xffff };
        let refused = GroupReply { result: GroupReply::UNSUPPORTED, mask: 0xffff };
        assert_eq!(got.emit()[..], hex("0400ffff")[..]);
        assert_eq!(refused.emit()[..], hex("04feffff")[..]);
        assert_eq!(GroupReply::parse(&hex("04feffff")), Ok(refused));
        assert!(GroupRequest::parse(&[0x10, 1, 0]).is_err());
        assert!(GroupReply::parse(&[3, 1, 0, 0]).is_err());
    }
}
