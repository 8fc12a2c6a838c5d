//! Points at their rate → frames at the sound card's rate.
//!
//! Between two points the mirrors move in a straight line; colours are held, never blended. Light is on while
//! moving only where both ends are lit; a dark way that ends at a lit point shines once it has arrived.
//! Fractions are carried as whole numbers: the ratio of the two rates is exact for ever.

use crate::point::LaserPoint;

/// One moment of the beam: positions −1..=1, drives 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Beam {
    /// Horizontal position.
    pub x: f32,
    /// Vertical position.
    pub y: f32,
    /// Red drive.
    pub r: f32,
    /// Green drive.
    pub g: f32,
    /// Blue drive.
    pub b: f32,
    /// Intensity.
    pub i: f32,
}

impl Beam {
    /// A dark moment at a position.
    #[must_use]
    pub const fn dark(x: f32, y: f32) -> Self {
        Self { x, y, r: 0.0, g: 0.0, b: 0.0, i: 0.0 }
    }

    /// True when no colour is driven.
    #[must_use]
    pub fn is_dark(&self) -> bool {
        self.r <= 0.0 && self.g <= 0.0 && self.b <= 0.0
    }
}

/// Turns points into frames.
#[derive(Clone, Copy, Debug)]
pub struct XyResampler {
    sample_rate: u32,
    from: LaserPoint,
    /// Where the next frame lies after `from`, in points divided by the sample rate: above 0.
    phase: u64,
    /// A dark point has passed since the last frame, which was too soon to show it.
    passed_dark: bool,
    /// The next point does not follow the last one.
    begins: bool,
    /// Rate of the last point; 0 before the first.
    pps: u32,
}

impl XyResampler {
    /// For a card at `sample_rate` frames per second; the beam is dark at the centre.
    #[must_use]
    pub fn new(sample_rate: u32) -> Self {
        let sample_rate = sample_rate.max(1);
        Self {
            sample_rate,
            from: LaserPoint::CENTRE,
            phase: u64::from(sample_rate),
            passed_dark: false,
            begins: false,
            pps: 0,
        }
    }

    /// What was pushed last is not shown any more: no way leads from there to the next point.
    pub const fn begin(&mut self) {
        self.begins = true;
    }

    /// The most frames that `points` points at `pps` can become.
    #[must_use]
    pub fn most_frames(&self, points: usize, pps: u32) -> usize {
        let frames = points as u64 * u64::from(self.sample_rate) / u64::from(pps.max(1));
        usize::try_from(frames).unwrap_or(usize::MAX - 2) + 2
    }

