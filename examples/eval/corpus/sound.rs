//! The canvas that pieces are painted on, and its noise.

/// Frames per second.
pub(crate) const RATE: u32 = 44_100;

/// SplitMix64: the same numbers for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D)
    }

    /// 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// −1..1.
    pub(crate) fn noise(&mut self) -> f32 {
        (2.0 * self.unit() - 1.0) as f32
    }

    /// About normal, deviation 1.
    pub(crate) fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// 0..n.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }
}

/// Stereo sound under construction, with the attacks painted so far.
#[derive(Debug)]
pub(crate) struct Canvas {
    stereo: Vec<f32>,
    onsets: Vec<f64>,
}

impl Canvas {
    pub(crate) fn new(seconds: f64) -> Self {
        Self { stereo: vec![0.0; 2 * (seconds * f64::from(RATE)) as usize], onsets: Vec::new() }
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.stereo.len() as f64 / 2.0 / f64::from(RATE)
    }

    /// Adds a voice that begins at `start` and lasts `length` seconds; `voice` gives it sample by sample, told
    /// the time since its beginning. `pan` is −1 (left) to 1 (right).
    pub(crate) fn paint(
        &mut self,
        start: f64,
        length: f64,
        pan: f32,
        mut voice: impl FnMut(f32) -> f32,
    ) {
        let first = (start * f64::from(RATE)).round().max(0.0) as usize;
        let frames = (length * f64::from(RATE)) as usize;
        let (left, right) = ((1.0 - pan).min(1.0), (1.0 + pan).min(1.0));
        for (n, frame) in self.stereo.chunks_exact_mut(2).skip(first).take(frames).enumerate() {
            let y = voice(n as f32 / RATE as f32);
            frame[0] += left * y;
            frame[1] += right * y;
        }
    }

    /// Remembers an attack.
    pub(crate) fn attack(&mut self, at: f64) {
        if at >= 0.0 && at < self.seconds() {
            self.onsets.push(at);
        }
    }

    /// A simple room: a few fading echoes, low-passed.
    pub(crate) fn reverberate(&mut self, amount: f32) {
        for (delay_s, gain) in
            [(0.0297, 0.5), (0.0371, 0.45), (0.0411, 0.4), (0.0637, 0.35), (0.0797, 0.3)]
        {
            let delay = 2 * (delay_s * f64::from(RATE)) as usize;
            let mut soft = [0.0_f32; 2];
            for n in delay..self.stereo.len() {
                let echo = self.stereo[n - delay];
                soft[n % 2] += 0.4 * (echo - soft[n % 2]);
                self.stereo[n] += amount * gain * soft[n % 2];
            }
        }
    }

    /// Adds noise of this amplitude.
    pub(crate) fn hiss(&mut self, amplitude: f32, seed: u64) {
        let mut dice = Dice::new(seed);
        self.stereo.iter_mut().for_each(|x| *x += amplitude * dice.noise());
    }

    /// The sound at a peak of `peak`, and its attacks, those closer than 25 ms to the one before left out.
    pub(crate) fn finish(mut self, peak: f32) -> (Vec<f32>, Vec<f64>) {
        let loudest = self.stereo.iter().fold(1e-9_f32, |m, x| m.max(x.abs()));
        self.stereo.iter_mut().for_each(|x| *x *= peak / loudest);
        self.onsets.sort_by(f64::total_cmp);
        let mut kept: Vec<f64> = Vec::new();
        for onset in self.onsets {
            if kept.last().is_none_or(|last| onset - last >= 0.025) {
                kept.push(onset);
            }
        }
        (self.stereo, kept)
    }
}

/// Frequency of a MIDI note, hertz.
pub(crate) fn hertz(note: i32) -> f32 {
    440.0 * ((note - 69) as f32 / 12.0).exp2()
}
