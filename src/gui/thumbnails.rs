//! Small live pictures of presets: each a simulated beam, drawn on a thread of its own, one at a time.
//!
//! The window asks for the pictures it is about to show and never waits: it has one request under way at most, and
//! shows what it got last. While music plays, pictures follow it in turn; else each is drawn once, to a lively scene.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use egui::{ColorImage, Context, TextureHandle, TextureId, TextureOptions};

use crate::analysis::Features;
use crate::path::{GalvoProfile, Layout, LayoutSettings, Mirror, PathPoints};
use crate::pattern::{Figure, Instrument, Preset};
use crate::point::LaserPoint;
use crate::show::Snapshot;
use crate::time::MediaTime;

/// Side of a picture, px.
const SIDE: usize = 128;
/// Points a second and pictures a second of the simulated projector.
const PPS: u32 = 30_000;
const FRAMES_PER_SECOND: u32 = 50;
const MAX_POINTS: usize = 4_096;
/// Where the beam is looked at between two points.
const STEPS_PER_POINT: usize = 3;
/// Pictures that a preset plays before it is seen for the first time: what flies is in the air then.
const RUN_UP: usize = 40;
/// Pictures kept. Beyond that those that were not shown for the longest time go.
const MOST_KEPT: usize = 256;

/// How soon a picture that was drawn is shown.
const SOON: Duration = Duration::from_millis(17);
/// While music plays, one of this many frames of the window asks for a picture that is only old.
const FRAMES_PER_LOOK: u64 = 3;

/// The pictures.
#[derive(Default)]
pub(super) struct Thumbnails {
    kept: HashMap<String, Thumbnail>,
    wanted: Vec<(String, Arc<Preset>)>,
    artist: Option<Artist>,
    /// The request under way.
    asked: Option<Asked>,
    turn: u64,
}

struct Thumbnail {
    texture: TextureHandle,
    of: Arc<Preset>,
    drawn: u64,
    shown: u64,
}

struct Asked {
    name: String,
    of: Arc<Preset>,
}

/// The thread that draws. It ends when its requests do.
struct Artist {
    requests: Sender<Request>,
    pictures: Receiver<Option<Vec<u8>>>,
}

struct Request {
    name: String,
    preset: Arc<Preset>,
    /// What is heard; none for the lively scene.
    heard: Option<(Box<Features>, MediaTime)>,
}

impl std::fmt::Debug for Thumbnails {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Thumbnails").field("kept", &self.kept.len()).finish_non_exhaustive()
    }
}

impl Thumbnails {
    /// The picture of a preset as it was last drawn; it is drawn anew in its turn.
    pub(super) fn get(&mut self, name: &str, preset: &Arc<Preset>) -> Option<TextureId> {
        self.wanted.push((name.to_owned(), Arc::clone(preset)));
        let turn = self.turn;
        let found = self.kept.get_mut(name)?;
        found.shown = turn;
        Some(found.texture.id())
    }

    /// Once a frame, after all pictures were asked for: takes what was drawn and asks for the next.
    pub(super) fn work(&mut self, ctx: &Context, seen: &Snapshot) {
        self.turn += 1;
        self.take(ctx);
        let wanted = std::mem::take(&mut self.wanted);
        if self.asked.is_some() {
            return;
        }
        let playing = seen.transport.playing && !seen.features.silent;
        let refresh = playing && self.turn.is_multiple_of(FRAMES_PER_LOOK);
        let Some((name, preset)) = self.most_urgent(&wanted, refresh) else { return };
        let heard = playing.then(|| (Box::new(seen.features), seen.transport.position));
        if self.artist.is_none() {
            self.artist = Artist::at_work(ctx).ok();
        }
        let Some(artist) = &self.artist else { return };
        let asked = Asked { name: name.clone(), of: Arc::clone(preset) };
        let request = Request { name: name.clone(), preset: Arc::clone(preset), heard };
        if artist.requests.try_send(request).is_ok() {
            self.asked = Some(asked);
        }
    }