    /// The next point, which lasts 1 / `pps`; its frames go to `emit` in order.
    pub fn push(&mut self, point: &LaserPoint, pps: u32, mut emit: impl FnMut(Beam)) {
        let point = if point.is_in_range() { *point } else { self.from.blanked() };
        if std::mem::take(&mut self.begins) {
            self.from = point.blanked();
        }
        let (whole, step) = (u64::from(self.sample_rate), u64::from(pps.max(1)));
        if self.pps != pps && self.pps != 0 {
            // What the next frame is late for this point is a time: of a point of another length it is another part.
            self.phase = self.phase * step / u64::from(self.pps);
        }
        self.pps = pps.max(1);
        let moves = point.x != self.from.x || point.y != self.from.y;
        while self.phase <= whole {
            let from_dark = self.from.is_blank() || self.passed_dark;
            let arrived = self.phase == whole;
            let share = self.phase as f32 / whole as f32;
            let (x, y) = if arrived {
                (point.x, point.y)
            } else {
                let between = |a: f32, b: f32| a + (b - a) * share;
                (between(self.from.x, point.x), between(self.from.y, point.y))
            };
            let dark = point.is_blank() || (from_dark && moves && !arrived);
            let drive = |level: u16| if dark { 0.0 } else { f32::from(level) / 65_535.0 };
            emit(Beam {
                x,
                y,
                r: drive(point.r),
                g: drive(point.g),
                b: drive(point.b),
                i: drive(point.i),
            });
            self.phase += step;
            self.passed_dark = false;
        }
        self.phase -= whole;
        self.passed_dark |= point.is_blank();
        self.from = point;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;
    use proptest::prelude::*;

    fn run(sample_rate: u32, pps: u32, points: &[LaserPoint]) -> Vec<Beam> {
        let mut resampler = XyResampler::new(sample_rate);
        let mut frames = Vec::new();
        for point in points {
            resampler.push(point, pps, |beam| frames.push(beam));
        }
        frames
    }

    fn white(x: f32) -> LaserPoint {
        LaserPoint::lit(x, 0.0, Colour::WHITE)
    }

    #[test]
    fn at_equal_rates_every_point_is_one_frame_of_its_own() {
        let points = [LaserPoint::blank(-1.0, 0.5), white(0.25), LaserPoint::blank(1.0, -1.0)];
        let frames = run(48_000, 48_000, &points);
        assert_eq!(frames[0], Beam::dark(-1.0, 0.5));
        assert_eq!(frames[1], Beam { x: 0.25, y: 0.0, r: 1.0, g: 1.0, b: 1.0, i: 1.0 });
        assert_eq!(frames[2], Beam::dark(1.0, -1.0));
    }

    #[test]
    fn lines_are_interpolated_and_colours_held() {
        let red = LaserPoint::lit(0.0, 0.0, Colour::rgb(1.0, 0.0, 0.0));
        let green = LaserPoint::lit(0.8, -0.4, Colour::rgb(0.0, 1.0, 0.0));
        let frames = run(48_000, 12_000, &[red, red, green]);
        let way = &frames[frames.len() - 4..];
        for (step, frame) in way.iter().enumerate() {
            let share = (step + 1) as f32 / 4.0;
            assert!((frame.x - 0.8 * share).abs() < 1e-6 && (frame.y + 0.4 * share).abs() < 1e-6);
            assert_eq!((frame.r, frame.g), (0.0, 1.0), "no blend of colours");
        }
    }

    #[test]
    fn no_light_is_on_during_a_dark_way_at_any_ratio() {
        let (a, b) = (white(-0.5), white(0.5));
        // There and back, dark both ways.
        let there = [a, a, a.blanked(), b.blanked(), b, b];
        let points = [&there[..], &[b.blanked(), a.blanked()]].concat().repeat(50);
        for (rate, pps) in [(48_000, 30_000), (44_100, 30_000), (96_000, 30_000), (48_000, 100_000)]
        {
            for frame in run(rate, pps, &points) {
                let at_an_end = frame.x.abs() == 0.5;
                assert!(at_an_end || frame.is_dark(), "{frame:?} at {rate}/{pps}");
            }
        }
    }

    #[test]
    fn a_dark_point_too_short_for_a_frame_still_darkens_the_way() {
        // 100 kpps on a card of 44.1 kHz: more than every second point falls between two frames.
        let points: Vec<_> = [white(-0.5), white(-0.5), LaserPoint::blank(-0.5, 0.0), white(0.5)]
            .into_iter()
            .chain([white(0.5), LaserPoint::blank(0.5, 0.0)])
            .collect::<Vec<_>>()
            .repeat(40);
        for frame in run(44_100, 100_000, &points) {
            assert!(frame.x.abs() == 0.5 || frame.is_dark(), "{frame:?}");
        }
    }

    #[test]
    fn a_beam_that_stands_still_shines_from_its_first_frame() {
        let points = [LaserPoint::blank(0.3, 0.0), LaserPoint::blank(0.3, 0.0), white(0.3)];
        let frames = run(96_000, 32_000, &points);
        assert_eq!(frames.iter().filter(|frame| !frame.is_dark()).count(), 3);
    }

    #[test]
    fn a_flow_that_begins_anew_sets_out_from_its_first_point() {
        let mut resampler = XyResampler::new(96_000);
        let mut frames = Vec::new();
        resampler.push(&LaserPoint::blank(-0.9, 0.0), 8_000, |beam| frames.push(beam));
        resampler.begin();
        frames.clear();
        resampler.push(&white(0.9), 8_000, |beam| frames.push(beam));
        assert!(!frames.is_empty() && frames.iter().all(|frame| frame.x == 0.9), "{frames:?}");
    }

    #[test]
    fn a_rate_that_falls_or_rises_keeps_the_speed_of_the_way_in_time() {
        for (from, to) in [(30_000, 8_000), (8_000, 30_000), (90_000, 12_000)] {
            let mut resampler = XyResampler::new(44_100);
            let mut x = -0.9;
            let mut seen = Vec::new();
            for k in 0..60 {
                let pps = if k < 40 { from } else { to };
                // 100 half-fields a second.
                x += 100.0 / pps as f32;
                resampler.push(&LaserPoint::blank(x, 0.0), pps, |beam| seen.push(beam.x));
            }
            let fastest = seen.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f32::max);
            assert!(fastest <= 100.0 / 44_100.0 * 1.001, "{from} to {to}: {fastest}");
        }
    }

    #[test]
    fn an_hour_of_points_is_an_hour_of_frames_exactly() {
        let mut resampler = XyResampler::new(44_100);
        let mut frames = 0_u64;
        for _ in 0..30_000 * 60 {
            resampler.push(&LaserPoint::CENTRE, 30_000, |_| frames += 1);
        }
        assert_eq!(frames.div_ceil(60), 44_100);
    }

    #[test]
    fn points_that_are_not_numbers_hold_the_place_in_the_dark() {
        let bad = LaserPoint { x: f32::NAN, ..white(0.0) };
        let frames = run(48_000, 48_000, &[white(0.2), bad, white(0.2)]);
        assert_eq!(frames[1], Beam::dark(0.2, 0.0));
    }

    proptest! {
        #[test]
        fn frames_are_as_many_as_the_rates_say_and_never_leave_the_field(
            sample_rate in 8_000_u32..192_000, pps in 1_000_u32..100_000,
            places in proptest::collection::vec((-1.5_f32..1.5, any::<bool>()), 1..300)
        ) {
            let points: Vec<_> = places.iter().map(|&(x, lit)| {
                if lit { white(x) } else { LaserPoint::blank(x, 0.0) }
            }).collect();
            let frames = run(sample_rate, pps, &points);
            let exact = points.len() as f64 * f64::from(sample_rate) / f64::from(pps);
            prop_assert!((frames.len() as f64 - exact).abs() <= f64::from(sample_rate) / f64::from(pps) + 1.0);
            let resampler = XyResampler::new(sample_rate);
            prop_assert!(frames.len() <= resampler.most_frames(points.len(), pps) + (sample_rate / pps) as usize);
            for frame in frames {
                prop_assert!(frame.x.abs() <= 1.0 && frame.y.abs() <= 1.0);
                prop_assert!((0.0..=1.0).contains(&frame.r) && (0.0..=1.0).contains(&frame.i));
            }
        }
    }
}
