//! A show without sound card, clock or projector: a file is decoded, analysed and drawn as fast as it goes.
//!
//! What is drawn is what a projector would have got: the causal analyser, the renderer of the show and an armed
//! gate, without the delay of any device. Deterministic.

use std::path::Path;

use thiserror::Error;

use super::test_music::{TEST_MUSIC_HZ, TEST_MUSIC_S, test_music};
use crate::analysis::{Analyser, FeatureWindow};
use crate::audio::decode::{DecodeError, Decoder};
use crate::path::{GalvoProfile, colour_delay};
use crate::pattern::{Instrument, Preset, PresetError};
use crate::point::LaserPoint;
use crate::safety::{Arm, Counts, Gate};
use crate::show::renderer::Renderer;
use crate::stream::{FillRequest, FillResult, Producer};
use crate::time::{HostTime, MediaTime, StreamInstant};

/// Sound is heard this far beyond the points that are made, seconds: a block looks ahead.
const AHEAD_S: f64 = 0.1;
/// The music before the start is listened to for this long, so that tempo and loudness are known, seconds.
const RUN_UP_S: f64 = 10.0;
/// Features kept: as long as the test music, which is heard at once.
const WINDOW_FRAMES: usize = 100 * (TEST_MUSIC_S as usize + 1);
/// Points per request.
const REQUEST_POINTS: usize = 512;

/// Why nothing can be rendered.
#[derive(Debug, Error)]
pub enum OfflineError {
    /// The sound file cannot be played.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The preset is wrong.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The part asked for lies behind the end.
    #[error("the file is {length_s:.1} s long: begin before its end")]
    PastTheEnd {
        /// Length of the file, seconds.
        length_s: f64,
    },
}

/// What part of a file is rendered, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfflineSettings {
    /// Points per second.
    pub pps: u32,
    /// Where to begin, seconds.
    pub start_s: f64,
    /// How much, seconds; none: to the end.
    pub duration_s: Option<f64>,
    /// Brightness, 0..=1.
    pub master: f32,
    /// The mirrors.
    pub profile: GalvoProfile,
}

