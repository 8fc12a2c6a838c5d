//! Playing a file: the control side.
//!
//! [`Player`] steers, a decoder thread fills a ring about a second ahead, [`PlayerOutput`] empties it in the
//! sound callback. A seek or another file makes a new epoch, and everything older is thrown away.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::realtime::priority::{self, Urgency};
use crate::realtime::ring;
use crate::time::MediaTime;

use super::decode::{DecodeError, Decoder, TrackInfo};
use super::feeder::{Feeder, PcmTap, Task};
use super::player_output::{BLOCK_FRAMES, PlayerOutput, Shared};

/// How often the decoder thread looks whether the ring has room again.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Steers what is played. Lives on an ordinary thread; dropping it ends the decoder thread.
#[derive(Debug)]
pub struct Player {
    shared: Arc<Shared>,
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    damaged_packets: Arc<AtomicU64>,
    info: Option<TrackInfo>,
}

impl Player {
    /// A player with nothing open, paused, and its decoder thread. `device_rate` is the rate of the sound
    /// card in frames per second.
    pub fn new(device_rate: u32, tap: Box<dyn PcmTap>) -> std::io::Result<(Self, PlayerOutput)> {
        let (mut player, feeder, output) = Self::with_feeder(device_rate, tap);
        let thread = std::thread::Builder::new().name("decoder".into()).spawn(move || {
            priority::request(Urgency::Ahead);
            feeder.run(LOOK_EVERY);
        })?;
        player.thread = Some(thread);
        Ok((player, output))
    }

    /// A player, paused at the start of a file.
    pub fn open(
        path: &Path,
        device_rate: u32,
        tap: Box<dyn PcmTap>,
    ) -> Result<(Self, PlayerOutput), DecodeError> {
        let decoder = Decoder::open(path)?;
        let (mut player, output) = Self::new(device_rate, tap).map_err(DecodeError::Thread)?;
        player.load_decoder(decoder);
        Ok((player, output))
    }

    /// A player without a thread: whoever holds the [`Feeder`] calls [`Feeder::work`] in their own time.
    /// For virtual time.
    #[must_use]
    pub fn with_feeder(device_rate: u32, tap: Box<dyn PcmTap>) -> (Self, Feeder, PlayerOutput) {
        let (tasks, to_do) = crossbeam_channel::unbounded();
        let shared = Shared::new();
        let (blocks_in, blocks_out) = ring((device_rate as usize).div_ceil(BLOCK_FRAMES));
        let damaged_packets = Arc::new(AtomicU64::new(0));
        let feeder = Feeder::new(to_do, blocks_in, tap, device_rate, Arc::clone(&damaged_packets));
        let output = PlayerOutput::new(blocks_out, Arc::clone(&shared), device_rate);
        let player = Self { shared, tasks: Some(tasks), thread: None, damaged_packets, info: None };
        (player, feeder, output)
    }

    /// Opens another file and goes to its start; it plays on if the one before was playing. On an error the
    /// present file stays.
    pub fn load(&mut self, path: &Path) -> Result<(), DecodeError> {
        self.load_decoder(Decoder::open(path)?);
        Ok(())
    }

    /// As [`Self::load`], with a decoder that is already open.
    pub fn load_decoder(&mut self, decoder: Decoder) {
        self.info = Some(decoder.info().clone());
        let epoch = self.new_epoch(MediaTime::ZERO);
        self.ask(Task::Load { epoch, decoder: Box::new(decoder) });
    }

    /// Runs. From the end it starts over.
    pub fn play(&mut self) {
        if self.ended() {
            self.seek(MediaTime::ZERO);
        }
        self.shared.playing.store(true, Ordering::Release);
    }

    /// Stands still: media time stops at the frame that was given out last.
    pub fn pause(&mut self) {
        self.shared.playing.store(false, Ordering::Release);
    }

    /// Goes to a place, limited to the music. Sound of the old place is not heard after this.
    pub fn seek(&mut self, to: MediaTime) {
        let end = self.duration().unwrap_or(MediaTime::from_nanos(i64::MAX));
        let to = to.clamp(MediaTime::ZERO, end);
        let epoch = self.new_epoch(to);
        self.ask(Task::Seek { epoch, to });
    }

    /// Loudness for the ear alone, 0..=1; what is not a number counts as 0.
    pub fn set_volume(&mut self, volume: f32) {
        let volume = if volume.is_nan() { 0.0 } else { volume.clamp(0.0, 1.0) };
        self.shared.volume.store(volume.to_bits(), Ordering::Relaxed);
    }

    /// Loudness, 0..=1.
    #[must_use]
    pub fn volume(&self) -> f32 {
        f32::from_bits(self.shared.volume.load(Ordering::Relaxed))
    }

    /// True if it shall run: [`Self::play`] was the last wish and the end is not reached.
    #[must_use]
    pub fn playing(&self) -> bool {
        self.shared.playing.load(Ordering::Acquire) && !self.ended()
    }

    /// Media time of the frame that the callback gives out next (it is heard one sound latency later); the
    /// target right after a seek.
    #[must_use]
    pub fn position(&self) -> MediaTime {
        let heard = self.shared.heard_epoch.load(Ordering::Acquire);
        let nanos =
            if heard == self.epoch() { &self.shared.media_nanos } else { &self.shared.start_nanos };
        MediaTime::from_nanos(nanos.load(Ordering::Relaxed))
    }

    /// Length, if the file tells it.
    #[must_use]
    pub fn duration(&self) -> Option<MediaTime> {
        let info = self.info.as_ref()?;
        Some(MediaTime::from_frames(i64::try_from(info.frames?).ok()?, info.sample_rate))
    }

    /// True once the music has played out.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.shared.ended_epoch.load(Ordering::Acquire) == u64::from(self.epoch())
    }

    /// What is known of the open file.
    #[must_use]
    pub fn info(&self) -> Option<&TrackInfo> {
        self.info.as_ref()
    }

    /// The present seek epoch.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.shared.epoch.load(Ordering::Acquire)
    }

    /// Periods of silence because the decoder was late.
    #[must_use]
    pub fn decoder_underruns(&self) -> u64 {
        self.shared.decoder_underruns.load(Ordering::Relaxed)
    }

    /// Packets of the open file that could not be decoded and were skipped.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        self.damaged_packets.load(Ordering::Relaxed)
    }

    fn new_epoch(&mut self, start: MediaTime) -> u32 {
        let epoch = self.epoch().wrapping_add(1);
        self.shared.start_nanos.store(start.as_nanos(), Ordering::Relaxed);
        self.shared.epoch.store(epoch, Ordering::Release);
        epoch
    }

    fn ask(&self, task: Task) {
        if let Some(tasks) = &self.tasks {
            // Without a decoder thread there is nobody to ask, and nothing plays.
            drop(tasks.send(task));
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
