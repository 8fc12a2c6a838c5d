//! One projector's picture: from features to the points of a fill request.
//!
//! A picture (frame) is drawn for the media time at which its first point is seen. Brightness, scale and
//! rotation follow the music inside the frame too, every [`BLOCK`] points at the time those are seen, so
//! that a kick is not late by what is left of a frame.

use super::deck::{Change, Deck, Transition};
use super::hearing::Ear;
use crate::analysis::Features;
use crate::mask::LightFrames;
use crate::path::{GalvoProfile, Layout, LayoutSettings, PathPoints, Perspective};
use crate::pattern::{Instrument, Shade};
use crate::point::{Colour, LaserPoint};
use crate::stream::{FillRequest, FillResult, Producer};
use crate::time::MediaTime;

/// Points between two looks at the music inside a frame: about 1 ms at 30 kpps.
pub const BLOCK: usize = 32;
/// Pictures a second that the point budget of one picture is made for.
pub const FRAMES_PER_SECOND: u32 = 50;
/// Most points of one picture.
const MAX_FRAME_POINTS: usize = 4096;
/// A figure that costs all that a picture may cost is shown at least so long before another is drawn, and a cheaper
/// one its share of it: pictures of few points would be drawn many times in one callback.
const FIGURE_LASTS_S: f32 = 0.010;
/// What one fill may draw, in pictures that cost all that a picture may: a buffer that was emptied is filled at once.
const SHARES_A_FILL: f32 = 2.0;

/// Draws one projector's pictures. All memory is taken at the start.
#[derive(Debug)]
pub struct Renderer {
    deck: Deck,
    layout: Layout,
    frame: PathPoints,
    cursor: usize,
    /// How long the figure is shown by the pictures laid of it so far.
    figure_seconds: f32,
    /// The figure belongs to another place in the music.
    stale: bool,
    /// What this fill has drawn, in shares of what a picture may cost.
    shares_drawn: f32,
    beam: LaserPoint,
    shade: Shade,
    step: Shade,
    turn: Turn,
    flash: bool,
    block_left: usize,
    /// Part of a picture by which this one begins later than others, 0..1.
    lag: f32,
    lag_left: usize,
    epoch: u32,
    features: Features,
    perspective: Perspective,
    /// False while it shows a test picture: the parameters of the show are not its own.
    follows: bool,
    crossfade: f32,
}

impl Renderer {
    /// A renderer that plays `instrument`.
    #[must_use]
    pub fn new(instrument: Box<Instrument>) -> Self {
        Self {
            deck: Deck::new(instrument),
            layout: Layout::new(LayoutSettings::default(), MAX_FRAME_POINTS),
            frame: PathPoints::with_capacity(MAX_FRAME_POINTS),
            cursor: 0,
            figure_seconds: 0.0,
            stale: true,
            shares_drawn: 0.0,
            beam: LaserPoint::CENTRE,
            shade: Shade { gain: 0.0, scale: 1.0, rotation: 0.0 },
            step: Shade { gain: 0.0, scale: 0.0, rotation: 0.0 },
            turn: Turn::default(),
            flash: false,
            block_left: 0,
            lag: 0.0,
            lag_left: 0,
            epoch: 0,
            features: Features::default(),
            perspective: Perspective::default(),
            follows: true,
            crossfade: 0.0,
        }
    }

    /// For mirrors of `profile`.
    #[must_use]
    pub fn for_mirrors(mut self, profile: GalvoProfile) -> Self {
        self.layout.settings_mut().profile = profile;
        self
    }

    /// With its first picture `share` of a picture (0..1) later, dark until then. Renderers with different
    /// shares do not draw in the same callback: the work of many projectors is spread evenly.
    #[must_use]
    pub fn lagging(mut self, share: f32) -> Self {
        self.lag = share.clamp(0.0, 1.0);
        self.lag_left = usize::MAX;
        self
    }

    /// Lets another instrument follow; what is in `next` afterwards is to be freed elsewhere.
    pub fn change_instrument(
        &mut self,
        next: &mut Option<Box<Instrument>>,
        transition: Transition,
    ) {
        // None is for the others: a projector at its test picture, or one beside it.
        if next.is_some() {
            self.deck.change(next, transition);
        }
    }

    /// Lays an instrument on the other side of the crossfader, or nothing; what is in `next` afterwards is to be freed
    /// elsewhere.
    pub fn lay_beside(&mut self, next: &mut Option<Box<Instrument>>) {
        self.deck.lay_beside(next);
    }

    /// The crossfader: 0 what plays, 1 the other side. A test picture stays whole.
    pub const fn set_crossfade(&mut self, fade: f32) {
        self.crossfade = fade;
        self.deck.set_crossfade(if self.follows { fade } else { 0.0 });
    }

