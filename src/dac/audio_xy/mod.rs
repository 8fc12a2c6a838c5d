//! Points as sound: an oscilloscope in XY mode, or a DC-coupled card wired to a projector. See
//! `docs/protocols/audio_xy.md`.

mod callback;
mod card;
mod channels;
mod resampler;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use callback::{Feed, Played, XyCallback};
#[cfg(feature = "audio")]
pub use card::SoundCard;
pub use card::{Card, Listener, OpenCard, SoftwareCard};
pub use channels::{Role, XyOptions};
pub use resampler::{Beam, XyResampler};

use super::backend::{Backend, Capabilities, DacError, Delivery, DeviceReport, Written};
use crate::audio::AudioError;
use crate::safety::SafeChunk;
use crate::time::{Clock, HostTime};

/// Points of one chunk at most: more than the points of one period of sound, since a stream asks for one chunk
/// in each.
const MAX_CHUNK: usize = 1000;
/// How far ahead of the callback the points are: a few of its periods.
const SUGGESTED_BUFFER: Duration = Duration::from_millis(60);
/// A card may take this long for its first callback.
const FIRST_CALLBACK_WITHIN: Duration = Duration::from_secs(4);
/// Later it may be silent for so long.
const SILENT_FOR: Duration = Duration::from_millis(700);
/// Darkness at the centre at the end.
const CLOSING: Duration = Duration::from_millis(30);
/// Chunks remembered until they are played.
const MAX_CHUNKS: usize = 4096;

/// Where a chunk ends, as a count of frames and as a count of points.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    frames: u64,
    points: u64,
}

/// An open card and what is on its way to it.
struct Playing {
    feed: Feed,
    resampler: XyResampler,
    sent: End,
    /// Ends of chunks that are not played, oldest first, and the end of the last one that is.
    chunks: VecDeque<End>,
    played: End,
    pps: u32,
    opened: HostTime,
    card: OpenCard,
}

/// The driver of one sound card.
pub struct AudioXy {
    name: String,
    options: XyOptions,
    card: Box<dyn Card>,
    clock: Arc<dyn Clock>,
    playing: Option<Playing>,
}

impl std::fmt::Debug for AudioXy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AudioXy").field("name", &self.name).finish_non_exhaustive()
    }
}

impl AudioXy {
    /// The device of this name; `none` is a clock without a card. `name` is what the user wrote.
    #[must_use]
    pub fn new(name: &str, device: &str, options: XyOptions, clock: Arc<dyn Clock>) -> Self {
        let card: Box<dyn Card> = match device {
            "none" => Box::new(SoftwareCard::new(Arc::clone(&clock))),
            #[cfg(feature = "audio")]
            device => Box::new(SoundCard { name: device.to_owned() }),
            #[cfg(not(feature = "audio"))]
            _ => Box::new(NoCard),
        };
        Self::over(name, card, options, clock)
    }

    /// Any card.
    #[must_use]
    pub fn over(
        name: &str,
        card: Box<dyn Card>,
        options: XyOptions,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { name: name.to_owned(), options, card, clock, playing: None }
    }

    fn gone(&self, detail: &str) -> DacError {
        DacError::Gone { device: self.name.clone(), detail: detail.to_owned() }
    }

    fn playing(&mut self) -> Result<&mut Playing, DacError> {
        let name = &self.name;
        self.playing.as_mut().ok_or_else(|| DacError::Gone {
            device: name.clone(),
            detail: "the sound is not open".to_owned(),
        })
    }
}

/// What stands for every card in a program that was built without them.
#[cfg(not(feature = "audio"))]
struct NoCard;

#[cfg(not(feature = "audio"))]
impl Card for NoCard {
    fn open(
        &mut self,
        _: usize,
        _: Option<u32>,
        _: &mut dyn FnMut(u32) -> XyCallback,
    ) -> Result<OpenCard, AudioError> {
        Err(AudioError::NotBuilt)
    }
}

impl Playing {
    /// The point at a frame, with its fraction.
    fn point_at(&mut self, frames: u64) -> f64 {
        while let Some(&end) = self.chunks.front()
            && end.frames <= frames
        {
            self.played = end;
            self.chunks.pop_front();
        }
        let begin = self.played;
        match self.chunks.front() {
            Some(end) => {
                let share = frames.saturating_sub(begin.frames) as f64
                    / (end.frames - begin.frames).max(1) as f64;
                begin.points as f64 + share * (end.points - begin.points) as f64
            }
            None => begin.points as f64,
        }
    }