    /// True once every picture that was asked for last is there.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_none()
    }

    fn take(&mut self, ctx: &Context) {
        let Some(artist) = &self.artist else { return };
        let Ok(picture) = artist.pictures.try_recv() else { return };
        let (Some(Asked { name, of }), Some(rgb)) = (self.asked.take(), picture) else { return };
        let image = ColorImage::from_rgb([SIDE, SIDE], &rgb);
        let (drawn, shown) = (self.turn, self.turn);
        if let Some(kept) = self.kept.get_mut(&name) {
            kept.texture.set(image, TextureOptions::LINEAR);
            (kept.of, kept.drawn) = (of, drawn);
        } else {
            let called = format!("thumbnail {name}");
            let texture = ctx.load_texture(called, image, TextureOptions::LINEAR);
            self.kept.insert(name, Thumbnail { texture, of, drawn, shown });
        }
        if self.kept.len() > MOST_KEPT {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.shown);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.kept.remove(&name);
            }
        }
    }

    /// What was never drawn, then what has changed, then what was drawn longest ago if those are to be `refresh`ed.
    fn most_urgent<'a>(
        &self,
        wanted: &'a [(String, Arc<Preset>)],
        refresh: bool,
    ) -> Option<&'a (String, Arc<Preset>)> {
        let age = |(name, preset): &&(String, Arc<Preset>)| match self.kept.get(name) {
            None => 0,
            Some(kept) if *kept.of != **preset => 1,
            Some(kept) => 2 + kept.drawn,
        };
        wanted.iter().min_by_key(age).filter(|entry| refresh || age(entry) < 2)
    }
}

impl Artist {
    fn at_work(ctx: &Context) -> std::io::Result<Self> {
        let (requests, inbox) = bounded::<Request>(1);
        let (outbox, pictures) = bounded(1);
        let ctx = ctx.clone();
        let work = move || {
            let mut studio = Studio::new();
            for request in inbox {
                if outbox.send(studio.picture(&request)).is_err() {
                    return;
                }
                // Soon, but not beside the pictures that a show in motion makes anyway.
                ctx.request_repaint_after(SOON);
            }
        };
        thread::Builder::new().name("thumbnails".into()).spawn(work)?;
        Ok(Self { requests, pictures })
    }
}

/// What the artist works with.
struct Studio {
    sitters: HashMap<String, Sitter>,
    figure: Figure,
    layout: Layout,
    points: PathPoints,
}

/// A preset at play.
struct Sitter {
    preset: Arc<Preset>,
    instrument: Instrument,
    last: MediaTime,
    lively_s: f64,
    fresh: bool,
}

impl Studio {
    fn new() -> Self {
        Self {
            sitters: HashMap::new(),
            figure: Instrument::figure(),
            layout: Layout::new(LayoutSettings::default(), MAX_POINTS),
            points: PathPoints::with_capacity(MAX_POINTS),
        }
    }

    /// The picture as RGB; none of a preset that is wrong.
    fn picture(&mut self, request: &Request) -> Option<Vec<u8>> {
        if self.sitters.len() > MOST_KEPT {
            self.sitters.clear();
        }
        let known = self.sitters.remove(&request.name);
        let mut sitter = match known {
            Some(sitter) if *sitter.preset == *request.preset => sitter,
            known => {
                let mut instrument = Instrument::new(&request.preset).ok()?;
                let (mut last, mut lively_s, mut fresh) = (MediaTime::ZERO, 0.0, true);
                if let Some(mut known) = known {
                    instrument.inherit(&mut known.instrument);
                    (last, lively_s, fresh) = (known.last, known.lively_s, known.fresh);
                }
                Sitter { preset: Arc::clone(&request.preset), instrument, last, lively_s, fresh }
            }
        };
        let frame_s = 1.0 / f64::from(FRAMES_PER_SECOND);
        if sitter.fresh || request.heard.is_none() {
            let run_up = if std::mem::take(&mut sitter.fresh) { RUN_UP } else { 1 };
            for _ in 0..run_up {
                sitter.lively_s += frame_s;
                let media = MediaTime::from_secs_f64(sitter.lively_s);
                sitter.instrument.draw(
                    &lively(sitter.lively_s),
                    media,
                    frame_s as f32,
                    &mut self.figure,
                );
            }
        }
        let (features, media) = match &request.heard {
            Some((features, media)) => (**features, *media),
            None => (lively(sitter.lively_s), MediaTime::from_secs_f64(sitter.lively_s)),
        };
        if request.heard.is_some() {
            let dt = media.secs_since(sitter.last).clamp(0.0, 0.25) as f32;
            sitter.instrument.draw(&features, media, dt, &mut self.figure);
            sitter.last = media;
        }
        let budget = (PPS / FRAMES_PER_SECOND) as usize;
        self.layout.lay(&self.figure, LaserPoint::CENTRE, PPS, budget, &mut self.points);
        let shade = sitter.instrument.shade(&features, media);
        let (sin, cos) = shade.rotation.sin_cos();
        let mut wall = Wall::new();
        let mut mirror = Mirror::new(GalvoProfile::default());
        // Twice around: the first way of the mirrors leads from the middle and is not seen.
        for is_seen in [false, true] {
            for point in self.points.as_slice() {
                let (x, y) = (point.x * cos - point.y * sin, point.x * sin + point.y * cos);
                let target = [x * shade.scale, y * shade.scale];
                for _ in 0..STEPS_PER_POINT {
                    let dt = 1.0 / (PPS as f32 * STEPS_PER_POINT as f32);
                    let at = mirror.step(target, dt);
                    if is_seen && !point.is_blank() {
                        wall.spot(at, point, shade.gain);
                    }
                }
            }
        }
        self.sitters.insert(request.name.clone(), sitter);
        Some(wall.into_rgb())
    }
}

