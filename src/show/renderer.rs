//! One projector's picture: from features to the points of a fill request.
//!
//! A picture (frame) is drawn for the media time at which its first point is seen. Brightness, scale and
//! rotation follow the music inside the frame too, every [`BLOCK`] points at the time those are seen, so
//! that a kick is not late by what is left of a frame.

use crate::analysis::{FeatureWindow, Features};
use crate::path::{Layout, LayoutSettings, PathPoints};
use crate::pattern::{Figure, Instrument, Shade};
use crate::point::LaserPoint;
use crate::stream::{FillRequest, FillResult, Producer};
use crate::time::MediaTime;

/// Points between two looks at the music inside a frame: about 1 ms at 30 kpps.
pub const BLOCK: usize = 32;
/// Pictures a second that the point budget of one picture is made for.
pub const FRAMES_PER_SECOND: u32 = 50;
/// Most points of one picture.
const MAX_FRAME_POINTS: usize = 4096;

/// Draws one projector's pictures. All memory is taken at the start.
#[derive(Debug)]
pub struct Renderer {
    instrument: Box<Instrument>,
    figure: Figure,
    layout: Layout,
    frame: PathPoints,
    cursor: usize,
    frame_seconds: f32,
    beam: LaserPoint,
    shade: Shade,
    step: Shade,
    block_left: usize,
    epoch: u32,
    features: Features,
}

impl Renderer {
    /// A renderer that plays `instrument`.
    #[must_use]
    pub fn new(instrument: Box<Instrument>) -> Self {
        Self {
            instrument,
            figure: Instrument::figure(),
            layout: Layout::new(LayoutSettings::default(), MAX_FRAME_POINTS),
            frame: PathPoints::with_capacity(MAX_FRAME_POINTS),
            cursor: 0,
            frame_seconds: 0.0,
            beam: LaserPoint::CENTRE,
            shade: Shade { gain: 0.0, scale: 1.0, rotation: 0.0 },
            step: Shade { gain: 0.0, scale: 0.0, rotation: 0.0 },
            block_left: 0,
            epoch: 0,
            features: Features::default(),
        }
    }

    /// Plays another instrument from the next picture on; the old one is in `instrument` afterwards, to be
    /// freed elsewhere.
    pub fn swap_instrument(&mut self, instrument: &mut Box<Instrument>) {
        std::mem::swap(&mut self.instrument, instrument);
    }

    /// Sets a parameter of the instrument, by its place in the list.
    pub fn set_param(&mut self, index: usize, value: f32) {
        self.instrument.set_param(index, value);
    }

    /// This renderer as a producer that looks at `window`; in silence if the music does not run.
    pub fn seeing<'a>(&'a mut self, window: &'a FeatureWindow, playing: bool) -> Seeing<'a> {
        Seeing { renderer: self, window, playing }
    }

    /// Draws the picture for `media` from the features looked up last.
    fn draw_frame(&mut self, media: MediaTime, pps: u32) {
        self.instrument.draw(&self.features, media, self.frame_seconds, &mut self.figure);
        let budget = (pps / FRAMES_PER_SECOND) as usize;
        self.layout.lay(&self.figure, self.beam, pps, budget, &mut self.frame);
        self.cursor = 0;
        self.frame_seconds = self.frame.as_slice().len() as f32 / pps as f32;
    }
}

/// A renderer with the music it sees: the producer of one fill.
#[derive(Debug)]
pub struct Seeing<'a> {
    renderer: &'a mut Renderer,
    window: &'a FeatureWindow,
    playing: bool,
}

impl Seeing<'_> {
    /// The features that light made for `media` shows: silence while the music stands still.
    fn look(&mut self, media: MediaTime) {
        let seen = if self.playing { self.window.at(media) } else { Features::silence(media) };
        self.renderer.features = seen;
    }
}

impl Producer for Seeing<'_> {
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        let wanted = request.target_points.min(buffer.len());
        if self.renderer.epoch != request.epoch {
            // What is left of a picture of another place in the music is never shown.
            self.renderer.epoch = request.epoch;
            self.renderer.cursor = self.renderer.frame.as_slice().len();
            self.renderer.block_left = 0;
        }
        let mut done = 0;
        while done < wanted {
            if self.renderer.cursor >= self.renderer.frame.as_slice().len() {
                let media = request.media_at(done);
                self.look(media);
                self.renderer.draw_frame(media, request.pps);
                if self.renderer.frame.as_slice().is_empty() {
                    break;
                }
            }
            if self.renderer.block_left == 0 {
                let media = request.media_at(done + BLOCK);
                self.look(media);
                let renderer = &mut *self.renderer;
                let goal = renderer.instrument.shade(&renderer.features, media);
                renderer.step = step_towards(renderer.shade, goal);
                renderer.block_left = BLOCK;
            }
            let renderer = &mut *self.renderer;
            let drawn = &renderer.frame.as_slice()[renderer.cursor..];
            let n = drawn.len().min(wanted - done).min(renderer.block_left);
            for (point, drawn) in buffer[done..done + n].iter_mut().zip(drawn) {
                renderer.shade.gain += renderer.step.gain;
                renderer.shade.scale += renderer.step.scale;
                renderer.shade.rotation += renderer.step.rotation;
                *point = shaded(*drawn, renderer.shade);
            }
            renderer.beam = drawn[n - 1];
            renderer.cursor += n;
            renderer.block_left -= n;
            done += n;
        }
        if done == 0 && wanted > 0 { FillResult::Starved } else { FillResult::Filled(done) }
    }
}

/// The change per point that reaches `goal` in one block; rotation goes the short way round.
fn step_towards(now: Shade, goal: Shade) -> Shade {
    const TURN: f32 = std::f32::consts::TAU;
    let share = 1.0 / BLOCK as f32;
    let turn = (goal.rotation - now.rotation + TURN / 2.0).rem_euclid(TURN) - TURN / 2.0;
    Shade {
        gain: (goal.gain - now.gain) * share,
        scale: (goal.scale - now.scale) * share,
        rotation: turn * share,
    }
}

fn shaded(point: LaserPoint, shade: Shade) -> LaserPoint {
    let (sin, cos) = shade.rotation.sin_cos();
    let x = (point.x * cos - point.y * sin) * shade.scale;
    let y = (point.x * sin + point.y * cos) * shade.scale;
    // The edge of the field bends a picture that is too large; light outside it would be blanked.
    let inside = |v: f32| v.clamp(-1.0, 1.0);
    LaserPoint { x: inside(x), y: inside(y), ..point }.scaled(shade.gain)
}
