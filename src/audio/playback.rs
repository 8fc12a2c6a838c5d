//! Playing music: the control side.
//!
//! [`Player`] steers, a decoder thread fills a ring about a second ahead, [`PlayerOutput`] empties it in the
//! sound callback. A seek or another file makes a new epoch, and everything older is thrown away. The next track of
//! the queue, and the way round a loop, are in the same epoch: no frame is lost or added, and the light flows on.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Sender;

use crate::media::{Interrupt, Location};
use crate::realtime::priority::{self, Urgency};
use crate::realtime::ring;
use crate::time::MediaTime;

use super::course::Place;
use super::decode::{DecodeError, Decoder, TrackInfo};
use super::feeder::{Feeder, LoopRegion, PcmTap, Raised, Task, Told, Track};
use super::player_output::{BLOCK_FRAMES, PlayerOutput, Shared};

/// How often the decoder thread looks whether the ring has room again.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A loop is at least this long.
pub const SHORTEST_LOOP: Duration = Duration::from_millis(50);
/// The decoder is this far ahead of the sound at most.
const AHEAD: Duration = Duration::from_millis(1500);
/// Tracks whose names are kept after they were played.
const TRACKS_KEPT: usize = 8;

/// Steers what is played. Lives on an ordinary thread; dropping it ends the decoder thread.
#[derive(Debug)]
pub struct Player {
    shared: Arc<Shared>,
    tasks: Option<Sender<Task>>,
    thread: Option<JoinHandle<()>>,
    told: Arc<Told>,
    /// Those heard and those to come, in order.
    tracks: VecDeque<KnownTrack>,
    next_number: u64,
    /// Where the present epoch began.
    begun: Place,
    loop_region: Option<LoopRegion>,
}

