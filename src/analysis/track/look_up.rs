//! What is heard at a moment of a track: an index and an interpolation.

use super::super::chroma::Key;
use super::super::features::{Beat, Features, Onset, Song, below_one, onset_envelope};
use super::super::loudness::{Loudness, QUIETEST_LUFS};
use super::sections::SectionKind;
use super::{HOPS_PER_CHROMA, HOPS_PER_SPECTRUM, Hop, NO_KEY, Section, Track};
use crate::time::MediaTime;

/// The moment that hop 0 describes, seconds: the end of its 10 ms less the analyser's delay of 7 ms.
pub(super) const FIRST_HOP_S: f64 = 0.003;
/// Seconds between hops.
pub(super) const HOP_S: f64 = 0.01;
/// Beats go on at their tempo for so many seconds before the first and after the last.
const BEATS_GO_ON_S: f64 = 1.5;

/// For every second of the music the first event at or after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seconds(Vec<u32>);

impl Seconds {
    pub(super) fn of(times: impl Iterator<Item = MediaTime>) -> Self {
        let mut first = Vec::new();
        for (n, at) in times.enumerate() {
            let second = (at.as_secs_f64().floor().max(0.0) as usize).min(MOST_SECONDS);
            while first.len() <= second {
                first.push(n as u32);
            }
        }
        Self(first)
    }

    /// How many of the events, which are in order, are not later than `media`.
    fn passed(&self, count: usize, media: MediaTime, at: impl Fn(usize) -> MediaTime) -> usize {
        let second = media.as_secs_f64().floor().max(0.0);
        let Some(&first) = self.0.get((second as usize).min(MOST_SECONDS)) else { return count };
        let from = first as usize;
        (from..count).find(|&n| at(n) > media).unwrap_or(count)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.0.as_slice())
    }
}

/// A day: no index grows beyond it, whatever a stored track says.
const MOST_SECONDS: usize = 86_400;

impl Track {
    /// What is heard at `media`: silence before the beginning and after the end.
    ///
    /// Levels are interpolated between hops of 10 ms, spectra between 20 ms. Beat, bar and song are exact, and known
    /// from the first beat on. The waveform is not kept: it is flat.
    #[must_use]
    pub fn features_at(&self, media: MediaTime) -> Features {
        let mut features = Features::silence(media);
        let position = (media.as_secs_f64() - FIRST_HOP_S) / HOP_S;
        let ends = self.hops.len() as f64;
        if !position.is_finite() || position < -1.0 || position > ends || self.hops.is_empty() {
            return features;
        }
        self.levels_at(position.clamp(0.0, ends - 1.0), &mut features);
        features.onset = self.onset_at(media);
        features.beat = self.beat_at(media);
        features.song = self.song_at(media);
        features
    }

    /// Where the beat is at `media`; unknown where there is none.
    #[must_use]
    pub fn beat_at(&self, media: MediaTime) -> Beat {
        let beats = &self.beats;
        let passed = self.beats_by_second.passed(beats.len(), media, |n| beats[n].at);
        let beats_per_bar = self.beats_per_bar.max(1);
        let unknown = Beat { count: passed as u32, beats_per_bar, ..Beat::UNKNOWN };
        if beats.len() < 2 {
            return unknown;
        }
        // Before the first and after the last beat the nearest two tell the tempo.
        let before = passed.saturating_sub(1).min(beats.len() - 2);
        let period_s = beats[before + 1].at.secs_since(beats[before].at);
        let into = media.secs_since(beats[before].at);
        let beyond = if into < 0.0 { -into } else { into - period_s };
        if period_s <= 0.0 || beyond > BEATS_GO_ON_S {
            return unknown;
        }
        let metre = f32::from(beats_per_bar);
        let of_bar = f32::from(beats[before].of_bar.clamp(1, beats_per_bar) - 1);
        let along = into / period_s;
        let phase = below_one((along - along.floor()) as f32);
        let bar = ((of_bar + along.floor() as f32).rem_euclid(metre) + phase) / metre;
        Beat {
            bpm: (60.0 / period_s) as f32,
            confidence: beats[before].confidence,
            phase,
            bar_phase: below_one(bar),
            count: (before as f64 + 1.0 + along.floor()).max(0.0) as u32,
            beats_per_bar,
        }
    }

