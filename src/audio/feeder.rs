//! The decoder thread's work as a value: file → decoder → resampler → tap → ring.
//!
//! Thin thread, tested value: [`Feeder::work`] does all there is to do now and says when to come back.

use std::sync::Arc;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::realtime::RingSender;
use crate::time::MediaTime;

use super::decode::Decoder;
use super::player_output::{BLOCK_FRAMES, PcmBlock};
use super::resample::StereoResampler;

/// Sees every frame of the music on the decoder thread, ahead of the sound and in order: the analysis of
/// files hangs here.
pub trait PcmTap: Send {
    /// The next frames, interleaved stereo at the device's rate, before volume. `media` is the time of the
    /// first. All calls of one epoch follow each other without gap.
    fn pcm(&mut self, epoch: u32, media: MediaTime, stereo: &[f32]);
    /// A new epoch begins (seek, other file): what was told of older ones will not be heard.
    fn flush(&mut self, epoch: u32);
}

/// A tap for those who only want the sound.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTap;

impl PcmTap for NoTap {
    fn pcm(&mut self, _: u32, _: MediaTime, _: &[f32]) {}
    fn flush(&mut self, _: u32) {}
}

/// What the control side asks of the decoder thread.
pub(super) enum Task {
    /// Play this from its start.
    Load { epoch: u32, decoder: Box<Decoder> },
    /// Go on at another place of the same file.
    Seek { epoch: u32, to: MediaTime },
}

/// How a round of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeederState {
    /// The ring is full: come back within a few milliseconds.
    Full,
    /// Nothing to do until the control side asks for something.
    Idle,
    /// The control side is gone.
    Closed,
}

/// Fills the ring of a [`Player`](super::Player). Runs on the decoder thread, or in a test's own time.
pub struct Feeder {
    tasks: Receiver<Task>,
    blocks: RingSender<PcmBlock>,
    tap: Box<dyn PcmTap>,
    device_rate: u32,
    track: Option<Track>,
    epoch: u32,
    /// Media time of resampled frame 0 of this epoch.
    origin: MediaTime,
    /// Resampled frames of this epoch that went into the ring.
    sent: i64,
    /// Resampled and not yet in the ring, interleaved.
    pending: Vec<f32>,
    /// Samples of `pending` that went into the ring.
    taken: usize,
    damaged_packets: Arc<std::sync::atomic::AtomicU64>,
}

struct Track {
    decoder: Box<Decoder>,
    resampler: StereoResampler,
    /// False once the decoder has given everything.
    more: bool,
    /// True once the last block of this epoch went into the ring.
    sent_last: bool,
}

impl Feeder {
    pub(super) fn new(
        tasks: Receiver<Task>,
        blocks: RingSender<PcmBlock>,
        tap: Box<dyn PcmTap>,
        device_rate: u32,
        damaged_packets: Arc<std::sync::atomic::AtomicU64>,
    ) -> Self {
        Self {
            tasks,
            blocks,
            tap,
            device_rate,
            track: None,
            epoch: 0,
            origin: MediaTime::ZERO,
            sent: 0,
            pending: Vec::with_capacity(16 * 2 * BLOCK_FRAMES),
            taken: 0,
            damaged_packets,
        }
    }

    /// Does what the control side asked for, then decodes until the ring is full or the music at its end.
    pub fn work(&mut self) -> FeederState {
        loop {
            match self.tasks.try_recv() {
                Ok(task) => {
                    self.take_on(task);
                    continue;
                }
                Err(crossbeam_channel::TryRecvError::Disconnected) => return FeederState::Closed,
                Err(crossbeam_channel::TryRecvError::Empty) => {}
            }
            if self.track.as_ref().is_none_or(|track| track.sent_last) {
                return FeederState::Idle;
            }
            if self.blocks.free() == 0 {
                return FeederState::Full;
            }
            let more = self.track.as_ref().is_some_and(|track| track.more);
            if more && self.pending.len() - self.taken < 2 * BLOCK_FRAMES {
                self.decode();
            } else {
                self.send_block(!more);
            }
        }
    }

    /// Works until the control side is gone. The callback never wakes this thread: it looks every few ms.
    pub(super) fn run(mut self, look_every: std::time::Duration) {
        loop {
            let task = match self.work() {
                FeederState::Closed => return,
                FeederState::Idle => self.tasks.recv().map_err(|_| RecvTimeoutError::Disconnected),
                FeederState::Full => self.tasks.recv_timeout(look_every),
            };
            match task {
                Ok(task) => self.take_on(task),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take_on(&mut self, task: Task) {
        match task {
            Task::Load { epoch, decoder } => {
                let resampler = StereoResampler::new(decoder.info().sample_rate, self.device_rate);
                self.track = Some(Track { decoder, resampler, more: true, sent_last: false });
                self.begin(epoch, MediaTime::ZERO);
            }
            Task::Seek { epoch, to } => {
                let mut origin = to;
                if let Some(track) = &mut self.track {
                    track.resampler.reset();
                    track.sent_last = false;
                    let rate = track.decoder.info().sample_rate;
                    let frame = to.to_frames(rate).max(0) as u64;
                    track.more = track.decoder.seek(frame).is_ok();
                    origin = MediaTime::from_frames(track.decoder.position() as i64, rate);
                }
                self.begin(epoch, origin);
            }
        }
    }

    fn begin(&mut self, epoch: u32, origin: MediaTime) {
        self.epoch = epoch;
        self.origin = origin;
        self.sent = 0;
        self.pending.clear();
        self.taken = 0;
        self.tap.flush(epoch);
    }

    fn decode(&mut self) {
        let Some(track) = &mut self.track else { return };
        self.pending.drain(..self.taken);
        self.taken = 0;
        let pending = &mut self.pending;
        // A file that breaks off ends there: what was read so far still plays.
        if let Ok(Some(stereo)) = track.decoder.next() {
            track.resampler.push(stereo, pending);
        } else {
            track.resampler.finish(pending);
            track.more = false;
        }
        let damaged = track.decoder.damaged_packets();
        self.damaged_packets.store(damaged, std::sync::atomic::Ordering::Relaxed);
    }

    /// Puts one block into the ring, which has room.
    fn send_block(&mut self, closing: bool) {
        let waiting = &self.pending[self.taken..];
        let samples = waiting.len().min(2 * BLOCK_FRAMES);
        let last = closing && waiting.len() <= 2 * BLOCK_FRAMES;
        let media =
            self.origin.plus_nanos(MediaTime::from_frames(self.sent, self.device_rate).as_nanos());
        let mut block = PcmBlock {
            epoch: self.epoch,
            media,
            frames: samples / 2,
            last,
            stereo: [0.0; 2 * BLOCK_FRAMES],
        };
        block.stereo[..samples].copy_from_slice(&waiting[..samples]);
        if samples > 0 {
            self.tap.pcm(self.epoch, media, &block.stereo[..samples]);
        }
        self.sent += block.frames as i64;
        self.taken += samples;
        let sent = self.blocks.push(block).is_ok();
        debug_assert!(sent, "the caller saw room");
        if let Some(track) = &mut self.track {
            track.sent_last = last;
        }
    }
}

impl std::fmt::Debug for Feeder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feeder")
            .field("epoch", &self.epoch)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