/// Light that adds up.
struct Wall {
    light: Vec<[f32; 3]>,
}

impl Wall {
    fn new() -> Self {
        Self { light: vec![[0.0; 3]; SIDE * SIDE] }
    }

    /// A spot of one pixel's size, shared by the four pixels it touches.
    fn spot(&mut self, at: [f32; 2], point: &LaserPoint, gain: f32) {
        let half = SIDE as f32 * 0.5;
        let (x, y) = (half * (1.0 + at[0] * 0.96) - 0.5, half * (1.0 - at[1] * 0.96) - 0.5);
        let (left, top) = (x.floor(), y.floor());
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let (px, py) = (left as i32 + dx, top as i32 + dy);
            let inside = 0..SIDE as i32;
            if !inside.contains(&px) || !inside.contains(&py) {
                continue;
            }
            let share = (1.0 - (x - px as f32).abs()) * (1.0 - (y - py as f32).abs()) * gain;
            let pixel = &mut self.light[py as usize * SIDE + px as usize];
            for (sum, drive) in pixel.iter_mut().zip([point.r, point.g, point.b]) {
                *sum += share * f32::from(drive) / 65_535.0;
            }
        }
    }

    /// With a soft halo, as an eye sees it.
    fn into_rgb(self) -> Vec<u8> {
        let halo = blurred(&blurred(&self.light, 1), SIDE);
        let mut rgb = Vec::with_capacity(SIDE * SIDE * 3);
        for (core, halo) in self.light.iter().zip(&halo) {
            for (core, halo) in core.iter().zip(halo) {
                let level = 0.45 * core + 0.9 * halo;
                rgb.push(((1.0 - (-1.5 * level).exp()).powf(0.7) * 255.0) as u8);
            }
        }
        rgb
    }
}

/// Every pixel mixed with its neighbours `stride` away, in the proportions 1 4 6 4 1.
fn blurred(light: &[[f32; 3]], stride: usize) -> Vec<[f32; 3]> {
    const WEIGHTS: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
    let mut out = vec![[0.0; 3]; light.len()];
    for (index, pixel) in out.iter_mut().enumerate() {
        for (k, weight) in WEIGHTS.iter().enumerate() {
            let Some(from) = (index + k * stride).checked_sub(2 * stride) else { continue };
            // Across, a neighbour of the next row is none.
            let is_beside = stride > 1 || from / SIDE == index / SIDE;
            if let (true, Some(near)) = (is_beside, light.get(from)) {
                for (sum, value) in pixel.iter_mut().zip(near) {
                    *sum += value * weight / 16.0;
                }
            }
        }
    }
    out
}

