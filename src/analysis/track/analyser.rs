//! From the samples of a whole file to its track.

use super::super::analyser::Analyser;
use super::super::beat::ACTIVATION_DELAY_S;
use super::super::features::{Features, SPECTRUM_BANDS};
use super::super::loudness::{Integrated, QUIETEST_LUFS};
use super::super::odf::{BeatActivation, ODF_BANDS};
use super::bars::{self, BeatSound};
use super::beats::{self, FoundBeat};
use super::look_up::{HOP_S, Seconds};
use super::sections::{self, BeatColour, SOUND_BANDS};
use super::{
    HOPS_PER_CHROMA, HOPS_PER_SPECTRUM, Hop, NO_KEY, Notes, Section, Track, TrackBeat, TrackOnset,
};
use crate::time::MediaTime;

/// Longest music that is listened to as a whole, seconds: 3 h take about 150 MB while at work.
pub(super) const LONGEST_S: usize = 3 * 3600;
/// Hops between two readings of the momentary loudness for that of the whole: 100 ms, as EBU Tech 3341 has it.
const HOPS_PER_READING: usize = 10;
/// Hops of the momentary window.
const FULL_WINDOW_HOPS: usize = 40;
/// What the ranges of a beat's sound go from and to, hertz.
const LOWEST_HZ: f32 = 30.0;
const HIGHEST_HZ: f32 = 16_000.0;
/// Part of a beat in which the stroke sounds, and from which on what was struck is listened to.
const STROKE: f64 = 0.25;
/// Frames around a beat in which the bass may strike.
const STRIKE_FRAMES: usize = 3;

/// Listens to a file from beginning to end. Memory grows with the music, to a bound; work is that of the live
/// analyser and a little.
#[derive(Debug)]
pub struct TrackAnalyser {
    analyser: Analyser,
    sample_rate: u32,
    frames: i64,
    heard: Heard,
}

/// What is kept of every hop.
#[derive(Debug, Default)]
struct Heard {
    hops: Vec<Hop>,
    spectra: Vec<[u8; SPECTRUM_BANDS]>,
    notes: Vec<Notes>,
    flux: Vec<[f32; ODF_BANDS]>,
    ranges: Vec<usize>,
    colours: Vec<[f32; SOUND_BANDS]>,
    /// The compressed spectrum in steps of 1/64, hop after hop: fine enough to tell a chord from the next.
    fine: Vec<u8>,
    momentary: Vec<f32>,
    onsets: Vec<TrackOnset>,
}

impl TrackAnalyser {
    /// For stereo sound at `sample_rate` frames per second, which must be from 8 to 384 kHz; other rates are
    /// bounded to it.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        let analyser = Analyser::new(sample_rate);
        let sample_rate = analyser.sample_rate();
        Self { analyser, sample_rate, frames: 0, heard: Heard::default() }
    }

    /// Takes the next interleaved left-right samples. What is beyond three hours is not heard any more.
    pub fn push(&mut self, stereo: &[f32]) {
        let left = (LONGEST_S as i64 * i64::from(self.sample_rate) - self.frames).max(0);
        let taken = (left as usize).min(stereo.len() / 2);
        let media = MediaTime::from_frames(self.frames, self.sample_rate);
        let heard = &mut self.heard;
        self.analyser.push_observed(media, &stereo[..2 * taken], &mut |features, beat| {
            heard.take(features, beat);
        });
        self.frames += taken as i64;
    }

    /// Seconds heard so far.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.frames as f64 / f64::from(self.sample_rate)
    }

    /// The end of the music: decides on beats, bars and parts.
    #[must_use]
    pub fn finish(self) -> Track {
        let Heard { ranges: _, hops, spectra, notes, flux, colours, fine, momentary, onsets } =
            self.heard;
        let found = beats::find(&beats::activation(&flux));
        let sounds = beat_sounds(&found.beats, &flux, &fine);
        let bars = bars::find(&sounds);
        let beat_colours = beat_colours(&found.beats, &colours, &hops);
        let duration = MediaTime::from_frames(self.frames, self.sample_rate);
        let beats: Vec<TrackBeat> = found
            .beats
            .iter()
            .zip(&bars.positions)
            .map(|(beat, position)| TrackBeat {
                at: media_of(beat.frame),
                of_bar: position + 1,
                confidence: beat.confidence,
            })
            .collect();
        let at = |beat: usize| beats.get(beat).map_or(duration, |beat| beat.at);
        let sections = sections::find(&beat_colours, &bars.positions)
            .into_iter()
            .map(|part| Section { from: at(part.first), to: at(part.end), kind: part.kind })
            .collect();
        let mut whole = Integrated::new();
        for &lufs in &momentary {
            whole.take(lufs);
        }
        Track {
            duration,
            bpm: found.grid_bpm.map_or_else(|| median_bpm(&found.beats), |bpm| bpm as f32),
            constant_tempo: found.grid_bpm.is_some(),
            beats_per_bar: bars.beats_per_bar,
            integrated_lufs: whole.lufs(),
            beats_by_second: Seconds::of(beats.iter().map(|beat| beat.at)),
            onsets_by_second: Seconds::of(onsets.iter().map(|onset| onset.at)),
            hops,
            spectra,
            notes,
            beats,
            onsets,
            sections,
        }
    }
}

