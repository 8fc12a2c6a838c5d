//! Frames as a player shows them: each for a while, repeated until its time is over, then the next, and all of it anew.
//!
//! A file holds pictures, and no word on how long each is shown. Players give each a fixed time, most often a 25th of
//! a second, and repeat one that is over sooner: so the way from its end to its beginning counts as much as any
//! other. Frames that fill their time are a stream cut into pieces, shown once each. For files: it takes memory.

use super::profile::GalvoProfile;
use crate::point::LaserPoint;

/// Pictures a second of a usual player.
pub const PLAYER_FPS: u32 = 25;

/// Where a player takes a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// To a point of a frame from the one before it.
    Within {
        /// The frame.
        frame: usize,
        /// The point.
        point: usize,
    },
    /// From the end of a frame to its beginning.
    Repeat {
        /// The frame.
        frame: usize,
    },
    /// From the end of a frame to the beginning of the next.
    Next {
        /// The frame that ends.
        frame: usize,
    },
    /// From the end of the last frame to the beginning of the first.
    Anew,
}

/// The worst there is of something, as a share of what the mirrors bear.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worst {
    /// The share; above 1 is a broken limit.
    pub share: f32,
    /// The step there, half-fields.
    pub step: f32,
    /// Where.
    pub place: Place,
}

impl Default for Worst {
    fn default() -> Self {
        Self { share: 0.0, step: 0.0, place: Place::Within { frame: 0, point: 0 } }
    }
}

impl Worst {
    fn or_worse(&mut self, share: f32, step: f32, place: Place) {
        if share > self.share {
            *self = Self { share, step, place };
        }
    }
}

/// What playing asks of the mirrors.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlayedStrain {
    /// The largest step of an axis.
    pub step: Worst,
    /// The largest change of a step.
    pub change: Worst,
    /// Of a stream cut into frames: the same on the way from its end to its beginning, which only a player in a loop
    /// takes.
    pub anew: Worst,
}

/// The frames of one projector. Frames without a point are times without light and ask nothing.
#[derive(Clone, Debug)]
pub struct Played {
    frames: Vec<Vec<LaserPoint>>,
    least_points: usize,
    pps: u32,
}

impl Played {
    /// To be shown at `pps` points a second.
    #[must_use]
    pub fn new(frames: Vec<Vec<LaserPoint>>, pps: u32) -> Self {
        let pps = pps.max(1);
        Self { frames, least_points: (pps / PLAYER_FPS).max(1) as usize, pps }
    }

    /// The frames.
    #[must_use]
    pub fn frames(&self) -> &[Vec<LaserPoint>] {
        &self.frames
    }

    /// How often a player shows `frame` before the next: a lone frame is shown for ever, so twice at least.
    #[must_use]
    pub fn times(&self, frame: usize) -> usize {
        let points = self.frames[frame].len().max(1);
        let least = if self.frames.len() == 1 { 2 } else { 1 };
        self.least_points.div_ceil(points).max(least)
    }

