//! What the music is like at one moment: the only thing that patterns know of sound.

use super::chroma::Key;
use super::loudness::Loudness;
use super::timbre::Timbre;
use super::track::SectionKind;
use crate::time::MediaTime;

/// Number of spectrum bands.
pub const SPECTRUM_BANDS: usize = 32;
/// Number of samples in the waveform window.
pub const WAVEFORM_SAMPLES: usize = 256;
/// Grows when the meaning of a field changes; presets store it.
pub const FEATURES_VERSION: u32 = 2;

/// The sound at one moment, as plain data of fixed size: copied, never allocated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// The moment these describe.
    pub at: MediaTime,
    /// Overall level after auto-gain, 0 (silent) to 1 (the loudest of the last seconds).
    pub level: f32,
    /// Root mean square of the last 50 ms, in dB full scale, −120 to about 0.
    pub level_db: f32,
    /// Loudness as the ear weighs it (EBU R 128), of the last 0.4 s and 3 s.
    pub loudness: Loudness,
    /// Low, middle and high band.
    pub bands: Bands,
    /// Log-spaced bands from 30 Hz to 16 kHz, each 0..=1 after auto-gain.
    pub spectrum: [f32; SPECTRUM_BANDS],
    /// Bright or dull, changing or steady, struck or held.
    pub timbre: Timbre,
    /// How strong each of the twelve pitch classes is, from C on: the strongest is 1, all are 0 in silence. Of the
    /// last 0.4 s, about 0.15 s late.
    pub chroma: [f32; 12],
    /// The key of the last 12 s.
    pub key: Key,
    /// The latest samples, mono, −1..=1, oldest first, level-normalised so that quiet music still draws.
    pub waveform: [f32; WAVEFORM_SAMPLES],
    /// Onsets: the attack of a note or drum.
    pub onset: Onset,
    /// Where the beat is.
    pub beat: Beat,
    /// Where in the song: known only for files that were listened to as a whole.
    pub song: Song,
    /// True after 0.3 s below −60 dB full scale, until −55 dB is passed.
    pub silent: bool,
}

/// Band energies with attack and release, 0..=1 each after a slow auto-gain common to all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bands {
    /// 20–150 Hz.
    pub bass: f32,
    /// 150–2 000 Hz.
    pub mid: f32,
    /// 2–16 kHz.
    pub treble: f32,
}

/// The last onset and how it fades.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Onset {
    /// 1 at an onset of full strength, falling exponentially (time constant 120 ms).
    pub envelope: f32,
    /// Strength of the last onset, 0..=1.
    pub strength: f32,
    /// Onsets since the analyser started (or the last seek).
    pub count: u32,
    /// The media time of the last onset; meaningless while `count` is 0.
    pub last: MediaTime,
    /// The strength that an attack needs now to be told, 0..=1: much goes on where it is high.
    pub threshold: f32,
}

/// Tempo and the position within beat and bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beat {
    /// Beats per minute, 0 while unknown.
    pub bpm: f32,
    /// 0 (no idea) to 1 (certain).
    pub confidence: f32,
    /// Position within the beat, 0 on the beat, rising to 1 at the next.
    pub phase: f32,
    /// Position within a bar, 0..1.
    pub bar_phase: f32,
    /// Beats since the analyser started (or the last seek).
    pub count: u32,
    /// Beats of a bar: 4 live; 3, 4, 5 or 7 where the whole file is known.
    pub beats_per_bar: u8,
}

impl Beat {
    /// No beat is known.
    pub const UNKNOWN: Self =
        Self { bpm: 0.0, confidence: 0.0, phase: 0.0, bar_phase: 0.0, count: 0, beats_per_bar: 4 };
}

impl Default for Beat {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// Where in the song a moment is. Live, and in a file without a beat, everything is unknown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Song {
    /// What the present part is for.
    pub section: SectionKind,
    /// Position within it, 0..=1.
    pub phase: f32,
    /// Seconds until the next part begins; infinite if there is none or none is known.
    pub next_in_s: f32,
    /// Seconds until the next drop; infinite if there is none or none is known.
    pub drop_in_s: f32,
    /// How far a build-up has come, 0..=1; 0 outside of one.
    pub build: f32,
}

impl Song {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        section: SectionKind::Unknown,
        phase: 0.0,
        next_in_s: f32::INFINITY,
        drop_in_s: f32::INFINITY,
        build: 0.0,
    };
}

impl Default for Song {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// Time constant with which the onset envelope falls, seconds.
pub const ONSET_DECAY_S: f32 = 0.120;

/// The onset envelope at `at`: 0 before the onset or without one, then `strength` falling exponentially.
#[must_use]
pub fn onset_envelope(onset: &Onset, at: MediaTime) -> f32 {
    let age = at.secs_since(onset.last) as f32;
    // Two frames of features may lie around the onset; half a hop early is on time.
    if onset.count == 0 || age < -0.005 {
        return 0.0;
    }
    let envelope = onset.strength * (-age.max(0.0) / ONSET_DECAY_S).exp();
    if envelope < 1e-6 { 0.0 } else { envelope }
}

impl Beat {
    /// The beat `seconds` later (or earlier, if negative) at the present tempo: for light that will be seen
    /// when the sound of that moment is heard.
    #[must_use]
    pub fn after(&self, seconds: f64) -> Self {
        if self.bpm <= 0.0 || !seconds.is_finite() {
            return *self;
        }
        let beats = f64::from(self.phase) + seconds * f64::from(self.bpm) / 60.0;
        let whole = beats.floor();
        let bars = seconds * f64::from(self.bpm) / (60.0 * f64::from(self.beats_per_bar.max(1)));
        let bar = (f64::from(self.bar_phase) + bars).rem_euclid(1.0);
        Self {
            phase: below_one((beats - whole) as f32),
            bar_phase: below_one(bar as f32),
            count: (i64::from(self.count) + whole as i64).clamp(0, i64::from(u32::MAX)) as u32,
            ..*self
        }
    }
}

/// Rounding may carry a phase to 1; a phase is below 1, and the count has not gone on yet.
pub(crate) fn below_one(phase: f32) -> f32 {
    phase.clamp(0.0, 1.0 - f32::EPSILON / 2.0)
}

impl Features {
    /// Where the beat is at `media`, predicted from these features.
    #[must_use]
    pub fn beat_at(&self, media: MediaTime) -> Beat {
        self.beat.after(media.secs_since(self.at))
    }

    /// Silence at `at`.
    #[must_use]
    pub const fn silence(at: MediaTime) -> Self {
        Self {
            at,
            level: 0.0,
            level_db: -120.0,
            loudness: Loudness::SILENCE,
            bands: Bands { bass: 0.0, mid: 0.0, treble: 0.0 },
            spectrum: [0.0; SPECTRUM_BANDS],
            timbre: Timbre { centroid_hz: 0.0, flux: 0.0, percussive: 0.0 },
            chroma: [0.0; 12],
            key: Key { tonic: 0, minor: false, confidence: 0.0 },
            waveform: [0.0; WAVEFORM_SAMPLES],
            onset: Onset {
                envelope: 0.0,
                strength: 0.0,
                count: 0,
                last: MediaTime::ZERO,
                threshold: 0.0,
            },
            beat: Beat::UNKNOWN,
            song: Song::UNKNOWN,
            silent: true,
        }
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::silence(MediaTime::ZERO)
    }
}