#[derive(Debug)]
struct KnownTrack {
    number: u64,
    info: TrackInfo,
    location: Location,
    interrupt: Interrupt,
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
        let told = Arc::new(Told::default());
        let feeder = Feeder::new(to_do, blocks_in, tap, device_rate, Arc::clone(&told));
        let output = PlayerOutput::new(blocks_out, Arc::clone(&shared), device_rate);
        let player = Self {
            shared,
            tasks: Some(tasks),
            thread: None,
            told,
            tracks: VecDeque::new(),
            next_number: 0,
            begun: Place { track: 0, at: MediaTime::ZERO },
            loop_region: None,
        };
        (player, feeder, output)
    }

    /// Opens another file and goes to its start; it plays on if the one before was playing. On an error the
    /// present file stays.
    pub fn load(&mut self, path: &Path) -> Result<(), DecodeError> {
        self.load_decoder(Decoder::open(path)?);
        Ok(())
    }

    /// As [`Self::load`], with a decoder that is already open. What was queued is forgotten.
    pub fn load_decoder(&mut self, decoder: Decoder) {
        let raised = self.raise_interrupts();
        self.tracks.clear();
        self.told.upcoming().clear();
        self.loop_region = None;
        let track = self.known(decoder);
        self.told.damaged_packets.store(0, Ordering::Relaxed);
        let epoch = self.new_epoch(Place { track: track.number, at: MediaTime::ZERO });
        self.ask(Task::Load { epoch, track, raised });
    }

    /// Plays another track after the last one, without a gap; gives back the number it goes by.
    pub fn queue(&mut self, decoder: Decoder) -> u64 {
        let number = self.next_number;
        if self.tracks.is_empty() {
            self.load_decoder(decoder);
            return number;
        }
        let track = self.known(decoder);
        self.told.upcoming().push_back(track);
        let heard = self.place().track;
        while self.tracks.len() > TRACKS_KEPT
            && self.tracks.front().is_some_and(|track| track.number < heard)
        {
            self.tracks.pop_front();
        }
        number
    }

    /// Takes a track back that was queued: it will not be heard. What is heard goes on, to the sample; only if the
    /// track would have begun within half a second it pauses for some ms. False if no track of that number is to come.
    pub fn unqueue(&mut self, number: u64) -> bool {
        let heard = self.place();
        let is_to_come = |track: &KnownTrack| track.number == number && number > heard.track;
        let Some(at) = self.tracks.iter().position(is_to_come) else { return false };
        let mut upcoming = self.told.upcoming();
        let waits = upcoming.iter().position(|track| track.number == number);
        let taken_back = waits.and_then(|at| upcoming.remove(at));
        drop(upcoming);
        if taken_back.is_none() {
            self.go_to(heard, Some(number));
        }
        self.tracks.remove(at);
        true
    }

    /// Tracks that follow the one that is heard.
    #[must_use]
    pub fn queued(&self) -> usize {
        let heard = self.place().track;
        self.tracks.iter().filter(|track| track.number > heard).count()
    }

    /// Where the tracks that follow the one that is heard come from, in their order.
    pub fn queued_locations(&self) -> impl Iterator<Item = &Location> {
        let heard = self.place().track;
        self.tracks.iter().filter(move |track| track.number > heard).map(|track| &track.location)
    }

    /// Goes to the start of the next track of the queue; false if there is none.
    pub fn next_track(&mut self) -> bool {
        let heard = self.place().track;
        let Some(next) = self.tracks.iter().map(|track| track.number).find(|n| *n > heard) else {
            return false;
        };
        self.go_to(Place { track: next, at: MediaTime::ZERO }, None);
        true
    }

    /// Plays a part of the track that is heard round and round, to the sample, until told otherwise; `None` plays on.
    /// A part shorter than [`SHORTEST_LOOP`] is made so long. Whoever is past its end goes to its start.
    pub fn set_loop(&mut self, part: Option<(MediaTime, MediaTime)>) {
        let heard = self.place();
        let end_of_track = self.duration().unwrap_or(MediaTime::from_nanos(i64::MAX));
        let was_round = self.loop_region.is_some_and(|region| region.track == heard.track);
        self.loop_region = part.map(|(start, end)| {
            let latest = end_of_track - SHORTEST_LOOP;
            let start = start.clamp(MediaTime::ZERO, latest.max(MediaTime::ZERO));
            let end = end.clamp(start + SHORTEST_LOOP, end_of_track.max(start + SHORTEST_LOOP));
            LoopRegion { track: heard.track, start, end }
        });
        self.ask(Task::Loop(self.loop_region));
        match self.loop_region {
            Some(region) if heard.at >= region.end => self.seek(region.start),
            // What is decoded already goes past the end, or round another part.
            Some(region) if was_round || heard.at + AHEAD >= region.end => self.seek(heard.at),
            None if was_round => self.seek(heard.at),
            _ => {}
        }
    }

    /// The part that is played round and round, if it is one of the track that is heard.
    #[must_use]
    pub fn loop_region(&self) -> Option<(MediaTime, MediaTime)> {
        let region = self.loop_region.filter(|region| region.track == self.place().track)?;
        Some((region.start, region.end))
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

    /// Goes to a place of the track that is heard, limited to it. Sound of the old place is not heard after this.
    pub fn seek(&mut self, to: MediaTime) {
        let end = self.duration().unwrap_or(MediaTime::from_nanos(i64::MAX));
        let at = to.clamp(MediaTime::ZERO, end);
        self.go_to(Place { track: self.place().track, at }, None);
    }

    fn go_to(&mut self, place: Place, without: Option<u64>) {
        let raised = self.raise_interrupts();
        let epoch = self.new_epoch(place);
        self.ask(Task::Seek { epoch, track: place.track, to: place.at, without, raised });
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

    /// Place in the track that is heard of the frame that the callback gives out next (it is heard one sound latency
    /// later); the target right after a seek.
    #[must_use]
    pub fn position(&self) -> MediaTime {
        self.place().at
    }

    /// What media time `media` of the present epoch is in the track that is heard there: media time runs on through
    /// the tracks of a queue and round a loop.
    #[must_use]
    pub fn track_time(&self, media: MediaTime) -> MediaTime {
        self.told.course.place(self.epoch(), media).map_or(media, |place| place.at)
    }

    fn place(&self) -> Place {
        let heard = self.shared.heard_epoch.load(Ordering::Acquire);
        if heard != self.epoch() {
            return self.begun;
        }
        let media = MediaTime::from_nanos(self.shared.media_nanos.load(Ordering::Relaxed));
        self.told.course.place(heard, media).unwrap_or(self.begun)
    }

    /// Length of the track that is heard, if it tells it.
    #[must_use]
    pub fn duration(&self) -> Option<MediaTime> {
        let info = self.info()?;
        Some(MediaTime::from_frames(i64::try_from(info.frames?).ok()?, info.sample_rate))
    }

    /// True once the music has played out.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.shared.ended_epoch.load(Ordering::Acquire) == u64::from(self.epoch())
    }

    /// What is known of the track that is heard.
    #[must_use]
    pub fn info(&self) -> Option<&TrackInfo> {
        self.heard_track().map(|track| &track.info)
    }

    /// Where the track that is heard comes from.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.heard_track().map(|track| &track.location)
    }

    /// The number of the track that is heard: another one for every track opened.
    #[must_use]
    pub fn track_number(&self) -> u64 {
        self.place().track
    }

    fn heard_track(&self) -> Option<&KnownTrack> {
        let heard = self.place().track;
        self.tracks.iter().find(|track| track.number == heard)
    }

    /// What an operator should read since the last call: a network that fails, a server that is slow to seek.
    #[must_use]
    pub fn take_notices(&self) -> Vec<String> {
        self.told.take_notices()
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

    /// Packets of the open file that could not be decoded and were skipped; the missing rest of a file that
    /// breaks off counts as one.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        self.told.damaged_packets.load(Ordering::Relaxed)
    }

    fn new_epoch(&mut self, begun: Place) -> u32 {
        let epoch = self.epoch().wrapping_add(1);
        self.begun = begun;
        self.told.wanted_epoch.store(epoch, Ordering::Release);
        self.shared.start_nanos.store(begun.at.as_nanos(), Ordering::Relaxed);
        self.shared.epoch.store(epoch, Ordering::Release);
        epoch
    }

    /// Gives the track of `decoder` a number and remembers it.
    fn known(&mut self, decoder: Decoder) -> Track {
        let number = self.next_number;
        self.next_number += 1;
        self.tracks.push_back(KnownTrack {
            number,
            info: decoder.info().clone(),
            location: decoder.location().clone(),
            interrupt: decoder.interrupt().clone(),
        });
        Track { number, decoder: Box::new(decoder) }
    }

    /// Ends whatever read the decoder thread waits for, until the new wish is taken on.
    fn raise_interrupts(&self) -> Raised {
        Raised::new(self.tracks.iter().map(|track| track.interrupt.clone()).collect())
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
        // The decoder thread may wait for the network.
        let _raised = self.raise_interrupts();
        self.tasks = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
