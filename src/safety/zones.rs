//! Where light may go, in the projector's own field: allowed, attenuated and blocked zones.
//!
//! Judged on the position that is sent, after every transform, and along the way from the last one. Edges are
//! soft as attenuation: towards a place without light, brightness falls to nothing before the edge.

/// Zones a projector can have.
pub const MAX_ZONES: usize = 8;
/// Corners a polygon can have.
pub const MAX_CORNERS: usize = 12;
/// Between two sent points the way is looked at this often, half-fields. No zone is narrower than twice this.
const LOOK_EVERY: f32 = 0.01;

/// A shape in the field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// A rectangle along the axes.
    Rect {
        /// Lowest x and y.
        low: [f32; 2],
        /// Highest x and y.
        high: [f32; 2],
    },
    /// A polygon, convex or not, of up to [`MAX_CORNERS`] corners.
    Polygon(Corners),
}

/// The corners of a polygon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corners {
    at: [[f32; 2]; MAX_CORNERS],
    count: usize,
}

/// A zone is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// Fewer than three corners, or too many.
    #[error("a polygon zone has 3 to {MAX_CORNERS} corners: use several zones for a richer shape")]
    Corners,
    /// A number is infinite or none.
    #[error("a zone holds a number that is not finite: write its corners between -1 and 1")]
    NotFinite,
    /// There are [`MAX_ZONES`] already.
    #[error("a projector has at most {MAX_ZONES} zones: join some of them")]
    TooMany,
}

impl Shape {
    /// The whole field.
    pub const FIELD: Self = Self::Rect { low: [-1.0, -1.0], high: [1.0, 1.0] };

    /// A polygon from its corners.
    pub fn polygon(corners: &[[f32; 2]]) -> Result<Self, ZoneError> {
        if corners.len() < 3 || corners.len() > MAX_CORNERS {
            return Err(ZoneError::Corners);
        }
        let mut at = [[0.0; 2]; MAX_CORNERS];
        at[..corners.len()].copy_from_slice(corners);
        Ok(Self::Polygon(Corners { at, count: corners.len() }))
    }

    fn is_finite(&self) -> bool {
        let finite = |p: &[f32; 2]| p[0].is_finite() && p[1].is_finite();
        match self {
            Self::Rect { low, high } => finite(low) && finite(high),
            Self::Polygon(corners) => corners.at.iter().all(finite),
        }
    }

    /// Distance to the edge, half-fields: negative inside, positive outside, 0 on it.
    #[must_use]
    pub fn distance(&self, at: [f32; 2]) -> f32 {
        match self {
            Self::Rect { low, high } => {
                let x = (low[0] - at[0]).max(at[0] - high[0]);
                let y = (low[1] - at[1]).max(at[1] - high[1]);
                let (out_x, out_y) = (x.max(0.0), y.max(0.0));
                let outside = out_x * out_x + out_y * out_y;
                if outside > 0.0 { outside.sqrt() } else { x.max(y) }
            }
            Self::Polygon(corners) => corners.distance(at),
        }
    }

    /// True inside and on the edge.
    #[must_use]
    pub fn contains(&self, at: [f32; 2]) -> bool {
        self.distance(at) <= 0.0
    }
}

impl Corners {
    /// Nearest edge, signed by the even-odd rule.
    fn distance(&self, at: [f32; 2]) -> f32 {
        let mut nearest = f32::INFINITY;
        let mut inside = false;
        for k in 0..self.count {
            let a = self.at[k];
            let b = self.at[(k + 1) % self.count];
            let edge = [b[0] - a[0], b[1] - a[1]];
            let to = [at[0] - a[0], at[1] - a[1]];
            let squared = edge[0] * edge[0] + edge[1] * edge[1];
            let along =
                if squared > 0.0 { (to[0] * edge[0] + to[1] * edge[1]) / squared } else { 0.0 };
            let along = along.clamp(0.0, 1.0);
            let (x, y) = (to[0] - edge[0] * along, to[1] - edge[1] * along);
            nearest = nearest.min(x * x + y * y);
            if (a[1] > at[1]) != (b[1] > at[1]) {
                let crossing = a[0] + (at[1] - a[1]) / (b[1] - a[1]) * edge[0];
                inside ^= at[0] < crossing;
            }
        }
        if inside { -nearest.sqrt() } else { nearest.sqrt() }
    }
}

/// What a zone does to light.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// Light may go here. With no such zone it may go anywhere; with some, only into them.
    Allowed,
    /// Light is dimmed here to this part, 0..=1.
    Attenuated(f32),
    /// No light here: a keep-out.
    Blocked,
}

