//! How a projector is set up in its room: where its picture lies, where light may go, what its mirrors bear.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::path::perspective::{Corners, SQUARE};
use crate::path::{GalvoProfile, Perspective, PerspectiveError};
use crate::safety::zones::MAX_ZONES;
use crate::safety::{Effect, GateSettings, Shape, Zone, ZoneError, Zones};

/// The colour delay can be trimmed by so much, microseconds: eight times what mirrors of 30 kpps lag.
pub const MOST_TRIM_US: f32 = 1000.0;

/// The set-up of one projector, as it is edited and remembered. The default is the whole field and mirrors of 30 kpps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Installation {
    /// Where the corners of the picture lie, in half-fields: bottom left, bottom right, top right, top left.
    pub corners: Corners,
    /// What the mirrors bear: the name of a [`GalvoProfile`].
    pub mirrors: String,
    /// How much later colours come than the mirrors lag by their profile, microseconds; below 0 earlier.
    pub colour_trim_us: f32,
    /// Time of points to keep ahead of its mirrors, ms; as the show says, or else its line needs, if `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_ms: Option<f32>,
    /// Where light may go, in the projector's own field.
    pub zones: Vec<ZoneSpec>,
}

impl Default for Installation {
    fn default() -> Self {
        Self {
            corners: SQUARE,
            mirrors: GalvoProfile::K30.name.to_owned(),
            colour_trim_us: 0.0,
            zones: Vec::new(),
            buffer_ms: None,
        }
    }
}

/// What a zone does to light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ZoneKind {
    /// No light here.
    #[default]
    Blocked,
    /// With one such zone light goes nowhere else.
    Allowed,
    /// Light is dimmed here.
    Dimmed,
}

/// One zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ZoneSpec {
    /// What it does.
    pub kind: ZoneKind,
    /// The part of light that is left in a dimmed zone, 0..=1.
    pub keep: f32,
    /// Width over which it begins, half-fields, on the lit side of its edge.
    pub soft_edge: f32,
    /// Its corners, 3 to 12 of them, in half-fields.
    pub corners: Vec<[f32; 2]>,
}

impl Default for ZoneSpec {
    fn default() -> Self {
        Self {
            kind: ZoneKind::Blocked,
            keep: 0.3,
            soft_edge: 0.02,
            corners: vec![[-0.3, -0.3], [0.3, -0.3], [0.3, 0.3], [-0.3, 0.3]],
        }
    }
}

/// A set-up that cannot be used; nothing of it acts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstallationError {
    /// The picture cannot lie there.
    #[error(transparent)]
    Corners(#[from] PerspectiveError),
    /// A zone makes no sense.
    #[error(transparent)]
    Zone(#[from] ZoneError),
    /// A number of a zone is out of its range.
    #[error("zone {0}: what is left of the light and the soft edge must be from 0 to 1")]
    Range(usize),
    /// The colours cannot come that late or early.
    #[error("the colour delay can be trimmed by -1000 to 1000 microseconds")]
    ColourTrim,
    /// The buffer cannot be that short or that long.
    #[error("a buffer of {0} ms is not possible: choose {least} to {most} ms", least = Installation::BUFFER_MS.start(), most = Installation::BUFFER_MS.end())]
    Buffer(String),
    /// There are no such mirrors.
    #[error("there is no galvo profile \"{0}\": choose one of 20, 30, 40 and 60 kpps")]
    Mirrors(String),
}

/// An [`Installation`] made ready for the engine and the gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ready {
    /// Lays the picture.
    pub perspective: Perspective,
    /// For the gate: zones and mirrors.
    pub gate: GateSettings,
    /// How much later colours come than positions.
    pub colour_delay: Duration,
}

impl Installation {
    /// Buffers that can be set, ms.
    pub const BUFFER_MS: std::ops::RangeInclusive<f32> = 10.0..=400.0;

