//! The real-time half of a show: what one period of the audio clock does.
//!
//! It advances the features, tells each stream where the music is, and fills it. Nothing here allocates,
//! locks, logs or waits; what comes in and goes out passes through rings taken at the start.

use std::sync::Arc;
use std::time::Duration;

use super::deck::{Change, Transition};
use super::hearing::{Ear, Hearing, KnownTrack};
use super::renderer::Renderer;
use crate::analysis::{Analyser, BeatSource, BeatWish, Features};
use crate::audio::{Period, PeriodSink, Stretch};
use crate::mask::{ASKED_AHEAD, LightWindow};
use crate::path::{GalvoProfile, Perspective};
use crate::pattern::Instrument;
use crate::realtime::histogram::Histogram;
use crate::realtime::latest::LatestWriter;
use crate::realtime::retire::Retire;
use crate::realtime::ring::RingReceiver;
use crate::safety::Arm;
use crate::stream::{MediaMap, Stream};
use crate::time::{Clock, HostTime, MediaTime};

/// Callbacks this close to each other are in time.
const IN_TIME: Duration = Duration::from_millis(60);
/// So many in a row begin the light,
const CALLBACKS_IN_TIME: u32 = 4;
/// or so many however far apart.
const CALLBACKS_AT_ALL: u32 = 16;
/// The most projectors of a show. The callback has the memory for so many from the start.
pub const MOST_PROJECTORS: usize = 128;

/// What the decoder thread tells the callback ahead of the sound.
#[expect(clippy::large_enum_variant, reason = "a box would be freed in the callback")]
#[derive(Clone, Copy, Debug)]
pub enum Analysed {
    /// One moment, and the seek epoch it belongs to.
    Moment(u32, Features),
    /// Where the sound lies in its track from a moment on.
    Stretch(Stretch),
}

/// Where the features come from.
#[derive(Debug)]
pub enum Listening {
    /// From the decoder thread, ahead of the sound (file playback).
    Ahead(RingReceiver<Analysed>),
    /// From the callback's own samples (live input).
    Now(Box<Analyser>),
}

/// Wishes that reach the callback.
#[derive(Debug)]
pub enum EngineCommand {
    /// Sets a parameter of every renderer's instrument, by its place in the list.
    SetParam {
        /// Its place.
        index: usize,
        /// Its value, in its own unit.
        value: f32,
    },
    /// Lets other instruments follow.
    Instruments {
        /// The instruments; afterwards those that have left.
        instruments: Vec<InstrumentFor>,
        /// When and how.
        transition: Transition,
    },
    /// Lays instruments on the other side of the crossfader, or nothing; afterwards those that have left.
    Beside(Vec<InstrumentFor>),
    /// The crossfader: 0 what plays, 1 the other side.
    Crossfade(f32),
    /// All that is drawn in full white, or as it is.
    Flash(bool),
    /// Puts edited instruments in place of those that were chosen last; afterwards those they replaced.
    Edited(Vec<InstrumentFor>),
    /// Fills the stream of one more projector. One too many comes back as it is.
    Add(Box<Slot>),
    /// Lets go of a projector's stream.
    Remove {
        /// Its number.
        number: u32,
    },
    /// How the pictures of one projector lie, and what its mirrors bear.
    Install {
        /// Its number.
        number: u32,
        /// Lays the picture.
        perspective: Perspective,
        /// What the mirrors bear.
        profile: GalvoProfile,
    },
    /// Whether a projector follows the show, or shows something of its own.
    Following {
        /// Its number.
        number: u32,
        /// True for the show.
        follows: bool,
    },
    /// The user's offset, ns: positive is light later.
    LightOffset(i64),
    /// A wish of the beat, and when it was made.
    Beat(BeatWish, HostTime),
    /// Hears by this track from now on, or by none. Whoever sends it keeps a handle until the engine has let go of
    /// it, so that the callback never frees it.
    Track(Option<KnownTrack>),
}

/// What the show thread sees of the callback.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineView {
    /// The features of what is heard now.
    pub features: Features,
    /// Where the beat in them comes from.
    pub beat_source: BeatSource,
    /// Media time of the last period's first frame.
    pub media: MediaTime,
    /// When that frame is heard.
    pub heard_at: HostTime,
    /// When the callback ran.
    pub now: HostTime,
    /// True while media time runs.
    pub playing: bool,
    /// Frames of all periods so far.
    pub frames: u64,
    /// Frames per second, nominal.
    pub sample_rate: u32,
    /// Periods so far.
    pub periods: u64,
    /// Times the clock was locked anew.
    pub relocks: u64,
    /// Changes of instruments that were taken in so far.
    pub changes: u64,
    /// How far the last one is, on the first projector.
    pub change: Change,
}

/// An instrument for one projector: none leaves the projector alone, or takes away what lay there.
#[derive(Debug)]
pub struct InstrumentFor {
    /// The projector's number.
    pub number: u32,
    /// What it shall play; afterwards what has left.
    pub instrument: Option<Box<Instrument>>,
}