    /// From the next block on: all that is drawn in full white, whatever its colour and brightness, or as it is.
    pub const fn set_flash(&mut self, on: bool) {
        self.flash = on;
    }

    /// Puts an edited instrument in place of the one that was chosen last; what is in `next` afterwards is to be freed
    /// elsewhere.
    pub fn replace_instrument(&mut self, next: &mut Option<Box<Instrument>>) {
        self.deck.replace(next);
    }

    /// How far the last change of instruments is.
    #[must_use]
    pub fn change(&self) -> Change {
        self.deck.progress()
    }

    /// Sets a parameter of the instrument, by its place in the list, if it is the show's.
    pub fn set_param(&mut self, index: usize, value: f32) {
        if self.follows {
            self.deck.set_param(index, value);
        }
    }

    /// Whether it plays what the show plays; if not, the crossfader leaves it alone too.
    pub const fn set_following(&mut self, follows: bool) {
        self.follows = follows;
        self.set_crossfade(self.crossfade);
    }

    /// Lays its pictures like this from the next point on, for mirrors of `profile`.
    pub const fn install(&mut self, perspective: Perspective, profile: GalvoProfile) {
        self.perspective = perspective;
        self.layout.settings_mut().profile = profile;
    }

    /// This renderer as a producer that listens through `ear`; in silence if the music does not run.
    pub fn seeing<'a>(&'a mut self, ear: &'a dyn Ear, playing: bool) -> Seeing<'a> {
        Seeing { renderer: self, ear, masks: None, playing }
    }

    /// Draws the picture seen at `media` whole, over what `out` held: for files of pictures, where a player
    /// shows it for `seconds` and may repeat it. It begins and ends dark in the centre, so that any may follow
    /// any. Brightness, scale and rotation are those of its first moment. Not for the callback: `out` may grow.
    pub fn picture(
        &mut self,
        ear: &dyn Ear,
        media: MediaTime,
        pps: u32,
        seconds: f32,
        out: &mut Vec<LaserPoint>,
    ) {
        self.features = ear.at(media);
        let figure = self.deck.draw(&self.features, media, seconds);
        let most = (pps as f32 * seconds) as usize;
        let budget = most.min((pps / FRAMES_PER_SECOND) as usize);
        self.layout.lay_loop(figure, LaserPoint::CENTRE, pps, budget, &mut self.frame);
        let shade = self.deck.shade(&self.features, media);
        let turn = Turn::from(shade.rotation, 0.0);
        out.clear();
        out.extend(self.frame.as_slice().iter().map(|point| shaded(*point, shade, &turn)));
    }

    /// Lays the next picture: drawn for `media` from the features looked up last, or once more the figure of the last
    /// one if it may not be drawn yet.
    fn next_picture(&mut self, media: MediaTime, pps: u32) {
        let share = self.deck.share();
        let is_young = !self.stale && self.figure_seconds < share * FIGURE_LASTS_S;
        let has_drawn = self.shares_drawn > 0.0 && self.shares_drawn + share > SHARES_A_FILL;
        if !is_young && !has_drawn {
            self.deck.draw(&self.features, media, self.figure_seconds);
            self.shares_drawn += self.deck.share();
            self.figure_seconds = 0.0;
            self.stale = false;
        }
        let budget = (pps / FRAMES_PER_SECOND) as usize;
        self.layout.lay(self.deck.drawn(), self.beam, pps, budget, &mut self.frame);
        self.cursor = 0;
        self.figure_seconds += self.frame.as_slice().len() as f32 / pps as f32;
    }
}

/// A renderer with the music it sees: the producer of one fill.
#[derive(Debug)]
pub struct Seeing<'a> {
    renderer: &'a mut Renderer,
    ear: &'a dyn Ear,
    masks: Option<&'a LightFrames>,
    playing: bool,
}

impl<'a> Seeing<'a> {
    /// With the silhouettes of a mask stream.
    #[must_use]
    pub fn with_masks(mut self, masks: &'a LightFrames) -> Self {
        self.masks = Some(masks);
        self
    }

    /// The features that light made for `media` shows: silence while the music stands still.
    fn look(&mut self, media: MediaTime) {
        let seen = if self.playing { self.ear.at(media) } else { Features::silence(media) };
        self.renderer.features = seen;
    }

