//! ASVR: the container of ASVP behind a keyed stream cipher, known up to version string 1.5.0.
//!
//! Header and table are one run of the cipher, every frame's block is a run of its own. The key is made of a
//! passphrase of the user's and of what names the stream. The cipher keeps bytes secret and does not notice
//! changed ones: only the checksum of each block does.

mod chacha20;
mod scrypt;
mod sha256;

use std::fmt;

use super::asvp::write::Writer;

/// Key id of header and table.
const HEAD_ID: u32 = u32::MAX;
/// First word of a deciphered header of version 1.5.0.
const HEAD_WORD: u32 = 4;

/// 32 bytes that the user brings. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase([u8; 32]);

impl Passphrase {
    /// A passphrase.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From the bytes of a file: 32 bytes, or 64 hexadecimal digits with any white space. `None` for other
    /// contents.
    #[must_use]
    pub fn from_file_bytes(bytes: &[u8]) -> Option<Self> {
        if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
            return Some(Self(raw));
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let digits: Vec<u8> = text
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect::<Option<_>>()?;
        let digits: [u8; 64] = digits.try_into().ok()?;
        Some(Self(std::array::from_fn(|k| digits[2 * k] << 4 | digits[2 * k + 1])))
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// What names a keyed stream, beside its passphrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedName {
    /// Scene id.
    pub scene: u32,
    /// Version string, `1.5.0` for the newest known.
    pub version: String,
    /// Last part of the address: after the last slash, before any `?`.
    pub resource: String,
}

impl KeyedName {
    /// The resource name of an address or path.
    #[must_use]
    pub fn resource_of(address: &str) -> &str {
        let path = address.split('?').next().unwrap_or_default();
        path.rsplit(['/', '\\']).next().unwrap_or_default()
    }
}

/// The key of one stream. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

impl Key {
    /// Makes the key. Takes 16 MiB and tens of milliseconds: once a stream, off the real-time threads.
    #[must_use]
    pub fn derive(passphrase: &Passphrase, name: &KeyedName) -> Self {
        let mut salt = name.scene.to_le_bytes().to_vec();
        salt.extend_from_slice(name.version.as_bytes());
        salt.extend_from_slice(name.resource.as_bytes());
        Self(scrypt::key(&passphrase.0, &salt))
    }

    /// Enciphers or deciphers the run that begins with the header.
    pub fn apply_to_head(&self, run: &mut [u8]) {
        chacha20::apply(&self.0, HEAD_ID, run);
    }

    /// Enciphers or deciphers the block of a frame.
    pub fn apply_to_block(&self, frame: u32, block: &mut [u8]) {
        chacha20::apply(&self.0, frame, block);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// True if the first bytes of a deciphered header are those of version 1.5.0.
#[must_use]
pub fn is_known_magic(magic: &[u8; 8]) -> bool {
    magic[..4] == HEAD_WORD.to_le_bytes() && magic[4..] == [0; 4]
}

/// The bytes of a keyed stream of the frames in `writer`.
#[must_use]
pub fn emit(writer: &Writer, key: &Key) -> Vec<u8> {
    let mut magic = [0; 8];
    magic[..4].copy_from_slice(&HEAD_WORD.to_le_bytes());
    let mut out = writer.head(magic);
    key.apply_to_head(&mut out);
    for (frame, block) in writer.blocks().iter().enumerate() {
        let begin = out.len();
        out.extend_from_slice(block);
        // The writer takes 2²⁴ frames at most.
        key.apply_to_block(frame as u32, &mut out[begin..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::asvp::samples::{A, R, bytes};
    use super::*;

    fn demo_key() -> Key {
        let passphrase = Passphrase::new(std::array::from_fn(|k| k as u8));
        let resource = KeyedName::resource_of("https://host/a/demo.asvr?x=1").to_owned();
        Key::derive(&passphrase, &KeyedName { scene: 7, version: "1.5.0".into(), resource })
    }

    /// AS-04: the sheet's key, key stream and file R.
    #[test]
    fn the_sheets_keyed_file_deciphers_to_the_plain_one() {
        let key = demo_key();
        let expected = "b4b79cdfb10947ba4d03a2d8714b7cb3ea76b0dfe3effc16204ea52117e70e70";
        assert_eq!(key.0[..], bytes(expected));
        let mut stream = [0; 16];
        key.apply_to_block(0, &mut stream);
        assert_eq!(stream[..], bytes("6384233e01fb97be887108ad0cf31205"));
        let mut file = bytes(R);
        key.apply_to_head(&mut file[..35]);
        key.apply_to_block(0, &mut file[35..]);
        assert_eq!(file[8..], bytes(A)[8..]);
        assert!(is_known_magic(file[..8].try_into().unwrap()));
    }

    #[test]
    fn secrets_do_not_print_themselves() {
        let passphrase = Passphrase::new([0xab; 32]);
        assert_eq!(format!("{passphrase:?} {:?}", demo_key()), "Passphrase(…) Key(…)");
    }

    #[test]
    fn a_passphrase_is_read_from_bytes_or_hexadecimal_digits() {
        let raw: [u8; 32] = std::array::from_fn(|k| k as u8);
        let wanted = Some(Passphrase::new(raw));
        assert_eq!(Passphrase::from_file_bytes(&raw), wanted);
        let hex: Vec<String> = raw.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(Passphrase::from_file_bytes(hex.join(" \n").as_bytes()), wanted);
        for wrong in [&b""[..], b"00", &[b'g'; 64], &[0; 33]] {
            assert_eq!(Passphrase::from_file_bytes(wrong), None);
        }
    }
}