/// What the callback lets go of, to be freed elsewhere.
#[derive(Debug)]
pub enum Retired {
    /// Instruments that others have replaced.
    Instruments(Vec<InstrumentFor>),
    /// A projector that was removed, or that found no room.
    Slot(Box<Slot>),
}

/// One projector inside the callback.
#[derive(Debug)]
pub struct Slot {
    /// The projector's number: it stays the same while others come and go, and no other one ever gets it.
    pub number: u32,
    /// Its stream.
    pub stream: Stream,
    /// Its picture.
    pub renderer: Renderer,
    /// Its switch, to which every period is a sign of life.
    pub arm: Arm,
}

/// The ends of the rings that lead out of the callback.
#[derive(Debug)]
pub struct EngineEnds {
    /// Wishes in.
    pub commands: RingReceiver<EngineCommand>,
    /// What the callback lets go of, out.
    pub retired: Retire<Retired>,
    /// The picture of the callback, out.
    pub view: LatestWriter<EngineView>,
    /// How long each period took, ns.
    pub callback_ns: Arc<Histogram>,
}

/// The real-time half of a show.
pub struct Engine {
    clock: Arc<dyn Clock>,
    listening: Listening,
    hearing: Hearing,
    masks: Option<LightWindow>,
    /// In the order of their numbers.
    slots: Vec<Box<Slot>>,
    ends: EngineEnds,
    light_offset_ns: i64,
    start: Start,
    seen: EngineView,
}

/// When the first points are made: a sound server fills its buffer at once and then pauses for a third of a second,
/// in which a projector that had begun would run dry.
#[derive(Debug, Default)]
struct Start {
    last: Option<HostTime>,
    in_time: u32,
    seen: u32,
    come: bool,
}

impl Start {
    /// Takes in a period; true for ever once a few callbacks in a row came in time.
    fn has_come(&mut self, now: HostTime) -> bool {
        if !self.come && self.last != Some(now) {
            let gap = self.last.map_or(Duration::MAX, |last| now.since(last));
            self.in_time = if gap <= IN_TIME { self.in_time + 1 } else { 0 };
            self.seen += 1;
            self.last = Some(now);
            self.come = self.in_time >= CALLBACKS_IN_TIME || self.seen >= CALLBACKS_AT_ALL;
        }
        self.come
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("streams", &self.slots.len()).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine for `slots`, in which nothing plays yet; more than [`MOST_PROJECTORS`] of them are not taken.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        listening: Listening,
        slots: Vec<Slot>,
        ends: EngineEnds,
        light_offset_ns: i64,
    ) -> Self {
        let mut all = Vec::with_capacity(MOST_PROJECTORS);
        all.extend(slots.into_iter().take(MOST_PROJECTORS).map(Box::new));
        all.sort_unstable_by_key(|slot| slot.number);
        Self {
            clock,
            listening,
            hearing: Hearing::new(),
            masks: None,
            slots: all,
            ends,
            light_offset_ns,
            start: Start::default(),
            seen: EngineView::default(),
        }
    }

    /// With silhouettes of a mask stream for the patterns that draw them.
    #[must_use]
    pub fn with_masks(mut self, masks: LightWindow) -> Self {
        self.masks = Some(masks);
        self
    }

    fn obey(&mut self, period: &Period) {
        // A command may let go of something: it waits until there is room for that.
        while self.ends.retired.free() > 0
            && let Some(command) = self.ends.commands.pop()
        {
            match command {
                EngineCommand::SetParam { index, value } => {
                    self.slots.iter_mut().for_each(|slot| slot.renderer.set_param(index, value));
                }
                EngineCommand::Instruments { mut instruments, transition } => {
                    self.hand_out(&mut instruments, |renderer, instrument| {
                        renderer.change_instrument(instrument, transition);
                    });
                    self.seen.changes += 1;
                    self.let_go(Retired::Instruments(instruments));
                }
                EngineCommand::Edited(mut instruments) => {
                    self.hand_out(&mut instruments, Renderer::replace_instrument);
                    self.let_go(Retired::Instruments(instruments));
                }
                EngineCommand::Beside(mut instruments) => {
                    self.hand_out(&mut instruments, Renderer::lay_beside);
                    self.let_go(Retired::Instruments(instruments));
                }
                EngineCommand::Crossfade(fade) => {
                    self.slots.iter_mut().for_each(|slot| slot.renderer.set_crossfade(fade));
                }
                EngineCommand::Flash(on) => {
                    self.slots.iter_mut().for_each(|slot| slot.renderer.set_flash(on));
                }
                EngineCommand::Add(slot) => self.add(slot),
                EngineCommand::Remove { number } => {
                    if let Ok(place) = self.place_of(number) {
                        let slot = self.slots.remove(place);
                        self.let_go(Retired::Slot(slot));
                    }
                }
                EngineCommand::Install { number, perspective, profile } => {
                    if let Ok(place) = self.place_of(number) {
                        self.slots[place].renderer.install(perspective, profile);
                    }
                }
                EngineCommand::Following { number, follows } => {
                    if let Ok(place) = self.place_of(number) {
                        self.slots[place].renderer.set_following(follows);
                    }
                }
                EngineCommand::LightOffset(nanos) => self.light_offset_ns = nanos,
                EngineCommand::Beat(wish, made_at) => {
                    // What was heard when the wish was made: a hand follows the ear.
                    let since =
                        if period.playing { made_at.secs_since(period.heard_at) } else { 0.0 };
                    let media = period.media.plus_secs_f64(since.clamp(-1.0, 1.0));
                    self.hearing.obey(wish, media);
                }
                EngineCommand::Track(track) => drop(self.hearing.swap_track(period.media, track)),
            }
        }
    }

