//! The colours of a preset: a palette, how it runs over the figure, and what moves it.

use std::f32::consts::TAU;

use serde::{Deserialize, Serialize};

use super::modulation::{Modulation, Signal, Smoothed, beats, is_default};
use super::pen::MAX_RADIUS;
use super::{Figure, ParamSpec, Stroke, Vertex};
use crate::analysis::Features;
use crate::point::Colour;
use crate::time::MediaTime;

/// The most colours a palette may have.
pub const MAX_COLOURS: usize = 6;

/// What `[[colour.modulate]]` rows may move.
pub const TARGETS: &[ParamSpec] = &[
    ParamSpec::new("travel", "palettes", [0.0, 0.0, 1.0], "Moves the palette along the figure."),
    ParamSpec::new("hue", "turns", [0.0, 0.0, 1.0], "Turns every colour around the colour wheel."),
    ParamSpec::new("saturation", "", [0.0, 1.0, 1.0], "1 pure colours, 0 white."),
];

/// A colour as a preset writes it: `#rrggbb`, the drive levels of the three diodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HexColour(pub [u8; 3]);

impl TryFrom<String> for HexColour {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a colour; write it as \"#rrggbb\"");
        let digits = text.strip_prefix('#').ok_or_else(wrong)?;
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let [_, r, g, b] = u32::from_str_radix(digits, 16).map_err(|_| wrong())?.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

impl From<HexColour> for String {
    fn from(HexColour([r, g, b]): HexColour) -> Self {
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

impl HexColour {
    fn colour(self) -> Colour {
        let [r, g, b] = self.0.map(|level| f32::from(level) / 255.0);
        Colour::rgb(r, g, b)
    }
}

/// How one colour of the palette meets the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// They flow into each other, the last into the first.
    #[default]
    Gradient,
    /// Each has its part, with a hard edge.
    Steps,
}

/// Along what the palette runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// Along every stroke, from its start to its end.
    #[default]
    Stroke,
    /// From stroke to stroke.
    Strokes,
    /// Around the centre.
    Angle,
    /// From the centre outwards.
    Radius,
    /// From left to right.
    X,
    /// From bottom to top.
    Y,
    /// The whole figure in one colour.
    Whole,
}

impl Run {
    /// Every run with its key in presets.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Stroke, "stroke"),
        (Self::Strokes, "strokes"),
        (Self::Angle, "angle"),
        (Self::Radius, "radius"),
        (Self::X, "x"),
        (Self::Y, "y"),
        (Self::Whole, "whole"),
    ];
}

/// The `[colour]` table of a preset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColourScheme {
    /// The palette: 1 to 6 colours.
    pub colours: Vec<HexColour>,
    /// How one colour meets the next.
    #[serde(default, skip_serializing_if = "is_default")]
    pub blend: Blend,
    /// Along what the palette runs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub run: Run,
    /// How many times the palette fits into its run, 0.1 to 16.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub repeats: f32,
    /// Travel of the palette along its run, palettes per second, −4 to 4.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drift_hz: f32,
    /// Travel of the palette, palettes per bar of four beats, −8 to 8.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drift_per_bar: f32,
    /// Turns every colour around the colour wheel, turns, −1 to 1.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hue: f32,
    /// 1 leaves the colours, 0 makes them white.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub saturation: f32,
    /// What of the music moves the colours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modulate: Vec<Modulation>,
}