impl Heard {
    fn take(&mut self, features: &Features, beat: &BeatActivation) {
        let unit = |x: f32| (255.0 * x).round() as u8;
        let lufs = |x: f32| ((x - QUIETEST_LUFS) / 0.3).round() as u8;
        if self.hops.len().is_multiple_of(HOPS_PER_SPECTRUM) {
            self.spectra.push(features.spectrum.map(unit));
        }
        if self.hops.len().is_multiple_of(HOPS_PER_CHROMA) {
            let key = &features.key;
            let known = key.confidence > 0.0;
            self.notes.push(Notes {
                chroma: features.chroma.map(unit),
                key: if known { key.tonic + 12 * u8::from(key.minor) } else { NO_KEY },
                key_confidence: unit(key.confidence),
            });
        }
        self.hops.push(Hop {
            level: unit(features.level),
            level_db: ((features.level_db + 120.0) / 0.5).round() as u8,
            bass: unit(features.bands.bass),
            mid: unit(features.bands.mid),
            treble: unit(features.bands.treble),
            momentary: lufs(features.loudness.momentary_lufs),
            short_term: lufs(features.loudness.short_term_lufs),
            centroid: centroid_steps(features.timbre.centroid_hz),
            flux: unit(features.timbre.flux),
            percussive: unit(features.timbre.percussive),
            silent: u8::from(features.silent),
        });
        self.flux.push(beat.flux());
        if self.ranges.is_empty() {
            self.ranges = ranges(beat.centres_hz());
        }
        self.colours.push(pooled(beat.bands(), &self.ranges));
        self.fine.extend(beat.bands().iter().map(|band| (64.0 * band).round() as u8));
        if self.hops.len().is_multiple_of(HOPS_PER_READING) && self.hops.len() >= FULL_WINDOW_HOPS {
            self.momentary.push(features.loudness.momentary_lufs);
        }
        let onset = &features.onset;
        if onset.count as usize > self.onsets.len() {
            self.onsets.push(TrackOnset { at: onset.last, strength: onset.strength });
        } else if let Some(last) = self.onsets.last_mut() {
            // The analyser may find the onset just told to be stronger.
            last.strength = onset.strength;
        }
    }
}

/// A frequency in 1/28 octave from 29.9 Hz, 0 where there is none.
fn centroid_steps(hertz: f32) -> u8 {
    if hertz > 0.0 { (28.0 * (hertz / 29.9).log2()).round().clamp(1.0, 255.0) as u8 } else { 0 }
}

/// For every filter the range of [`BeatColour`] that it belongs to: twelve of equal width in octaves.
fn ranges(centres_hz: impl Iterator<Item = f32>) -> Vec<usize> {
    let octaves = (HIGHEST_HZ / LOWEST_HZ).log2();
    let range = |hz: f32| ((hz / LOWEST_HZ).log2() / octaves * SOUND_BANDS as f32) as usize;
    centres_hz.map(|hz| range(hz).min(SOUND_BANDS - 1)).collect()
}

