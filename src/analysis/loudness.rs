//! Loudness as EBU R 128 and ITU-R BS.1770-4 define it: momentary, short-term, and of the whole.

use super::biquad::Biquad;

/// Blocks of 10 ms in the momentary window of 400 ms and the short-term window of 3 s.
const MOMENTARY_BLOCKS: usize = 40;
const SHORT_TERM_BLOCKS: usize = 300;
/// The quietest loudness that is told, LUFS: the absolute gate of BS.1770.
pub const QUIETEST_LUFS: f32 = -70.0;
/// The relative gate lies this far below the loudness of what passes the absolute one, LU.
const RELATIVE_GATE_LU: f64 = -10.0;
/// Steps of the histogram of the whole, LU.
const STEP_LU: f64 = 0.1;
/// Steps from −70 LUFS to +10 LUFS.
const STEPS: usize = 800;

/// Loudness at one moment, LUFS, [`QUIETEST_LUFS`] to about 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loudness {
    /// Of the last 400 ms.
    pub momentary_lufs: f32,
    /// Of the last 3 s.
    pub short_term_lufs: f32,
}

impl Loudness {
    /// Of silence.
    pub const SILENCE: Self =
        Self { momentary_lufs: QUIETEST_LUFS, short_term_lufs: QUIETEST_LUFS };
}

impl Default for Loudness {
    fn default() -> Self {
        Self::SILENCE
    }
}

/// Measures loudness every 10 ms. The newest 10 ms count fully: there is no delay but that of the windows.
#[derive(Debug)]
pub(crate) struct LoudnessMeter {
    head: Biquad,
    rumble: Biquad,
    /// Energy of the block at work, and its samples.
    sum: f64,
    frames: u32,
    blocks: Vec<f64>,
    next: usize,
}

impl LoudnessMeter {
    pub(crate) fn new(sample_rate: u32) -> Self {
        Self {
            head: Biquad::k_shelf(sample_rate),
            rumble: Biquad::k_high_pass(sample_rate),
            sum: 0.0,
            frames: 0,
            blocks: vec![0.0; SHORT_TERM_BLOCKS],
            next: 0,
        }
    }

    /// Takes left-right pairs.
    pub(crate) fn process(&mut self, block: &[[f32; 2]]) {
        for frame in block {
            let shelved = self.head.process(frame.map(f64::from));
            let [left, right] = self.rumble.process(shelved);
            self.sum += left * left + right * right;
        }
        self.frames += block.len() as u32;
        self.head.flush_tiny();
        self.rumble.flush_tiny();
    }

    /// Ends a block of 10 ms.
    pub(crate) fn end_block(&mut self) -> Loudness {
        self.blocks[self.next] = self.sum / f64::from(self.frames.max(1));
        self.next = (self.next + 1) % SHORT_TERM_BLOCKS;
        self.sum = 0.0;
        self.frames = 0;
        Loudness {
            momentary_lufs: lufs(self.mean_of_last(MOMENTARY_BLOCKS)) as f32,
            short_term_lufs: lufs(self.mean_of_last(SHORT_TERM_BLOCKS)) as f32,
        }
    }

    /// Summed anew each time, so that no rounding builds up over hours.
    fn mean_of_last(&self, count: usize) -> f64 {
        let newest = self.next + SHORT_TERM_BLOCKS;
        let sum: f64 = (newest - count..newest).map(|n| self.blocks[n % SHORT_TERM_BLOCKS]).sum();
        sum / count as f64
    }

    pub(crate) fn clear(&mut self) {
        self.head.clear();
        self.rumble.clear();
        self.sum = 0.0;
        self.frames = 0;
        self.blocks.fill(0.0);
        self.next = 0;
    }
}

fn lufs(mean_square: f64) -> f64 {
    if mean_square <= 0.0 {
        return f64::from(QUIETEST_LUFS);
    }
    (-0.691 + 10.0 * mean_square.log10()).max(f64::from(QUIETEST_LUFS))
}