pub(super) fn one() -> f32 {
    1.0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
pub(super) fn is_one(value: &f32) -> bool {
    *value == 1.0
}

impl Default for ColourScheme {
    fn default() -> Self {
        Self {
            colours: vec![HexColour([255, 255, 255])],
            blend: Blend::default(),
            run: Run::default(),
            repeats: 1.0,
            drift_hz: 0.0,
            drift_per_bar: 0.0,
            hue: 0.0,
            saturation: 1.0,
            modulate: Vec::new(),
        }
    }
}

/// A colour scheme ready to play.
#[derive(Debug)]
pub(super) struct Colouring {
    palette: Vec<Colour>,
    /// The palette of this frame, after hue and saturation.
    shown: Vec<Colour>,
    blend: Blend,
    run: Run,
    repeats: f32,
    drift_hz: f64,
    drift_per_beat: f64,
    base: [f32; 3],
    rows: Vec<(usize, Smoothed)>,
}

impl Colouring {
    /// `scheme` has been checked: it has a colour and its rows name [`TARGETS`].
    pub(super) fn new(scheme: &ColourScheme) -> Self {
        let palette: Vec<_> = scheme.colours.iter().map(|hex| hex.colour()).collect();
        let rows = scheme.modulate.iter().filter_map(|row| {
            let target = TARGETS.iter().position(|spec| spec.name == row.param)?;
            Some((target, Smoothed::new(Signal::new(row, TARGETS[target].span()))))
        });
        Self {
            shown: palette.clone(),
            palette,
            blend: scheme.blend,
            run: scheme.run,
            repeats: scheme.repeats,
            drift_hz: scheme.drift_hz.into(),
            drift_per_beat: f64::from(scheme.drift_per_bar) / 4.0,
            base: [0.0, scheme.hue, scheme.saturation],
            rows: rows.collect(),
        }
    }

    /// Goes on from where the smoothing of `from` was.
    pub(super) fn inherit(&mut self, from: &Self) {
        for ((target, row), (other_target, other)) in self.rows.iter_mut().zip(&from.rows) {
            if target == other_target {
                row.inherit(other);
            }
        }
    }

    /// Multiplies the light of every vertex by the colour of its place.
    pub(super) fn paint(
        &mut self,
        features: &Features,
        media: MediaTime,
        dt: f32,
        figure: &mut Figure,
    ) {
        let mut moved = self.base;
        for (target, signal) in &mut self.rows {
            moved[*target] += signal.step(features, media, dt);
        }
        let [travel, hue, saturation] = moved;
        let drift =
            media.as_secs_f64() * self.drift_hz + beats(features, media) * self.drift_per_beat;
        let offset = travel - drift.rem_euclid(1.0) as f32;
        for (shown, colour) in self.shown.iter_mut().zip(&self.palette) {
            *shown = turned(*colour, hue, saturation.clamp(0.0, 1.0));
        }
        // A run with two ends shows the first colour at one and the last at the other; a run that closes
        // on itself flows from the last back into the first.
        let colours = self.shown.len() as f32;
        let ends_meet = matches!(self.run, Run::Stroke | Run::Strokes | Run::Angle);
        let reach =
            if ends_meet || self.blend == Blend::Steps { 1.0 } else { (colours - 1.0) / colours };
        let scale = self.repeats * reach;
        for index in 0..figure.strokes().len() {
            let stroke = figure.strokes()[index];
            let part = index as f32 / figure.strokes().len() as f32;
            let run = self.run;
            let end = stroke.first + stroke.len;
            let Some(vertices) = figure.vertices_mut().get_mut(stroke.first..end) else { continue };
            for (place, vertex) in vertices.iter_mut().enumerate() {
                let along = along(run, vertex, place, &stroke, part);
                let colour = self.colour_at(along * scale + offset);
                let level = vertex.colour;
                vertex.colour =
                    Colour::rgb(colour.r * level.r, colour.g * level.g, colour.b * level.b);
            }
        }
    }

    /// The palette at a place in palettes, wrapped.
    fn colour_at(&self, place: f32) -> Colour {
        let count = self.shown.len();
        let place = place.rem_euclid(1.0) * count as f32;
        let index = (place as usize).min(count - 1);
        let this = self.shown[index];
        match self.blend {
            Blend::Steps => this,
            Blend::Gradient => blended(this, self.shown[(index + 1) % count], place - index as f32),
        }
    }
}

/// Where a vertex lies on the run, 0..=1.
fn along(run: Run, vertex: &Vertex, place: usize, stroke: &Stroke, part: f32) -> f32 {
    match run {
        Run::Stroke => place as f32 / stroke.len as f32,
        Run::Strokes => part,
        Run::Angle => vertex.y.atan2(vertex.x) / TAU + 0.5,
        Run::Radius => vertex.x.hypot(vertex.y) / MAX_RADIUS,
        Run::X => 0.5 + 0.5 * vertex.x / MAX_RADIUS,
        Run::Y => 0.5 + 0.5 * vertex.y / MAX_RADIUS,
        Run::Whole => 0.0,
    }
}

fn peak(colour: Colour) -> f32 {
    colour.r.max(colour.g).max(colour.b)
}

/// A mix that stays as bright as its ends: halfway from red to blue is full magenta, not half of each.
fn blended(from: Colour, to: Colour, amount: f32) -> Colour {
    let mix = from.mix(to, amount);
    let wanted = peak(from) + (peak(to) - peak(from)) * amount;
    let has = peak(mix);
    if has > 0.0 { mix.scaled(wanted / has) } else { mix }
}

/// The colour turned around the wheel, its saturation scaled; its peak stays.
pub(super) fn turned(colour: Colour, hue_turns: f32, saturation: f32) -> Colour {
    if hue_turns == 0.0 && saturation == 1.0 {
        return colour;
    }
    let value = peak(colour);
    let low = colour.r.min(colour.g).min(colour.b);
    let chroma = value - low;
    if chroma <= 0.0 {
        return colour;
    }
    let sixths = if value == colour.r {
        (colour.g - colour.b) / chroma
    } else if value == colour.g {
        2.0 + (colour.b - colour.r) / chroma
    } else {
        4.0 + (colour.r - colour.g) / chroma
    };
    Colour::hsv(sixths / 6.0 + hue_turns, chroma / value * saturation, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: HexColour = HexColour([255, 0, 0]);
    const BLUE: HexColour = HexColour([0, 0, 255]);

    fn line(vertices: usize) -> Figure {
        let mut figure = Figure::with_capacity(64, 4);
        figure.begin();
        for k in 0..vertices {
            let x = k as f32 / (vertices - 1) as f32 * 2.0 - 1.0;
            figure.vertex(x * MAX_RADIUS, 0.0, Colour::WHITE);
        }
        figure.end(false, true);
        figure
    }

    fn painted(scheme: &ColourScheme, features: &Features, media: MediaTime) -> Vec<Colour> {
        let mut figure = line(5);
        Colouring::new(scheme).paint(features, media, 0.0, &mut figure);
        let stroke = figure.strokes()[0];
        figure.vertices_of(&stroke).iter().map(|vertex| vertex.colour).collect()
    }

    #[test]
    fn a_gradient_goes_from_the_first_to_the_last_colour_and_stays_bright() {
        let scheme =
            ColourScheme { colours: vec![RED, BLUE], run: Run::X, ..ColourScheme::default() };
        let colours = painted(&scheme, &Features::default(), MediaTime::ZERO);
        assert_eq!(colours[0], Colour::rgb(1.0, 0.0, 0.0));
        assert_eq!(colours[2], Colour::rgb(1.0, 0.0, 1.0));
        assert!(colours.iter().all(|colour| (peak(*colour) - 1.0).abs() < 1e-5));
        assert!(colours[4].b > 0.99 && colours[4].r < 0.01);
    }

    #[test]
    fn steps_have_hard_edges() {
        let scheme = ColourScheme {
            colours: vec![RED, BLUE],
            run: Run::X,
            blend: Blend::Steps,
            ..ColourScheme::default()
        };
        let colours = painted(&scheme, &Features::default(), MediaTime::ZERO);
        assert_eq!(colours[1], Colour::rgb(1.0, 0.0, 0.0));
        assert_eq!(colours[3], Colour::rgb(0.0, 0.0, 1.0));
    }

    #[test]
    fn drift_moves_the_palette_with_media_time() {
        let scheme = ColourScheme {
            colours: vec![RED, BLUE],
            run: Run::Whole,
            drift_hz: 0.5,
            ..ColourScheme::default()
        };
        let features = Features::default();
        assert_eq!(painted(&scheme, &features, MediaTime::ZERO)[0].b, 0.0);
        let later = painted(&scheme, &features, MediaTime::from_secs_f64(1.0))[0];
        assert!(later.b > 0.99 && later.r < 0.01, "{later:?}");
    }

    #[test]
    fn hue_turns_colours_and_saturation_whitens_them() {
        let green = turned(Colour::rgb(1.0, 0.0, 0.0), 1.0 / 3.0, 1.0);
        assert!(green.g > 0.99 && green.r < 0.01);
        assert_eq!(turned(Colour::rgb(1.0, 0.0, 0.0), 0.0, 0.0), Colour::WHITE);
        assert_eq!(turned(Colour::WHITE, 0.3, 1.0), Colour::WHITE);
    }

    #[test]
    fn the_level_of_a_vertex_dims_its_colour() {
        let mut figure = Figure::with_capacity(4, 1);
        figure.vertex(0.0, 0.0, Colour::rgb(0.5, 0.5, 0.5));
        figure.end(false, false);
        let scheme = ColourScheme { colours: vec![RED], ..ColourScheme::default() };
        Colouring::new(&scheme).paint(&Features::default(), MediaTime::ZERO, 0.0, &mut figure);
        let stroke = figure.strokes()[0];
        assert_eq!(figure.vertices_of(&stroke)[0].colour, Colour::rgb(0.5, 0.0, 0.0));
    }

    #[test]
    fn hex_colours_round_trip_and_nonsense_is_named() {
        for text in ["#00ff7f", "#ffffff"] {
            let colour = HexColour::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(colour), text);
        }
        for wrong in ["red", "#fff", "#12345g", "#ffffff0", "#ü0000", ""] {
            let error = HexColour::try_from(wrong.to_owned()).unwrap_err();
            assert!(error.contains("#rrggbb"), "{error}");
        }
    }
}
