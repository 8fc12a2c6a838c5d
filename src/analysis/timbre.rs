//! What kind of sound it is: bright or dull, changing or steady, struck or held.

use super::gain::Envelope;

/// Frames over which a band's own level is taken: ±4 frames in an offline method, here the last nine (90 ms).
const FRAMES: usize = 9;
/// Filters to each side over which the level around a band is taken.
const AROUND: usize = 8;
/// Filters in a window of [`AROUND`].
const WINDOW: usize = 2 * AROUND + 1;
/// The rise of a full stroke, as mean over the filters.
const FULL_FLUX: f32 = 0.12;
/// Sound weaker than this has no colour (mean magnitude; a full-scale sine in one of 140 filters gives 0.004).
const WEAKEST: f32 = 1e-6;
/// Attack and release of each value, seconds.
const ATTACK_S: f32 = 0.01;
const RELEASE_S: f32 = 0.12;

/// The colour of the sound at one moment. All are of the newest 46 ms, with an attack of 10 ms and a release of 120 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timbre {
    /// Centre of gravity of the spectrum on a logarithmic axis, hertz, 30 to 16 000; 0 in silence.
    pub centroid_hz: f32,
    /// How much the spectrum rises from one moment to the next, 0 (steady) to 1 (a full stroke).
    pub flux: f32,
    /// Share of the sound that is struck rather than held, 0 (a chord) to 1 (a drum).
    pub percussive: f32,
}

/// Follows the timbre from the compressed spectrum of every hop.
///
/// The balance of struck and held is that of D. Fitzgerald, "Harmonic/percussive separation using median filtering"
/// (DAFx 2010), made causal: a held tone is the median of a band over the last nine frames, a stroke the median
/// over the bands around it.
#[derive(Debug)]
pub(crate) struct TimbreMeter {
    octaves: Vec<f32>,
    past: Vec<[f32; FRAMES]>,
    next: usize,
    octave: f32,
    flux: Envelope,
    percussive: f32,
    rate: f32,
}

impl TimbreMeter {
    /// For filters centred at these frequencies, every `dt` seconds.
    pub(crate) fn new(centres_hz: impl Iterator<Item = f32>, dt: f32) -> Self {
        let octaves: Vec<f32> = centres_hz.map(|hz| hz.max(1.0).log2()).collect();
        Self {
            past: vec![[0.0; FRAMES]; octaves.len()],
            octaves,
            next: 0,
            octave: 0.0,
            flux: Envelope::new(ATTACK_S, RELEASE_S, dt),
            percussive: 0.0,
            rate: 1.0 - (-dt / RELEASE_S).exp(),
        }
    }

    /// One frame of compressed magnitudes and their mean rise.
    pub(crate) fn step(&mut self, bands: &[f32], rise: f32) -> Timbre {
        let (mut mass, mut moment, mut struck, mut held) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        let mut around = SortedWindow::new();
        let count = bands.len();
        bands.iter().take(AROUND).for_each(|&band| around.insert(band));
        for (n, (&band, past)) in bands.iter().zip(&mut self.past).enumerate() {
            if let Some(&entering) = bands.get(n + AROUND) {
                around.insert(entering);
            }
            if n > AROUND {
                around.remove(bands[n - AROUND - 1]);
            }
            past[self.next] = band;
            mass += band;
            moment += band * self.octaves[n];
            let (tone, stroke) = (median(past), around.median());
            let share = (tone * tone) / (tone * tone + stroke * stroke).max(1e-12);
            held += band * share;
            struck += band * (1.0 - share);
        }
        self.next = (self.next + 1) % FRAMES;
        let flux = self.flux.step((rise / FULL_FLUX).min(1.0));
        if mass / count.max(1) as f32 <= WEAKEST {
            self.octave = 0.0;
            self.percussive = 0.0;
            return Timbre { centroid_hz: 0.0, flux, percussive: 0.0 };
        }
        let octave = moment / mass;
        let fresh = self.octave == 0.0;
        self.octave =
            if fresh { octave } else { self.octave + 2.0 * self.rate * (octave - self.octave) };
        self.percussive += self.rate * (struck / (struck + held).max(1e-9) - self.percussive);
        Timbre {
            centroid_hz: self.octave.exp2(),
            flux,
            percussive: self.percussive.clamp(0.0, 1.0),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.past.fill([0.0; FRAMES]);
        self.next = 0;
        self.octave = 0.0;
        self.flux.clear();
        self.percussive = 0.0;
    }
}

fn median(values: &[f32; FRAMES]) -> f32 {
    let mut sorted = *values;
    sorted.sort_unstable_by(f32::total_cmp);
    sorted[FRAMES / 2]
}

/// The values of a window in order; one more than it ever holds fits.
struct SortedWindow {
    values: [f32; WINDOW + 1],
    len: usize,
}

impl SortedWindow {
    const fn new() -> Self {
        Self { values: [0.0; WINDOW + 1], len: 0 }
    }

    fn insert(&mut self, value: f32) {
        if self.len == self.values.len() {
            return;
        }
        let mut at = self.len;
        while at > 0 && self.values[at - 1] > value {
            self.values[at] = self.values[at - 1];
            at -= 1;
        }
        self.values[at] = value;
        self.len += 1;
    }

    fn remove(&mut self, value: f32) {
        let Some(at) = self.values[..self.len].iter().position(|&v| v >= value) else { return };
        self.values.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }

    fn median(&self) -> f32 {
        self.values[self.len / 2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> TimbreMeter {
        TimbreMeter::new((0..139).map(|n| 30.0 * (n as f32 / 15.2).exp2()), 0.01)
    }

    #[test]
    fn a_chord_is_held_and_a_burst_of_noise_is_struck() {
        let mut chord = vec![0.0; 139];
        for note in [40, 55, 63] {
            chord[note] = 1.5;
        }
        let mut held = meter();
        let mut last = Timbre::default();
        for _ in 0..100 {
            last = held.step(&chord, 0.0);
        }
        assert!(last.percussive < 0.05 && last.flux == 0.0, "{last:?}");
        let mut drums = meter();
        let mut most = 0.0_f32;
        for n in 0..100 {
            let burst = vec![if n % 25 < 3 { 1.0 } else { 0.0 }; 139];
            most = most.max(drums.step(&burst, if n % 25 == 0 { 0.2 } else { 0.0 }).percussive);
        }
        assert!(most > 0.2, "{most}");
    }

    #[test]
    fn the_centroid_is_where_the_sound_is() {
        for (band, hz) in [(20_usize, 74.7), (76, 960.0), (120, 7_140.0)] {
            let mut one = vec![0.0; 139];
            one[band] = 1.0;
            let mut meter = meter();
            let timbre = (0..50).map(|_| meter.step(&one, 0.0)).last().unwrap();
            assert!((timbre.centroid_hz / hz).log2().abs() < 0.05, "{timbre:?} for {hz}");
        }
        assert_eq!(meter().step(&[0.0; 139], 0.0), Timbre::default());
    }
}