/// Music that has everything: a kick on every beat of 120 a minute, a voice, cymbals.
fn lively(seconds: f64) -> Features {
    let media = MediaTime::from_secs_f64(seconds);
    let beats = seconds * 2.0;
    let phase = beats.fract() as f32;
    let kick = (-phase * 3.0).exp();
    let mut features =
        Features { level: 0.6 + 0.3 * kick, silent: false, ..Features::silence(media) };
    features.level_db = -12.0;
    features.bands.bass = 0.3 + 0.6 * kick;
    features.bands.mid = 0.5 + 0.2 * (seconds * 3.1).sin() as f32;
    features.bands.treble = 0.35 + 0.25 * (seconds * 7.3).sin() as f32;
    for (k, band) in features.spectrum.iter_mut().enumerate() {
        let place = k as f32 / 31.0;
        let ripple = 0.5 + 0.5 * (place * 19.0 + seconds as f32 * 2.0).sin();
        let low = if k < 7 { kick } else { 0.0 };
        *band = ((1.0 - place).powf(0.7) * (0.3 + 0.5 * ripple) + 0.4 * low).min(1.0);
    }
    for (k, sample) in features.waveform.iter_mut().enumerate() {
        let t = k as f32 / 256.0 * std::f32::consts::TAU;
        let turn = seconds as f32 * 4.0;
        *sample =
            0.5 * (3.0 * t + turn).sin() + 0.3 * (7.0 * t - turn).sin() + 0.1 * (19.0 * t).sin();
    }
    features.onset.envelope = kick;
    features.onset.strength = 0.9;
    features.onset.count = beats as u32 + 1;
    features.onset.last = MediaTime::from_secs_f64(beats.floor() / 2.0);
    features.beat.bpm = 120.0;
    features.beat.confidence = 0.95;
    features.beat.phase = phase;
    features.beat.bar_phase = (beats / 4.0).fract() as f32;
    features.beat.count = beats as u32;
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::bundled::BUNDLED;

    fn request(text: &str, heard: Option<f64>) -> Request {
        let preset = Arc::new(Preset::parse(text).unwrap());
        let heard = heard.map(|s| (Box::new(lively(s)), MediaTime::from_secs_f64(s)));
        Request { name: preset.name.clone(), preset, heard }
    }

    fn lit(rgb: &[u8]) -> usize {
        rgb.chunks(3).filter(|pixel| pixel.iter().any(|level| *level > 60)).count()
    }

    #[test]
    fn every_bundled_preset_is_seen_and_fills_no_more_than_a_part_of_its_picture() {
        let mut studio = Studio::new();
        // What mask streams show is dark without one.
        for (file, text) in BUNDLED.iter().filter(|(_, text)| !text.contains("\"mask\"")) {
            let picture = studio.picture(&request(text, None)).unwrap();
            assert_eq!(picture.len(), SIDE * SIDE * 3);
            let share = lit(&picture) as f32 / (SIDE * SIDE) as f32;
            assert!((0.002..0.8).contains(&share), "{file}: {share}");
        }
    }

    #[test]
    fn a_picture_is_the_same_for_the_same_scene_and_moves_with_the_music() {
        let text = BUNDLED[0].1;
        let first = |heard| Studio::new().picture(&request(text, heard)).unwrap();
        assert_eq!(first(None), first(None));
        let mut studio = Studio::new();
        let pictures: Vec<_> =
            [3.0, 3.1].map(|s| studio.picture(&request(text, Some(s))).unwrap()).into();
        assert_ne!(pictures[0], pictures[1]);
    }

    #[test]
    fn what_was_never_drawn_comes_first_and_nothing_is_drawn_twice_without_music() {
        let ctx = Context::default();
        let mut thumbnails = Thumbnails::default();
        let presets: Vec<_> =
            BUNDLED[..3].iter().map(|(_, text)| Arc::new(Preset::parse(text).unwrap())).collect();
        let mut seen = Snapshot::default();
        let frame = |thumbnails: &mut Thumbnails, seen: &Snapshot| {
            let there =
                presets.iter().filter(|preset| thumbnails.get(&preset.name, preset).is_some());
            let there = there.count();
            thumbnails.work(&ctx, seen);
            there
        };
        while frame(&mut thumbnails, &seen) < 3 {
            thread::yield_now();
        }
        frame(&mut thumbnails, &seen);
        assert!(thumbnails.is_idle(), "all are there");
        (seen.transport.playing, seen.features.silent) = (true, false);
        let is_followed = (0..FRAMES_PER_LOOK).any(|_| {
            frame(&mut thumbnails, &seen);
            !thumbnails.is_idle()
        });
        assert!(is_followed, "music is followed");
    }
}