/// The mean of the compressed spectrum in each range; 0 where a range holds no filter.
fn pooled(bands: &[f32], ranges: &[usize]) -> [f32; SOUND_BANDS] {
    let (mut sums, mut counts) = ([0.0_f32; SOUND_BANDS], [0.0_f32; SOUND_BANDS]);
    for (band, &range) in bands.iter().zip(ranges) {
        sums[range] += band;
        counts[range] += 1.0;
    }
    std::array::from_fn(|range| sums[range] / counts[range].max(1.0))
}

/// The moment at which what the activation shows at `frame` is heard.
fn media_of(frame: f64) -> MediaTime {
    MediaTime::from_secs_f64(((frame + 1.0) * HOP_S - ACTIVATION_DELAY_S).max(0.0))
}

fn median_bpm(beats: &[FoundBeat]) -> f32 {
    let mut periods: Vec<f64> = beats.windows(2).map(|w| w[1].frame - w[0].frame).collect();
    periods.sort_by(f64::total_cmp);
    periods.get(periods.len() / 2).map_or(0.0, |period| (60.0 / (period * HOP_S)) as f32)
}

/// The frames from one beat to the next; as many as the last one's for the last.
fn span(beats: &[FoundBeat], n: usize, frames: usize) -> (usize, usize) {
    let from = beats[n].frame.max(0.0);
    let period = match (beats.get(n + 1), n.checked_sub(1)) {
        (Some(next), _) => next.frame - from,
        (None, Some(before)) => from - beats[before].frame,
        (None, None) => 0.0,
    };
    let bound = |frame: f64| (frame.max(0.0) as usize).min(frames);
    (bound(from), bound(from + period))
}

fn mean_colour(colours: &[[f32; SOUND_BANDS]]) -> [f32; SOUND_BANDS] {
    let mut mean = [0.0; SOUND_BANDS];
    for colour in colours {
        for (sum, x) in mean.iter_mut().zip(colour) {
            *sum += x / colours.len() as f32;
        }
    }
    mean
}

fn beat_colours(
    beats: &[FoundBeat],
    colours: &[[f32; SOUND_BANDS]],
    hops: &[Hop],
) -> Vec<BeatColour> {
    let power = |hop: &Hop| 10.0_f32.powf((0.5 * f32::from(hop.level_db) - 120.0) / 10.0);
    (0..beats.len())
        .map(|n| {
            let (from, to) = span(beats, n, hops.len().min(colours.len()));
            let sum: f32 = hops[from..to].iter().map(power).sum();
            BeatColour {
                bands: mean_colour(&colours[from..to]),
                power: sum / (to - from).max(1) as f32,
            }
        })
        .collect()
}

fn beat_sounds(beats: &[FoundBeat], flux: &[[f32; ODF_BANDS]], fine: &[u8]) -> Vec<BeatSound> {
    let bands = fine.len() / flux.len().max(1);
    let mut before: Option<Vec<f32>> = None;
    (0..beats.len())
        .map(|n| {
            let (from, to) = span(beats, n, flux.len());
            let struck =
                &flux[from.saturating_sub(STRIKE_FRAMES)..(from + STRIKE_FRAMES).min(flux.len())];
            let low = struck.iter().fold(0.0_f32, |m, frame| m.max(frame[0]));
            let after = from + ((to - from) as f64 * STROKE) as usize;
            let mut ringing = vec![0.0_f32; bands];
            for hop in fine[after * bands..to * bands].chunks_exact(bands.max(1)) {
                ringing.iter_mut().zip(hop).for_each(|(sum, x)| *sum += f32::from(*x));
            }
            let hops = (to - after).max(1) as f32;
            for sum in &mut ringing {
                *sum /= hops;
            }
            let change = before
                .as_ref()
                .map_or(0.0, |before| ringing.iter().zip(before).map(|(a, b)| (a - b).abs()).sum());
            before = Some(ringing);
            BeatSound { low, change }
        })
        .collect()
}