    /// True if it changes nothing.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// True if there is a place of the field that gets more light than with `other`, looked for on a grid and about each
    /// zone; also if either makes no sense.
    #[must_use]
    pub fn lets_more_light_than(&self, other: &Self) -> bool {
        const GRID: i16 = 40;
        let (Ok(new), Ok(old)) = (self.ready(), other.ready()) else { return true };
        let line = || (-GRID..=GRID).map(|step| f32::from(step) / f32::from(GRID));
        let grid = line().flat_map(|x| line().map(move |y| [x, y]));
        // A zone may be smaller than the grid: just within its corners, and its middle.
        let about = self.zones.iter().chain(&other.zones).flat_map(|zone| {
            let count = zone.corners.len().max(1) as f32;
            let sum = zone.corners.iter().fold([0.0, 0.0], |sum, c| [sum[0] + c[0], sum[1] + c[1]]);
            let middle = sum.map(|sum: f32| sum / count);
            let within = move |corner: &[f32; 2]| {
                [0, 1].map(|axis| corner[axis] + 0.02 * (middle[axis] - corner[axis]))
            };
            std::iter::once(middle).chain(zone.corners.iter().map(within))
        });
        let more = |at: [f32; 2]| new.gate.zones.gain(at) > old.gate.zones.gain(at) + 1e-3;
        grid.chain(about).any(more)
    }

    /// Checks all of it, and makes it ready.
    pub fn ready(&self) -> Result<Ready, InstallationError> {
        let perspective = Perspective::onto(&self.corners)?;
        let profile = GalvoProfile::named(&self.mirrors)
            .ok_or_else(|| InstallationError::Mirrors(self.mirrors.clone()))?;
        let colour_delay = self.colour_delay().ok_or(InstallationError::ColourTrim)?;
        if let Some(buffer) = self.buffer_ms
            && !Self::BUFFER_MS.contains(&buffer)
        {
            return Err(InstallationError::Buffer(buffer.to_string()));
        }
        if self.zones.len() > MAX_ZONES {
            return Err(ZoneError::TooMany.into());
        }
        let mut zones = Zones::default();
        for (number, spec) in self.zones.iter().enumerate() {
            let part = |value: f32| (0.0..=1.0).contains(&value);
            if !part(spec.keep) || !part(spec.soft_edge) {
                return Err(InstallationError::Range(number + 1));
            }
            let effect = match spec.kind {
                ZoneKind::Blocked => Effect::Blocked,
                ZoneKind::Allowed => Effect::Allowed,
                ZoneKind::Dimmed => Effect::Attenuated(spec.keep),
            };
            let shape = Shape::polygon(&spec.corners)?;
            zones.add(Zone { shape, effect, soft_edge: spec.soft_edge })?;
        }
        let gate = GateSettings { zones, profile, ..GateSettings::default() };
        Ok(Ready { perspective, gate, colour_delay })
    }

