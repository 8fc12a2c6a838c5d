//! The hand-over of silhouettes to the audio callback: it says what it will need, takes what is ready, and gives
//! back what it is done with. Nothing here waits, locks or allocates on the callback's side.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::error::ErrorCode;
use super::handle::MaskHandle;
use super::light::{LightSettings, prepare};
use super::rate::Rate;
use crate::audio::Place;
use crate::pattern::silhouette::{Sight, Silhouette};
use crate::realtime::{RingReceiver, RingSender, ring};
use crate::time::MediaTime;

/// Silhouettes in the window: at 120 frames per second those of both sides of a jump back in a loop.
const WINDOW: usize = 128;
/// Frames made ahead of what is asked for,
const AHEAD: u64 = 40;
/// and so much, in seconds, before it: light is asked for that is not drawn yet.
const BEHIND_S: f64 = 0.16;
/// How long before a place is heard the callback asks for it: longer than light is made ahead of the sound.
pub const ASKED_AHEAD: Duration = Duration::from_millis(120);
/// Silhouettes in all: those in the window and those on their way.
const SILHOUETTES: usize = 2 * WINDOW;
/// How long the last frame is shown when the next ones are late.
const HOLD_S: f64 = 0.25;

/// A silhouette with the stream and the seek it was made for.
#[derive(Debug, Default)]
struct Parcel {
    stream: u32,
    epoch: u32,
    silhouette: Silhouette,
}

#[derive(Debug)]
enum Message {
    /// Another stream, or none (no frames).
    Stream {
        number: u32,
        track: Option<u64>,
        rate: Rate,
        frames: Option<u64>,
    },
    Parcel(Parcel),
}

/// What the callback will need: written there, read by the feeder.
#[derive(Debug, Default)]
struct Wish {
    made: AtomicBool,
    media_ns: AtomicI64,
    track: AtomicU64,
    epoch: AtomicU32,
}

/// The two ends of a hand-over with no stream yet. Takes all its memory here.
#[must_use]
pub fn light_window(settings: LightSettings) -> (LightFeeder, LightWindow) {
    let (to_window, from_feeder) = ring(SILHOUETTES + 4);
    let (to_feeder, from_window) = ring(SILHOUETTES);
    let wish = Arc::new(Wish::default());
    let feeder = LightFeeder {
        settings,
        handle: None,
        stream: 0,
        track: None,
        announce: false,
        rate: Rate::default(),
        out: to_window,
        back: from_window,
        spare: (0..SILHOUETTES).map(|_| Parcel::default()).collect(),
        wish: Arc::clone(&wish),
        next: 0,
        fed_from: 0,
        epoch: 0,
        before: None,
    };
    let window = LightWindow {
        incoming: from_feeder,
        back: to_feeder,
        wish,
        frames: LightFrames {
            kept: (0..WINDOW).map(|_| None).collect(),
            oldest: 0,
            stream: 0,
            track: None,
            rate: Rate::default(),
            count: None,
        },
    };
    (feeder, window)
}

/// The callback's end.
#[derive(Debug)]
pub struct LightWindow {
    incoming: RingReceiver<Message>,
    back: RingSender<Parcel>,
    wish: Arc<Wish>,
    frames: LightFrames,
}

/// The silhouettes that are there.
#[derive(Debug)]
pub struct LightFrames {
    /// In the order in which they came, from `oldest` on and round.
    kept: Box<[Option<Parcel>]>,
    oldest: usize,
    stream: u32,
    /// The track it belongs to; `None` for all.
    track: Option<u64>,
    rate: Rate,
    /// Frames of the stream; `None` without a stream.
    count: Option<u64>,
}

impl LightWindow {
    /// Takes what is ready, and says that light for the places around this one is needed in the seek `epoch`.
    /// Name the place [`ASKED_AHEAD`] of what is heard.
    pub fn take_in(&mut self, place: Place, epoch: u32) {
        self.wish.media_ns.store(place.at.as_nanos(), Ordering::Relaxed);
        self.wish.track.store(place.track, Ordering::Relaxed);
        self.wish.epoch.store(epoch, Ordering::Relaxed);
        self.wish.made.store(true, Ordering::Release);
        while let Some(message) = self.incoming.pop() {
            match message {
                Message::Stream { number, track, rate, frames } => {
                    self.frames.stream = number;
                    self.frames.track = track;
                    self.frames.rate = rate;
                    self.frames.count = frames;
                    for slot in 0..WINDOW {
                        let old = self.frames.kept[slot].take();
                        self.give_back(old);
                    }
                }
                Message::Parcel(parcel) if parcel.stream == self.frames.stream => {
                    let slot = self.frames.oldest;
                    self.frames.oldest = (slot + 1) % WINDOW;
                    let old = self.frames.kept[slot].replace(parcel);
                    self.give_back(old);
                }
                Message::Parcel(parcel) => self.give_back(Some(parcel)),
            }
        }
    }

    fn give_back(&mut self, parcel: Option<Parcel>) {
        if let Some(parcel) = parcel
            && let Err(parcel) = self.back.push(parcel)
        {
            // The ring holds every parcel there is; a leak would do less harm than a free in the callback.
            std::mem::forget(parcel);
        }
    }

    /// The silhouettes that are there now.
    #[must_use]
    pub const fn frames(&self) -> &LightFrames {
        &self.frames
    }
}