/// One zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// Its shape, in the projector's field.
    pub shape: Shape,
    /// What it does.
    pub effect: Effect,
    /// Width over which it begins, half-fields; 0 is a hard edge. It lies on the lit side of the edge.
    pub soft_edge: f32,
}

impl Zone {
    /// The part of light left at this place, 0..=1, and how far around it that part stays the same, half-fields.
    fn look(&self, at: [f32; 2]) -> (f32, f32) {
        let distance = self.shape.distance(at);
        let (depth, least) = match self.effect {
            Effect::Allowed => (-distance, 0.0),
            Effect::Blocked => (distance, 0.0),
            Effect::Attenuated(inside) => {
                (distance, if inside.is_finite() { inside.clamp(0.0, 1.0) } else { 0.0 })
            }
        };
        let steady = (-depth).max(depth - self.soft_edge.max(0.0)).max(0.0);
        (least + (1.0 - least) * ramp(depth, self.soft_edge), steady)
    }
}

/// 0 at and before the edge, 1 from `width` after it.
fn ramp(depth: f32, width: f32) -> f32 {
    if depth <= 0.0 {
        0.0
    } else if depth >= width {
        1.0
    } else {
        depth / width
    }
}

/// The zones of one projector: plain data, so that they reach the gate without memory or a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Zones {
    zones: [Option<Zone>; MAX_ZONES],
}

impl Zones {
    /// Adds a zone.
    pub fn add(&mut self, zone: Zone) -> Result<(), ZoneError> {
        if !zone.shape.is_finite() || !zone.soft_edge.is_finite() {
            return Err(ZoneError::NotFinite);
        }
        let free = self.zones.iter_mut().find(|zone| zone.is_none()).ok_or(ZoneError::TooMany)?;
        *free = Some(zone);
        Ok(())
    }

    /// The zones set.
    pub fn iter(&self) -> impl Iterator<Item = &Zone> {
        self.zones.iter().flatten()
    }

    /// True for the default: the whole field, full gain.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The part of light left at this place, 0..=1.
    #[must_use]
    pub fn gain(&self, at: [f32; 2]) -> f32 {
        self.look(at).0
    }

    /// That part, and how far around this place it stays the same, half-fields.
    fn look(&self, at: [f32; 2]) -> (f32, f32) {
        let mut allowed: Option<f32> = None;
        let (mut gain, mut steady) = (1.0, f32::INFINITY);
        for zone in self.iter() {
            let (own, own_steady) = zone.look(at);
            steady = own_steady.min(steady);
            if zone.effect == Effect::Allowed {
                allowed = Some(allowed.unwrap_or(0.0).max(own));
            } else {
                gain *= own;
            }
        }
        (gain * allowed.unwrap_or(1.0), steady)
    }

