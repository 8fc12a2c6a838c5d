//! What is drawn.

use galvo::analysis::FeatureWindow;
use galvo::pattern::{Instrument, Preset, bundled};
use galvo::point::{Colour, LaserPoint};
use galvo::show::renderer::Renderer;
use galvo::stream::{FillRequest, FillResult, Producer};
use galvo::time::MediaTime;

use crate::synthetic_song::features_at;

#[derive(Clone, Copy, Debug)]
pub(super) enum Drawing {
    /// White jumps all over the field, some of them no numbers.
    Noise { nonsense: bool },
    /// A white dot that stands still.
    Dot { x: f32, y: f32 },
    /// A full-white circle.
    Circle { radius: f32, points: u32 },
    /// A full-white circle that goes on and off.
    Strobe { hz: f32 },
    /// One of the bundled presets, to a song.
    Preset(usize),
    /// Sometimes too few points, sometimes none.
    Lazy,
}

pub(super) struct Artist {
    drawing: Drawing,
    random: u64,
    renderer: Renderer,
    pub(super) song: FeatureWindow,
}

impl Artist {
    pub(super) fn new(seed: u64) -> Self {
        let mut song = FeatureWindow::with_capacity(4096);
        for k in -20..1200 {
            song.push(0, &features_at(MediaTime::from_secs_f64(f64::from(k) * 0.01), 1.0));
        }
        Self { drawing: Drawing::Lazy, random: seed, renderer: renderer(0), song }
    }

    pub(super) fn draws(&mut self, drawing: Drawing) {
        if let Drawing::Preset(number) = drawing {
            self.renderer = renderer(number);
        }
        self.drawing = drawing;
    }

    pub(super) fn next(&mut self) -> f32 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.random >> 40) as f32 / (1_u64 << 24) as f32
    }
}

fn renderer(number: usize) -> Renderer {
    let (_, text) = bundled::BUNDLED[number % bundled::BUNDLED.len()];
    let preset = Preset::parse(text).expect("bundled presets are right");
    Renderer::new(Box::new(Instrument::new(&preset).expect("bundled presets are right")))
}

impl Producer for Artist {
    fn fill(&mut self, request: &FillRequest, buffer: &mut [LaserPoint]) -> FillResult {
        let wanted = request.target_points.min(buffer.len());
        let turn = |k: usize, points: u32| {
            let phase = (request.start.0 + k as u64) % u64::from(points);
            (phase as f32 / points as f32 * std::f32::consts::TAU).sin_cos()
        };
        match self.drawing {
            Drawing::Noise { nonsense } => {
                for point in &mut buffer[..wanted] {
                    let (x, y) = (self.next() * 2.0 - 1.0, self.next() * 2.0 - 1.0);
                    *point = LaserPoint::lit(x, y, Colour::WHITE);
                    if nonsense && self.next() < 0.3 {
                        let list = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.5, -1e30];
                        point.x = list[(self.next() * 5.0) as usize % 5];
                    }
                }
            }
            Drawing::Dot { x, y } => buffer[..wanted].fill(LaserPoint::lit(x, y, Colour::WHITE)),
            Drawing::Circle { radius, points } => {
                for (k, point) in buffer[..wanted].iter_mut().enumerate() {
                    let (y, x) = turn(k, points);
                    *point = LaserPoint::lit(radius * x, radius * y, Colour::WHITE);
                }
            }
            Drawing::Strobe { hz } => {
                for (k, point) in buffer[..wanted].iter_mut().enumerate() {
                    let (y, x) = turn(k, 400);
                    let seconds = (request.start.0 + k as u64) as f32 / request.pps as f32;
                    let on = (seconds * hz).fract() < 0.5;
                    let colour = if on { Colour::WHITE } else { Colour::BLACK };
                    *point = LaserPoint::lit(0.9 * x, 0.9 * y, colour);
                }
            }
            Drawing::Preset(_) => {
                return self.renderer.seeing(&self.song, true).fill(request, buffer);
            }
            Drawing::Lazy => {
                let filled = (self.next() * 1.3 * wanted as f32) as usize;
                if filled > wanted {
                    return FillResult::Starved;
                }
                for (k, point) in buffer[..filled].iter_mut().enumerate() {
                    let (y, x) = turn(k, 700);
                    *point = LaserPoint::lit(x, 0.3 * y, Colour::WHITE);
                }
                return FillResult::Filled(filled);
            }
        }
        FillResult::Filled(wanted)
    }
}
