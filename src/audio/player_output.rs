//! The real-time end of playback: takes decoded sound from the ring, block by block, and knows the media time
//! of every frame.
//!
//! Promise: no allocation, lock or wait. Sound of an old epoch is thrown away before it is heard. When the
//! decoder is late a whole period is silent and media time stands still, so that the light waits too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use crate::realtime::RingReceiver;
use crate::time::MediaTime;

/// Frames in a block of the ring.
pub(super) const BLOCK_FRAMES: usize = 256;
/// Blocks that must wait in the ring before sound starts after a seek or a late decoder: 43 ms at 48 kHz.
const PREROLL_BLOCKS: usize = 8;
/// Length of the slope that replaces a step at play, pause, seek and late decoder.
const DECLICK_SECONDS: f32 = 0.005;

/// A block of sound on its way from the decoder thread to the callback.
#[derive(Clone, Copy)]
pub(super) struct PcmBlock {
    pub(super) epoch: u32,
    /// Media time of the first frame.
    pub(super) media: MediaTime,
    /// Valid frames, at most [`BLOCK_FRAMES`]; fewer only in the last block.
    pub(super) frames: usize,
    /// Nothing follows in this epoch.
    pub(super) last: bool,
    pub(super) stereo: [f32; 2 * BLOCK_FRAMES],
}

/// What the control side, the decoder thread and the callback know of each other.
#[derive(Debug)]
pub(super) struct Shared {
    /// The epoch that shall be heard; set by the control side.
    pub(super) epoch: AtomicU32,
    /// Where that epoch starts, in ns of media time; set before `epoch`.
    pub(super) start_nanos: AtomicI64,
    pub(super) playing: AtomicBool,
    /// The bits of an `f32`.
    pub(super) volume: AtomicU32,
    /// The epoch that is heard; `media_nanos` belongs to it. Set by the callback.
    pub(super) heard_epoch: AtomicU32,
    /// Media time of the next frame that the callback gives out.
    pub(super) media_nanos: AtomicI64,
    /// The epoch that has played out, or `u64::MAX`.
    pub(super) ended_epoch: AtomicU64,
    pub(super) decoder_underruns: AtomicU64,
}

impl Shared {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            epoch: AtomicU32::new(0),
            start_nanos: AtomicI64::new(0),
            playing: AtomicBool::new(false),
            volume: AtomicU32::new(1.0_f32.to_bits()),
            heard_epoch: AtomicU32::new(0),
            media_nanos: AtomicI64::new(0),
            ended_epoch: AtomicU64::new(u64::MAX),
            decoder_underruns: AtomicU64::new(0),
        })
    }
}

/// What [`PlayerOutput::render`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Media time of the first frame.
    pub media: MediaTime,
    /// The seek epoch it belongs to.
    pub epoch: u32,
    /// True if these frames are music: media time runs through them. False while paused, at the end, with
    /// nothing open, and while the decoder is late.
    pub playing: bool,
    /// True if the decoder was late in the midst of the music.
    pub underrun: bool,
    /// True once the music has played out.
    pub ended: bool,
}

/// The callback's end of a [`Player`](super::Player). Real-time safe.
pub struct PlayerOutput {
    blocks: RingReceiver<PcmBlock>,
    shared: Arc<Shared>,
    sample_rate: u32,
    epoch: u32,
    /// Media time of the next frame.
    media: MediaTime,
    /// Frames of the front block that are used up.
    used: usize,
    /// True while music runs; false until enough is decoded to start.
    flowing: bool,
    ended: bool,
    /// The frame of the present period that does not follow the one before it.
    step_at: Option<usize>,
    voice: Voice,
}

impl PlayerOutput {
    pub(super) fn new(
        blocks: RingReceiver<PcmBlock>,
        shared: Arc<Shared>,
        sample_rate: u32,
    ) -> Self {
        Self {
            blocks,
            shared,
            sample_rate,
            epoch: 0,
            media: MediaTime::ZERO,
            used: 0,
            flowing: false,
            ended: false,
            step_at: None,
            voice: Voice::new(sample_rate),
        }
    }

    /// Frames per second of what is rendered.
    #[must_use]
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Writes the next frames, interleaved stereo, before volume; an odd last sample is left silent. All
    /// frames are music (up to the end of it) or none is.
    pub fn render(&mut self, out_stereo: &mut [f32]) -> Rendered {
        out_stereo.fill(0.0);
        let frames = out_stereo.len() / 2;
        self.follow_epoch();
        let wanted = self.shared.playing.load(Ordering::Acquire);
        let mut rendered = Rendered {
            media: self.media,
            epoch: self.epoch,
            playing: false,
            underrun: false,
            ended: self.ended,
        };
        if wanted && !self.ended && frames > 0 {
            if self.enough_for(frames) {
                if !self.flowing {
                    self.step_at = Some(0);
                    self.flowing = true;
                }
                rendered.media = self.take(out_stereo);
                rendered.playing = true;
                rendered.ended = self.ended;
            } else {
                rendered.underrun = self.flowing;
                self.stop_flowing();
                if rendered.underrun {
                    self.shared.decoder_underruns.fetch_add(1, Ordering::Relaxed);
                }
            }
        } else {
            self.stop_flowing();
        }
        self.shared.media_nanos.store(self.media.as_nanos(), Ordering::Relaxed);
        self.shared.heard_epoch.store(self.epoch, Ordering::Release);
        rendered
    }

