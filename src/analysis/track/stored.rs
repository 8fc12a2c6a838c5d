//! A track as bytes, for the cache: little endian, every length checked against what is there.

use thiserror::Error;

use super::super::features::FEATURES_VERSION;
use super::look_up::Seconds;
use super::{Hop, Notes, Section, SectionKind, Track, TrackBeat, TrackOnset};
use crate::time::MediaTime;

/// Grows when the analysis of files gives other results: stored tracks of another version are made anew.
pub const TRACK_VERSION: u32 = 2;

const MAGIC: [u8; 8] = *b"galvotrk";

/// Why bytes are no track. The cure is the same for each: analyse the file again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StoredTrackError {
    /// Something else, or cut off.
    #[error("these bytes are no stored track: the file must be analysed again")]
    NoTrack,
    /// Stored by an analyser that heard differently.
    #[error(
        "this track was stored by another version of the analysis: the file must be analysed again"
    )]
    OtherVersion,
    /// Numbers that contradict each other.
    #[error("this stored track is damaged: the file must be analysed again")]
    Damaged,
}

impl Track {
    /// The track as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes() + 256);
        out.extend(MAGIC);
        out.extend(FEATURES_VERSION.to_le_bytes());
        out.extend(TRACK_VERSION.to_le_bytes());
        out.extend(self.duration.as_nanos().to_le_bytes());
        out.extend(self.bpm.to_le_bytes());
        out.extend(self.integrated_lufs.to_le_bytes());
        out.extend([u8::from(self.constant_tempo), self.beats_per_bar]);
        let lengths = [
            self.hops.len(),
            self.spectra.len(),
            self.notes.len(),
            self.beats.len(),
            self.onsets.len(),
            self.sections.len(),
        ];
        for len in lengths {
            out.extend((len as u32).to_le_bytes());
        }
        out.extend(bytemuck::cast_slice::<Hop, u8>(&self.hops));
        out.extend(self.spectra.as_flattened());
        out.extend(bytemuck::cast_slice::<Notes, u8>(&self.notes));
        for beat in &self.beats {
            out.extend(beat.at.as_nanos().to_le_bytes());
            out.extend(beat.confidence.to_le_bytes());
            out.push(beat.of_bar);
        }
        for onset in &self.onsets {
            out.extend(onset.at.as_nanos().to_le_bytes());
            out.extend(onset.strength.to_le_bytes());
        }
        for section in &self.sections {
            out.extend(section.from.as_nanos().to_le_bytes());
            out.extend(section.to.as_nanos().to_le_bytes());
            let kind = SectionKind::ALL.iter().position(|kind| *kind == section.kind);
            out.push(kind.unwrap_or(0) as u8);
        }
        let sum = checksum(&out);
        out.extend(sum.to_le_bytes());
        out
    }

    /// The track in `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredTrackError> {
        let mut reader = Reader(bytes.strip_prefix(&MAGIC).ok_or(StoredTrackError::NoTrack)?);
        if [reader.u32()?, reader.u32()?] != [FEATURES_VERSION, TRACK_VERSION] {
            return Err(StoredTrackError::OtherVersion);
        }
        let (told, sum) = bytes.split_last_chunk::<8>().ok_or(StoredTrackError::NoTrack)?;
        if checksum(told) != u64::from_le_bytes(*sum) {
            return Err(StoredTrackError::Damaged);
        }
        let duration = reader.time()?;
        let (bpm, integrated_lufs) = (reader.finite()?, reader.finite()?);
        let [constant_tempo, beats_per_bar] = reader.take::<2>()?;
        let mut lengths = [0; 6];
        for len in &mut lengths {
            *len = reader.u32()? as usize;
        }
        let [hops, spectra, notes, beats, onsets, sections] = lengths;
        let hops = reader.many(hops, |r| Ok(bytemuck::cast(r.take::<11>()?)))?;
        let spectra = reader.many(spectra, Reader::take)?;
        let notes = reader.many(notes, |r| Ok(bytemuck::cast(r.take::<14>()?)))?;
        let beats = reader.many(beats, |r| {
            let (at, confidence) = (r.time()?, r.finite()?);
            let [of_bar] = r.take::<1>()?;
            Ok(TrackBeat { at, of_bar, confidence })
        })?;
        let onsets =
            reader.many(onsets, |r| Ok(TrackOnset { at: r.time()?, strength: r.finite()? }))?;
        let sections = reader.many(sections, |r| {
            let (from, to) = (r.time()?, r.time()?);
            let [kind] = r.take::<1>()?;
            let kind = SectionKind::ALL.get(usize::from(kind)).ok_or(StoredTrackError::Damaged)?;
            Ok(Section { from, to, kind: *kind })
        })?;
        let sound = (3..=7).contains(&beats_per_bar)
            && beats.iter().all(|beat| (1..=beats_per_bar).contains(&beat.of_bar))
            && beats.windows(2).all(|w| w[0].at < w[1].at)
            && onsets.windows(2).all(|w| w[0].at <= w[1].at)
            && sections.windows(2).all(|w| w[0].to <= w[1].from);
        if !sound {
            return Err(StoredTrackError::Damaged);
        }
        Ok(Self {
            duration,
            bpm,
            constant_tempo: constant_tempo != 0,
            beats_per_bar,
            integrated_lufs,
            beats_by_second: Seconds::of(beats.iter().map(|beat| beat.at)),
            onsets_by_second: Seconds::of(onsets.iter().map(|onset| onset.at)),
            hops,
            spectra,
            notes,
            beats,
            onsets,
            sections,
        })
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): against half-written files, not against people.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoredTrackError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(StoredTrackError::NoTrack)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u32(&mut self) -> Result<u32, StoredTrackError> {
        self.take().map(u32::from_le_bytes)
    }

    fn time(&mut self) -> Result<MediaTime, StoredTrackError> {
        self.take().map(|bytes| MediaTime::from_nanos(i64::from_le_bytes(bytes)))
    }

    fn finite(&mut self) -> Result<f32, StoredTrackError> {
        let value = self.take().map(f32::from_le_bytes)?;
        if value.is_finite() { Ok(value) } else { Err(StoredTrackError::Damaged) }
    }

    /// Every entry takes at least a byte, so no length makes more memory be taken than there is data.
    fn many<T>(
        &mut self,
        count: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, StoredTrackError>,
    ) -> Result<Vec<T>, StoredTrackError> {
        let mut entries = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            entries.push(read(self)?);
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::super::TrackAnalyser;
    use super::*;

    fn track() -> Track {
        let mut analyser = TrackAnalyser::new(44_100);
        let sound: Vec<f32> = (0..44_100 * 15)
            .flat_map(|n| {
                let t = (n % 22_050) as f32 / 44_100.0;
                [0.8 * (std::f32::consts::TAU * 60.0 * t).cos() * (-t / 0.05).exp(); 2]
            })
            .collect();
        analyser.push(&sound);
        analyser.finish()
    }

    #[test]
    fn a_track_comes_back_as_it_was_stored() {
        let track = track();
        assert!(
            track.beats().len() > 20 && track.onsets().len() > 20 && !track.sections().is_empty()
        );
        assert_eq!(Track::from_bytes(&track.to_bytes()), Ok(track));
    }

    #[test]
    fn a_byte_too_few_or_another_is_noticed_and_never_a_panic() {
        let bytes = track().to_bytes();
        for cut in (0..bytes.len()).step_by(97) {
            assert!(Track::from_bytes(&bytes[..cut]).is_err());
        }
        for at in (0..bytes.len()).step_by(61) {
            let mut wrong = bytes.clone();
            wrong[at] ^= 0x10;
            assert!(Track::from_bytes(&wrong).is_err(), "byte {at}");
        }
        let mut old = bytes;
        old[12] = 0xFF;
        assert_eq!(Track::from_bytes(&old), Err(StoredTrackError::OtherVersion));
    }
}
