//! The decoder thread's work as a value: tracks → decoder → resampler → tap → ring.
//!
//! Thin thread, tested value: [`Feeder::work`] does all there is to do now and says when to come back.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::media::Interrupt;
use crate::realtime::RingSender;
use crate::time::{HostTime, MediaTime, SystemClock};

use super::course::{Course, Stretch};
use super::decode::{DecodeError, Decoder};
use super::player_output::{BLOCK_FRAMES, PcmBlock};
use super::resample::StereoResampler;

/// Tracks that were decoded and are kept, as they may still be heard and sought in.
const TRACKS_KEPT: usize = 4;
/// So far ahead of the end of a track it is decided what follows it, ms: until then the next track can be taken back
/// and another one put in its place without a trace. Light is made at most a few hundred ms ahead of the sound.
const DECIDED_AHEAD_MS: usize = 500;
/// After a failure of the network it is tried again this often.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Notices that wait to be read.
const MAX_NOTICES: usize = 20;

/// Sees every frame of the music on the decoder thread, ahead of the sound and in order: the analysis of
/// files hangs here.
pub trait PcmTap: Send {
    /// The next frames, interleaved stereo at the device's rate, before volume. `media` is the time of the
    /// first. All calls of one epoch follow each other without gap.
    fn pcm(&mut self, epoch: u32, media: MediaTime, stereo: &[f32]);
    /// A new epoch begins (seek, other file): what was told of older ones will not be heard.
    fn flush(&mut self, epoch: u32);
    /// What follows is this stretch of a track: told before its first frames.
    fn stretch(&mut self, stretch: Stretch);
}

/// A tap for those who only want the sound.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTap;

impl PcmTap for NoTap {
    fn pcm(&mut self, _: u32, _: MediaTime, _: &[f32]) {}
    fn flush(&mut self, _: u32) {}
    fn stretch(&mut self, _: Stretch) {}
}

/// A track and the number it goes by.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) number: u64,
    pub(super) decoder: Box<Decoder>,
}

/// A part of a track that is played round and round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LoopRegion {
    pub(super) track: u64,
    pub(super) start: MediaTime,
    pub(super) end: MediaTime,
}

/// Interrupts that stay raised until the wish they were raised for is taken on, or dropped.
#[derive(Debug)]
pub(super) struct Raised(Vec<Interrupt>);

impl Raised {
    pub(super) fn new(interrupts: Vec<Interrupt>) -> Self {
        interrupts.iter().for_each(Interrupt::raise);
        Self(interrupts)
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.iter().for_each(Interrupt::lower);
    }
}

/// What the control side asks of the decoder thread.
#[derive(Debug)]
pub(super) enum Task {
    /// Play this from its start, and forget all other tracks.
    Load { epoch: u32, track: Track, raised: Raised },
    /// Go on at a place of a track; `without` is forgotten.
    Seek { epoch: u32, track: u64, to: MediaTime, without: Option<u64>, raised: Raised },
    /// From now on play this part round and round, or none.
    Loop(Option<LoopRegion>),
}

/// How a round of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeederState {
    /// The ring is full, or the network has to be waited for: come back within a few milliseconds.
    Full,
    /// Nothing to do until the control side asks for something.
    Idle,
    /// The control side is gone.
    Closed,
}

/// What the decoder thread tells the control side.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What is what in the sound.
    pub(super) course: Course,
    pub(super) damaged_packets: AtomicU64,
    /// Tracks that are open and not begun, in order: whoever takes one out of here first has it.
    upcoming: Mutex<VecDeque<Track>>,
    /// The epoch of the newest seek, told before its task: an older one need not be carried out.
    pub(super) wanted_epoch: AtomicU32,
    notices: Mutex<Vec<String>>,
}

impl Told {
    fn note(&self, text: String) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.len() < MAX_NOTICES && notices.last() != Some(&text) {
            notices.push(text);
        }
    }

    /// Tracks that are open and not begun.
    pub(super) fn upcoming(&self) -> MutexGuard<'_, VecDeque<Track>> {
        self.upcoming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an operator should read, once.
    pub(super) fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Fills the ring of a [`Player`](super::Player). Runs on the decoder thread, or in a test's own time.
pub struct Feeder {
    tasks: Receiver<Task>,
    blocks: RingSender<PcmBlock>,
    tap: Box<dyn PcmTap>,
    device_rate: u32,
    tracks: VecDeque<Track>,
    /// The one that is decoded, as a place in `tracks`.
    at: usize,
    resampler: Option<StereoResampler>,
    loop_region: Option<LoopRegion>,
    epoch: u32,
    /// Media time of resampled frame 0 of this epoch.
    origin: MediaTime,
    /// Resampled frames of this epoch that went into the ring.
    sent: i64,
    /// Media time at which the present stretch begins, and the frames of its track decoded since.
    stretch_from: MediaTime,
    stretch_frames: i64,
    /// Resampled and not yet in the ring, interleaved.
    pending: Vec<f32>,
    /// Samples of `pending` that went into the ring.
    taken: usize,
    /// The present track has given everything, and what follows it is not decided yet.
    is_over: bool,
    /// False once all tracks have given everything.
    more: bool,
    /// True once the last block of this epoch went into the ring, and with nothing open.
    sent_last: bool,
    /// The network failed: try again then.
    try_again_at: Option<HostTime>,
    told_failure: bool,
    told: Arc<Told>,
}

