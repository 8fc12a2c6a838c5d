//! How loud it is, and whether there is sound at all.

use super::bands::power_db;

/// Half-hops of 5 ms in the 50 ms over which the level is measured.
const BLOCKS: usize = 10;
/// Silence begins below this, dB full scale.
const SILENT_BELOW_DB: f32 = -60.0;
/// Silence ends above this, dB full scale.
const SOUNDING_ABOVE_DB: f32 = -55.0;
/// How long it must be quiet before it counts as silence, seconds.
const SILENT_AFTER_S: f32 = 0.3;

/// Power over the last 10 ms and 50 ms, and the silence decision with its hysteresis.
#[derive(Debug)]
pub(crate) struct Level {
    blocks: [f32; BLOCKS],
    next: usize,
    quiet_s: f32,
    silent: bool,
}

impl Level {
    pub(crate) const fn new() -> Self {
        Self { blocks: [0.0; BLOCKS], next: 0, quiet_s: SILENT_AFTER_S, silent: true }
    }

    /// Takes the left-right pairs of 5 ms.
    pub(crate) fn process(&mut self, block: &[[f32; 2]], seconds: f32) {
        let sum: f32 = block.iter().map(|[l, r]| l * l + r * r).sum();
        self.blocks[self.next] = sum / (2.0 * block.len().max(1) as f32);
        self.next = (self.next + 1) % BLOCKS;
        let level = self.level_db();
        if level < SILENT_BELOW_DB {
            self.quiet_s += seconds;
            self.silent |= self.quiet_s >= SILENT_AFTER_S;
        } else {
            self.quiet_s = 0.0;
            self.silent &= level < SOUNDING_ABOVE_DB;
        }
    }

    /// Root mean square of the last 50 ms, dB full scale, at least −120.
    pub(crate) fn level_db(&self) -> f32 {
        power_db(self.blocks.iter().sum::<f32>() / BLOCKS as f32)
    }

    /// The same of the last 10 ms.
    pub(crate) fn moment_db(&self) -> f32 {
        let last = self.blocks[(self.next + BLOCKS - 1) % BLOCKS];
        let before = self.blocks[(self.next + BLOCKS - 2) % BLOCKS];
        power_db(f32::midpoint(last, before))
    }

    /// Whether there is nothing to hear.
    pub(crate) const fn silent(&self) -> bool {
        self.silent
    }
}