impl LightFrames {
    /// What light for a place shows: the frame of that time, or for a quarter of a second the last one before it
    /// that was made since the seek.
    #[must_use]
    pub fn at(&self, place: Place, epoch: u32) -> Sight<'_> {
        let Some(count) = self.count else { return Sight::NoStream };
        if self.track.is_some_and(|track| track != place.track) {
            return Sight::NoStream;
        }
        let Some(frame) = self.rate.frame_at(place.at) else { return Sight::Nothing };
        if frame >= count {
            return Sight::Nothing;
        }
        if let Some(now) = self.slot(frame) {
            let next = self.slot(frame + 1).map(|parcel| &parcel.silhouette);
            let share = place.at.secs_since(self.rate.time_of(frame)) * self.rate.as_fps();
            return Sight::Frame { now: &now.silhouette, next, share: share as f32 };
        }
        let hold = ((HOLD_S * self.rate.as_fps()) as u64).clamp(1, WINDOW as u64 / 2);
        (frame.saturating_sub(hold)..frame)
            .rev()
            .find_map(|frame| self.slot(frame).filter(|parcel| parcel.epoch == epoch))
            .map_or(Sight::Nothing, |parcel| Sight::Frame {
                now: &parcel.silhouette,
                next: None,
                share: 0.0,
            })
    }

    fn slot(&self, frame: u64) -> Option<&Parcel> {
        // The youngest of a frame: it goes with the youngest of the next.
        let (young, old) = self.kept.split_at(self.oldest);
        let kept = young.iter().rev().chain(old.iter().rev()).flatten();
        kept.into_iter().find(|parcel| parcel.silhouette.frame == frame)
    }
}

/// The feeder's end: makes silhouettes from a handle's frames ahead of the callback.
#[derive(Debug)]
pub struct LightFeeder {
    settings: LightSettings,
    handle: Option<MaskHandle>,
    stream: u32,
    track: Option<u64>,
    /// The callback has not been told of the present stream.
    announce: bool,
    rate: Rate,
    out: RingSender<Message>,
    back: RingReceiver<Parcel>,
    spare: Vec<Parcel>,
    wish: Arc<Wish>,
    /// The frame that is made next.
    next: u64,
    /// The first frame made since the last jump.
    fed_from: u64,
    epoch: u32,
    /// The silhouette made last, which the next continues.
    before: Option<Silhouette>,
}

impl LightFeeder {
    /// Feeds from another stream, or from none, which belongs to `track` or, without one, to all; frames of the last
    /// one are never shown again.
    pub fn set_stream(&mut self, track: Option<u64>, handle: Option<MaskHandle>) {
        self.track = track;
        self.rate = handle.as_ref().map_or_else(Rate::default, MaskHandle::get_rate);
        self.handle = handle;
        self.stream = self.stream.wrapping_add(1);
        self.announce = true;
        self.before = None;
        (self.next, self.fed_from) = (0, 0);
    }

    /// Makes what is missing. Call it every few milliseconds; it waits for nothing longer than `patience`.
    pub fn step(&mut self, patience: Duration) {
        while let Some(parcel) = self.back.pop() {
            self.spare.push(parcel);
        }
        let metadata = self.handle.as_ref().and_then(MaskHandle::get_metadata);
        let frames = metadata.map(|metadata| metadata.frames);
        if self.announce {
            let (number, track, rate) = (self.stream, self.track, self.rate);
            if self.out.push(Message::Stream { number, track, rate, frames }).is_err() {
                return;
            }
            self.announce = false;
        }
        let (Some(handle), Some(frames)) = (self.handle.clone(), frames) else { return };
        if !self.wish.made.load(Ordering::Acquire) {
            return;
        }
        let track = self.wish.track.load(Ordering::Relaxed);
        if self.track.is_some_and(|of_stream| of_stream != track) {
            return;
        }
        let media = MediaTime::from_nanos(self.wish.media_ns.load(Ordering::Relaxed));
        let epoch = self.wish.epoch.load(Ordering::Relaxed);
        let wanted = self.rate.frame_at(media).unwrap_or(0);
        let behind = (BEHIND_S * self.rate.as_fps()) as u64 + 1;
        let first = wanted.saturating_sub(behind);
        let went_back = wanted < self.fed_from || wanted + AHEAD + behind < self.next;
        if epoch != self.epoch || wanted > self.next || went_back {
            self.epoch = epoch;
            self.next = first;
            self.fed_from = first;
            self.before = None;
        }
        while self.next < frames.min(wanted + AHEAD) {
            let Some(mut parcel) = self.spare.pop() else { return };
            match handle.frame(self.next, patience) {
                Ok(frame) => {
                    parcel.stream = self.stream;
                    parcel.epoch = epoch;
                    let made = &mut parcel.silhouette;
                    let before = self.before.as_ref();
                    prepare(&frame.outlines, self.next, &self.settings, before, made);
                    self.before.get_or_insert_default().copy_from(made);
                    if let Err(Message::Parcel(parcel)) = self.out.push(Message::Parcel(parcel)) {
                        self.spare.push(parcel);
                        return;
                    }
                    self.next += 1;
                }
                Err(error) => {
                    self.spare.push(parcel);
                    // A frame that is late comes with a later step; one that cannot be had is passed over.
                    if matches!(error.code, ErrorCode::Decode | ErrorCode::Transport) {
                        self.next += 1;
                    } else {
                        return;
                    }
                }
            }
        }
    }
}