    /// Where in the song `media` is.
    #[must_use]
    pub fn song_at(&self, media: MediaTime) -> Song {
        let next = self.sections.partition_point(|section| section.from <= media);
        let until = |section: Option<&Section>| {
            section.map_or(f32::INFINITY, |s| s.from.secs_since(media) as f32)
        };
        let later = &self.sections[next..];
        let drop_in_s = until(later.iter().find(|section| section.kind == SectionKind::Drop));
        let next_in_s = until(later.first());
        let here = next.checked_sub(1).map(|n| self.sections[n]).filter(|s| media < s.to);
        let Some(here) = here else {
            return Song { next_in_s, drop_in_s, ..Song::default() };
        };
        let along = media.secs_since(here.from) / here.to.secs_since(here.from).max(1e-9);
        let phase = (along as f32).clamp(0.0, 1.0);
        let build = if here.kind == SectionKind::Build { phase } else { 0.0 };
        Song { section: here.kind, phase, next_in_s, drop_in_s, build }
    }

    fn levels_at(&self, position: f64, features: &mut Features) {
        let first = position as usize;
        let share = (position - first as f64) as f32;
        let (a, b) = (&self.hops[first], &self.hops[(first + 1).min(self.hops.len() - 1)]);
        let lerp = |pick: fn(&Hop) -> u8| {
            let (a, b) = (f32::from(pick(a)), f32::from(pick(b)));
            a + (b - a) * share
        };
        let unit = |pick: fn(&Hop) -> u8| lerp(pick) / 255.0;
        features.level = unit(|hop| hop.level);
        features.level_db = -120.0 + 0.5 * lerp(|hop| hop.level_db);
        features.bands.bass = unit(|hop| hop.bass);
        features.bands.mid = unit(|hop| hop.mid);
        features.bands.treble = unit(|hop| hop.treble);
        features.loudness = Loudness {
            momentary_lufs: QUIETEST_LUFS + 0.3 * lerp(|hop| hop.momentary),
            short_term_lufs: QUIETEST_LUFS + 0.3 * lerp(|hop| hop.short_term),
        };
        features.timbre.flux = unit(|hop| hop.flux);
        features.timbre.percussive = unit(|hop| hop.percussive);
        if a.centroid > 0 && b.centroid > 0 {
            features.timbre.centroid_hz = 29.9 * (lerp(|hop| hop.centroid) / 28.0).exp2();
        }
        features.silent = if share < 0.5 { a.silent } else { b.silent } != 0;
        self.notes_at(position / HOPS_PER_CHROMA as f64, features);
        let position = position / HOPS_PER_SPECTRUM as f64;
        let first = (position as usize).min(self.spectra.len().saturating_sub(1));
        let share = ((position - first as f64) as f32).clamp(0.0, 1.0);
        let Some(a) = self.spectra.get(first) else { return };
        let b = self.spectra.get(first + 1).unwrap_or(a);
        for ((y, &a), &b) in features.spectrum.iter_mut().zip(a).zip(b) {
            let (a, b) = (f32::from(a), f32::from(b));
            *y = (a + (b - a) * share) / 255.0;
        }
    }

    fn notes_at(&self, position: f64, features: &mut Features) {
        let first = position as usize;
        let share = (position - first as f64) as f32;
        let Some(a) = self.notes.get(first).or(self.notes.last()) else { return };
        let b = self.notes.get(first + 1).unwrap_or(a);
        for ((y, &a), &b) in features.chroma.iter_mut().zip(&a.chroma).zip(&b.chroma) {
            let (a, b) = (f32::from(a), f32::from(b));
            *y = (a + (b - a) * share) / 255.0;
        }
        if a.key != NO_KEY {
            let confidence = f32::from(a.key_confidence) / 255.0;
            features.key = Key { tonic: a.key % 12, minor: a.key >= 12, confidence };
        }
    }

    fn onset_at(&self, media: MediaTime) -> Onset {
        let onsets = &self.onsets;
        let passed = self.onsets_by_second.passed(onsets.len(), media, |n| onsets[n].at);
        let Some(last) = passed.checked_sub(1).and_then(|n| onsets.get(n)) else {
            return Onset::default();
        };
        let onset = Onset {
            strength: last.strength,
            count: passed as u32,
            last: last.at,
            ..Onset::default()
        };
        Onset { envelope: onset_envelope(&onset, media), ..onset }
    }
}