    /// True if each frame fills its time, but for the last: a stream that was cut into frames.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        let Some((_, all_but_last)) = self.frames.split_last() else { return false };
        !all_but_last.is_empty() && all_but_last.iter().all(|f| f.len() >= self.least_points)
    }

    /// The worst that playing asks of mirrors of `profile`.
    #[must_use]
    pub fn strain(&self, profile: &GalvoProfile) -> PlayedStrain {
        let limits = profile.at(self.pps);
        let is_stream = self.is_stream();
        let mut found = PlayedStrain::default();
        let mut last: Option<([f32; 2], Place)> = None;
        let mut way = self.way();
        let Some((_, mut from)) = way.next() else { return found };
        for (place, point) in way {
            let step = [point.x - from.x, point.y - from.y];
            let length = step[0].abs().max(step[1].abs());
            let counts = |place| !(is_stream && place == Place::Anew);
            let worst = if counts(place) { &mut found.step } else { &mut found.anew };
            worst.or_worse(length / limits.step, length, place);
            if let Some((last, last_place)) = last {
                let change = (step[0] - last[0]).abs().max((step[1] - last[1]).abs());
                // A change belongs to the seam on either side of it, if there is one.
                let within = matches!(place, Place::Within { .. });
                let at = if within && !matches!(last_place, Place::Within { .. }) {
                    last_place
                } else {
                    place
                };
                let worst = if counts(at) { &mut found.change } else { &mut found.anew };
                worst.or_worse(change / limits.change, length, at);
            }
            (last, from) = (Some((step, place)), point);
        }
        found
    }

    /// Every point with the step that leads to it. What a player repeats more often is here twice.
    fn way(&self) -> impl Iterator<Item = (Place, LaserPoint)> + '_ {
        let seen: Vec<usize> =
            (0..self.frames.len()).filter(|frame| !self.frames[*frame].is_empty()).collect();
        let mut order: Vec<(usize, Place)> = Vec::new();
        for (k, &frame) in seen.iter().enumerate() {
            let to_it = match k.checked_sub(1) {
                Some(before) => Place::Next { frame: seen[before] },
                None => Place::Anew,
            };
            order.push((frame, to_it));
            if self.times(frame) > 1 {
                order.push((frame, Place::Repeat { frame }));
            }
        }
        if let (Some(&first), true) = (seen.first(), seen.len() > 1) {
            order.push((first, Place::Anew));
        }
        order.into_iter().flat_map(|(frame, to_it)| {
            self.frames[frame].iter().enumerate().map(move |(point, at)| {
                (if point == 0 { to_it } else { Place::Within { frame, point } }, *at)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::Colour;

    const K30: GalvoProfile = GalvoProfile::K30;

    fn line(from: f32, to: f32, points: usize) -> Vec<LaserPoint> {
        let part = |k: usize| k as f32 / (points - 1) as f32;
        (0..points)
            .map(|k| LaserPoint::lit(from + (to - from) * part(k), 0.0, Colour::WHITE))
            .collect()
    }

    fn circle(points: usize) -> Vec<LaserPoint> {
        (0..points)
            .map(|k| (k as f32 / points as f32 * std::f32::consts::TAU).sin_cos())
            .map(|(y, x)| LaserPoint::lit(0.5 * x, 0.5 * y, Colour::WHITE))
            .collect()
    }

    #[test]
    fn a_line_without_a_way_back_jumps_when_it_is_repeated() {
        let strain = Played::new(vec![line(-0.9, 0.9, 200)], 30_000).strain(&K30);
        assert!((strain.step.step - 1.8).abs() < 1e-3, "{strain:?}");
        assert_eq!(strain.step.place, Place::Repeat { frame: 0 });
        assert!(strain.step.share > 17.0);
    }

    #[test]
    fn a_circle_is_closed_and_strains_nothing() {
        let strain = Played::new(vec![circle(100)], 30_000).strain(&K30);
        assert!(strain.step.share < 1.0 && strain.change.share < 1.0, "{strain:?}");
    }

    #[test]
    fn frames_that_fill_their_time_are_a_stream_and_shown_once() {
        let frames = vec![line(-0.9, 0.0, 1200), line(0.0, 0.9, 1200), line(0.9, 0.905, 7)];
        let played = Played::new(frames, 30_000);
        assert!(played.is_stream());
        let strain = played.strain(&K30);
        assert!(strain.step.share < 0.1, "{strain:?}");
        assert!(strain.anew.share > 17.0 && strain.anew.place == Place::Anew, "{strain:?}");
    }

    #[test]
    fn a_short_frame_is_repeated_until_its_time_is_over_and_then_the_next_follows() {
        let played = Played::new(vec![circle(100), circle(1200), Vec::new()], 30_000);
        assert_eq!((played.times(0), played.times(1)), (12, 1));
        let far = Played::new(vec![line(-0.5, -0.5, 50), line(0.5, 0.5, 50)], 30_000);
        let strain = far.strain(&K30);
        assert!((strain.step.step - 1.0).abs() < 1e-6);
        assert_eq!(strain.step.place, Place::Next { frame: 0 });
    }

    #[test]
    fn nothing_strains_nothing() {
        for frames in [vec![], vec![Vec::new()], vec![vec![LaserPoint::CENTRE]]] {
            let strain = Played::new(frames, 0).strain(&K30);
            assert_eq!((strain.step.share, strain.change.share), (0.0, 0.0));
        }
    }
}