    /// The dark points before the first picture of an epoch; returns how many there are.
    fn lag(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> usize {
        let renderer = &mut *self.renderer;
        let picture = request.pps / FRAMES_PER_SECOND;
        let left = renderer.lag_left.min((renderer.lag * picture as f32) as usize);
        let lagging = left.min(buffer.len());
        buffer[..lagging].fill(renderer.beam.blanked());
        renderer.lag_left = left - lagging;
        lagging
    }
}

impl Producer for Seeing<'_> {
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        let wanted = request.target_points.min(buffer.len());
        self.renderer.shares_drawn = 0.0;
        if self.renderer.epoch != request.epoch {
            // What is left of a picture of another place in the music is never shown.
            self.renderer.epoch = request.epoch;
            self.renderer.stale = true;
            self.renderer.cursor = self.renderer.frame.as_slice().len();
            self.renderer.block_left = 0;
            self.renderer.lag_left = usize::MAX;
        }
        let mut done = self.lag(request, &mut buffer[..wanted]);
        while done < wanted {
            if self.renderer.cursor >= self.renderer.frame.as_slice().len() {
                let media = request.media_at(done);
                self.look(media);
                if let Some(masks) = self.masks {
                    let place = self.ear.place(media);
                    self.renderer.deck.see(masks.at(place, request.epoch));
                }
                self.renderer.next_picture(media, request.pps);
                if self.renderer.frame.as_slice().is_empty() {
                    break;
                }
            }
            if self.renderer.block_left == 0 {
                let media = request.media_at(done + BLOCK);
                self.look(media);
                let renderer = &mut *self.renderer;
                let goal = renderer.deck.shade(&renderer.features, media);
                renderer.step = step_towards(renderer.shade, goal);
                renderer.turn = Turn::from(renderer.shade.rotation, renderer.step.rotation);
                renderer.block_left = BLOCK;
            }
            let renderer = &mut *self.renderer;
            let drawn = &renderer.frame.as_slice()[renderer.cursor..];
            let n = drawn.len().min(wanted - done).min(renderer.block_left);
            for (point, drawn) in buffer[done..done + n].iter_mut().zip(drawn) {
                renderer.shade.gain += renderer.step.gain;
                renderer.shade.scale += renderer.step.scale;
                renderer.shade.rotation += renderer.step.rotation;
                renderer.turn.step();
                let point_now = shaded(*drawn, renderer.shade, &renderer.turn);
                *point = if renderer.flash { flashing(*drawn, point_now) } else { point_now };
            }
            renderer.perspective.apply(&mut buffer[done..done + n]);
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

/// A direction and the turn to the next point's, as cosine and sine: within a block no angle is looked up.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    cos: f32,
    sin: f32,
    step_cos: f32,
    step_sin: f32,
}

impl Turn {
    fn from(angle: f32, step: f32) -> Self {
        let (sin, cos) = angle.sin_cos();
        let (step_sin, step_cos) = step.sin_cos();
        Self { cos, sin, step_cos, step_sin }
    }

