//! Finds out what format a file is in, and opens it.
//!
//! Promise: a format is taken only where its file begins, behind ID3 tags at most; MPEG, which has no beginning of its
//! own, only where frame follows frame.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::LazyLock;

use symphonia::core::errors::Error as Fault;
use symphonia::core::formats::probe::{Hint, Probe, ProbeOptions};
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::default::{formats, meta, register_enabled_formats};

use super::byte_source::{ByteSource, LastFailure};
use super::decode::DecodeError;
use crate::format::mpeg_frames;
use crate::format::sound_file::{LOOK_BYTES, SoundFile};
use crate::media::{Media, MediaError};

/// Bytes that tell text from sound.
const TEXT_BYTES: usize = 512;
/// Tags that may stand in front of each other.
const MOST_TAGS: usize = 8;
/// Bytes in which MPEG frames follow each other if it is MPEG from the start.
const FEW_FRAMES_BYTES: u64 = 16 << 10;
/// Padding and junk that may stand in front of MPEG frames.
const JUNK_BYTES: u64 = 1 << 20;

/// Every format, at the very beginning: the word that an MP4 file is known by is its second.
static AT_THE_START: LazyLock<Probe> = LazyLock::new(|| {
    let options = ProbeOptions { max_probe_depth: 8, ..ProbeOptions::default() };
    let mut probe = Probe::new_with_options(&options);
    register_enabled_formats(&mut probe);
    probe
});

/// MPEG alone, behind whatever.
static MPEG: LazyLock<Probe> = LazyLock::new(|| {
    let mut probe = Probe::new();
    probe.register_format::<formats::AdtsReader<'_>>();
    probe.register_format::<formats::MpaReader<'_>>();
    probe.register_metadata::<meta::ApeReader<'_>>();
    probe.register_metadata::<meta::Id3v1Reader<'_>>();
    probe.register_metadata::<meta::Id3v2Reader<'_>>();
    probe
});

/// What a look at a file found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Format,
    Mpeg,
    Text,
    Foreign(&'static str),
    Nothing,
}

/// Opens the format of `media` from byte `base` on: 0, or the place of an MPEG frame.
pub(super) fn open_format(
    media: &Media,
    failure: &LastFailure,
    base: u64,
) -> Result<Box<dyn FormatReader>, DecodeError> {
    let path = || PathBuf::from(media.location().to_string());
    let mut source = ByteSource::of(media, failure, base)?;
    let looked = if base == 0 { look(&mut source) } else { Ok(Found::Mpeg) };
    let looked = looked.and_then(|found| source.seek(SeekFrom::Start(0)).map(|_| found));
    let probe = match looked {
        Ok(Found::Format) => &*AT_THE_START,
        Ok(Found::Mpeg) => &*MPEG,
        Ok(Found::Text) => return Err(DecodeError::Text(path())),
        Ok(Found::Foreign(format)) => {
            return Err(DecodeError::ForeignFormat { path: path(), format });
        }
        Ok(Found::Nothing) => return Err(DecodeError::UnknownFormat(path())),
        Err(error) => {
            let unreadable = || MediaError::Unreadable { path: path(), source: error };
            return Err(failure.take().unwrap_or_else(|| unreadable().into()));
        }
    };
    let mut hint = Hint::new();
    let extension = media.location().extension();
    let told = media.info().and_then(|info| info.extension()).map(str::to_owned);
    if let Some(extension) = extension.or(told) {
        hint.with_extension(&extension);
    }
    let stream = MediaSourceStream::new(Box::new(source), MediaSourceStreamOptions::default());
    let (format, metadata) = (FormatOptions::default(), MetadataOptions::default());
    probe.probe(&hint, stream, format, metadata).map_err(|fault| match fault {
        Fault::IoError(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            let unreadable = || MediaError::Unreadable { path: path(), source }.into();
            failure.take().unwrap_or_else(unreadable)
        }
        Fault::DecodeError(what) => DecodeError::Damaged { path: path(), what: what.to_string() },
        _ => failure.take().unwrap_or_else(|| DecodeError::UnknownFormat(path())),
    })
}

/// Looks behind the tags in front of a file.
fn look(file: &mut (impl Read + Seek)) -> io::Result<Found> {
    let mut at = 0_u64;
    let mut start = Vec::new();
    for _ in 0..MOST_TAGS {
        file.seek(SeekFrom::Start(at))?;
        start.clear();
        file.by_ref().take(TEXT_BYTES as u64).read_to_end(&mut start)?;
        match SoundFile::of(&start[..start.len().min(LOOK_BYTES)]) {
            SoundFile::Tagged(bytes) => at = at.saturating_add(bytes),
            SoundFile::Read => return Ok(Found::Format),
            // A letter may begin with any word.
            SoundFile::NotRead(_) | SoundFile::Unknown if is_text(&start) => {
                return Ok(Found::Text);
            }
            SoundFile::NotRead(name) => return Ok(Found::Foreign(name)),
            SoundFile::Unknown => break,
        }
    }
    let mut bytes = Vec::new();
    for most in [FEW_FRAMES_BYTES, JUNK_BYTES] {
        file.seek(SeekFrom::Start(at))?;
        bytes.clear();
        file.by_ref().take(most).read_to_end(&mut bytes)?;
        let is_whole = (bytes.len() as u64) < most;
        if mpeg_frames::follow(&bytes, is_whole) {
            return Ok(Found::Mpeg);
        }
        if is_whole {
            break;
        }
    }
    Ok(Found::Nothing)
}

/// True of the first bytes of a file that begins as text does.
fn is_text(start: &[u8]) -> bool {
    let valid = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The last character may be cut.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !valid.is_empty()
        && valid.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}'))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const MP3: &[u8] = include_bytes!("../../tests/data/click.mp3");
    const FLAC: &[u8] = include_bytes!("../../tests/data/click.flac");
    const TAG: &[u8] = b"ID3\x04\0\0\0\0\0\x08\0\0\0\0\0\0\0\0";

    fn found(parts: &[&[u8]]) -> Found {
        look(&mut Cursor::new(parts.concat())).unwrap()
    }

    #[test]
    fn only_mpeg_is_looked_for_behind_padding_and_junk() {
        assert_eq!(found(&[MP3]), Found::Mpeg);
        assert_eq!(found(&[TAG, &vec![0; 50_000], MP3]), Found::Mpeg);
        assert_eq!(found(&[&[0x17; 300], MP3]), Found::Mpeg);
        assert_eq!(found(&[FLAC]), Found::Format);
        assert_eq!(found(&[TAG, TAG, FLAC]), Found::Format);
        assert_eq!(found(&[&[0x17; 300], FLAC]), Found::Nothing);
        assert_eq!(found(&[TAG, &[0; 300], FLAC]), Found::Nothing);
        assert_eq!(found(&[&[0; 300], b"RIFF\x24\0\0\0WAVEfmt "]), Found::Nothing);
    }

    #[test]
    fn a_name_is_told_behind_a_tag_too_and_a_letter_is_text() {
        assert_eq!(found(&[TAG, b"TTA1\x01\0"]), Found::Foreign("True Audio (TTA)"));
        assert_eq!(found(&[b"MAC addresses of the lamps\n"]), Found::Text);
        assert_eq!(found(&[b"MAC \x96\x0F\0\0"]), Found::Foreign("Monkey's Audio"));
        assert_eq!(found(&[b""]), Found::Nothing);
        assert_eq!(found(&[TAG]), Found::Nothing);
    }
}