/// The loudness of a whole programme, gated, from its momentary loudness every 100 ms.
#[derive(Debug)]
pub(crate) struct Integrated {
    histogram: Vec<u32>,
}

impl Integrated {
    pub(crate) fn new() -> Self {
        Self { histogram: vec![0; STEPS] }
    }

    /// Takes one momentary loudness.
    pub(crate) fn take(&mut self, momentary_lufs: f32) {
        let step = (f64::from(momentary_lufs - QUIETEST_LUFS) / STEP_LU).floor();
        if step > 0.0 {
            self.histogram[(step as usize).min(STEPS - 1)] += 1;
        }
    }

    /// Integrated loudness, LUFS; [`QUIETEST_LUFS`] of silence.
    pub(crate) fn lufs(&self) -> f32 {
        match self.mean_above(f64::from(QUIETEST_LUFS)) {
            Some(ungated) => self.mean_above(ungated + RELATIVE_GATE_LU).unwrap_or(ungated) as f32,
            None => QUIETEST_LUFS,
        }
    }

    fn mean_above(&self, gate_lufs: f64) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0_u64);
        for (step, &blocks) in self.histogram.iter().enumerate() {
            let lufs = f64::from(QUIETEST_LUFS) + (step as f64 + 0.5) * STEP_LU;
            if lufs > gate_lufs && blocks > 0 {
                sum += f64::from(blocks) * 10.0_f64.powf((lufs + 0.691) / 10.0);
                count += u64::from(blocks);
            }
        }
        (count > 0).then(|| -0.691 + 10.0 * (sum / count as f64).log10())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stereo sine of `db` full scale (peak), as in EBU Tech 3341.
    fn measure(db: f64, sample_rate: u32, seconds: f64) -> (Loudness, f32) {
        let gain = 10.0_f64.powf(db / 20.0);
        let mut meter = LoudnessMeter::new(sample_rate);
        let mut whole = Integrated::new();
        let mut last = Loudness::SILENCE;
        let hop = sample_rate as usize / 100;
        for block in 0..(seconds * 100.0) as usize {
            let sine = |n: usize| {
                let t = (block * hop + n) as f64 / f64::from(sample_rate);
                (gain * (std::f64::consts::TAU * 1_000.0 * t).sin()) as f32
            };
            let samples: Vec<[f32; 2]> = (0..hop).map(|n| [sine(n); 2]).collect();
            meter.process(&samples);
            last = meter.end_block();
            if block % 10 == 9 && block >= MOMENTARY_BLOCKS {
                whole.take(last.momentary_lufs);
            }
        }
        (last, whole.lufs())
    }

    /// EBU Tech 3341, test signals 1 and 2: 1 kHz at −23 and −33 dBFS reads as much, within 0.1 LU.
    #[test]
    fn the_reference_tones_read_what_the_standard_says() {
        for sample_rate in [44_100, 48_000, 96_000] {
            for db in [-23.0, -33.0] {
                let (now, whole) = measure(db, sample_rate, 5.0);
                for reading in [now.momentary_lufs, now.short_term_lufs, whole] {
                    assert!(
                        (f64::from(reading) - db).abs() <= 0.1,
                        "{sample_rate} Hz, {db}: {reading}"
                    );
                }
            }
        }
    }

    #[test]
    fn silence_reads_the_gate() {
        let (now, whole) = measure(-300.0, 48_000, 1.0);
        assert_eq!((now, whole), (Loudness::SILENCE, QUIETEST_LUFS));
    }

    /// EBU Tech 3341, test signal 3 in short: what is 10 LU below the rest does not count.
    #[test]
    fn quiet_parts_are_gated_out() {
        let mut whole = Integrated::new();
        (0..100).for_each(|_| whole.take(-36.0));
        (0..600).for_each(|_| whole.take(-23.0));
        (0..100).for_each(|_| whole.take(-36.0));
        assert!((whole.lufs() + 23.0).abs() <= 0.1, "{}", whole.lufs());
    }
}