    fn step(&mut self) {
        let Self { cos, sin, step_cos, step_sin } = *self;
        self.cos = cos * step_cos - sin * step_sin;
        self.sin = sin * step_cos + cos * step_sin;
    }
}

/// A point of `drawn` light in full white where it is seen now.
fn flashing(drawn: LaserPoint, seen: LaserPoint) -> LaserPoint {
    if drawn.is_blank() { seen } else { LaserPoint::lit(seen.x, seen.y, Colour::WHITE) }
}

fn shaded(point: LaserPoint, shade: Shade, turn: &Turn) -> LaserPoint {
    let x = (point.x * turn.cos - point.y * turn.sin) * shade.scale;
    let y = (point.x * turn.sin + point.y * turn.cos) * shade.scale;
    // The edge of the field bends a picture that is too large; light outside it would be blanked.
    let inside = |v: f32| v.clamp(-1.0, 1.0);
    LaserPoint { x: inside(x), y: inside(y), ..point }.scaled(shade.gain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::FeatureWindow;
    use crate::pattern::Preset;
    use crate::pattern::bundled::BUNDLED;
    use crate::pattern::cost::fit;
    use crate::time::{HostTime, StreamInstant};

    const PPS: u32 = 30_000;

    #[test]
    fn a_block_of_steps_ends_at_the_angle_they_add_up_to() {
        for (angle, step) in [(0.0, 0.0), (1.0, 0.01), (-3.0, -0.09)] {
            let mut turn = Turn::from(angle, step);
            (0..BLOCK).for_each(|_| turn.step());
            let (sin, cos) = (angle + step * BLOCK as f32).sin_cos();
            assert!((turn.sin - sin).abs() < 1e-5 && (turn.cos - cos).abs() < 1e-5);
        }
    }

    fn request(start: u64, points: usize, epoch: u32) -> FillRequest {
        FillRequest {
            start: StreamInstant(start),
            pps: PPS,
            min_points: points,
            target_points: points,
            buffered_points: 0,
            buffered: std::time::Duration::ZERO,
            device_queued_points: None,
            plays_at: HostTime::ZERO,
            media: MediaTime::from_secs_f64(start as f64 / f64::from(PPS)),
            media_per_point: 1.0 / f64::from(PPS),
            epoch,
        }
    }

    /// A figure of few points, from an instrument for which it costs all that a picture may cost, or next to nothing.
    fn dot(is_dear: bool) -> Renderer {
        let text = "version = 1\nname = \"Dot\"\ngenerator = \"formula\"\n[params]\npoints = 640\n\
                    [formula]\npoint = \"x = 0\\ny = 0\"\n";
        let preset = Preset::parse(text).expect("it is sound");
        let units = fit(&preset, u64::MAX).expect("it is sound").units;
        let budget = if is_dear { units } else { u64::MAX };
        Renderer::new(Box::new(Instrument::within(&preset, budget).expect("it is sound")))
    }

    /// How many figures are drawn for a tenth of a second, filled in runs of `points`.
    fn figures_drawn(renderer: &mut Renderer, points: usize) -> usize {
        let window = FeatureWindow::new();
        let mut buffer = vec![LaserPoint::CENTRE; points];
        let mut drawn = 0.0;
        for start in (0..3_000).step_by(points) {
            let request = request(start as u64, points, 1);
            renderer.seeing(&window, true).fill(&request, &mut buffer);
            drawn += renderer.shares_drawn / renderer.deck.share().max(f32::MIN_POSITIVE);
        }
        drawn.round() as usize
    }

    #[test]
    fn a_dear_figure_of_few_points_is_drawn_once_in_ten_milliseconds() {
        let cheap = figures_drawn(&mut dot(false), 30);
        assert!(cheap > 20, "a cheap one for every picture: {cheap}");
        let dear = figures_drawn(&mut dot(true), 30);
        assert!((8..=10).contains(&dear), "{dear}");
    }

    #[test]
    fn one_fill_draws_two_dear_figures_however_many_points_it_wants() {
        assert_eq!(figures_drawn(&mut dot(true), 3_000), 2);
    }

    #[test]
    fn another_place_in_the_music_has_a_figure_of_its_own() {
        let mut renderer = dot(true);
        let window = FeatureWindow::new();
        let mut buffer = vec![LaserPoint::CENTRE; 30];
        for epoch in 1..5 {
            renderer.seeing(&window, true).fill(&request(0, 30, epoch), &mut buffer);
            assert!(renderer.shares_drawn > 0.9, "epoch {epoch}");
        }
    }

    /// What is rendered for one projector has a figure of its own for every picture.
    #[test]
    fn no_bundled_preset_shows_a_figure_twice_on_one_projector() {
        let window = FeatureWindow::new();
        let mut buffer = vec![LaserPoint::CENTRE; 64];
        for (file, text) in BUNDLED {
            let preset = Preset::parse(text).expect("bundled presets are sound");
            let mut renderer = Renderer::new(Box::new(Instrument::new(&preset).expect("sound")));
            for start in (0..60_000).step_by(64) {
                renderer.seeing(&window, true).fill(&request(start, 64, 1), &mut buffer);
                let picture_s = renderer.frame.as_slice().len() as f32 / PPS as f32;
                let held_s = renderer.deck.share() * FIGURE_LASTS_S;
                assert!(picture_s >= held_s, "{file}: {picture_s} {held_s}");
            }
        }
    }

    /// Dark points before the first lit one, from two fills of an epoch.
    fn dark_points(renderer: &mut Renderer, epoch: u32) -> usize {
        let window = FeatureWindow::new();
        let mut points = vec![LaserPoint::CENTRE; 1_400];
        let (first, second) = points.split_at_mut(100);
        renderer.seeing(&window, true).fill(&request(0, 100, epoch), first);
        renderer.seeing(&window, true).fill(&request(100, 1_300, epoch), second);
        points.iter().position(|point| !point.is_blank()).expect("a bundled preset shines")
    }

    #[test]
    fn a_lagging_renderer_begins_every_epoch_later_by_its_share() {
        let preset = Preset::parse(BUNDLED[0].1).expect("bundled presets are sound");
        let make = || Renderer::new(Box::new(Instrument::new(&preset).expect("it is sound")));
        let (mut prompt, mut late) = (make(), make().lagging(0.5));
        for epoch in 1..4 {
            let (prompt, late) = (dark_points(&mut prompt, epoch), dark_points(&mut late, epoch));
            assert!(late >= 300 && late.abs_diff(prompt + 300) <= 60, "{prompt} {late}");
        }
    }
}