impl Default for OfflineSettings {
    fn default() -> Self {
        Self {
            pps: 30_000,
            start_s: 0.0,
            duration_s: None,
            master: 1.0,
            profile: GalvoProfile::default(),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Offline {
    listener: Listener,
    window: FeatureWindow,
    renderer: Renderer,
    gate: Gate,
    pps: u32,
    start_s: f64,
    length_s: f64,
    made: u64,
}

impl Offline {
    /// Opens `file` to be drawn by `preset`.
    ///
    /// # Errors
    /// The file does not play, the preset is wrong, or there is nothing to draw.
    pub fn open(
        file: &Path,
        preset: &Preset,
        settings: &OfflineSettings,
    ) -> Result<Self, OfflineError> {
        let mut decoder = Decoder::open(file)?;
        let rate = f64::from(decoder.info().sample_rate.max(1));
        let start_s = settings.start_s.max(0.0);
        let needed_s = start_s + settings.duration_s.unwrap_or(f64::INFINITY);
        let end_s = frames_of(file, &decoder, needed_s * rate)? as f64 / rate;
        let length_s = (end_s - start_s).min(settings.duration_s.unwrap_or(f64::INFINITY));
        if length_s <= 0.0 {
            return Err(OfflineError::PastTheEnd { length_s: end_s });
        }
        let heard_from = ((start_s - RUN_UP_S).max(0.0) * rate) as u64;
        if heard_from > 0 {
            decoder.seek(heard_from)?;
        }
        Self::of(Sound::File(Box::new(decoder)), preset, settings, [start_s, length_s])
    }

    /// The built-in [`test_music`](super::test_music), to be drawn by `preset`.
    ///
    /// # Errors
    /// The preset is wrong.
    pub fn of_test_music(
        preset: &Preset,
        settings: &OfflineSettings,
    ) -> Result<Self, OfflineError> {
        let sound = Sound::Made { stereo: test_music(), heard: false };
        Self::of(sound, preset, settings, [0.0, TEST_MUSIC_S.into()])
    }

    fn of(
        sound: Sound,
        preset: &Preset,
        settings: &OfflineSettings,
        [start_s, length_s]: [f64; 2],
    ) -> Result<Self, OfflineError> {
        let instrument = Instrument::new(preset)?;
        let arm = Arm::new();
        // A switch that was just made has no stop latched.
        let armed = arm.arm(HostTime::ZERO).is_ok();
        debug_assert!(armed);
        let mut gate = Gate::new(arm);
        gate.settings_mut().profile = settings.profile;
        gate.set_master(settings.master);
        Ok(Self {
            listener: Listener::new(sound),
            window: FeatureWindow::with_capacity(WINDOW_FRAMES),
            renderer: Renderer::new(Box::new(instrument)).for_mirrors(settings.profile),
            gate,
            pps: settings.pps.max(1),
            start_s,
            length_s,
            made: 0,
        })
    }

    /// Lets colours come as much later as the mirrors lag: for a stream that goes to a projector as it is. Without it
    /// each colour is where it was drawn, as pictures and players want it.
    #[must_use]
    pub fn with_colours_waiting(mut self) -> Self {
        let lag = self.gate.profile().lag();
        self.gate.make_room_for_colours(colour_delay::points_of(lag.as_secs_f32() * 1e6, self.pps));
        self.gate.set_colour_delay(lag);
        self
    }

    /// Points per second.
    #[must_use]
    pub const fn pps(&self) -> u32 {
        self.pps
    }

    /// What is rendered in all, seconds.
    #[must_use]
    pub const fn length_s(&self) -> f64 {
        self.length_s
    }

    /// Points of the whole stream.
    #[must_use]
    pub fn points_in_all(&self) -> u64 {
        (self.length_s * f64::from(self.pps)).round() as u64
    }

    /// What the gate has passed and stopped.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.gate.meters().counts()
    }

    /// Packets of the file that could not be decoded.
    #[must_use]
    pub fn damaged_packets(&self) -> u64 {
        match &self.listener.sound {
            Sound::File(decoder) => decoder.damaged_packets(),
            Sound::Made { .. } => 0,
        }
    }

    /// The stream as a projector gets it: writes the next points into `out` and returns how many; 0 at the end.
    ///
    /// # Errors
    /// The file stops making sense.
    pub fn stream(&mut self, out: &mut [LaserPoint]) -> Result<usize, OfflineError> {
        let left = self.points_in_all().saturating_sub(self.made);
        let wanted = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut done = 0;
        while done < wanted {
            let n = (wanted - done).min(REQUEST_POINTS);
            let request = self.request(n);
            self.hear_until(request.media_at(n))?;
            let points = &mut out[done..done + n];
            let made = match self.renderer.seeing(&self.window, true).fill(&request, points) {
                FillResult::Filled(made) => made.min(n),
                FillResult::Starved | FillResult::End => 0,
            };
            let last = points[..made].last().copied().unwrap_or(LaserPoint::CENTRE);
            points[made..].fill(last.blanked());
            self.gate.pass(HostTime::ZERO, points, StreamInstant(self.made), self.pps);
            self.made += n as u64;
            done += n;
        }
        Ok(wanted)
    }

    /// Pictures of the whole at `fps` pictures per second.
    #[must_use]
    pub fn pictures_in_all(&self, fps: u32) -> u64 {
        (self.length_s * f64::from(fps)).ceil().max(1.0) as u64
    }

    /// One whole picture, the `index`th of those shown `fps` a second, over what `out` held. It begins and ends
    /// dark in the centre, so that a player may repeat it. Pictures are to be asked for in their order.
    ///
    /// # Errors
    /// The file stops making sense.
    pub fn picture(
        &mut self,
        index: u64,
        fps: u32,
        out: &mut Vec<LaserPoint>,
    ) -> Result<(), OfflineError> {
        let fps = fps.max(1);
        let media = MediaTime::from_secs_f64(self.start_s + index as f64 / f64::from(fps));
        self.hear_until(media)?;
        self.renderer.picture(&self.window, media, self.pps, 1.0 / fps as f32, out);
        if out.is_empty() {
            out.push(LaserPoint::CENTRE);
        }
        self.gate.pass(HostTime::ZERO, out, StreamInstant(self.made), self.pps);
        self.made += out.len() as u64;
        Ok(())
    }

    fn hear_until(&mut self, media: MediaTime) -> Result<(), DecodeError> {
        self.listener.hear_until(media.plus_secs_f64(AHEAD_S), &mut self.window)
    }

    fn request(&self, points: usize) -> FillRequest {
        let media_per_point = 1.0 / f64::from(self.pps);
        FillRequest {
            start: StreamInstant(self.made),
            pps: self.pps,
            min_points: points,
            target_points: points,
            buffered_points: 0,
            buffered: std::time::Duration::ZERO,
            device_queued_points: None,
            plays_at: HostTime::ZERO,
            media: MediaTime::from_secs_f64(self.start_s + self.made as f64 * media_per_point),
            media_per_point,
            epoch: 0,
        }
    }
}

/// Where the music comes from.
#[derive(Debug)]
enum Sound {
    File(Box<Decoder>),
    Made { stereo: Vec<f32>, heard: bool },
}

impl Sound {
    fn sample_rate(&self) -> u32 {
        match self {
            Self::File(decoder) => decoder.info().sample_rate.max(1),
            Self::Made { .. } => TEST_MUSIC_HZ,
        }
    }

    /// The next frames, interleaved stereo, with the place of the first.
    fn next(&mut self) -> Result<Option<(u64, &[f32])>, DecodeError> {
        match self {
            Self::File(decoder) => {
                let first = decoder.position();
                Ok(decoder.next()?.map(|stereo| (first, stereo)))
            }
            Self::Made { stereo, heard } => {
                let over = std::mem::replace(heard, true);
                Ok((!over).then_some((0, stereo.as_slice())))
            }
        }
    }
}

/// Sound and analyser, going on as far as they are needed.
#[derive(Debug)]
struct Listener {
    sound: Sound,
    analyser: Analyser,
    sample_rate: u32,
    /// Everything before this was heard.
    heard_to: MediaTime,
    ended: bool,
}

impl Listener {
    fn new(sound: Sound) -> Self {
        let sample_rate = sound.sample_rate();
        let analyser = Analyser::new(sample_rate);
        Self {
            sound,
            analyser,
            sample_rate,
            heard_to: MediaTime::from_secs_f64(-1.0),
            ended: false,
        }
    }

    fn hear_until(
        &mut self,
        media: MediaTime,
        window: &mut FeatureWindow,
    ) -> Result<(), DecodeError> {
        let rate = f64::from(self.sample_rate);
        let at = |frame: u64| MediaTime::from_secs_f64(frame as f64 / rate);
        while !self.ended && self.heard_to < media {
            match self.sound.next()? {
                None => self.ended = true,
                Some((first, stereo)) => {
                    self.analyser.push(at(first), stereo, &mut |features| window.push(0, features));
                    self.heard_to = at(first + stereo.len() as u64 / 2);
                }
            }
        }
        Ok(())
    }
}

/// Length of the music in frames; a file that does not tell is decoded once for it, as far as is `needed`.
fn frames_of(file: &Path, decoder: &Decoder, needed: f64) -> Result<u64, DecodeError> {
    if let Some(frames) = decoder.info().frames {
        return Ok(frames);
    }
    let mut counting = Decoder::open(file)?;
    while (counting.position() as f64) < needed && counting.next()?.is_some() {}
    Ok(counting.position())
}