    /// How much later colours come than positions: what the mirrors lag, and the trim. None if there are no such
    /// mirrors, or the trim is out of its range.
    #[must_use]
    pub fn colour_delay(&self) -> Option<Duration> {
        let lag_us = 1e6 * GalvoProfile::named(&self.mirrors)?.lag_s();
        let trim_us = Some(self.colour_trim_us).filter(|us| us.abs() <= MOST_TRIM_US)?;
        Duration::try_from_secs_f32(1e-6 * (lag_us + trim_us).max(0.0)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installation_survives_its_file_and_is_made_ready() {
        let installation = Installation {
            corners: [[-0.9, -0.8], [0.9, -0.8], [0.5, 0.7], [-0.5, 0.7]],
            mirrors: "20 kpps".into(),
            colour_trim_us: -40.0,
            zones: vec![ZoneSpec { kind: ZoneKind::Dimmed, ..ZoneSpec::default() }],
            buffer_ms: Some(80.0),
        };
        let text = toml::to_string(&installation).unwrap();
        assert_eq!(toml::from_str::<Installation>(&text).unwrap(), installation);
        let ready = installation.ready().unwrap();
        assert_eq!(ready.gate.profile, GalvoProfile::K20);
        assert!((ready.gate.zones.gain([0.0, 0.0]) - 0.3).abs() < 1e-6);
        assert_eq!(ready.colour_delay.as_micros(), 150, "191 of the mirrors, less 40");
        let plain = Installation::default().ready().unwrap();
        assert!(plain.gate.zones.is_open() && plain.perspective == Perspective::default());
    }

    #[test]
    fn a_set_up_of_before_there_was_a_trim_is_read_and_delays_by_the_lag_of_its_mirrors() {
        let old = toml::from_str::<Installation>("mirrors = \"30 kpps\"\nzones = []").unwrap();
        assert_eq!(old, Installation::default());
        assert_eq!(old.ready().unwrap().colour_delay.as_micros(), 127);
        let least = Installation { colour_trim_us: -1000.0, ..old };
        assert_eq!(
            least.ready().unwrap().colour_delay,
            Duration::ZERO,
            "never before its position"
        );
    }

    #[test]
    fn more_light_is_told_from_less() {
        let zone = |kind| ZoneSpec { kind, ..ZoneSpec::default() };
        let with = |zones: Vec<ZoneSpec>| Installation { zones, ..Installation::default() };
        let (plain, blocked) = (with(Vec::new()), with(vec![zone(ZoneKind::Blocked)]));
        let (dimmed, allowed) =
            (with(vec![zone(ZoneKind::Dimmed)]), with(vec![zone(ZoneKind::Allowed)]));
        let mut aside = zone(ZoneKind::Allowed);
        aside.corners.iter_mut().for_each(|corner| corner[0] += 0.6);
        let two_allowed = with(vec![zone(ZoneKind::Allowed), aside]);
        for (more, less) in [
            (&plain, &blocked),
            (&plain, &dimmed),
            (&dimmed, &blocked),
            (&plain, &allowed),
            (&two_allowed, &allowed),
        ] {
            assert!(more.lets_more_light_than(less));
            assert!(!less.lets_more_light_than(more));
            assert!(!more.lets_more_light_than(more));
        }
        let tiny = vec![[0.511, 0.512], [0.513, 0.512], [0.512, 0.514]];
        let tiny = with(vec![ZoneSpec { corners: tiny, soft_edge: 0.0, ..ZoneSpec::default() }]);
        assert!(plain.lets_more_light_than(&tiny), "smaller than the grid");
        let mirrors = Installation { mirrors: "20 kpps".into(), ..Installation::default() };
        assert!(!mirrors.lets_more_light_than(&plain) && !plain.lets_more_light_than(&mirrors));
    }

    #[test]
    fn what_makes_no_sense_is_refused_whole() {
        let zone = |zone: ZoneSpec| Installation { zones: vec![zone], ..Installation::default() };
        let none: Vec<[f32; 2]> = Vec::new();
        for wrong in [
            zone(ZoneSpec { keep: f32::NAN, ..ZoneSpec::default() }),
            zone(ZoneSpec { soft_edge: -1.0, ..ZoneSpec::default() }),
            zone(ZoneSpec { corners: none, ..ZoneSpec::default() }),
            zone(ZoneSpec { corners: vec![[f32::INFINITY, 0.0]; 3], ..ZoneSpec::default() }),
            Installation { zones: vec![ZoneSpec::default(); 9], ..Installation::default() },
            Installation { mirrors: "ideal".into(), ..Installation::default() },
            Installation { colour_trim_us: f32::NAN, ..Installation::default() },
            Installation { colour_trim_us: -1001.0, ..Installation::default() },
            Installation { buffer_ms: Some(f32::NAN), ..Installation::default() },
            Installation { buffer_ms: Some(0.0), ..Installation::default() },
            Installation { corners: [[0.0; 2]; 4], ..Installation::default() },
        ] {
            assert!(wrong.ready().is_err(), "{wrong:?}");
        }
    }
}
