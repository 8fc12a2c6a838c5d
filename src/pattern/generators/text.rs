//! Words, in the single-stroke alphabet of `pattern::font`.

use super::{advance, fall, sin_cos, spectrum_at};
use crate::pattern::font::{ADVANCE, Corners, HEIGHT, WIDTH, glyph};
use crate::pattern::pen::{MAX_RADIUS, Pen};
use crate::pattern::{Figure, Generator, ParamSpec, Pattern, Scene};

/// The catalog entry.
pub const GENERATOR: Generator = Generator {
    id: "text",
    name: "Text",
    description: "Words in a single line of light: standing, scrolling or around a ring; letters dance to the spectrum.",
    params: &[
        ParamSpec::new(
            "size",
            "",
            [0.05, 0.3, 0.9],
            "Height of a letter; smaller if a standing text would not fit.",
        ),
        ParamSpec::new(
            "scroll",
            "letters/s",
            [-12.0, 0.0, 12.0],
            "How fast it runs to the left; 0 stands.",
        ),
        ParamSpec::new("curl", "", [0.0, 0.0, 1.0], "0 a line, 1 around a ring."),
        ParamSpec::new("dance", "", [0.0, 0.12, 0.5], "How far the spectrum lifts the letters."),
        ParamSpec::new("kick", "", [0.0, 0.15, 0.5], "How far the bass enlarges the letters."),
        ParamSpec::new("slant", "", [-0.5, 0.0, 0.5], "How far letters lean to the right."),
        ParamSpec::new("wave", "", [0.0, 0.0, 0.3], "Height of a wave that runs through the line."),
    ],
    make: |from| {
        let text = if from.text.trim().is_empty() { "GALVO" } else { from.text };
        let letters: Vec<_> = text.chars().map(glyph).collect();
        Box::new(Text { letters, way: 0.0, push: 0.0, wave: 0.0 })
    },
};

/// Most letters in sight.
const MOST_LETTERS: usize = 20;
/// Most strokes of them.
const MOST_STROKES: usize = 56;
const RING_RADIUS: f32 = 0.62;

struct Text {
    letters: Vec<Option<Vec<Corners>>>,
    /// Letters gone by.
    way: f32,
    push: f32,
    wave: f32,
}

impl Pattern for Text {
    fn draw(&mut self, scene: &Scene<'_>, figure: &mut Figure) {
        let &[size, scroll, curl, dance, kick, slant, wave] = scene.params else { return };
        let features = scene.features;
        let count = self.letters.len();
        advance(&mut self.wave, 0.5 * scene.dt);
        fall(
            &mut self.push,
            0.7 * features.bands.bass + 0.3 * features.onset.envelope,
            scene.dt,
            0.12,
        );
        let scrolls = scroll != 0.0;
        // A gap of three letters before a scrolling text comes again.
        let period = count as f32 + 3.0;
        self.way = if scrolls { (self.way + scroll * scene.dt).rem_euclid(period) } else { 0.0 };

        let half_line = if curl > 0.5 { RING_RADIUS * std::f32::consts::PI } else { 0.9 };
        let mut unit = size / HEIGHT;
        if !scrolls {
            let widest = 2.0 * half_line * if curl > 0.5 { 0.92 } else { 1.0 };
            unit = unit.min(widest / (count as f32 * ADVANCE));
        }
        let pace = unit * ADVANCE;
        let grown = unit * (1.0 + kick * self.push) / (1.0 + kick * 0.5);
        let mut pen = Pen::new(figure);
        let (mut shown, mut strokes) = (0, 0);
        // As many rounds of the text as are in sight.
        let rounds =
            if scrolls { (2.0 * half_line / (period * pace)).ceil() as i32 + 1 } else { 0 };
        for round in -rounds..=rounds {
            for (index, letter) in self.letters.iter().enumerate() {
                let Some(letter) = letter else { continue };
                let place = index as f32 + round as f32 * period - self.way;
                let place = if scrolls { place } else { place - (count as f32 - 1.0) * 0.5 };
                let along = place * pace;
                let fits = strokes + letter.len() <= MOST_STROKES && shown < MOST_LETTERS;
                if along.abs() > half_line - 0.3 * pace || !fits {
                    continue;
                }
                shown += 1;
                strokes += letter.len();
                let share = along / half_line;
                // Out of the dark and into it, at the ends of a scrolling line.
                let light = if scrolls { (6.0 * (1.0 - share.abs())).min(1.0) } else { 1.0 };
                let lift = dance * (spectrum_at(&features.spectrum, 0.9 * share.abs()) - 0.1)
                    + wave * sin_cos(share - self.wave).0;
                for stroke in letter {
                    for &(column, row) in stroke {
                        let up = (row - 0.5 * HEIGHT) * grown;
                        let right = (column - 0.5 * WIDTH) * grown + slant * up;
                        let (x, y) = bent(along + right, up + lift, curl);
                        let room = (MAX_RADIUS * MAX_RADIUS - x * x).max(0.0).sqrt();
                        pen.to_lit(x, y.clamp(-room, room), light);
                    }
                    pen.end_corners();
                }
            }
        }
        if shown == 0 {
            // Between the end and the beginning a spark says that there is light.
            pen.to_lit(0.0, 0.0, 0.2);
            pen.end_corners();
        }
    }
}

/// A place on a line that is bent into a ring, letters outwards, the middle of the line on top.
fn bent(along: f32, up: f32, curl: f32) -> (f32, f32) {
    if curl < 0.02 {
        return (along, up);
    }
    let radius = RING_RADIUS / curl;
    let (sin, cos) = (along / radius).sin_cos();
    let r = radius + up;
    // The top of a line bent a little stays in the middle of the field, that of a ring on the ring.
    (r * sin, r * cos - radius + RING_RADIUS * curl)
}