    fn write(&mut self, chunk: &SafeChunk<'_>) -> Written {
        let pps = chunk.pps().max(1);
        self.feed.settles_within(Duration::from_secs_f64(
            f64::from(chunk.settle_points()) / f64::from(pps),
        ));
        let most = self.resampler.most_frames(chunk.len(), pps);
        if self.feed.frames.free() < most || self.chunks.len() >= MAX_CHUNKS {
            return Written::NotNow;
        }
        let (feed, sent) = (&mut self.feed.frames, &mut self.sent);
        for point in chunk.points() {
            self.resampler.push(point, pps, |beam| {
                sent.frames += u64::from(feed.push_or_drop(beam));
            });
        }
        sent.points += chunk.len() as u64;
        self.pps = pps;
        // So few points that no frame came of them: they end with the chunk before.
        let before = self.chunks.back_mut().filter(|end| end.frames == sent.frames);
        match before {
            Some(end) => *end = *sent,
            None => self.chunks.push_back(*sent),
        }
        Written::Accepted
    }
}

impl Backend for AudioXy {
    fn name(&self) -> &str {
        &self.name
    }

    fn presumed(&self) -> Capabilities {
        Capabilities {
            delivery: Delivery::AudioClocked,
            max_points_per_chunk: MAX_CHUNK,
            capacity_points: None,
            min_pps: 1,
            max_pps: 100_000,
            reports_queue: true,
            suggested_buffer: SUGGESTED_BUFFER,
            least_points: 0,
            start_moves_relay: false,
        }
    }

    fn connect(&mut self, _now: HostTime) -> Result<Capabilities, DacError> {
        self.playing = None;
        let mut made = None;
        let options = &self.options;
        let opened = self.card.open(options.channels.len(), options.rate, &mut |rate| {
            let (callback, feed) = XyCallback::new(options.clone(), rate);
            made = Some((feed, rate));
            callback
        });
        let card = opened.map_err(|error| match error {
            AudioError::UnknownDevice { .. } => DacError::BadAddress(error.to_string()),
            _ => self.gone(error.to_string().trim_end_matches('.')),
        })?;
        let Some((feed, rate)) = made else {
            return Err(self.gone("the sound card asked for no callback"));
        };
        self.playing = Some(Playing {
            feed,
            resampler: XyResampler::new(rate),
            sent: End::default(),
            chunks: VecDeque::with_capacity(MAX_CHUNKS),
            played: End::default(),
            pps: 0,
            opened: self.clock.now(),
            card,
        });
        Ok(self.presumed())
    }

    fn write(&mut self, _now: HostTime, chunk: SafeChunk<'_>) -> Result<Written, DacError> {
        Ok(self.playing()?.write(&chunk))
    }

    fn poll(&mut self, now: HostTime) -> Result<DeviceReport, DacError> {
        let playing = self.playing()?;
        let lost = playing.card.counters.as_ref().is_some_and(|counters| counters.take_lost());
        let silent = match playing.feed.last_callback() {
            Some(last) => now.since(last) > SILENT_FOR,
            None => now.since(playing.opened) > FIRST_CALLBACK_WITHIN,
        };
        if lost || silent {
            return Err(self.gone("the sound card has stopped calling"));
        }
        let played = playing.feed.played();
        let at_point = playing.point_at(played.frames);
        Ok(DeviceReport {
            at: played.at,
            queued_points: Some((playing.sent.points as f64 - at_point).round() as u32),
            played_points: Some(at_point as u64),
            playing_pps: played.running.then_some(playing.pps),
            underflows: playing.feed.underflows(),
            gaps: 0,
            estop: false,
        })
    }

    fn stop(&mut self, _now: HostTime) -> Result<(), DacError> {
        let playing = self.playing()?;
        playing.feed.flush_to(playing.sent.frames);
        playing.resampler.begin();
        Ok(())
    }

    fn reset_estop(&mut self, _now: HostTime) -> Result<(), DacError> {
        Ok(())
    }

    fn close(&mut self, _now: HostTime) {
        if let Some(playing) = &self.playing {
            playing.feed.close();
            self.clock.sleep_until(self.clock.now() + CLOSING);
        }
        self.playing = None;
    }
}