impl Feeder {
    pub(super) fn new(
        tasks: Receiver<Task>,
        blocks: RingSender<PcmBlock>,
        tap: Box<dyn PcmTap>,
        device_rate: u32,
        told: Arc<Told>,
    ) -> Self {
        Self {
            tasks,
            blocks,
            tap,
            device_rate,
            tracks: VecDeque::new(),
            at: 0,
            resampler: None,
            loop_region: None,
            epoch: 0,
            origin: MediaTime::ZERO,
            sent: 0,
            stretch_from: MediaTime::ZERO,
            stretch_frames: 0,
            pending: Vec::with_capacity(16 * 2 * BLOCK_FRAMES),
            taken: 0,
            is_over: false,
            more: false,
            sent_last: true,
            try_again_at: None,
            told_failure: false,
            told,
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
            if self.sent_last {
                return FeederState::Idle;
            }
            if self.blocks.free() == 0 {
                return FeederState::Full;
            }
            let waiting = self.pending.len() - self.taken;
            if waiting >= 2 * BLOCK_FRAMES || !self.more {
                self.send_block(!self.more);
            } else if self.is_over {
                if self.frames_ahead() > self.device_rate as usize * DECIDED_AHEAD_MS / 1000 {
                    return FeederState::Full;
                }
                self.go_on();
            } else if self.may_try() {
                self.decode();
            } else {
                return FeederState::Full;
            }
        }
    }