    /// Turns rendered frames into what the ear gets: the volume, and a short slope in place of every step
    /// that play, pause, seek, the end or a late decoder made. Called once after each render.
    pub fn apply_volume(&mut self, stereo: &mut [f32]) {
        let volume = f32::from_bits(self.shared.volume.load(Ordering::Relaxed));
        self.voice.shape(stereo, volume, self.step_at.take());
    }

    fn stop_flowing(&mut self) {
        if std::mem::take(&mut self.flowing) {
            self.step_at = Some(0);
        }
    }

    fn follow_epoch(&mut self) {
        let epoch = self.shared.epoch.load(Ordering::Acquire);
        if epoch != self.epoch {
            self.epoch = epoch;
            self.media = MediaTime::from_nanos(self.shared.start_nanos.load(Ordering::Relaxed));
            self.used = 0;
            self.stop_flowing();
            self.ended = false;
        }
        let (first, second) = self.blocks.as_slices();
        // A newer block is left alone: its epoch was asked for after this call began.
        let old = first.iter().chain(second).take_while(|b| is_older(b.epoch, epoch)).count();
        if old > 0 {
            self.blocks.skip(old);
            self.used = 0;
        }
    }

    /// True if `frames` frames, or all up to the end of the music, are in the ring.
    fn enough_for(&self, frames: usize) -> bool {
        let preroll = if self.flowing { 0 } else { PREROLL_BLOCKS * BLOCK_FRAMES };
        let need = frames.max(preroll) + self.used;
        let mut have = 0;
        let (first, second) = self.blocks.as_slices();
        for block in first.iter().chain(second).take_while(|b| b.epoch == self.epoch) {
            have += block.frames;
            if have >= need || block.last {
                return true;
            }
        }
        false
    }

    /// Copies what [`Self::enough_for`] found; returns the media time of the first frame.
    fn take(&mut self, out: &mut [f32]) -> MediaTime {
        let mut start = None;
        let mut filled = 0;
        while let Some(block) = self.blocks.as_slices().0.first() {
            let at = block.media + frames_duration(self.used, self.sample_rate);
            start.get_or_insert(at);
            let count = (out.len() / 2 - filled).min(block.frames - self.used);
            let from = &block.stereo[2 * self.used..2 * (self.used + count)];
            out[2 * filled..2 * (filled + count)].copy_from_slice(from);
            filled += count;
            self.used += count;
            self.media = block.media + frames_duration(self.used, self.sample_rate);
            if self.used < block.frames {
                break;
            }
            let last = block.last;
            self.blocks.skip(1);
            self.used = 0;
            if last {
                self.ended = true;
                if filled < out.len() / 2 {
                    self.step_at = Some(filled);
                    self.flowing = false;
                }
                self.shared.ended_epoch.store(u64::from(self.epoch), Ordering::Release);
                break;
            }
        }
        start.unwrap_or(self.media)
    }
}

impl std::fmt::Debug for PlayerOutput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlayerOutput")
            .field("epoch", &self.epoch)
            .field("media", &self.media)
            .field("blocks", &self.blocks.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Epochs count up and may wrap.
fn is_older(epoch: u32, than: u32) -> bool {
    (epoch.wrapping_sub(than) as i32) < 0
}

fn frames_duration(frames: usize, sample_rate: u32) -> std::time::Duration {
    let nanos = frames as u64 * 1_000_000_000 / u64::from(sample_rate.max(1));
    std::time::Duration::from_nanos(nanos)
}

/// Volume and slopes.
///
/// At a step the difference between the last frame heard and the first new one is added to the new sound and
/// falls to zero within 5 ms: no click, no old sound, and music that starts at zero is untouched.
#[derive(Debug)]
struct Voice {
    last: [f32; 2],
    residue: [f32; 2],
    residue_step: f32,
    residue_gain: f32,
    volume: f32,
    volume_step: f32,
}

impl Voice {
    fn new(sample_rate: u32) -> Self {
        let step = 1.0 / (DECLICK_SECONDS * sample_rate.max(1) as f32);
        Self {
            last: [0.0; 2],
            residue: [0.0; 2],
            residue_step: step,
            residue_gain: 0.0,
            volume: 1.0,
            volume_step: step,
        }
    }

    fn shape(&mut self, stereo: &mut [f32], volume: f32, step_at: Option<usize>) {
        for (index, frame) in stereo.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            let change = volume - self.volume;
            self.volume += change.clamp(-self.volume_step, self.volume_step);
            let new = frame.map(|sample| sample * self.volume);
            if step_at == Some(index) {
                self.residue = [self.last[0] - new[0], self.last[1] - new[1]];
                self.residue_gain = 1.0;
            }
            let [left, right] = self.residue.map(|sample| sample * self.residue_gain);
            *frame = [new[0] + left, new[1] + right];
            self.residue_gain = (self.residue_gain - self.residue_step).max(0.0);
            self.last = *frame;
        }
    }
}