    /// The least gain on the way from one sent point to the next: the beam is lit along all of it.
    #[must_use]
    pub fn gain_along(&self, from: [f32; 2], to: [f32; 2]) -> f32 {
        let (x, y) = (from[0] - to[0], from[1] - to[1]);
        let way = (x * x + y * y).sqrt();
        let (mut gain, mut steady) = self.look(to);
        let mut gone = 0.0;
        while gain > 0.0 {
            // A little less than what is known, for the rounding.
            gone += (0.99 * steady).max(LOOK_EVERY);
            if gone >= way {
                break;
            }
            let t = gone / way;
            let (here, around) = self.look([to[0] + x * t, to[1] + y * t]);
            gain = gain.min(here);
            steady = around;
        }
        gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(list: &[(Shape, Effect, f32)]) -> Zones {
        let mut zones = Zones::default();
        for (shape, effect, soft_edge) in list {
            zones.add(Zone { shape: *shape, effect: *effect, soft_edge: *soft_edge }).unwrap();
        }
        zones
    }

    const LEFT: Shape = Shape::Rect { low: [-1.0, -1.0], high: [0.0, 1.0] };

    #[test]
    fn without_zones_the_whole_field_is_open() {
        let zones = Zones::default();
        assert!(zones.is_open());
        assert_eq!(zones.gain([1.0, -1.0]), 1.0);
    }

    #[test]
    fn soft_edges_end_in_darkness_at_the_edge_and_never_beyond_it() {
        let allowed = zones(&[(LEFT, Effect::Allowed, 0.2)]);
        assert_eq!(allowed.gain([0.01, 0.0]), 0.0);
        assert_eq!(allowed.gain([0.0, 0.0]), 0.0);
        assert!((allowed.gain([-0.1, 0.0]) - 0.5).abs() < 1e-6);
        assert_eq!(allowed.gain([-0.3, 0.0]), 1.0);
        let blocked = zones(&[(LEFT, Effect::Blocked, 0.2)]);
        assert_eq!(blocked.gain([-0.01, 0.0]), 0.0);
        assert!((blocked.gain([0.1, 0.0]) - 0.5).abs() < 1e-6);
        assert_eq!(blocked.gain([0.3, 0.0]), 1.0);
    }

    #[test]
    fn a_blocked_zone_wins_over_an_allowed_one() {
        let inner = Shape::Rect { low: [-0.5, -0.5], high: [-0.3, 0.5] };
        let zones = zones(&[(LEFT, Effect::Allowed, 0.0), (inner, Effect::Blocked, 0.0)]);
        assert_eq!(zones.gain([-0.4, 0.0]), 0.0);
        assert_eq!(zones.gain([-0.8, 0.0]), 1.0);
        assert_eq!(zones.gain([0.4, 0.0]), 0.0);
    }

    #[test]
    fn a_lit_step_across_a_narrow_keep_out_is_seen() {
        let wall = Shape::Rect { low: [-0.02, -1.0], high: [0.02, 1.0] };
        let zones = zones(&[(wall, Effect::Blocked, 0.0)]);
        assert_eq!(zones.gain_along([-0.1, 0.0], [0.1, 0.0]), 0.0);
        assert_eq!(zones.gain_along([-0.1, 0.0], [-0.05, 0.0]), 1.0);
    }

    #[test]
    fn the_way_is_judged_as_by_a_thousand_looks() {
        let triangle = Shape::polygon(&[[-0.2, -0.2], [0.2, -0.2], [0.0, 0.2]]).unwrap();
        let zones = zones(&[
            (Shape::Rect { low: [-0.9, -0.9], high: [0.9, 0.9] }, Effect::Allowed, 0.05),
            (LEFT, Effect::Attenuated(0.3), 0.1),
            (triangle, Effect::Blocked, 0.02),
        ]);
        let place = |k: usize, a: f32| ((k as f32 * a).fract() * 2.0 - 1.0) * 0.95;
        for k in 0..3_000 {
            let from = [place(k, 0.618_034), place(k, 0.754_878)];
            let reach = if k % 2 == 0 { 0.05 } else { 1.0 };
            let to = [
                from[0] + reach * (place(k, 0.569_84) - from[0]),
                from[1] + reach * (place(k, 0.819_17) - from[1]),
            ];
            let looked = zones.gain_along(from, to);
            let truth = (0..1_000).fold(zones.gain(to), |least, n| {
                let t = 0.001 + n as f32 * 0.000_999;
                least
                    .min(zones.gain([to[0] + t * (from[0] - to[0]), to[1] + t * (from[1] - to[1])]))
            });
            // Within a ramp the looks lie 0.01 apart; the steepest here falls by half on that way.
            assert!(looked <= truth + 0.51 && (looked - truth).abs() < 0.51, "{from:?} {to:?}");
            assert!(truth > 0.0 || looked < 0.3, "{from:?} {to:?}: {looked}");
        }
    }

    #[test]
    fn attenuation_dims_and_overlaps_multiply() {
        let zones = zones(&[
            (LEFT, Effect::Attenuated(0.5), 0.0),
            (Shape::FIELD, Effect::Attenuated(0.5), 0.0),
        ]);
        assert!((zones.gain([-0.5, 0.0]) - 0.25).abs() < 1e-6);
        assert!((zones.gain([0.5, 0.0]) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn distances_to_a_concave_polygon_have_the_right_sign() {
        let shape =
            Shape::polygon(&[[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [0.0, 0.0], [-0.5, 0.5]])
                .unwrap();
        assert!(shape.contains([0.0, -0.2]));
        assert!(!shape.contains([0.0, 0.2]));
        assert!((shape.distance([0.0, -0.7]) - 0.2).abs() < 1e-6);
        assert!((shape.distance([0.4, -0.3]) + 0.1).abs() < 1e-6);
    }

    #[test]
    fn zones_that_make_no_sense_are_refused() {
        assert_eq!(Shape::polygon(&[[0.0, 0.0], [1.0, 0.0]]), Err(ZoneError::Corners));
        let shape = Shape::Rect { low: [f32::NAN, 0.0], high: [1.0, 1.0] };
        let zone = Zone { shape, effect: Effect::Blocked, soft_edge: 0.0 };
        assert_eq!(Zones::default().add(zone), Err(ZoneError::NotFinite));
        let mut zones = Zones::default();
        let zone = Zone { shape: LEFT, ..zone };
        (0..MAX_ZONES).for_each(|_| zones.add(zone).unwrap());
        assert_eq!(zones.add(zone), Err(ZoneError::TooMany));
    }
}
