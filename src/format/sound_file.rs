//! What kind of sound file begins with these bytes.
//!
//! Only MPEG frames are looked for behind what nobody knows: they have no header of their own, and may follow padding or
//! junk. Every other format begins at its first byte, so a header further in belongs to something else: a lossless
//! file keeps the header of the WAV it was made from, and its packed sound would be played as noise.

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoundFile {
    /// A format that is read begins here.
    Read,
    /// A format that is not read, by its name.
    NotRead(&'static str),
    /// An ID3 tag of so many bytes stands in front of whatever it is.
    Tagged(u64),
    /// Nothing that is known: MPEG frames may follow.
    Unknown,
}

/// Bytes that tell all of it.
pub const LOOK_BYTES: usize = 16;

/// Formats that are not read, by how their files begin.
const NOT_READ: [(&[u8], &str); 24] = [
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"TTA1", "True Audio (TTA)"),
    (b"TTA2", "True Audio (TTA)"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"DSD ", "DSD (DSF)"),
    (b"FRM8", "DSD (DSDIFF)"),
    (b"tBaK", "TAK"),
    (b"OFR ", "OptimFROG"),
    (b"ajkg", "Shorten"),
    (b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "Windows Media (WMA, ASF)"),
    (b".RMF", "RealMedia"),
    (b".ra\xFD", "RealAudio"),
    (b".snd", "Sun audio (AU)"),
    (b"caff", "Core Audio (CAF)"),
    (b"RF64", "RF64, a WAV beyond 4 GB"),
    (b"BW64", "BW64, a WAV beyond 4 GB"),
    (b"riff\x2E\x91\xCF\x11", "Wave64"),
    (b"#!AMR", "AMR"),
    (b"FLV\x01", "Flash video"),
    (b"\x00\x00\x01\xBA", "an MPEG programme stream"),
    (b"\x7F\xFE\x80\x01", "DTS"),
    (b"\x0B\x77", "AC-3"),
];
/// Atoms that begin a film of before there were file types.
const OLD_FILM: [&[u8; 4]; 6] = [b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"];

impl SoundFile {
    /// What `start`, the first [`LOOK_BYTES`] of a file or fewer, says.
    #[must_use]
    pub fn of(start: &[u8]) -> Self {
        if let Some(bytes) = tag_bytes(start) {
            return Self::Tagged(bytes);
        }
        let at = |place: usize, word: &[u8]| {
            start.get(place..).is_some_and(|rest| rest.starts_with(word))
        };
        let is_read = at(0, b"fLaC")
            || at(0, b"OggS")
            || at(0, b"\x1A\x45\xDF\xA3")
            || at(0, b"RIFF") && at(8, b"WAVE")
            || at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC"))
            || at(4, b"ftyp");
        if is_read {
            return Self::Read;
        }
        if at(0, b"RIFF") && at(8, b"AVI ") {
            return Self::NotRead("an AVI film");
        }
        if OLD_FILM.into_iter().any(|atom| at(4, atom)) {
            return Self::NotRead("an old QuickTime film");
        }
        let named = NOT_READ.into_iter().find(|(magic, _)| at(0, magic));
        named.map_or(Self::Unknown, |(_, name)| Self::NotRead(name))
    }
}

/// The length of an ID3v2 tag, all of it.
fn tag_bytes(start: &[u8]) -> Option<u64> {
    let head: &[u8; 10] = start.first_chunk()?;
    // Version and size are never as high as this.
    if &head[..3] != b"ID3" || head[3] == 0xFF || head[6..].iter().any(|byte| byte & 0x80 != 0) {
        return None;
    }
    let size = head[6..].iter().fold(0, |size, byte| size << 7 | u64::from(*byte));
    let footer = if head[5] & 0x10 == 0 { 0 } else { 10 };
    Some(10 + size + footer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_lossless_file_is_known_by_its_name_whatever_lies_inside() {
        for (file, name) in [
            (&include_bytes!("../../tests/data/wavpack.wv")[..], "WavPack"),
            (include_bytes!("../../tests/data/riff-inside-other.ape"), "Monkey's Audio"),
        ] {
            assert!(file.windows(4).any(|four| four == b"RIFF"), "the trap is in it");
            assert_eq!(SoundFile::of(file), SoundFile::NotRead(name));
        }
    }

    #[test]
    fn what_is_read_is_known_by_its_first_bytes() {
        for start in [
            &b"RIFF\x24\0\0\0WAVEfmt "[..],
            b"FORM\0\0\0\0AIFF",
            b"FORM\0\0\0\0AIFC",
            b"fLaC\0\0\0\x22",
            b"OggS\0\x02",
            b"\0\0\0\x20ftypM4A ",
            b"\x1A\x45\xDF\xA3\x9F",
        ] {
            assert_eq!(SoundFile::of(start), SoundFile::Read, "{start:?}");
        }
        for start in [&b"RIFF\0\0\0\0RMP3"[..], b"FORM\0\0\0\08SVX", b"\xFF\xFB\x90\0", b"", b"I"] {
            assert_eq!(SoundFile::of(start), SoundFile::Unknown, "{start:?}");
        }
        assert_eq!(SoundFile::of(b"RIFF\0\0\0\0AVI LIST"), SoundFile::NotRead("an AVI film"));
        assert!(matches!(SoundFile::of(b"\0\0\0\x08wide\0\0"), SoundFile::NotRead(_)));
    }

    #[test]
    fn a_tag_in_front_is_measured_with_its_footer() {
        assert_eq!(SoundFile::of(b"ID3\x04\0\0\0\0\x02\x01rest"), SoundFile::Tagged(10 + 257));
        assert_eq!(SoundFile::of(b"ID3\x04\0\x10\0\0\0\x05"), SoundFile::Tagged(25));
        assert_eq!(SoundFile::of(b"ID3\x04\0\0\0\0\x80\0"), SoundFile::Unknown);
        assert_eq!(SoundFile::of(b"ID3\x04\0\0\0"), SoundFile::Unknown);
    }
}
