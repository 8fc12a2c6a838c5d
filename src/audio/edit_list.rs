//! The part of an MP4 track that shall be heard: its edit list, or iTunes' own figures.
//!
//! AAC encoders put 1024 or 2112 samples of start-up before the music. The file says so in an `elst` box (or
//! an `iTunSMPB` tag); a decoder that ignores it plays everything 23 or 48 ms late.
//! Spec: ISO/IEC 14496-12, 8.6.6 (edit list), 8.4.2 (media header), 8.2.2 (movie header).

use std::io::{Read, Seek, SeekFrom};

/// The largest `moov` box that is read; ten hours of AAC need about 12 MB.
const MAX_MOOV_BYTES: u64 = 64 << 20;
/// Boxes looked at on the top level before giving up.
const MAX_TOP_BOXES: usize = 10_000;

/// What is heard of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Audible {
    /// Seconds at the start that are left out.
    pub(super) skip_seconds: f64,
    /// Seconds from there until the end, if limited.
    pub(super) seconds: Option<f64>,
}

/// Reads the edit list of track `track_id` of an MP4 file. `None` if there is none, or it leaves out nothing,
/// or the file is something else.
pub(super) fn read_edit_list(file: &mut (impl Read + Seek), track_id: u32) -> Option<Audible> {
    audible_part(&read_moov(file)?, track_id)
}

/// Reads `iTunSMPB`: fields in hexadecimal, of which the second is the delay, the third the padding and the
/// fourth the length, in samples.
pub(super) fn parse_itun_smpb(text: &str, sample_rate: u32) -> Option<Audible> {
    let mut fields = text.split_ascii_whitespace().skip(1);
    let mut field = || u64::from_str_radix(fields.next()?, 16).ok();
    let (delay, _padding, frames) = (field()?, field()?, field()?);
    // Ten seconds of encoder delay or an empty track are no honest figures.
    let rate = f64::from(sample_rate.max(1));
    let honest = delay as f64 <= 10.0 * rate && frames > 0;
    honest
        .then(|| Audible { skip_seconds: delay as f64 / rate, seconds: Some(frames as f64 / rate) })
}

fn read_moov(file: &mut (impl Read + Seek)) -> Option<Vec<u8>> {
    let end = file.seek(SeekFrom::End(0)).ok()?;
    let mut at = 0_u64;
    for _ in 0..MAX_TOP_BOXES {
        file.seek(SeekFrom::Start(at)).ok()?;
        let mut header = [0; 16];
        file.read_exact(&mut header[..8]).ok()?;
        let name: [u8; 4] = header[4..8].try_into().ok()?;
        let (head, size) = match be_u32(&header, 0)? {
            0 => (8, end - at),
            1 => {
                file.read_exact(&mut header[8..]).ok()?;
                (16, u64::from_be_bytes(header[8..].try_into().ok()?))
            }
            size => (8, u64::from(size)),
        };
        if at == 0 && !matches!(&name, b"ftyp" | b"moov" | b"free" | b"skip" | b"wide" | b"mdat") {
            return None;
        }
        let body = size.checked_sub(head)?;
        if &name == b"moov" {
            let mut moov = Vec::new();
            file.take(body.min(MAX_MOOV_BYTES)).read_to_end(&mut moov).ok()?;
            return Some(moov);
        }
        at = at.checked_add(size)?;
        if at >= end {
            return None;
        }
    }
    None
}

fn audible_part(moov: &[u8], track_id: u32) -> Option<Audible> {
    let movie_rate = timescale(find(moov, *b"mvhd")?)?;
    let track = boxes(moov)
        .filter(|(name, _)| name == b"trak")
        .find(|(_, trak)| find(trak, *b"tkhd").and_then(track_number) == Some(track_id))?
        .1;
    let media_rate = timescale(find(find(track, *b"mdia")?, *b"mdhd")?)?;
    let edits = find(find(track, *b"edts")?, *b"elst")?;
    let (duration, media_time) = first_edit(edits)?;
    let skip_seconds = media_time as f64 / f64::from(media_rate);
    let seconds = duration as f64 / f64::from(movie_rate);
    // A movie's clock often ticks in milliseconds: the last sample is in the tick after.
    let tick = if movie_rate == media_rate { 0.0 } else { 1.0 / f64::from(movie_rate) };
    let seconds = (duration > 0).then_some(seconds + tick);
    (media_time > 0).then_some(Audible { skip_seconds, seconds })
}

/// Duration (movie clock) and media time (track clock) of the first edit that plays something.
fn first_edit(elst: &[u8]) -> Option<(u64, u64)> {
    let long = *elst.first()? == 1;
    let entry_bytes = if long { 20 } else { 12 };
    let count = be_u32(elst, 4)? as usize;
    elst.get(8..)?.chunks_exact(entry_bytes).take(count).find_map(|entry| {
        if long {
            Some((be_u64(entry, 0)?, u64::try_from(be_u64(entry, 8)? as i64).ok()?))
        } else {
            Some((u64::from(be_u32(entry, 0)?), u64::try_from(be_u32(entry, 4)? as i32).ok()?))
        }
    })
}

/// From `mvhd` or `mdhd`.
fn timescale(body: &[u8]) -> Option<u32> {
    let at = if *body.first()? == 1 { 20 } else { 12 };
    be_u32(body, at).filter(|&ticks| ticks > 0)
}

/// From `tkhd`.
fn track_number(body: &[u8]) -> Option<u32> {
    be_u32(body, if *body.first()? == 1 { 20 } else { 12 })
}

fn find(parent: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    boxes(parent).find(|(this, _)| *this == name).map(|(_, body)| body)
}

/// The boxes inside a box; ends at the first whose length lies.
fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let size = be_u32(bytes, 0)? as usize;
        let name = bytes.get(4..8)?.try_into().ok()?;
        let body = bytes.get(8..size)?;
        bytes = &bytes[size..];
        Some((name, body))
    })
}

fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be_u64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const AAC: &[u8] = include_bytes!("../../tests/data/click.m4a");

    #[test]
    fn an_aac_file_leaves_out_the_encoder_s_start_up() {
        let part = read_edit_list(&mut Cursor::new(AAC), 1).unwrap();
        assert_eq!((part.skip_seconds * 44_100.0).round(), 1024.0);
        assert!((part.seconds.unwrap() - 1.001).abs() < 1e-9, "{part:?}");
        assert_eq!(read_edit_list(&mut Cursor::new(AAC), 2), None);
    }

    #[test]
    fn itunes_figures_are_samples() {
        let text = " 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000";
        let part = parse_itun_smpb(text, 44_100).unwrap();
        assert_eq!((part.skip_seconds * 44_100.0).round(), 2112.0);
        assert_eq!((part.seconds.unwrap() * 44_100.0).round(), f64::from(0x3F_31F6));
        for wrong in ["", " 0 x", " 0 840 1CA", " 0 FFFFFFFF 0 10", " 0 840 1CA 0"] {
            assert_eq!(parse_itun_smpb(wrong, 44_100), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            at in proptest::collection::vec((0..AAC.len(), any::<u8>()), 1..40),
            cut in 0..AAC.len(),
        ) {
            let mut bytes = AAC.to_vec();
            for (index, value) in at {
                // The boxes of this file lie in its first kilobyte.
                bytes[index % 1024] = value;
            }
            bytes.truncate(cut);
            if let Some(part) = read_edit_list(&mut Cursor::new(&bytes), 1) {
                prop_assert!(part.skip_seconds > 0.0);
            }
        }
    }
}