    /// Where the projector of this number is, or would be.
    fn place_of(&self, number: u32) -> Result<usize, usize> {
        self.slots.binary_search_by_key(&number, |slot| slot.number)
    }

    /// Within the memory taken at the start: nothing is allocated here.
    fn add(&mut self, slot: Box<Slot>) {
        match self.place_of(slot.number) {
            Err(place) if self.slots.len() < MOST_PROJECTORS => self.slots.insert(place, slot),
            _ => self.let_go(Retired::Slot(slot)),
        }
    }

    /// Gives each instrument to its projector. One that is gone gets none.
    fn hand_out(
        &mut self,
        instruments: &mut [InstrumentFor],
        give: impl Fn(&mut Renderer, &mut Option<Box<Instrument>>),
    ) {
        for InstrumentFor { number, instrument } in instruments {
            if let Ok(place) = self.place_of(*number) {
                give(&mut self.slots[place].renderer, instrument);
            }
        }
    }

    fn let_go(&mut self, retired: Retired) {
        if let Err(retired) = self.ends.retired.retire(retired) {
            // No command is taken without room for what it lets go of; a leak would do less harm than a free in
            // the callback.
            std::mem::forget(retired);
        }
    }

    fn listen(&mut self, period: &Period, pcm: &[f32]) {
        self.hearing.set_epoch(period.epoch);
        match &mut self.listening {
            Listening::Ahead(ring) => {
                while let Some(analysed) = ring.pop() {
                    match analysed {
                        Analysed::Moment(epoch, features) => self.hearing.push(epoch, &features),
                        Analysed::Stretch(stretch) => self.hearing.stretch(stretch),
                    }
                }
            }
            Listening::Now(analyser) => {
                let hearing = &mut self.hearing;
                analyser
                    .push(period.media, pcm, &mut |features| hearing.push(period.epoch, features));
            }
        }
    }
}

impl PeriodSink for Engine {
    fn period(&mut self, period: &Period, pcm: &[f32]) {
        self.listen(period, pcm);
        self.obey(period);
        if period.playing {
            self.hearing.follow(period.media);
        }
        if let Some(masks) = &mut self.masks {
            // Light that is later by the user's offset shows what was heard that much before.
            let ahead_ns = ASKED_AHEAD.as_nanos() as i64 - self.light_offset_ns;
            masks.take_in(self.hearing.place(period.media.plus_nanos(ahead_ns)), period.epoch);
        }
        let map = MediaMap {
            epoch: period.epoch,
            host: period.heard_at,
            media: period.media,
            rate: if period.playing {
                period.measured_rate / f64::from(period.sample_rate.max(1))
            } else {
                0.0
            },
            light_offset_ns: self.light_offset_ns,
        };
        let flowing = self.start.has_come(period.now);
        for slot in &mut self.slots {
            slot.arm.beat(period.now);
            if !flowing {
                continue;
            }
            slot.stream.set_media_map(map);
            let mut seeing = slot.renderer.seeing(&self.hearing, period.playing);
            if let Some(masks) = &self.masks {
                seeing = seeing.with_masks(masks.frames());
            }
            slot.stream.fill_from(period.now, &mut seeing);
        }
        let seen = &mut self.seen;
        seen.features = self.hearing.at(period.media);
        seen.beat_source = self.hearing.beat_source();
        seen.media = period.media;
        seen.heard_at = period.heard_at;
        seen.now = period.now;
        seen.playing = period.playing;
        seen.frames += period.frames as u64;
        seen.sample_rate = period.sample_rate;
        seen.periods += 1;
        seen.relocks += u64::from(period.relocked);
        seen.change = self.slots.first().map(|slot| slot.renderer.change()).unwrap_or_default();
        self.ends.view.write(*seen);
        self.ends.callback_ns.record(self.clock.now().since(period.now).as_nanos() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(callbacks_ms: impl Iterator<Item = i64>) -> Option<i64> {
        let mut start = Start::default();
        callbacks_ms.take(100).find(|&ms| start.has_come(HostTime::from_nanos(ms * 1_000_000)))
    }

    #[test]
    fn the_pause_after_a_servers_first_callbacks_is_waited_for() {
        let server = [0, 0, 1, 2].into_iter().chain((313..).step_by(21));
        assert_eq!(begins(server), Some(313 + 4 * 21));
    }

    #[test]
    fn a_device_with_rare_callbacks_begins_all_the_same() {
        assert_eq!(begins((0..).step_by(500)), Some(7500));
    }
}