    /// Works until the control side is gone. The callback never wakes this thread: it looks every few ms.
    pub(super) fn run(mut self, look_every: Duration) {
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
            Task::Load { epoch, track, raised } => {
                drop(raised);
                self.tracks.clear();
                self.tracks.push_back(track);
                self.loop_region = None;
                self.begin(epoch, 0, None);
            }
            Task::Seek { epoch, track, to, without, raised } => {
                drop(raised);
                let found = self.find(track);
                self.give_back_after(found);
                if without.is_some() {
                    self.told.upcoming().retain(|known| Some(known.number) != without);
                }
                self.begin(epoch, found, Some(to));
            }
            Task::Loop(region) => self.loop_region = region,
        }
    }

    /// The place in `tracks` of the track of this number, which may be one to come; the present one if there is none.
    fn find(&mut self, number: u64) -> usize {
        let mut upcoming = self.told.upcoming();
        if let Some(last) = upcoming.iter().position(|track| track.number == number) {
            self.tracks.extend(upcoming.drain(..=last));
        }
        let found = self.tracks.iter().position(|track| track.number == number);
        found.unwrap_or(self.at)
    }

    /// The tracks after the one at `at` have not begun any more.
    fn give_back_after(&mut self, at: usize) {
        if at >= self.tracks.len() {
            return;
        }
        let mut upcoming = self.told.upcoming();
        for track in self.tracks.drain(at + 1..).rev() {
            upcoming.push_front(track);
        }
    }

    /// Frames in the ring, which are heard before whatever is decoded next.
    fn frames_ahead(&self) -> usize {
        (self.blocks.capacity() - self.blocks.free()) * BLOCK_FRAMES
    }

    /// Begins an epoch with a place of a track; `None` is the start of one that was just opened.
    fn begin(&mut self, epoch: u32, at: usize, to: Option<MediaTime>) {
        self.epoch = epoch;
        self.at = at;
        self.sent = 0;
        self.pending.clear();
        self.taken = 0;
        self.is_over = false;
        self.try_again_at = None;
        self.told_failure = false;
        self.tap.flush(epoch);
        let Some(track) = self.tracks.get_mut(at) else { return };
        let rate = track.decoder.info().sample_rate;
        self.resampler = Some(StereoResampler::new(rate, self.device_rate));
        (self.more, self.sent_last) = (true, false);
        // A newer seek is on its way: this one would only be waited for.
        let is_old = self.told.wanted_epoch.load(Ordering::Acquire) != epoch;
        if let Some(to) = to.filter(|_| !is_old) {
            let sought = track.decoder.seek(to.to_frames(rate).max(0) as u64);
            self.after_seek(sought);
        }
        let position = self.tracks[at].decoder.position();
        self.origin = to
            .filter(|_| is_old)
            .unwrap_or(MediaTime::from_frames(i64::try_from(position).unwrap_or(i64::MAX), rate));
        self.stretch_from = self.origin;
        self.begin_stretch(self.origin);
    }

    /// What is decoded from now on is the present track from `track_from`.
    fn begin_stretch(&mut self, track_from: MediaTime) {
        self.stretch_frames = 0;
        let Some(track) = self.tracks.get(self.at) else { return };
        let stretch =
            Stretch { epoch: self.epoch, from: self.stretch_from, track: track.number, track_from };
        self.told.course.add(stretch);
        self.tap.stretch(stretch);
    }

    /// The stretch ends where its frames end.
    fn end_stretch(&mut self) {
        let Some(track) = self.tracks.get(self.at) else { return };
        let rate = track.decoder.info().sample_rate;
        let lasted = MediaTime::from_frames(self.stretch_frames, rate);
        self.stretch_from = self.stretch_from.plus_nanos(lasted.as_nanos());
    }

    fn decode(&mut self) {
        let Some(track) = self.tracks.get_mut(self.at) else { return };
        let Some(resampler) = &mut self.resampler else { return };
        self.pending.drain(..self.taken);
        self.taken = 0;
        let rate = track.decoder.info().sample_rate;
        let region = self.loop_region.filter(|region| region.track == track.number);
        let end = region.map_or(u64::MAX, |region| region.end.to_frames(rate).max(0) as u64);
        let began = track.decoder.position();
        // A file that breaks off ends there: what was read so far still plays.
        let mut broken_off = 0;
        let mut is_over = true;
        let mut is_round = false;
        match track.decoder.next() {
            Ok(Some(stereo)) => {
                let frames = stereo.len() as u64 / 2;
                // The decoder may begin later than it was: a damaged start.
                let used = if began <= end { frames.min(end - began) } else { frames };
                is_round = began <= end && began + frames >= end;
                is_over = false;
                resampler.push(&stereo[..2 * used as usize], &mut self.pending);
                self.stretch_frames += used as i64;
                self.told_failure = false;
            }
            Ok(None) => is_round = region.is_some_and(|_| began <= end),
            Err(error @ (DecodeError::Media(_) | DecodeError::Superseded)) => {
                self.after_seek(Err(error));
                return;
            }
            Err(_) => broken_off = 1,
        }
        let damaged = track.decoder.damaged_packets() + broken_off;
        let notices = track.decoder.take_notices();
        self.told.damaged_packets.store(damaged, Ordering::Relaxed);
        for notice in notices {
            self.told.note(notice);
        }
        match region {
            Some(region) if is_round => self.go_round(region),
            _ => self.is_over = is_over,
        }
    }

    /// From the end of the loop to its start.
    fn go_round(&mut self, region: LoopRegion) {
        self.end_stretch();
        let Some(track) = self.tracks.get_mut(self.at) else { return };
        let rate = track.decoder.info().sample_rate;
        let sought = track.decoder.seek(region.start.to_frames(rate).max(0) as u64);
        self.after_seek(sought);
        self.begin_stretch(region.start);
    }

    /// From the end of a track to the next one, or to the end.
    fn go_on(&mut self) {
        let rate = |track: &Track| track.decoder.info().sample_rate;
        let mut upcoming = self.told.upcoming();
        if !self.tasks.is_empty() {
            // It may be that what is to come is to come after another track than this.
            return;
        }
        self.is_over = false;
        let next = upcoming.pop_front();
        drop(upcoming);
        self.tracks.extend(next);
        let Some(next) = self.tracks.get(self.at + 1) else {
            if let Some(resampler) = &mut self.resampler {
                resampler.finish(&mut self.pending);
            }
            self.more = false;
            return;
        };
        // At one rate the sound goes through the same filter: not a sample is lost or added.
        let next_rate = rate(next);
        if self.tracks.get(self.at).map(rate) != Some(next_rate) {
            if let Some(resampler) = &mut self.resampler {
                resampler.finish(&mut self.pending);
            }
            self.resampler = Some(StereoResampler::new(next_rate, self.device_rate));
        }
        self.end_stretch();
        self.at += 1;
        if self.at > TRACKS_KEPT {
            self.tracks.pop_front();
            self.at -= 1;
        }
        if let Some(track) = self.tracks.get_mut(self.at)
            && track.decoder.position() != 0
        {
            let sought = track.decoder.seek(0);
            self.after_seek(sought);
        }
        self.begin_stretch(MediaTime::ZERO);
    }

    /// Takes in how a seek went, or a read that needs one: what the network denies is asked for again later.
    fn after_seek(&mut self, result: Result<(), DecodeError>) {
        match result {
            Ok(()) => self.try_again_at = None,
            Err(error @ (DecodeError::Media(_) | DecodeError::Superseded)) => {
                let superseded = matches!(error, DecodeError::Superseded);
                self.try_again_at = Some(SystemClock::read() + TRY_AGAIN_AFTER);
                if !superseded && !std::mem::replace(&mut self.told_failure, true) {
                    self.told.note(format!("{error} Until then it is silent and dark."));
                }
            }
            Err(_) => self.more = false,
        }
    }

    /// False while a failed network is left alone; true if decoding can go on.
    fn may_try(&mut self) -> bool {
        let Some(when) = self.try_again_at else { return true };
        if SystemClock::read() < when {
            return false;
        }
        let Some(track) = self.tracks.get_mut(self.at) else { return false };
        let position = track.decoder.position();
        let sought = track.decoder.seek(position);
        self.after_seek(sought);
        self.try_again_at.is_none()
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
        self.sent_last = last;
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
